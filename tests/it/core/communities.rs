//! Administrators limited to communities (docs/core.md, sections 3 to 5).

use serde_json::{Value, json};

use crate::support::{A, B, C, CORE, Caller, FULL, Server, core_groups, labels, make_group};

/// Adds (ID 0) or edits a group.
async fn put(caller: &Caller, id: i64, communities: Value) -> crate::support::Reply {
    let body = json!({ "ID": id, "Labels": labels(&json!({ "en": "g" })), "Communities": communities });
    caller.post(CORE, &body).await
}

#[tokio::test]
async fn they_see_list_count_and_delete_their_own_alone() {
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
async fn a_tombstone_is_theirs_if_the_group_was() {
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
async fn they_name_a_community_of_their_own_when_they_add() {
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
async fn they_replace_links_to_their_own_alone() {
    let server = Server::start();
    let (admin, of_a) = (server.admin().await, server.token(&[FULL], &[A]).await);
    let (of_b, of_c) = (server.token(&[FULL], &[B]).await, server.token(&[FULL], &[C]).await);
    let of_both = server.token(&[FULL], &[A, B]).await;
    let number = make_group(&admin, "g", &[A, B, C]).await;
    let seen_by = async |callers: &[&Caller]| {
        let mut seen = Vec::new();
        for caller in callers {
            seen.push(core_groups(caller).await.contains(&number));
        }
        seen
    };
    put(&of_a, number, json!([A])).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c]).await, [true; 3], "other links stay");
    for bad in [json!([]), json!([B]), json!([A, B])] {
        put(&of_a, number, bad).await.fails(400, "invalid_data");
    }
    put(&of_both, number, json!([B])).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c]).await, [false, true, true]);
    put(&of_b, number, Value::Null).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c]).await, [false, true, true], "null leaves them alone");
    put(&admin, number, json!([])).await.is(200);
    assert_eq!(seen_by(&[&of_a, &of_b, &of_c, &admin]).await, [false, false, false, true]);
}

#[tokio::test]
async fn where_user_and_client_are_limited_what_they_share_counts() {
    let server = Server::start();
    let admin = server.admin().await;
    for communities in [&[A][..], &[B], &[C]] {
        make_group(&admin, "g", communities).await;
    }
    server.make_user("limited", &[FULL], &[A, B]);
    let session = server.log_on("limited", crate::support::PASSWORD).await.is(200);
    let by_logon = server.bearer(session["Token"].as_str().unwrap());
    assert_eq!(core_groups(&by_logon).await, [1, 2], "the user's own limit");

    for (communities, seen) in [(&[B, C][..], vec![2]), (&[C], vec![]), (&[], vec![1, 2])] {
        let (id, secret) = server.make_client(&[FULL], communities, &["--user", "limited"]);
        let acting = server.bearer(&server.client_token(&id, &secret).await);
        assert_eq!(core_groups(&acting).await, seen, "{communities:?}");
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
