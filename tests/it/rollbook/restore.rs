//! Restored groups and users in Rollbook's own API (docs/rollbook.md, section 10).

use serde_json::{Value, json};

use crate::support::{A, B, Caller, FULL, GROUP_ADMIN, GROUP_READER, PASSWORD, Server, USER_ADMIN, make_user};

const GROUPS: &str = "/rollbook/v1/groups";
const GROUP: &str = "/rollbook/v1/groups/uid:1/restore";
const USER: &str = "/rollbook/v1/users/uid:1/restore";

/// A server with the group `support`, number 1, whose members are the users `ada` and `bob`, numbers 1 and 2.
async fn directory() -> (Server, Caller) {
    let server = Server::start();
    let admin = server.admin().await;
    let body = json!({ "id": "support", "labels": { "en": "Support", "it": "Assistenza" }, "xp": { "Dept": "IT" }, "communities": [A] });
    admin.post(GROUPS, &body).await.is(201);
    for name in ["ada", "bob"] {
        make_user(&admin, name).await;
        assign(&admin, "support", name).await;
    }
    (server, admin)
}

async fn assign(admin: &Caller, group: &str, user: &str) {
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": group, "UserID": user })).await.is(204);
}

async fn groups_of(admin: &Caller, user: &str) -> Vec<String> {
    let listed = admin.get(&format!("/v1/usergroups/assignments?userID={user}")).await.is(200);
    let items = listed["Items"].as_array().unwrap();
    items.iter().map(|pair| pair["UserGroupID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_group_comes_back_whole() {
    let (_server, admin) = directory().await;
    let before = admin.get(&format!("{GROUPS}/uid:1")).await.is(200);
    admin.delete(&format!("{GROUPS}/support")).await.is(204);
    admin.delete("/v1/adminusers/bob").await.is(204);
    let restored = admin.post(GROUP, &Value::Null).await.is(200);
    assert_eq!((&restored["membersRestored"], &restored["usersGone"]), (&json!(1), &json!(1)));
    let mut expected = before.json().clone();
    expected["memberCount"] = json!(1);
    expected["version"] = json!(3);
    expected["updated"] = restored["group"]["updated"].clone();
    assert_eq!(restored["group"], expected);
    assert_eq!(restored.header("etag"), r#""rollbook-1-3.1""#);
    let now = admin.get(&format!("{GROUPS}/support")).await.is(200);
    assert_eq!((now.json(), now.header("etag")), (&expected, restored.header("etag")));
    assert_eq!((groups_of(&admin, "ada").await, groups_of(&admin, "bob").await), (vec!["support".to_owned()], vec![]));
    // A user who is restored later is a member again.
    let back = admin.post("/rollbook/v1/users/uid:2/restore", &json!({})).await.is(200);
    assert_eq!((&back["groupsRestored"], &back["groupsGone"]), (&json!(1), &json!(0)));
    assert_eq!(admin.get(&format!("{GROUPS}/support")).await.is(200)["memberCount"], 2);
}

#[tokio::test]
async fn a_taken_id_is_refused_with_one_that_is_free() {
    let (_server, admin) = directory().await;
    admin.delete(&format!("{GROUPS}/support")).await.is(204);
    for name in ["SUPPORT", "support-2"] {
        admin.post(GROUPS, &json!({ "id": name, "name": "Other" })).await.is(201);
    }
    let refused = admin.post(GROUP, &json!({})).await.fails(409, "id_taken");
    assert_eq!(refused["proposedId"], "support-3");
    let again = admin.post(GROUP, &json!({ "id": "support-2" })).await.fails(409, "id_taken");
    assert_eq!(again["proposedId"], "support-2-2");
    assert_eq!(admin.get(&format!("{GROUPS}/uid:1")).await.is(200)["version"], 2, "nothing was changed");
    let restored = admin.post(GROUP, &json!({ "id": refused["proposedId"] })).await.is(200);
    assert_eq!((&restored["group"]["id"], &restored["membersRestored"]), (&json!("support-3"), &json!(2)));
    for (path, id) in [(GROUP, "uid:1"), ("/rollbook/v1/groups/support-3/restore", "support-3")] {
        let refused = admin.post(path, &json!({})).await.fails(409, "not_deleted");
        assert_eq!(refused["proposedId"], Value::Null, "{id}");
    }
    for missing in ["uid:77", "uid:x", "none"] {
        admin.post(&format!("{GROUPS}/{missing}/restore"), &json!({})).await.fails(404, "not_found");
    }
    for bad in [r#"{"ID2":"x"}"#, "[]"] {
        admin.text("POST", GROUP, bad).await.fails(400, "invalid_body");
    }
    admin.post(GROUP, &json!({ "id": "a b" })).await.fails(400, "invalid");
    admin.post(&format!("{GROUP}?dryRun=true"), &json!({})).await.fails(400, "invalid_parameter");
}

#[tokio::test]
async fn a_user_comes_back_without_password_and_tokens() {
    let (server, admin) = directory().await;
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    let logon = json!({ "username": "ada", "password": PASSWORD });
    let signed_in = admin.post("/api/admin/v1/user/logon", &logon).await.is(200);
    let ada = server.bearer(signed_in["Token"].as_str().unwrap());
    ada.get(GROUPS).await.is(200);
    admin.delete("/v1/adminusers/ada").await.is(204);
    ada.get(GROUPS).await.is(401);
    make_user(&admin, "ada").await;
    let taken = admin.post(USER, &json!({})).await.fails(409, "id_taken");
    assert_eq!(taken["proposedId"], "ada-2");
    admin.post(USER, &json!({ "id": "ada-2" })).await.fails(409, "username_taken");
    admin.post(USER, &json!({ "username": " " })).await.fails(400, "invalid");
    let restored = admin.post(USER, &json!({ "id": "ada-2", "username": "lovelace" })).await.is(200);
    let user = &restored["user"];
    let shown =
        [&user["uid"], &user["id"], &user["username"], &user["roles"], &user["passwordSet"], &user["groupCount"]];
    assert_eq!(shown, [&json!(1), &json!("ada-2"), &json!("lovelace"), &json!([FULL]), &json!(false), &json!(1)]);
    assert_eq!((&user["version"], &user["deleted"]), (&json!(4), &Value::Null));
    assert!(restored.header("etag").starts_with(r#""rollbook-1-4."#), "{}", restored.header("etag"));
    assert_eq!(groups_of(&admin, "ada-2").await, ["support"]);
    ada.get(GROUPS).await.fails(401, "token_revoked");
    let logon = json!({ "username": "lovelace", "password": PASSWORD });
    admin.post("/api/admin/v1/user/logon", &logon).await.is(401);
    admin.post(USER, &json!({})).await.fails(409, "not_deleted");
}

#[tokio::test]
async fn callers_restore_what_they_could_delete() {
    let (server, admin) = directory().await;
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    admin.delete(&format!("{GROUPS}/support")).await.is(204);
    admin.delete("/v1/adminusers/ada").await.is(204);
    let caller = async |roles: &[&str], communities: &[&str]| {
        let (id, secret) = server.make_client(roles, communities, &[]);
        server.bearer(&server.client_token(&id, &secret).await)
    };
    caller(&[GROUP_READER], &[]).await.post(GROUP, &json!({})).await.fails(403, "forbidden");
    caller(&[GROUP_ADMIN], &[B]).await.post(GROUP, &json!({})).await.fails(404, "not_found");
    // Nobody gives roles that they do not hold.
    caller(&[USER_ADMIN], &[]).await.post(USER, &json!({})).await.fails(403, "forbidden");
    caller(&[FULL], &[A]).await.post(USER, &json!({})).await.fails(403, "forbidden");
    let limited = caller(&[GROUP_ADMIN], &[A]).await.post(GROUP, &json!({})).await.is(200);
    assert_eq!((&limited["group"]["communities"], &limited["membersRestored"]), (&json!([A]), &json!(1)));
    admin.post(USER, &json!({})).await.is(200);
}

#[tokio::test]
async fn a_restore_is_a_safe_write() {
    let (server, admin) = directory().await;
    admin.delete(&format!("{GROUPS}/support")).await.is(204);
    let send = async |headers: &[(&str, &str)]| {
        let request = admin.request("POST", GROUP).json(&json!({}));
        admin.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    send(&[("if-match", r#""rollbook-1-1.2""#)]).await.fails(412, "precondition_failed");
    let headers = [("if-match", r#""rollbook-1-2.0""#), ("idempotency-key", "k"), ("rollbook-reason", "mistake")];
    let restored = send(&headers).await.is(200);
    admin.delete("/v1/adminusers/ada").await.is(204);
    let repeated = send(&headers).await.is(200);
    assert_eq!((repeated.header("idempotency-replayed"), repeated.json()), ("true", restored.json()));
    assert_eq!(repeated.header("etag"), restored.header("etag"));
    drop(server);
}

#[tokio::test]
async fn the_command_line_restores() {
    let (server, admin) = directory().await;
    let cli = server.cli();
    admin.delete(&format!("{GROUPS}/support")).await.is(204);
    admin.delete("/v1/adminusers/bob").await.is(204);
    admin.post(GROUPS, &json!({ "id": "support", "name": "Other" })).await.is(201);
    let refused = cli.run(&["restore", "group", "1"]).error();
    assert!(refused.ends_with("another one has the ID 'support' now; add --id support-2"), "{refused}");
    let printed = cli.run(&["restore", "group", "1", "--id", "support-2", "--reason", "mistake"]).printed();
    assert_eq!(printed, "The group support-2 is back, with 1 members; 1 users are deleted.\n");
    let printed = cli.run(&["restore", "user", "2", "--username", "robert"]).printed();
    assert_eq!(printed, "The user bob is back, with 1 groups; 0 groups are deleted.\n");
    let refused = cli.run(&["restore", "user", "2"]).error();
    assert!(refused.ends_with("nothing is to be restored: it is not deleted"), "{refused}");
    let refused = cli.run(&["restore", "user", "2", "--username", " "]).error();
    assert!(refused.contains("--username is required and must not be blank"), "{refused}");
    assert_eq!(groups_of(&admin, "bob").await, ["support-2"]);
}
