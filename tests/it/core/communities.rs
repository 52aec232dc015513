//! Administrators limited to communities (docs/core.md, sections 3 to 5).

use serde_json::{Value, json};

use crate::support::{A, B, C, CORE, Caller, FULL, Server, core_groups, labels, make_group};

/// Adds a group (ID 0) or edits one.
async fn put(caller: &Caller, id: i64, communities: Value) -> crate::support::Reply {
    let body = json!({ "ID": id, "Labels": labels(&json!({ "en": "g" })), "Communities": communities });
    caller.post(CORE, &body).await
}

#[tokio::test]
async fn limited_callers_see_list_count_and_delete_only_their_groups() {
    let server = Server::start();
    let (admin, of_a) = (server.admin().await, server.token(&[FULL], &[A]).await);
    let mut numbers = Vec::new();
    for communities in [&[][..], &[A], &[B], &[A, B]] {
        numbers.push(make_group(&admin, "g", communities).await);
    }
    assert_eq!(core_groups(&of_a).await, [numbers[1], numbers[3]]);
    let page = of_a.get(&format!("{CORE}/list?pageSize=1")).await.is(200);
    assert_eq!((page.total(), page.ids()), (2, vec![numbers[1].to_string()]));
    assert!(page.header("link").contains(r#"page=2&pageSize=1>; rel="last""#), "links do not betray the rest");
    for unseen in [numbers[0], numbers[2], 99] {
        let got = of_a.get(&format!("{CORE}/{unseen}")).await.fails(404, "not_found");
        let deleted = of_a.delete(&format!("{CORE}/{unseen}")).await.fails(404, "not_found");
        assert_eq!(got.text, deleted.text, "the same words");
        put(&of_a, unseen, Value::Null).await.fails(400, "invalid_data");
    }
    of_a.delete(&format!("{CORE}/{}", numbers[1])).await.is(200);
    assert_eq!(core_groups(&admin).await, [numbers[0], numbers[2], numbers[3]]);
}

#[tokio::test]
async fn a_group_has_at_most_a_hundred_communities() {
    let server = Server::start();
    let admin = server.admin().await;
    let numbered = |numbers: std::ops::Range<u32>| -> Vec<String> {
        numbers.map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect()
    };
    let too_many = async |caller: &Caller, id: i64, communities: Vec<String>| {
        let refused = put(caller, id, json!(communities)).await.fails(400, "invalid_data");
        assert!(refused.text.contains("Communities must not name more than 100 communities"), "{}", refused.text);
    };
    too_many(&admin, 0, numbered(0..101)).await;
    // Duplicates count once.
    put(&admin, 0, json!([numbered(0..100), numbered(0..100)].concat())).await.is(200);
    too_many(&admin, 1, numbered(0..101)).await;
    // The communities of a limited caller count together with the group's communities that the caller does not see.
    let of_a = server.token(&[FULL], &[A, B]).await;
    put(&admin, 1, json!([numbered(1..100), vec![A.to_owned()]].concat())).await.is(200);
    put(&of_a, 1, json!([B])).await.is(200);
    too_many(&of_a, 1, vec![A.to_owned(), B.to_owned()]).await;
}

#[tokio::test]
async fn a_tombstone_is_visible_if_the_group_was() {
    let server = Server::start();
    let (admin, of_a) = (server.admin().await, server.token(&[FULL], &[A]).await);
    let (own, other) = (make_group(&admin, "g", &[A]).await, make_group(&admin, "h", &[B]).await);
    for number in [own, other] {
        admin.delete(&format!("{CORE}/{number}")).await.is(200);
    }
    of_a.delete(&format!("{CORE}/{own}")).await.fails(410, "already_deleted");
    of_a.delete(&format!("{CORE}/{other}")).await.fails(404, "not_found");
}

#[tokio::test]
async fn limited_callers_must_name_one_of_their_communities_when_they_add() {
    let server = Server::start();
    let of_both = server.token(&[FULL], &[A, B]).await;
    for missing in [Value::Null, json!([]), json!([C]), json!([A, C])] {
        put(&of_both, 0, missing).await.fails(400, "invalid_data");
    }
    let text = json!({ "Labels": labels(&json!({ "en": "g" })) });
    of_both.post(CORE, &text).await.fails(400, "invalid_data");
    put(&of_both, 0, json!([A])).await.is(200);
    put(&of_both, 0, json!([B, A])).await.is(200);
    let (of_a, of_b) = (server.token(&[FULL], &[A]).await, server.token(&[FULL], &[B]).await);
    assert_eq!((core_groups(&of_a).await, core_groups(&of_b).await), (vec![1, 2], vec![2]));
}

#[tokio::test]
async fn limited_callers_replace_only_links_to_their_communities() {
    let server = Server::start();
    let (admin, of_a) = (server.admin().await, server.token(&[FULL], &[A]).await);
    let (of_b, of_c) = (server.token(&[FULL], &[B]).await, server.token(&[FULL], &[C]).await);
    let of_both = server.token(&[FULL], &[A, B]).await;
    let number = make_group(&admin, "g", &[A, B, C]).await;
    let seen_by = async |callers: &[&Caller]| {
        let mut visible = Vec::new();
        for caller in callers {
            visible.push(core_groups(caller).await.contains(&number));
        }
        visible
    };
    put(&of_a, number, json!([A])).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c]).await, [true; 3], "other links stay");
    for bad in [json!([]), json!([B]), json!([A, B])] {
        put(&of_a, number, bad).await.fails(400, "invalid_data");
    }
    put(&of_both, number, json!([B])).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c]).await, [false, true, true]);
    put(&of_b, number, Value::Null).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c]).await, [false, true, true], "null keeps them");
    put(&admin, number, json!([])).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c, &admin]).await, [false, false, false, true]);
}

#[tokio::test]
async fn limits_of_user_and_client_are_intersected() {
    let server = Server::start();
    let admin = server.admin().await;
    for communities in [&[A][..], &[B], &[C]] {
        make_group(&admin, "g", communities).await;
    }
    server.make_user("limited", &[FULL], &[A, B]);
    let session = server.log_on("limited", crate::support::PASSWORD).await.is(200);
    let by_logon = server.bearer(session["Token"].as_str().unwrap());
    assert_eq!(core_groups(&by_logon).await, [1, 2], "the user's own limit");

    for (communities, visible) in [(&[B, C][..], vec![2]), (&[C], vec![]), (&[], vec![1, 2])] {
        let (id, secret) = server.make_client(&[FULL], communities, &["--user", "limited"]);
        let acting = server.bearer(&server.client_token(&id, &secret).await);
        assert_eq!(core_groups(&acting).await, visible, "{communities:?}");
    }
    let (id, secret) = server.make_client(&[], &[B, C], &[]);
    let fields = [
        ("client_id", &*id),
        ("client_secret", &*secret),
        ("username", "limited"),
        ("password", crate::support::PASSWORD),
    ];
    let granted = server.grant(&[&[("grant_type", "password")], &fields[..]].concat()).await.is(200);
    let by_password = server.bearer(granted["access_token"].as_str().unwrap());
    assert_eq!(core_groups(&by_password).await, [2]);
}
