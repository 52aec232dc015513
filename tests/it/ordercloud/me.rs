//! The user of a token, and the metadata of the token endpoint (docs/ordercloud.md, section 8).

use serde_json::{Value, json};

use crate::support::{Caller, FULL, GROUP_READER, Launch, PASSWORD, Reply, Server};

/// The challenge of a response.
fn challenge(reply: &Reply) -> &str {
    reply.header("www-authenticate")
}

async fn signed_in(server: &Server, username: &str) -> Caller {
    let (id, _) = server.make_client(&[], &[], &["--public"]);
    let fields = [("grant_type", "password"), ("client_id", &*id), ("username", username), ("password", PASSWORD)];
    let granted = server.grant(&fields).await.is(200);
    server.bearer(granted["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_user_reads_themselves_with_any_role() {
    let server = Server::start();
    server.make_user("ada", &[GROUP_READER], &[]);
    let ada = signed_in(&server, "ada").await;
    let stored = server.admin().await.get("/v1/adminusers/ada").await.is(200);
    assert_eq!(ada.get("/v1/me").await.is(200).json(), stored.json());
    ada.get("/v1/adminusers/ada").await.fails(403, "Auth.InsufficientRoles");
    let info = ada.get("/oauth/userinfo").await.is(200);
    assert_eq!(info.header("content-type"), "application/json; charset=utf-8");
    let expected = json!({
        "sub": "1",
        "name": format!("{} {}", stored["FirstName"].as_str().unwrap(), stored["LastName"].as_str().unwrap()),
        "given_name": stored["FirstName"],
        "family_name": stored["LastName"],
        "preferred_username": stored["Username"],
        "email": stored["Email"],
    });
    assert_eq!(*info.json(), expected);
    assert_eq!(*ada.call("POST", "/oauth/userinfo", None, "").await.is(200).json(), expected);
}

#[tokio::test]
async fn a_client_has_the_user_it_acts_for_or_none() {
    let server = Server::start();
    server.make_user("robot", &[], &[]);
    let (id, secret) = server.make_client(&[FULL], &[], &["--user", "robot"]);
    let robot = server.bearer(&server.client_token(&id, &secret).await);
    assert_eq!(robot.get("/v1/me").await.is(200)["ID"], "robot");
    let admin = server.admin().await;
    admin.get("/v1/me").await.fails(403, "Auth.NoUser");
    let refused = admin.get("/oauth/userinfo").await;
    assert_eq!(challenge(&refused), r#"Bearer error="insufficient_scope""#);
    refused.fails(403, "Auth.NoUser");
}

#[tokio::test]
async fn bad_tokens_are_challenged_as_in_rfc_6750() {
    let server = Server::start();
    server.make_user("ada", &[], &[]);
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    let ada = signed_in(&server, "ada").await;
    ada.delete("/v1/adminusers/ada/tokens").await.is(204);
    let unknown = format!("rbk_{}", "7".repeat(43));
    for (caller, code, error) in [
        (server.anonymous(), "InvalidToken", ""),
        (server.bearer("e30.e30.e30"), "InvalidToken", "is invalid or expired"),
        (server.bearer(&unknown), "InvalidToken", "is invalid or expired"),
        (ada, "Auth.TokenRevoked", "was revoked"),
    ] {
        let refused = caller.get("/oauth/userinfo").await;
        match error {
            "" => assert_eq!(challenge(&refused), "Bearer"),
            error => {
                let expected = format!(r#"Bearer error="invalid_token", error_description="The token {error}""#);
                assert_eq!(challenge(&refused), expected);
            }
        }
        refused.fails(401, code);
        caller.get("/v1/me").await.fails(401, code);
    }
}

#[tokio::test]
async fn the_metadata_has_the_public_url() {
    let server = Launch::default().env("ROLLBOOK_PUBLIC_URL", "https://groups.example.com/").start();
    let metadata = server.anonymous().get("/.well-known/oauth-authorization-server").await.is(200);
    assert_eq!(metadata.header("cache-control"), "public, max-age=300");
    for (name, value) in [
        ("issuer", json!("https://groups.example.com")),
        ("token_endpoint", json!("https://groups.example.com/oauth/token")),
        ("jwks_uri", json!("https://groups.example.com/oauth/certs")),
        ("userinfo_endpoint", json!("https://groups.example.com/oauth/userinfo")),
        ("response_types_supported", json!([])),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
    let public = server.make_client(&[], &[], &["--public"]).0;
    for grant in metadata["grant_types_supported"].as_array().unwrap() {
        let refused = server.grant(&[("grant_type", grant.as_str().unwrap()), ("client_id", &public)]).await;
        assert_ne!(refused["error"], "unsupported_grant_type", "{grant}");
    }
    let named = Launch::default().env("ROLLBOOK_ISSUER", "https://issuer.example.com").start();
    let metadata = named.anonymous().get("/.well-known/oauth-authorization-server").await.is(200);
    assert_eq!(metadata["token_endpoint"], "https://issuer.example.com/oauth/token");
}

#[tokio::test]
async fn without_a_url_there_is_no_metadata() {
    let server = Launch::default().env("ROLLBOOK_ISSUER", "directory").start();
    server.anonymous().get("/.well-known/oauth-authorization-server").await.fails(404, "NotFound");
    let other = server.anonymous().get("/.well-known/openid-configuration").await.is(404);
    assert_eq!(*other.json(), Value::Null, "the path belongs to no API");
}
