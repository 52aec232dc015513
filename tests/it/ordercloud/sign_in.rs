//! What ends tokens, and what locks users out (docs/ordercloud.md, sections 3 and 8).

use std::time::Duration;

use serde_json::json;

use crate::support::{A, Caller, FULL, GROUP_ADMIN, GROUP_READER, PASSWORD, Server, eventually, make_user};

/// A token of a user with this password, through a client without rights of its own.
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
    // Whoever takes the name of a deleted user is somebody else.
    make_user(&admin, "eda").await;
    assert!(is_revoked(&ada).await);
}

/// The command line is another process: its changes hold at the server within five seconds.
#[tokio::test]
async fn a_change_at_the_command_line_ends_tokens_soon() {
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
    assert!(is_revoked(&client).await, "what was ended stays ended");
}

/// Communities are no part of a token: a new limit holds for those that are out.
#[tokio::test]
async fn a_new_limit_holds_for_old_tokens() {
    let server = Server::start();
    crate::support::make_groups(&server.admin().await, &["g"]).await;
    server.make_user("ada", &[GROUP_READER], &[]);
    let ada = token_of(&server, "ada", PASSWORD).await;
    ada.get("/v1/usergroups/g").await.is(200);
    server.cli().run(&["user", "set-communities", "ada", "--community", A]).printed();
    eventually("the limit", Duration::from_secs(5), async || ada.get("/v1/usergroups/g").await.status == 404).await;
}

#[tokio::test]
async fn ten_failures_through_whatever_door_lock_a_user_out() {
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
    assert_eq!(grant(PASSWORD).await.fails(400, "Auth.InvalidUsernameOrPassword").text, refusal, "not told apart");
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
