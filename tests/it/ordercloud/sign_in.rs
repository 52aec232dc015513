//! Changes that end tokens, and failures that lock users (docs/ordercloud.md, sections 3 and 8).

use std::time::Duration;

use serde_json::json;

use crate::support::{A, Caller, FULL, GROUP_ADMIN, GROUP_READER, Launch, PASSWORD, Server, eventually, make_user};

/// A token of a user with this password, through a client without roles of its own.
async fn token_of(server: &Server, user: &str, password: &str) -> Caller {
    let session = server.log_on(user, password).await.is(200);
    server.bearer(session["Token"].as_str().unwrap())
}

async fn is_revoked(caller: &Caller) -> bool {
    let reply = caller.get("/v1/usergroups").await;
    assert!(reply.status == 200 || reply.code() == "Auth.TokenRevoked", "{}", reply.text);
    reply.status == 401
}

#[tokio::test]
async fn a_change_of_the_user_ends_its_tokens_at_once() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[GROUP_READER], &[]);
    let new_password = "Another-Horse-8";
    for (password, method, path, body) in [
        (PASSWORD, "DELETE", "/v1/adminusers/ada/tokens", json!(null)),
        (PASSWORD, "PATCH", "/v1/adminusers/ada", json!({ "Password": new_password })),
        (new_password, "PATCH", "/v1/adminusers/ada", json!({ "Active": false })),
    ] {
        let ada = token_of(&server, "ada", password).await;
        assert!(!is_revoked(&ada).await);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        admin.text(method, path, &body).await;
        assert!(is_revoked(&ada).await, "{method} {path} {body}");
    }
    server.log_on("ada", new_password).await.fails(401, "invalid_credentials");
    admin.patch("/v1/adminusers/ada", &json!({ "Active": true })).await.is(200);
    let ada = token_of(&server, "ada", new_password).await;
    admin.patch("/v1/adminusers/ada", &json!({ "Phone": "1" })).await.is(200);
    assert!(!is_revoked(&ada).await, "another change ends nothing");
    admin.patch("/v1/adminusers/ada", &json!({ "ID": "eda", "Username": "eda" })).await.is(200);
    assert!(!is_revoked(&ada).await, "nor does another name");
    admin.delete("/v1/adminusers/eda").await.is(204);
    assert!(is_revoked(&ada).await);
    // A new user with the ID of a deleted one is another user.
    make_user(&admin, "eda").await;
    assert!(is_revoked(&ada).await);
}

/// The command line is another process: the server notices its changes within five seconds.
#[tokio::test]
async fn a_change_on_the_command_line_ends_tokens_within_seconds() {
    let server = Server::start();
    server.make_user("ada", &[GROUP_ADMIN, GROUP_READER], &[]);
    let (id, secret) = server.make_client(&[FULL], &[], &[]);
    let (ada, client) =
        (token_of(&server, "ada", PASSWORD).await, server.bearer(&server.client_token(&id, &secret).await));
    assert!(!is_revoked(&ada).await && !is_revoked(&client).await);
    server.cli().run(&["user", "set-roles", "ada", "--role", GROUP_ADMIN]).printed();
    let rotated = server.cli().run(&["client", "rotate", &id, "--json"]).json();
    let limit = Duration::from_secs(5);
    eventually("a role taken away", limit, async || is_revoked(&ada).await).await;
    eventually("a new secret", limit, async || is_revoked(&client).await).await;
    let client = server.bearer(&server.client_token(&id, rotated["client_secret"].as_str().unwrap()).await);
    assert!(!is_revoked(&client).await);
    server.cli().run(&["client", "disable", &id]).printed();
    eventually("a disabled client", limit, async || is_revoked(&client).await).await;
    server.cli().run(&["client", "enable", &id]).printed();
    assert!(is_revoked(&client).await, "ended tokens stay ended");
}

/// A token does not contain communities: a new limit applies to tokens that were issued before.
#[tokio::test]
async fn a_new_limit_applies_to_old_tokens() {
    let server = Server::start();
    crate::support::make_groups(&server.admin().await, &["g"]).await;
    server.make_user("ada", &[GROUP_READER], &[]);
    let ada = token_of(&server, "ada", PASSWORD).await;
    ada.get("/v1/usergroups/g").await.is(200);
    server.cli().run(&["user", "set-communities", "ada", "--community", A]).printed();
    eventually("the limit", Duration::from_secs(5), async || ada.get("/v1/usergroups/g").await.status == 404).await;
}

#[tokio::test]
async fn ten_failures_through_any_api_lock_a_user_out() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[FULL], &[]);
    let (id, secret) = server.make_client(&[], &[], &[]);
    let grant = async |password: &str| {
        let fields = [("client_id", &*id), ("client_secret", &*secret), ("username", "ada"), ("password", password)];
        server.grant(&[&[("grant_type", "password")], &fields[..]].concat()).await
    };
    let refusal = grant("wrong").await.fails(400, "Auth.InvalidUsernameOrPassword").text;
    for _ in 0..4 {
        grant("wrong").await.is(400);
    }
    for _ in 0..4 {
        server.log_on("ada", "wrong").await.fails(401, "invalid_credentials");
    }
    assert_eq!(admin.get("/v1/adminusers/ada").await.is(200)["FailedLoginAttempts"], 9);
    server.log_on("ada", PASSWORD).await.is(200);
    assert_eq!(admin.get("/v1/adminusers/ada").await.is(200)["FailedLoginAttempts"], 0, "a success forgets");
    assert!(admin.get("/v1/adminusers/ada").await["LastActive"].is_string());

    for _ in 0..10 {
        grant("wrong").await.is(400);
    }
    assert_eq!(grant(PASSWORD).await.fails(400, "Auth.InvalidUsernameOrPassword").text, refusal, "not distinguished");
    server.log_on("ada", PASSWORD).await.fails(401, "invalid_credentials");
    admin.call("POST", "/v1/adminusers/ada/unlock", None, "").await.is(204);
    grant(PASSWORD).await.is(200);
}

#[tokio::test]
async fn a_password_with_every_kind_of_character_works() {
    let server = Server::start();
    let admin = server.admin().await;
    let password = "p&ss wörd+%41=;\"'\\ Ü1";
    let mut user = crate::support::user_body("ada");
    user["Password"] = password.into();
    user["Username"] = "admin 01@x+y&z".into();
    admin.post("/v1/adminusers", &user).await.is(201);
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    server.log_on("ADMIN 01@x+y&z", password).await.is(200);
    let (id, _) = server.make_client(&[], &[], &["--public"]);
    let fields =
        [("grant_type", "password"), ("client_id", &*id), ("username", "admin 01@x+y&z"), ("password", password)];
    server.grant(&fields).await.is(200);
    assert!(!server.log().contains("wörd"), "no password in the log");
}

/// `é` as one character and as two, as different keyboards send it: one password, wherever it is set and checked.
#[tokio::test]
async fn a_password_is_the_same_in_every_normalization() {
    let (composed, apart) = ("Café-Horse-7", "Cafe\u{301}-Horse-7");
    let secret = "caf\u{e9}-secret-of-the-test";
    let server =
        Launch::bare().env("ROLLBOOK_ADMIN_CLIENT_ID", "preset").env("ROLLBOOK_ADMIN_CLIENT_SECRET", secret).start();
    let spelled = [("grant_type", "client_credentials"), ("client_id", "preset")];
    let spelled = [&spelled[..], &[("client_secret", "cafe\u{301}-secret-of-the-test")]].concat();
    let admin = server.grant(&spelled).await.is(200);
    let admin = server.bearer(admin["access_token"].as_str().unwrap());
    let (client, _) = server.make_client(&[], &[], &["--public"]);
    let signs_in = async |password: &str| {
        let fields = [("grant_type", "password"), ("client_id", &*client), ("username", "ada"), ("password", password)];
        server.grant(&fields).await.is(200);
        server.log_on("ada", password).await.is(200);
    };
    let mut user = crate::support::user_body("ada");
    user["Password"] = composed.into();
    admin.post("/v1/adminusers", &user).await.is(201);
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    signs_in(apart).await;
    user["Password"] = apart.into();
    admin.put("/v1/adminusers/ada", &user).await.is(200);
    signs_in(composed).await;
    admin.patch("/v1/adminusers/ada", &json!({ "Password": composed })).await.is(200);
    signs_in(apart).await;
    server.cli().run_with(&["user", "set-password", "ada"], &format!("{apart}\n")).printed();
    signs_in(composed).await;
    let longest = format!("aA1{}", "e\u{301}".repeat(125));
    admin.patch("/v1/adminusers/ada", &json!({ "Password": longest })).await.is(200);
    signs_in(&longest).await;
    server.log_on("ada", "Cafe-Horse-7").await.fails(401, "invalid_credentials");
}

/// Deactivating the user for whom a client acts would end the client's tokens.
#[tokio::test]
async fn a_user_with_a_client_is_changed_only_by_who_has_its_roles() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "robot").await;
    let (id, secret) = server.make_client(&[FULL], &[], &["--user", "robot"]);
    let robot = server.bearer(&server.client_token(&id, &secret).await);
    let user_admin = server.token(&["AdminUserAdmin"], &[]).await;
    for (method, path, body) in [
        ("DELETE", "", json!(null)),
        ("DELETE", "/tokens", json!(null)),
        ("PATCH", "", json!({ "Password": "Another-Horse-8" })),
        ("PATCH", "", json!({ "Active": false })),
        ("PATCH", "", json!({ "ID": "another" })),
        ("PUT", "", crate::support::user_body("robot")),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let refused = user_admin.text(method, &format!("/v1/adminusers/robot{path}"), &body).await;
        let data = refused.fails(403, "Auth.InsufficientRoles")["Errors"][0]["Data"].clone();
        assert_eq!(data["SufficientRoles"], json!([FULL]), "{method} {path} {body}");
    }
    user_admin.call("POST", "/v1/adminusers/robot/unlock", None, "").await.is(204);
    robot.get("/v1/usergroups").await.is(200);
    server.cli().run(&["client", "delete", &id]).printed();
    user_admin.delete("/v1/adminusers/robot").await.is(204);
}
