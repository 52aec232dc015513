//! One membership at a time.

use serde_json::{Value, json};

use super::{MEMBERS, directory, member, members, with};

#[tokio::test]
async fn a_member_is_shown_with_since_when_and_who_added_them() {
    let (server, admin) = directory(&["ada", "bob"]).await;
    admin.put(&member("ada"), &Value::Null).await.is(204);
    let shown = admin.get(&member("uid:1")).await.is(200);
    let user = json!({
        "uid": 1, "id": "ada", "username": "ada", "firstName": "Ada", "lastName": "Lovelace",
        "email": "ada@example.com", "active": true,
    });
    let client = json!({ "id": "admin", "name": shown["addedBy"]["client"]["name"] });
    let added_by = json!({ "user": null, "client": client, "operator": null });
    let expected = json!({ "user": user, "since": shown["since"], "addedBy": added_by });
    assert_eq!(*shown.json(), expected);
    assert!(shown["since"].as_str().unwrap().ends_with('Z'));
    assert_eq!(admin.get(MEMBERS).await.is(200)["items"], json!([expected]));
    // Who acts as a user is named with the name that the user has now.
    let (id, secret) = server.make_client(&[crate::support::FULL], &[], &["--user", "bob"]);
    let by_bob = server.bearer(&server.client_token(&id, &secret).await);
    by_bob.put(&member("bob"), &Value::Null).await.is(204);
    admin.patch("/v1/adminusers/bob", &json!({ "Username": "robert" })).await.is(200);
    let added_by = admin.get(&member("bob")).await.is(200)["addedBy"].clone();
    assert_eq!(added_by["user"], json!({ "uid": 2, "id": "bob", "username": "robert" }));
    assert_eq!(added_by["client"], json!({ "id": id, "name": "made by a test" }));
}

#[tokio::test]
async fn adding_and_removing_a_member_again_changes_nothing() {
    let (_server, admin) = directory(&["ada"]).await;
    admin.get(&member("ada")).await.fails(404, "not_found");
    let mut since = Value::Null;
    for address in ["ada", "ADA", "uid:1", "username:ada", "username:ADA"] {
        admin.put(&member(address), &Value::Null).await.is(204);
        let shown = admin.get(&member(address)).await.is(200)["since"].clone();
        assert!(since.is_null() || since == shown, "{address}");
        since = shown;
    }
    assert_eq!(members(&admin).await, ["ada"]);
    assert_eq!(admin.get("/rollbook/v1/groups/g").await["memberCount"], 1);
    for address in ["username:ada", "ada", "uid:1"] {
        admin.delete(&member(address)).await.is(204);
        admin.get(&member(address)).await.fails(404, "not_found");
    }
    assert_eq!(admin.get("/rollbook/v1/groups/g").await["version"], 1, "members are no change of the group");
}

#[tokio::test]
async fn what_is_not_there_has_no_members() {
    let (_server, admin) = directory(&["ada", "gone"]).await;
    admin.put(&member("ada"), &Value::Null).await.is(204);
    admin.put(&member("gone"), &Value::Null).await.is(204);
    admin.delete("/v1/adminusers/gone").await.is(204);
    for user in
        ["nobody", "uid:99", "username:nobody", "a%20b", "uid:x", "username:", "username:a%00b", "gone", "uid:2"]
    {
        for method in ["GET", "PUT", "DELETE"] {
            admin.text(method, &member(user), "").await.fails(404, "not_found");
        }
    }
    for group in ["nothing", "uid:99", "a%20b"] {
        for method in ["GET", "PUT", "DELETE"] {
            let path = format!("/rollbook/v1/groups/{group}/members/ada");
            admin.text(method, &path, "").await.fails(404, "not_found");
        }
        admin.get(&format!("/rollbook/v1/groups/{group}/members")).await.fails(404, "not_found");
    }
    assert_eq!(members(&admin).await, ["ada"]);
    // A single membership has no version, so no condition can hold.
    with(&admin, "PUT", &member("ada"), ("if-match", "*"), &Value::Null).await.fails(412, "precondition_failed");
    with(&admin, "DELETE", &member("ada"), ("if-match", r#""rollbook-1-1""#), &Value::Null).await.is(412);
    for path in [member("ada?dryRun=true"), format!("{MEMBERS}?at=now"), format!("{MEMBERS}?user=ada")] {
        admin.get(&path).await.fails(400, "invalid_parameter");
    }
    admin.delete("/rollbook/v1/groups/g").await.is(204);
    let deleted = |rest: &str| format!("/rollbook/v1/groups/uid:1/members{rest}");
    let listed = admin.get(&deleted("")).await.is(200);
    assert_eq!((&listed["items"], &listed["total"]), (&json!([]), &json!(0)));
    admin.get(&deleted("/ada")).await.fails(404, "not_found");
    admin.put(&deleted("/ada"), &Value::Null).await.fails(409, "deleted");
    admin.delete(&deleted("/ada")).await.fails(409, "deleted");
    admin.patch(&deleted(""), &json!({ "add": ["ada"] })).await.fails(409, "deleted");
}
