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
async fn a_refresh_token_can_be_used_many_times() {
    let (server, client) = start();
    let first = sign_in(&server, &client, GROUP_READER).await;
    for _ in 0..3 {
        let renewed = refresh(&server, &client, &first["refresh_token"]).await.is(200);
        assert_eq!((&renewed["token_type"], &renewed["expires_in"]), (&json!("bearer"), &json!(35_999)));
        assert_eq!(renewed["refresh_token"], first["refresh_token"]);
        let caller = server.bearer(renewed["access_token"].as_str().unwrap());
        caller.get("/v1/usergroups").await.is(200);
        caller.delete("/v1/usergroups/g").await.fails(403, "Auth.InsufficientRoles");
    }
    let at_once = futures_util::future::join_all((0..5).map(|_| refresh(&server, &client, &first["refresh_token"])));
    at_once.await.into_iter().for_each(|reply| _ = reply.is(200));
}

/// The vendor's SDKs cannot send it.
#[tokio::test]
async fn the_secret_may_be_absent_but_not_wrong() {
    let (server, _) = start();
    let (id, secret) = server.make_client(&[], &[], &["--refresh-minutes", "60"]);
    let fields = [("client_id", &*id), ("username", "ada"), ("password", PASSWORD), ("client_secret", &*secret)];
    let first = server.grant(&[&[("grant_type", "password")], &fields[..]].concat()).await.is(200);
    let token = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("client_id", &*id), ("refresh_token", token)];
    server.grant(&fields).await.is(200);
    server.grant(&[&fields[..], &[("client_secret", "")]].concat()).await.is(200);
    server.grant(&[&fields[..], &[("client_secret", &*secret)]].concat()).await.is(200);
    let wrong = server.grant(&[&fields[..], &[("client_secret", "wrong")]].concat()).await;
    assert_eq!(wrong.fails(400, "Auth.OauthError")["error"], "invalid_client");
}

#[tokio::test]
async fn rotated_refresh_tokens_replace_each_other_and_require_the_secret() {
    let (server, _) = start();
    let (id, secret) = server.make_client(&[], &[], &["--refresh-minutes", "60", "--refresh-rotation"]);
    let fields = [("client_id", &*id), ("username", "ada"), ("password", PASSWORD), ("client_secret", &*secret)];
    let first = server.grant(&[&[("grant_type", "password")], &fields[..]].concat()).await.is(200);
    let next = async |token: &Value, secret: &str| {
        let fields = [("client_id", &*id), ("refresh_token", token.as_str().unwrap()), ("client_secret", secret)];
        server.grant(&[&[("grant_type", "refresh_token")], &fields[..]].concat()).await
    };
    assert_eq!(next(&first["refresh_token"], "").await.fails(400, "Auth.OauthError")["error"], "invalid_client");
    let at_once = futures_util::future::join_all((0..5).map(|_| next(&first["refresh_token"], &secret))).await;
    let second = at_once[0]["refresh_token"].clone();
    assert_ne!(second, first["refresh_token"]);
    assert!(at_once.iter().all(|reply| reply.status == 200 && reply["refresh_token"] == second));
    let third = next(&second, &secret).await.is(200);
    assert_ne!(third["refresh_token"], second);
    assert_eq!(
        next(&first["refresh_token"], &secret).await.is(200)["refresh_token"],
        second,
        "within the grace period"
    );
    assert!(server.cli().run(&["client", "list"]).printed().contains("\t60\ton\t"));
    let senseless = ["client", "create", "--name", "x", "--public", "--refresh-rotation"];
    let error = server.cli().run(&senseless).error();
    assert!(error.contains("--refresh-rotation needs refresh tokens: give --refresh-minutes of 1 or more"), "{error}");
    let negative = ["client", "create", "--name", " ", "--access-minutes=0", "--refresh-minutes=-1"];
    let error = server.cli().run(&negative).error();
    assert!(error.contains("--name is required"), "{error}");
    assert!(error.contains("--access-minutes must be 1 to ") && error.contains("--refresh-minutes must be 0 to "));
}

#[tokio::test]
async fn logging_off_ends_all_tokens_of_the_sign_in() {
    let (server, client) = start();
    let (first, apart) = (sign_in(&server, &client, "").await, sign_in(&server, &client, "").await);
    let renewed = refresh(&server, &client, &first["refresh_token"]).await.is(200);
    let caller = |signed_in: &Reply| server.bearer(signed_in["access_token"].as_str().unwrap());
    caller(&renewed).post("/api/admin/v1/user/logoff", &json!({})).await.is(200);
    for ended in [&first, &renewed] {
        caller(ended).get("/v1/usergroups").await.fails(401, "Auth.TokenRevoked");
    }
    refused(refresh(&server, &client, &first["refresh_token"]).await);
    caller(&apart).get("/v1/usergroups").await.is(200);
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
async fn a_client_without_a_refresh_lifetime_gets_no_refresh_token() {
    let (server, _) = start();
    let (client, _) = server.make_client(&[], &[], &["--public"]);
    assert!(sign_in(&server, &client, "").await["refresh_token"].is_null());
    let (id, secret) = server.make_client(&[GROUP_READER], &[], &["--refresh-minutes", "60"]);
    let own = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    assert!(server.grant(&own).await.is(200)["refresh_token"].is_null(), "such a client can request another token");
}

#[tokio::test]
async fn refresh_tokens_end_when_access_tokens_do() {
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
async fn refresh_tokens_outlive_a_restart() {
    let (mut server, client) = start();
    let first = sign_in(&server, &client, "").await;
    server.restart();
    let second = refresh(&server, &client, &first["refresh_token"]).await.is(200);
    for token in [&first, &second] {
        server.bearer(token["access_token"].as_str().unwrap()).get("/v1/usergroups").await.is(200);
    }
}
