//! What callers see and change of members, by role and community.

use serde_json::{Value, json};

use super::{MEMBERS, directory, ids, member, members};
use crate::support::{A, B, FULL, GROUP_ADMIN, GROUP_READER, USER_READER};

#[tokio::test]
async fn a_role_that_reads_groups_alone_shows_no_more_of_users_than_their_id() {
    let (server, admin) = directory(&["ada", "bob"]).await;
    let (id, secret) = server.make_client(&[FULL], &[], &["--user", "bob"]);
    server.bearer(&server.client_token(&id, &secret).await).put(&member("ada"), &Value::Null).await.is(204);
    let reader = server.token(&[GROUP_READER], &[]).await;
    let listed = reader.get(MEMBERS).await.is(200);
    let shown = &listed["items"][0];
    assert_eq!(shown["user"], json!({ "uid": 1, "id": "ada" }));
    assert_eq!(shown["addedBy"]["user"], json!({ "uid": 2, "id": "bob" }));
    assert_eq!(reader.get(&member("ada")).await.is(200).json(), shown);
    for allowed in ["sort=id", "sort=-since", "sort=uid", "q=AD"] {
        assert_eq!(ids(&reader.get(&format!("{MEMBERS}?{allowed}")).await.is(200)), ["ada"], "{allowed}");
    }
    assert_eq!(reader.get(&format!("{MEMBERS}?q=lovelace")).await.is(200)["total"], 0, "the name is not searched");
    for private in ["username", "firstName", "lastName", "-email", "lastActive", "created"] {
        reader.get(&format!("{MEMBERS}?sort={private}")).await.fails(403, "forbidden");
    }
    assert_eq!(admin.get(&format!("{MEMBERS}?q=lovelace")).await.is(200)["total"], 1);
    let both = server.token(&[GROUP_READER, USER_READER], &[]).await;
    assert_eq!(both.get(MEMBERS).await.is(200)["items"][0]["user"]["username"], "ada");
    assert_eq!(reader.get("/rollbook/v1/users/ada/groups").await.is(200)["items"][0]["addedBy"], shown["addedBy"]);
    let user_reader = server.token(&[USER_READER], &[]).await;
    for path in [MEMBERS, &member("ada"), "/rollbook/v1/users/ada/groups"] {
        user_reader.get(path).await.fails(403, "forbidden");
        server.anonymous().get(path).await.fails(401, "unauthenticated");
    }
    for method in ["PUT", "PATCH"] {
        reader.text(method, MEMBERS, "{").await.fails(403, "forbidden");
    }
    let group_admin = server.token(&[GROUP_ADMIN], &[]).await;
    group_admin.patch(MEMBERS, &json!({ "add": ["username:bob"] })).await.is(200);
    assert_eq!(members(&admin).await, ["ada", "bob"]);
}

#[tokio::test]
async fn a_limited_caller_sees_and_changes_no_foreign_group() {
    let (server, admin) = directory(&["ada", "bob"]).await;
    for (id, community) in [("own", A), ("foreign", B)] {
        let group = json!({ "id": id, "name": id, "communities": [community] });
        admin.post("/rollbook/v1/groups", &group).await.is(201);
        admin.put(&format!("/rollbook/v1/groups/{id}/members/ada"), &Value::Null).await.is(204);
    }
    let before = admin.get("/rollbook/v1/groups/foreign/members").await.is(200);
    let in_a = server.token(&[FULL], &[A]).await;
    for foreign in ["foreign", "uid:3", "g"] {
        let path = |rest: &str| format!("/rollbook/v1/groups/{foreign}/members{rest}");
        in_a.get(&path("")).await.fails(404, "not_found");
        in_a.patch(&path(""), &json!({ "add": ["bob"] })).await.fails(404, "not_found");
        in_a.patch(&path("?dryRun=true"), &json!({ "add": ["nobody"] })).await.fails(404, "not_found");
        in_a.put(&path(""), &json!({ "members": [] })).await.fails(404, "not_found");
        in_a.get(&path("/ada")).await.fails(404, "not_found");
        in_a.put(&path("/bob"), &Value::Null).await.fails(404, "not_found");
        in_a.delete(&path("/ada")).await.fails(404, "not_found");
    }
    assert_eq!(admin.get("/rollbook/v1/groups/foreign/members").await.is(200).text, before.text);
    let own = "/rollbook/v1/groups/own/members";
    in_a.patch(own, &json!({ "add": ["bob"] })).await.is(200);
    assert_eq!(ids(&in_a.get(own).await.is(200)), ["ada", "bob"]);
    let joined = in_a.get("/rollbook/v1/users/ada/groups").await.is(200);
    assert_eq!((&joined["items"][0]["group"]["id"], &joined["total"]), (&json!("own"), &json!(1)));
    assert_eq!(admin.get("/rollbook/v1/users/ada/groups").await.is(200)["total"], 2);
}
