//! One directory behind every API: what is created through one API exists at once and completely in the others.

use serde_json::{Value, json};

use crate::support::{A, B, C, CORE, Caller, FULL, Launch, Server, core_groups, labels, make_group, make_user};

const GROUPS: &str = "/v1/usergroups";

/// The OrderCloud API's ID of the group with this Name.
async fn id_of(caller: &Caller, name: &str) -> String {
    caller.list(GROUPS, &[("Name", name)]).await.is(200).ids().remove(0)
}

async fn labels_of(caller: &Caller, number: i64) -> Value {
    let group = caller.get(&format!("{CORE}/{number}")).await.is(200);
    serde_json::from_str(group["Labels"].as_str().unwrap()).unwrap()
}

async fn edit(caller: &Caller, number: i64, to: &Value) {
    caller.post(CORE, &json!({ "ID": number, "Labels": labels(to) })).await.is(200);
}

#[tokio::test]
async fn a_group_created_in_core_is_complete_in_ordercloud() {
    let server = Server::start();
    let admin = server.admin().await;
    make_group(&admin, "From Core", &[A]).await;
    let group = admin.get(&format!("{GROUPS}/{}", id_of(&admin, "From Core").await)).await.is(200);
    assert_eq!(group["ID"].as_str().unwrap().len(), 26, "generated");
    assert_eq!(
        (&group["Name"], &group["Description"], &group["xp"]),
        (&json!("From Core"), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_group_created_in_ordercloud_is_complete_in_core() {
    let server = Server::start();
    let admin = server.admin().await;
    make_group(&admin, "first", &[]).await;
    admin.post(GROUPS, &json!({ "ID": "oc", "Name": "From OrderCloud" })).await.is(201);
    admin.put(&format!("{GROUPS}/oc2"), &json!({ "Name": "By PUT" })).await.is(200);
    assert_eq!(core_groups(&admin).await, [1, 2, 3], "one counter");
    assert_eq!(labels_of(&admin, 2).await, json!({ "en": "From OrderCloud" }));
    admin.patch(&format!("{GROUPS}/oc"), &json!({ "ID": "renamed" })).await.is(200);
    assert_eq!(labels_of(&admin, 2).await, json!({ "en": "From OrderCloud" }), "a rename is none of Core's");
    admin.delete(&format!("{GROUPS}/renamed")).await.is(204);
    admin.delete(&format!("{CORE}/2")).await.fails(410, "already_deleted");
    admin.post(GROUPS, &json!({ "ID": "oc", "Name": "N" })).await.is(201);
    assert_eq!(core_groups(&admin).await, [1, 3, 4], "a new group of an old name is a new number");
}

#[tokio::test]
async fn a_name_is_the_default_languages_label_or_the_first() {
    let server = Server::start();
    let admin = server.admin().await;
    let number = make_group(&admin, "English", &[]).await;
    let path = format!("{GROUPS}/{}", id_of(&admin, "English").await);
    let name = async || admin.get(&path).await.is(200)["Name"].as_str().unwrap().to_owned();
    for (labels, expected) in [
        (json!({ "it": "Italiano", "EN": "Shout" }), "Shout"),
        (json!({ "it": "Italiano", "de": "Deutsch" }), "Deutsch"),
        (json!({ "en-US": "American", "it": "Italiano" }), "American"),
        (json!({ "it": "Italiano", "De-at": "Österreich" }), "Österreich"),
    ] {
        edit(&admin, number, &labels).await;
        assert_eq!(name().await, expected, "{labels}");
        assert_eq!(admin.list(GROUPS, &[("search", expected)]).await.is(200).total(), 1);
    }
}

#[tokio::test]
async fn writing_a_name_leaves_other_languages_alone() {
    let server = Launch::default().arg("--default-language").arg("it").start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "ID": "g", "Name": "Gruppo" })).await.is(201);
    assert_eq!(labels_of(&admin, 1).await, json!({ "it": "Gruppo" }));
    edit(&admin, 1, &json!({ "en": "Group", "de": "Gruppe" })).await;
    admin.patch(&format!("{GROUPS}/g"), &json!({ "Description": "d" })).await.is(200);
    assert_eq!(labels_of(&admin, 1).await, json!({ "de": "Gruppe", "en": "Group" }), "no Name, no label");
    admin.patch(&format!("{GROUPS}/g"), &json!({ "Name": "Nuovo" })).await.is(200);
    assert_eq!(labels_of(&admin, 1).await, json!({ "de": "Gruppe", "en": "Group", "it": "Nuovo" }));
    admin.put(&format!("{GROUPS}/g"), &json!({ "Name": "Ancora" })).await.is(200);
    assert_eq!(labels_of(&admin, 1).await, json!({ "de": "Gruppe", "en": "Group", "it": "Ancora" }));
}

#[tokio::test]
async fn core_keeps_fields_it_does_not_have() {
    let server = Server::start();
    let admin = server.admin().await;
    let whole = json!({ "ID": "g", "Name": "Before", "Description": "d", "xp": { "k": 1.0 } });
    admin.post(GROUPS, &whole).await.is(201);
    make_user(&admin, "u").await;
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": "g", "UserID": "u" })).await.is(204);
    edit(&admin, 1, &json!({ "en": "After" })).await;
    let group = admin.get(&format!("{GROUPS}/g")).await.is(200).text;
    assert_eq!(group, r#"{"ID":"g","Name":"After","Description":"d","xp":{"k":1.0}}"#);
    assert_eq!(admin.get("/v1/usergroups/assignments").await.is(200).total(), 1);
    // Members keep a group from being deleted in the Core API, but not in the OrderCloud API.
    admin.delete(&format!("{CORE}/1")).await.fails(409, "has_users");
    admin.delete(&format!("{GROUPS}/g")).await.is(204);
    admin.get(&format!("{CORE}/1")).await.fails(404, "not_found");
}

/// A request of either API that changes nothing leaves `LastUpdated` as it is.
#[tokio::test]
async fn a_request_without_a_change_leaves_the_dates() {
    let server = Server::start();
    let admin = server.admin().await;
    let whole = json!({ "ID": "g", "Name": "N", "Description": "d", "xp": { "k": 1.0 } });
    admin.post(GROUPS, &whole).await.is(201);
    make_user(&admin, "u").await;
    let before = admin.get(&format!("{CORE}/1")).await.text;
    admin.put(&format!("{GROUPS}/g"), &whole).await.is(200);
    admin.patch(&format!("{GROUPS}/g"), &json!({ "Name": "N", "xp": { "k": 1.0 } })).await.is(200);
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": "g", "UserID": "u" })).await.is(204);
    edit(&admin, 1, &json!({ "en": "N" })).await;
    assert_eq!(admin.get(&format!("{CORE}/1")).await.text, before);
}

#[tokio::test]
async fn limited_callers_are_limited_in_every_api() {
    let server = Server::start();
    let (admin, of_a) = (server.admin().await, server.token(&[FULL], &[A]).await);
    for (name, communities) in [("none", &[][..]), ("own", &[A]), ("other", &[B]), ("both", &[A, B])] {
        make_group(&admin, name, communities).await;
    }
    let listed = of_a.get(&format!("{GROUPS}?pageSize=1&sortBy=Name")).await.is(200);
    assert_eq!(
        (listed.total(), &listed["Meta"]["TotalPages"], &listed["Items"][0]["Name"]),
        (2, &json!(2), &json!("both"))
    );
    for (query, total) in
        [("search=o", 2), ("search=other", 0), ("Name=*", 2), ("Name=none", 0), ("Name=!own", 1), ("xp.k=!*", 2)]
    {
        assert_eq!(of_a.get(&format!("{GROUPS}?{query}")).await.is(200).total(), total, "{query}");
    }
    let other = format!("{GROUPS}/{}", id_of(&admin, "other").await);
    for (method, body) in [("GET", ""), ("PATCH", r#"{"Name":"x"}"#), ("DELETE", "")] {
        of_a.text(method, &other, body).await.fails(404, "NotFound");
    }
    assert_eq!(admin.get(&other).await.is(200)["Name"], "other");
    // A limited caller learns nothing about invisible groups, except that an ID is taken.
    of_a.put(&other, &json!({ "Name": "x" })).await.fails(409, "IdExists");
    let taken = json!({ "ID": other.rsplit('/').next(), "Name": "x" });
    of_a.post(GROUPS, &taken).await.fails(409, "IdExists");
    let own = format!("{GROUPS}/{}", id_of(&admin, "own").await);
    of_a.patch(&own, &json!({ "ID": taken["ID"] })).await.fails(409, "IdExists");
}

#[tokio::test]
async fn a_group_of_a_limited_caller_is_in_its_communities() {
    let server = Server::start();
    let (of_a, of_b) = (server.token(&[FULL], &[A]).await, server.token(&[FULL], &[B]).await);
    of_a.post(GROUPS, &json!({ "ID": "posted", "Name": "N" })).await.is(201);
    of_a.put(&format!("{GROUPS}/put"), &json!({ "Name": "N" })).await.is(200);
    assert_eq!((core_groups(&of_a).await, core_groups(&of_b).await), (vec![1, 2], vec![]));
    let of_both = server.token(&[FULL], &[A, B]).await;
    for (method, path) in [("POST", GROUPS.to_owned()), ("PUT", format!("{GROUPS}/new"))] {
        of_both.text(method, &path, r#"{"Name":"N"}"#).await.fails(403, "Auth.UserNotAuthorizedToAdmin");
    }
    // The caller changes the existing group, whose links stay.
    of_both.put(&format!("{GROUPS}/put"), &json!({ "Name": "M" })).await.is(200);
    assert_eq!(core_groups(&of_a).await, [1, 2]);
}

#[tokio::test]
async fn a_caller_whose_limits_share_no_community_sees_nothing() {
    let server = Server::start();
    let admin = server.admin().await;
    make_group(&admin, "g", &[A, B, C]).await;
    server.make_user("limited", &[FULL], &[A]);
    let (id, secret) = server.make_client(&[FULL], &[B], &["--user", "limited"]);
    let nobody = server.bearer(&server.client_token(&id, &secret).await);
    assert_eq!(core_groups(&nobody).await, [0_i64; 0]);
    assert_eq!(nobody.get(GROUPS).await.is(200).total(), 0);
    nobody.get(&format!("{CORE}/1")).await.fails(404, "not_found");
    nobody.post(GROUPS, &json!({ "Name": "N" })).await.fails(403, "Auth.UserNotAuthorizedToAdmin");
    let body = json!({ "Labels": labels(&json!({ "en": "N" })), "Communities": [A] });
    nobody.post(CORE, &body).await.fails(400, "invalid_data");
}

#[tokio::test]
async fn the_directory_outlives_a_restart() {
    let mut server = Server::start();
    let admin = server.admin().await;
    make_group(&admin, "kept", &[A]).await;
    make_user(&admin, "u").await;
    let before = crate::support::everything(&admin).await;
    assert!(server.stop().success());
    server.restart();
    let admin = server.admin().await;
    assert_eq!(crate::support::everything(&admin).await, before);
    assert_eq!(make_group(&admin, "next", &[]).await, 2);
}
