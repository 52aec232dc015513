//! Refresh tokens (docs/ordercloud.md, section 8).

use serde_json::{Value, json};

use crate::support::{GROUP_ADMIN, GROUP_READER, PASSWORD, Reply, Server};

/// A server with the user `ada`, and a public client that gets refresh tokens.
fn start() -> (Server, String) {
    let server = Server::start();
    server.make_user("ada", &[GROUP_ADMIN, GROUP_READER], &[]);
    let (id, _) = server.make_client(&[], &[], &["--public", "--refresh-minutes", "60"]);
    (server, id)
}

async fn sign_in(server: &Server, client: &str, scope: &str) -> Reply {
    let fields = [
        ("grant_type", "password"),
        ("client_id", client),
        ("username", "ada"),
        ("password", PASSWORD),
        ("scope", scope),
    ];
    server.grant(&fields).await.is(200)
}

async fn refresh(server: &Server, client: &str, token: &Value) -> Reply {
    let token = token.as_str().expect("a refresh token");
    server.grant(&[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]).await
}

#[track_caller]
fn refused(reply: Reply) {
    let reply = reply.fails(400, "Auth.OauthError");
    assert_eq!(reply["error"], "invalid_grant");
}

#[tokio::test]
async fn one_is_used_once_and_gives_the_next() {
    let (server, client) = start();
    let first = sign_in(&server, &client, GROUP_READER).await;
    let second = refresh(&server, &client, &first["refresh_token"]).await.is(200);
    assert_eq!((&second["token_type"], &second["expires_in"]), (&json!("bearer"), &json!(35_999)));
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let caller = server.bearer(second["access_token"].as_str().unwrap());
    caller.get("/v1/usergroups").await.is(200);
    caller.delete("/v1/usergroups/g").await.fails(403, "Auth.InsufficientRoles");
    refresh(&server, &client, &second["refresh_token"]).await.is(200);
}

#[tokio::test]
async fn a_second_use_ends_all_that_came_of_the_sign_in() {
    let (server, client) = start();
    let (first, apart) = (sign_in(&server, &client, "").await, sign_in(&server, &client, "").await);
    let second = refresh(&server, &client, &first["refresh_token"]).await.is(200);
    refused(refresh(&server, &client, &first["refresh_token"]).await);
    refused(refresh(&server, &client, &second["refresh_token"]).await);
    refresh(&server, &client, &apart["refresh_token"]).await.is(200);
}

#[tokio::test]
async fn it_is_the_clients_own() {
    let (server, client) = start();
    let (other, _) = server.make_client(&[], &[], &["--public", "--refresh-minutes", "60"]);
    let first = sign_in(&server, &client, "").await;
    refused(refresh(&server, &other, &first["refresh_token"]).await);
    refused(refresh(&server, &client, &json!("made-up")).await);
    refused(server.grant(&[("grant_type", "refresh_token"), ("client_id", &client)]).await);
    refresh(&server, &client, &first["refresh_token"]).await.is(200);
}

#[tokio::test]
async fn a_client_without_a_lifetime_for_them_gets_none() {
    let (server, _) = start();
    let (client, _) = server.make_client(&[], &[], &["--public"]);
    assert!(sign_in(&server, &client, "").await["refresh_token"].is_null());
    let (id, secret) = server.make_client(&[GROUP_READER], &[], &["--refresh-minutes", "60"]);
    let own = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    assert!(server.grant(&own).await.is(200)["refresh_token"].is_null(), "such a client can just ask again");
}

#[tokio::test]
async fn what_ends_tokens_ends_these_too() {
    let (server, client) = start();
    let admin = server.admin().await;
    for (method, path, body) in [
        ("DELETE", "/v1/adminusers/ada/tokens", ""),
        ("PATCH", "/v1/adminusers/ada", r#"{"Password":"Correct-Horse-7"}"#),
        ("PATCH", "/v1/adminusers/ada", r#"{"Active":false}"#),
    ] {
        let signed_in = sign_in(&server, &client, "").await;
        let status = admin.text(method, path, body).await.status;
        assert!([200, 204].contains(&status));
        refused(refresh(&server, &client, &signed_in["refresh_token"]).await);
    }
    admin.patch("/v1/adminusers/ada", &json!({ "Active": true })).await.is(200);
    let signed_in = sign_in(&server, &client, "").await;
    server.cli().run(&["client", "disable", &client]).printed();
    refresh(&server, &client, &signed_in["refresh_token"]).await.fails(400, "Auth.OauthError");
    server.cli().run(&["client", "enable", &client]).printed();
    refused(refresh(&server, &client, &signed_in["refresh_token"]).await);
    let log = server.log();
    assert!(!log.contains(signed_in["refresh_token"].as_str().unwrap()), "no token in the log");
}

#[tokio::test]
async fn they_outlive_a_restart() {
    let (mut server, client) = start();
    let first = sign_in(&server, &client, "").await;
    server.restart();
    let second = refresh(&server, &client, &first["refresh_token"]).await.is(200);
    for token in [&first, &second] {
        server.bearer(token["access_token"].as_str().unwrap()).get("/v1/usergroups").await.is(200);
    }
}
