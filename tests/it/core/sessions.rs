//! Signing in and out (docs/core.md, section 5).

use serde_json::json;

use crate::support::{CORE, FULL, GROUP_ADMIN, GROUP_READER, Launch, PASSWORD, Server, USER_ADMIN};

const LOGOFF: &str = "/api/admin/v1/user/logoff";

#[tokio::test]
async fn a_session_names_the_user_and_its_roles() {
    let server = Launch::default().arg("--default-language").arg("it").start();
    server.make_user("ada", &[GROUP_READER, GROUP_ADMIN], &[]);
    let session = server.log_on("ADA", PASSWORD).await.is(200);
    let members: Vec<_> = session.json().as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["MustChangePassword", "Token", "Roles", "Name", "Surname", "FullName", "Language"]);
    assert_eq!(session["MustChangePassword"], false);
    assert_eq!(session["Roles"], json!([GROUP_ADMIN, GROUP_READER]));
    assert_eq!((&session["Name"], &session["Surname"]), (&json!("Ada"), &json!("Lovelace")));
    assert_eq!((&session["FullName"], &session["Language"]), (&json!("Ada Lovelace"), &json!("it")));
    assert_eq!(session.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_token_is_valid_in_every_api_until_its_logoff() {
    let server = Server::start();
    server.make_user("ada", &[GROUP_ADMIN], &[]);
    let session = server.log_on("ada", PASSWORD).await.is(200);
    let ada = server.bearer(session["Token"].as_str().unwrap());
    ada.get(&format!("{CORE}/list")).await.is(200);
    ada.get("/v1/usergroups").await.is(200);
    let other = server.bearer(server.log_on("ada", PASSWORD).await.is(200)["Token"].as_str().unwrap());
    assert_eq!(ada.post(LOGOFF, &json!({})).await.is(200).text, r#"{"Success":true}"#);
    ada.get(&format!("{CORE}/list")).await.fails(401, "unauthorized");
    ada.get("/v1/usergroups").await.fails(401, "Auth.TokenRevoked");
    ada.post(LOGOFF, &json!({})).await.fails(401, "unauthorized");
    other.get(&format!("{CORE}/list")).await.is(200);
    // This API's logoff ends a token of the other API, too.
    let client = server.token(&[FULL], &[]).await;
    client.post(LOGOFF, &json!({})).await.is(200);
    client.get("/v1/usergroups").await.fails(401, "Auth.TokenRevoked");
}

#[tokio::test]
async fn every_refused_log_on_gets_the_same_response() {
    let server = Server::start();
    let admin = server.admin().await;
    for user in ["ada", "sleeper"] {
        server.make_user(user, &[FULL], &[]);
    }
    admin.patch("/v1/adminusers/sleeper", &json!({ "Active": false })).await.is(200);
    let no_password = crate::support::user_body("nopassword");
    admin.post("/v1/adminusers", &no_password).await.is(201);
    let mut responses = Vec::new();
    for (username, password) in [
        ("ada", "wrong"),
        ("nobody", PASSWORD),
        ("sleeper", PASSWORD),
        ("nopassword", PASSWORD),
        ("ada", &PASSWORD.to_lowercase()),
    ] {
        responses.push(server.log_on(username, password).await.fails(401, "invalid_credentials").text);
    }
    responses.dedup();
    assert_eq!(responses.len(), 1, "{responses:?}");
    server.log_on("ada", PASSWORD).await.is(200);
}

#[tokio::test]
async fn the_right_password_without_a_role_for_this_api_is_refused_with_the_reason() {
    let server = Server::start();
    for (user, roles) in [("without", &[][..]), ("users", &[USER_ADMIN])] {
        server.make_user(user, roles, &[]);
        server.log_on(user, PASSWORD).await.fails(403, "cannot_access");
        server.log_on(user, "wrong").await.fails(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn blank_and_missing_fields_are_reported() {
    let server = Server::start();
    for body in [
        json!({}),
        json!({ "username": "a" }),
        json!({ "username": "", "password": "x" }),
        json!({ "username": 1, "password": "x" }),
    ] {
        server.anonymous().post("/api/admin/v1/user/logon", &body).await.fails(400, "invalid_data");
    }
}
