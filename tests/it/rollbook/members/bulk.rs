//! Changes of many members.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{MEMBERS, changed, directory, ids, make_user, members, with};

#[tokio::test]
async fn a_delta_adds_and_removes_the_named_users_alone() {
    let (_server, admin) = directory(&["ada", "bob", "cy", "dan"]).await;
    let patch = async |body: Value| admin.patch(MEMBERS, &body).await;
    let added = patch(json!({ "add": ["ada", "uid:2", "username:bob", "ADA", "username:cy"] })).await.is(200);
    assert_eq!(*added.json(), changed(3, 0, 0, &[]), "who is said twice counts once");
    let both = patch(json!({ "add": ["dan", "ada"], "remove": ["uid:2", "bob"] })).await.is(200);
    assert_eq!(*both.json(), changed(1, 1, 1, &[]));
    assert_eq!(members(&admin).await, ["ada", "cy", "dan"]);
    let nothing = patch(json!({ "add": ["dan"], "remove": ["bob"] })).await.is(200);
    assert_eq!(*nothing.json(), changed(0, 0, 2, &[]));
    assert_eq!(*patch(json!({ "add": [] })).await.is(200).json(), changed(0, 0, 0, &[]));
    // In the other APIs, too.
    assert_eq!(admin.get("/v1/usergroups/assignments").await.is(200).total(), 3);
}

#[tokio::test]
async fn a_change_with_one_unknown_user_changes_nothing() {
    let (_server, admin) = directory(&["ada", "bob"]).await;
    admin.patch(MEMBERS, &json!({ "add": ["bob"] })).await.is(200);
    let body = json!({ "add": ["ada", "nobody", "uid:77", "NOBODY"], "remove": ["bob", "username:who"] });
    let refused = admin.patch(MEMBERS, &body).await.fails(422, "unknown_users");
    assert_eq!(refused["unknown"], json!(["nobody", "uid:77", "username:who"]));
    assert!(refused["detail"].as_str().unwrap().contains("uid:77"), "{}", refused.text);
    admin.put(MEMBERS, &json!({ "members": ["ada", "nobody"] })).await.fails(422, "unknown_users");
    assert_eq!(members(&admin).await, ["bob"]);
    let ignored = admin.patch(&format!("{MEMBERS}?unknown=ignore"), &body).await.is(200);
    assert_eq!(*ignored.json(), changed(1, 1, 0, &["nobody", "uid:77", "username:who"]));
    assert_eq!(members(&admin).await, ["ada"]);
}

#[tokio::test]
async fn a_list_of_all_members_is_reached_by_the_difference() {
    let (_server, admin) = directory(&["ada", "bob", "cy"]).await;
    admin.put(MEMBERS, &json!({ "members": ["ada", "bob"] })).await.is(200);
    let since = admin.get(MEMBERS).await["items"][1]["since"].clone();
    let put = admin.put(MEMBERS, &json!({ "members": ["cy", "username:bob"] })).await.is(200);
    assert_eq!(*put.json(), changed(1, 1, 1, &[]));
    let listed = admin.get(MEMBERS).await;
    assert_eq!(ids(&listed), ["bob", "cy"]);
    assert_eq!(listed["items"][0]["since"], since, "who stays was not added again");
    assert_eq!(*admin.put(MEMBERS, &json!({ "members": [] })).await.is(200).json(), changed(0, 2, 0, &[]));
    assert_eq!(admin.get(MEMBERS).await["total"], 0);
}

#[tokio::test]
async fn a_dry_run_tells_what_the_change_does_and_changes_nothing() {
    let (_server, admin) = directory(&["ada", "bob", "cy"]).await;
    for (method, body) in [
        ("PATCH", json!({ "add": ["cy", "ada", "nobody"], "remove": ["bob"] })),
        ("PUT", json!({ "members": ["cy", "nobody"] })),
    ] {
        admin.put(MEMBERS, &json!({ "members": ["ada", "bob"] })).await.is(200);
        let before = admin.get(MEMBERS).await.is(200);
        let change = async |dry_run: bool| {
            let path = format!("{MEMBERS}?unknown=ignore&dryRun={dry_run}");
            admin.text(method, &path, &body.to_string()).await.is(200)
        };
        let told = change(true).await;
        let after = admin.get(MEMBERS).await.is(200);
        assert_eq!((&after.text, after.header("etag")), (&before.text, before.header("etag")));
        let made = change(false).await;
        assert_eq!(made.text, told.text);
        assert_eq!((told.header("etag"), made.header("etag").is_empty()), ("", false), "no such version is there");
    }
    let refused = admin.patch(&format!("{MEMBERS}?dryRun=true"), &json!({ "add": ["nobody"] })).await;
    refused.fails(422, "unknown_users");
}

#[tokio::test]
async fn a_dry_run_leaves_its_idempotency_key_free() {
    let (_server, admin) = directory(&["ada"]).await;
    let (dry_run, body) = (format!("{MEMBERS}?dryRun=true"), json!({ "add": ["ada"] }));
    let keyed = async |path: &str, body: &Value| with(&admin, "PATCH", path, ("idempotency-key", "k"), body).await;
    assert_eq!(*keyed(&dry_run, &body).await.is(200).json(), changed(1, 0, 0, &[]));
    let again = keyed(&dry_run, &body).await.is(200);
    assert_eq!(again.header("idempotency-replayed"), "", "it is computed again");
    let made = keyed(MEMBERS, &body).await.is(200);
    assert_eq!(*made.json(), changed(1, 0, 0, &[]));
    let replayed = keyed(MEMBERS, &body).await.is(200);
    assert_eq!((replayed.header("idempotency-replayed"), &replayed.text), ("true", &made.text));
    assert_eq!(replayed.header("etag"), made.header("etag"));
    keyed(MEMBERS, &json!({ "remove": ["ada"] })).await.fails(422, "idempotency_key_reused");
    keyed(&dry_run, &body).await.fails(422, "idempotency_key_reused");
    assert_eq!(members(&admin).await, ["ada"]);
}

#[tokio::test]
async fn too_many_removals_are_refused() {
    let users = ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"];
    let (_server, admin) = directory(&users).await;
    admin.put(MEMBERS, &json!({ "members": users })).await.is(200);
    let three = json!({ "remove": ["u0", "u1", "u2"] });
    let keeps_seven = json!({ "members": &users[3..] });
    for guard in [
        "maxRemovals=2",
        "maxRemovalPercent=29",
        "maxRemovals=0",
        "maxRemovalPercent=0",
        "maxRemovals=9&maxRemovalPercent=20",
    ] {
        for dry_run in ["", "&dryRun=true"] {
            let path = format!("{MEMBERS}?{guard}{dry_run}");
            let refused = admin.patch(&path, &three).await.fails(409, "too_many_removals");
            assert!(refused["detail"].as_str().unwrap().contains("3 of 10"), "{}", refused.text);
            admin.put(&path, &keeps_seven).await.fails(409, "too_many_removals");
        }
    }
    assert_eq!(members(&admin).await, users);
    for guard in ["maxRemovals=3", "maxRemovalPercent=30", "maxRemovals=100&maxRemovalPercent=100"] {
        let path = format!("{MEMBERS}?{guard}");
        assert_eq!(*admin.patch(&path, &three).await.is(200).json(), changed(0, 3, 0, &[]), "the bound is allowed");
        admin.put(MEMBERS, &json!({ "members": users })).await.is(200);
    }
    for wrong in [
        "maxRemovals=-1",
        "maxRemovals=x",
        "maxRemovals=",
        "maxRemovals=1.5",
        "maxRemovalPercent=101",
        "maxRemovalPercent=256",
        "maxRemovals=1&maxRemovals=2",
        "unknown=refuse",
        "unknown=",
        "dryRun=1",
        "dryrun=true",
        "max=1",
    ] {
        admin.patch(&format!("{MEMBERS}?{wrong}"), &three).await.fails(400, "invalid_parameter");
        admin.put(&format!("{MEMBERS}?{wrong}"), &keeps_seven).await.fails(400, "invalid_parameter");
    }
    assert_eq!(members(&admin).await, users);
}

#[tokio::test]
async fn a_body_that_contradicts_itself_or_has_another_form_is_refused() {
    let (_server, admin) = directory(&["ada", "bob"]).await;
    admin.patch(MEMBERS, &json!({ "add": ["ada"] })).await.is(200);
    for (method, body, code) in [
        ("PATCH", json!({ "add": ["bob"], "remove": ["bob"] }), "invalid"),
        ("PATCH", json!({ "add": ["bob"], "remove": ["uid:2"] }), "invalid"),
        ("PATCH", json!({ "add": ["bob"], "remove": ["username:BOB"] }), "invalid"),
        ("PATCH", json!({ "add": ["bob", "a b"] }), "invalid"),
        ("PATCH", json!({ "add": ["bob", ""] }), "invalid"),
        ("PATCH", json!({ "add": ["bob", "username:a\u{0}"] }), "invalid"),
        ("PATCH", json!({}), "invalid"),
        ("PATCH", json!({ "members": ["bob"] }), "invalid_body"),
        ("PATCH", json!({ "add": ["bob"], "removed": [] }), "invalid_body"),
        ("PATCH", json!({ "add": "bob" }), "invalid_body"),
        ("PATCH", json!({ "add": [1] }), "invalid_body"),
        ("PATCH", json!(["bob"]), "invalid_body"),
        ("PUT", json!({}), "invalid"),
        ("PUT", json!({ "members": ["bob"], "add": [] }), "invalid_body"),
        ("PUT", json!({ "members": null }), "invalid_body"),
    ] {
        let refused = admin.text(method, MEMBERS, &body.to_string()).await.fails(400, code);
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    for body in ["", " ", "null", "{", r#"{"add":["bob"],"add":[]}"#, r#"{"add":["bob"]} {}"#, r#"{"add":["\ud800"]}"#]
    {
        admin.text("PATCH", MEMBERS, body).await.fails(400, "invalid_body");
    }
    let kind = Some("text/plain");
    admin.call("PATCH", MEMBERS, kind, r#"{"add":["bob"]}"#).await.fails(415, "unsupported_media_type");
    assert_eq!(members(&admin).await, ["ada"]);
}

#[tokio::test]
async fn a_body_has_at_most_100_000_users_and_16_mib() {
    let (_server, admin) = directory(&["ada"]).await;
    let body = |users: usize, bytes: usize| {
        let body = format!(r#"{{"add":[{}]"#, vec![r#""ada""#; users].join(","));
        body.clone() + &" ".repeat(bytes.saturating_sub(body.len() + 1)) + "}"
    };
    let refused = admin.text("PATCH", MEMBERS, &body(100_001, 0)).await.fails(400, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/add");
    assert!(refused["detail"].as_str().unwrap().contains("100000 users"), "{}", refused.text);
    let (limit, large) = (16 * 1024 * 1024, body(100_000, 16 * 1024 * 1024));
    assert_eq!(large.len(), limit);
    for over in [body(1, limit + 1), body(100_000, limit + 1)] {
        assert_eq!(over.len(), limit + 1);
        admin.text("PATCH", MEMBERS, &over).await.fails(413, "too_large");
        admin.text("PUT", MEMBERS, &over).await.fails(413, "too_large");
    }
    assert_eq!(admin.get(MEMBERS).await["total"], 0);
    assert_eq!(*admin.text("PATCH", MEMBERS, &large).await.is(200).json(), changed(1, 0, 0, &[]));
    let request = admin.request("PATCH", MEMBERS).header("idempotency-key", "k");
    admin.send(request.body(large)).await.is(200);
}

/// Each of 50 writers adds and removes its own users, and some that all of them share.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_thousand_deltas_land() {
    let (_server, admin) = directory(&["shared-0", "shared-1"]).await;
    for writer in 0..50 {
        for number in 0..2 {
            make_user(&admin, &format!("w{writer:02}-{number}")).await;
        }
    }
    let mut writers = JoinSet::new();
    for writer in 0..50 {
        let admin = admin.clone();
        writers.spawn(async move {
            let own = |number| format!("w{writer:02}-{number}");
            for step in 0..20 {
                let shared = format!("shared-{}", step % 2);
                let (mut add, mut remove) = (vec![own(step % 2)], vec![own((step + 1) % 2)]);
                if (writer + step / 2) % 2 == 0 { &mut add } else { &mut remove }.push(shared);
                let answer = admin.patch(MEMBERS, &json!({ "add": add, "remove": remove })).await.is(200);
                let count = |name: &str| answer[name].as_u64().unwrap();
                assert_eq!(count("added") + count("removed") + count("unchanged"), 3);
                // Its own users are changed by nobody else.
                assert!(count("added") >= 1 && count("removed") >= u64::from(step > 0), "{}", answer.text);
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let listed = members(&admin).await;
    let own: Vec<_> = listed.iter().filter(|id| id.starts_with('w')).cloned().collect();
    assert_eq!(own, (0..50).map(|writer| format!("w{writer:02}-1")).collect::<Vec<_>>());
    assert_eq!(admin.get("/rollbook/v1/groups/g").await["memberCount"], listed.len());
}

#[tokio::test]
async fn a_list_is_replaced_only_in_the_version_that_was_read() {
    let (_server, admin) = directory(&["ada", "bob", "cy"]).await;
    admin.post("/rollbook/v1/groups", &json!({ "id": "other", "name": "Other" })).await.is(201);
    let put = async |tag: &str, users: &[&str]| {
        with(&admin, "PUT", MEMBERS, ("if-match", tag), &json!({ "members": users })).await
    };
    let tag = admin.get(MEMBERS).await.header("etag").to_owned();
    assert!(tag.starts_with(r#""rollbook-members-1-0."#), "{tag}");
    let first = put(&tag, &["ada"]).await.is(200);
    assert_eq!(first.header("etag"), r#""rollbook-members-1-1""#);
    put(&tag, &["bob"]).await.fails(412, "precondition_failed");
    // The tag of the answer serves for the next change; so does one of several.
    let second = put(first.header("etag"), &["ada", "bob"]).await.is(200);
    let list = format!(r#""x", {}, {tag}"#, second.header("etag"));
    let third = put(&list, &["cy"]).await.is(200);
    let weak = format!("W/{}", third.header("etag"));
    let group = admin.get("/rollbook/v1/groups/g").await.header("etag").to_owned();
    let other = admin.get("/rollbook/v1/groups/other/members").await.header("etag").to_owned();
    for tag in [&*weak, &group, &other, r#""rollbook-members-2-3""#, r#""rollbook-members-1-2""#, r#""x""#] {
        put(tag, &["ada"]).await.fails(412, "precondition_failed");
        let delta = json!({ "add": ["ada"] });
        with(&admin, "PATCH", MEMBERS, ("if-match", tag), &delta).await.fails(412, "precondition_failed");
        let dry_run = format!("{MEMBERS}?dryRun=true");
        with(&admin, "PATCH", &dry_run, ("if-match", tag), &delta).await.fails(412, "precondition_failed");
    }
    with(&admin, "PUT", MEMBERS, ("if-none-match", "*"), &json!({ "members": [] })).await.is(412);
    put("nonsense", &[]).await.fails(400, "malformed_request");
    assert_eq!(members(&admin).await, ["cy"]);
    put("*", &["bob"]).await.is(200);
    // A condition on the group itself is not met by the tag of its members.
    let path = "/rollbook/v1/groups/g";
    let tag = admin.get(MEMBERS).await.header("etag").to_owned();
    with(&admin, "PATCH", path, ("if-match", &tag), &json!({ "name": "N" })).await.fails(412, "precondition_failed");
}
