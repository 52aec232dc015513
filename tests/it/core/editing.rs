//! Adding, editing and deleting groups (docs/core.md, sections 2 to 4).

use serde_json::{Value, json};

use crate::support::{A, CORE, Caller, Server, labels, make_group, make_user};

async fn add(admin: &Caller, group_labels: Value) -> crate::support::Reply {
    admin.post(CORE, &json!({ "Labels": labels(&group_labels) })).await
}

#[tokio::test]
async fn an_absent_null_or_zero_id_adds() {
    let server = Server::start();
    let admin = server.admin().await;
    let texts = [
        r#"{"Labels":"{\"en\":\"a\"}"}"#,
        r#"{"ID":0,"Labels":"{\"en\":\"a\"}"}"#,
        r#"{"ID":null,"Labels":"{\"en\":\"a\"}","Communities":null}"#,
        r#"{"id":0,"LABELS":"{\"en\":\"a\"}","communities":[],"Unknown":{"x":1}}"#,
    ];
    for (number, text) in (1..).zip(texts) {
        let made = admin.text("POST", CORE, text).await.is(200);
        assert_eq!(
            (made.text.as_str(), made.header("location")),
            (r#"{"Success":true}"#, &*format!("{CORE}/{number}"))
        );
    }
}

#[tokio::test]
async fn an_edit_replaces_the_labels_and_sends_no_location() {
    let server = Server::start();
    let admin = server.admin().await;
    let number = make_group(&admin, "before", &[A]).await;
    let edit = json!({ "ID": number, "Labels": labels(&json!({ "de": "danach", "EN": "after" })) });
    let edited = admin.post(CORE, &edit).await.is(200);
    assert_eq!((edited.text.as_str(), edited.header("location")), (r#"{"Success":true}"#, ""));
    let group = admin.get(&format!("{CORE}/{number}")).await.is(200);
    assert_eq!(group["Labels"], r#"{"de":"danach","EN":"after"}"#, "tags keep their spelling");
    for missing in [number + 1, i64::MAX] {
        let edit = json!({ "ID": missing, "Labels": labels(&json!({ "en": "a" })) });
        admin.post(CORE, &edit).await.fails(400, "invalid_data");
    }
    admin.delete(&format!("{CORE}/{number}")).await.is(200);
    admin.post(CORE, &edit).await.fails(400, "invalid_data");
}

#[tokio::test]
async fn labels_have_rules() {
    let server = Server::start();
    let admin = server.admin().await;
    let many = |count: usize| Value::from_iter((0..count).map(|at| (format!("x-{at}"), "label".to_owned())));
    for good in [
        json!({ "en": "é".repeat(100) }),
        json!({ "zh-Hant-TW": "a", "x-private": "b", "i-klingon": "c", "en": " d " }),
        many(64),
    ] {
        add(&admin, good).await.is(200);
    }
    let bad = [
        json!({}),
        json!([]),
        json!({ "en": "" }),
        json!({ "en": " \t" }),
        json!({ "en": 1 }),
        json!({ "en": null }),
        json!({ "en": "é".repeat(101) }),
        json!({ "en": "a", "EN": "b" }),
        json!({ "en_US": "a" }),
        json!({ "": "a" }),
        json!({ "english language": "a" }),
        json!({ "en": "a\u{0}b" }),
        many(65),
    ];
    for labels in bad {
        let reply = add(&admin, labels.clone()).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_data"), "{labels}");
    }
    for text in [
        r#"{"Labels":{"en":"an object"}}"#,
        r#"{"Labels":null}"#,
        r#"{"ID":1}"#,
        r#"{"Labels":""}"#,
        r#"{"Labels":"{\"en\":\"a\",\"en\":\"b\"}"}"#,
        r#"{"Labels":"{\"en\":\"\\ud800\"}"}"#,
        r#"{"Labels":"{\"en\":"}"#,
    ] {
        admin.text("POST", CORE, text).await.fails(400, "invalid_data");
    }
    assert_eq!(crate::support::core_groups(&admin).await, [1, 2, 3]);
}

#[tokio::test]
async fn ids_and_communities_have_rules() {
    let server = Server::start();
    let admin = server.admin().await;
    let with = |member: &str, value: Value| {
        let mut body = json!({ "Labels": labels(&json!({ "en": "a" })) });
        body[member] = value;
        body
    };
    for id in [json!("7"), json!(1.5), json!(-1), json!(true), json!([]), json!(1e30)] {
        admin.post(CORE, &with("ID", id)).await.fails(400, "invalid_data");
    }
    for communities in [json!("x"), json!(["x"]), json!([1]), json!({}), json!([A, ""]), json!([null])] {
        admin.post(CORE, &with("Communities", communities)).await.fails(400, "invalid_data");
    }
    let spellings = json!([A.to_uppercase(), A.replace('-', ""), format!("{{{A}}}"), format!("urn:uuid:{A}")]);
    admin.post(CORE, &with("Communities", spellings)).await.is(200);
    for path in ["0", "-1", "1.0", "x", "%201", "9223372036854775808", "+1"] {
        for method in ["GET", "DELETE"] {
            admin.call(method, &format!("{CORE}/{path}"), None, "").await.fails(400, "invalid_request");
        }
    }
}

#[tokio::test]
async fn a_delete_checks_404_then_410_then_409() {
    let server = Server::start();
    let admin = server.admin().await;
    let number = make_group(&admin, "g", &[]).await;
    let path = format!("{CORE}/{number}");
    let group = admin.get("/v1/usergroups").await.is(200).ids().remove(0);
    make_user(&admin, "u").await;
    make_user(&admin, "v").await;
    for user in ["u", "v"] {
        let pair = json!({ "UserGroupID": group, "UserID": user });
        admin.post("/v1/usergroups/assignments", &pair).await.is(204);
    }
    let refused = admin.delete(&path).await.fails(409, "has_users");
    assert!(refused["Description"].as_str().unwrap().contains("2 users"), "{}", refused.text);
    // A deleted user is no longer a member.
    admin.delete("/v1/adminusers/v").await.is(204);
    let refused = admin.delete(&path).await.fails(409, "has_users");
    assert!(refused["Description"].as_str().unwrap().contains("1 user;"), "{}", refused.text);
    admin.delete(&format!("/v1/usergroups/{group}/assignments/u")).await.is(204);
    assert_eq!(admin.delete(&path).await.is(200).text, r#"{"Success":true}"#);
    admin.delete(&path).await.fails(410, "already_deleted");
    admin.delete(&format!("{CORE}/99")).await.fails(404, "not_found");
}

#[tokio::test]
async fn an_edit_with_equal_values_changes_nothing() {
    let server = Server::start();
    let admin = server.admin().await;
    let number = make_group(&admin, "same", &[A]).await;
    let before = admin.get(&format!("{CORE}/{number}")).await.text;
    let same = json!({ "ID": number, "Labels": labels(&json!({ "en": "same" })), "Communities": [A] });
    admin.post(CORE, &same).await.is(200);
    assert_eq!(admin.get(&format!("{CORE}/{number}")).await.text, before);
}
