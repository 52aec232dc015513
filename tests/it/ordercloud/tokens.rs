//! Tokens: what they contain and why they are refused (docs/ordercloud.md, section 8).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{FULL, GROUP_ADMIN, GROUP_READER, Launch, PASSWORD, Reply, Server, USER_READER};

fn claims(token: &str, part: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn role(reply: &Reply) -> Value {
    claims(reply["access_token"].as_str().unwrap(), 1)["role"].clone()
}

/// An error response in the form of RFC 6749 and in that of the API, in one body.
#[track_caller]
fn refused(reply: Reply, error: &str, code: &str) -> Reply {
    let reply = reply.fails(400, code);
    assert_eq!(reply["error"], error, "{}", reply.text);
    assert_eq!(reply["error_description"], reply["Errors"][0]["Message"]);
    assert_eq!(reply.header("cache-control"), "no-store");
    reply
}

#[tokio::test]
async fn an_empty_issuer_is_not_set() {
    let server = Launch::default().env("ROLLBOOK_ISSUER", "").env("ROLLBOOK_PUBLIC_URL", "").start();
    let claims = claims(server.admin().await.bearer(), 1);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("rollbook"), &json!("rollbook")));
}

#[tokio::test]
async fn a_client_gets_a_token_with_readable_claims() {
    let server = Launch::default().arg("--issuer").arg("https://ids.example.com").start();
    let (id, secret) = server.make_client(&[GROUP_ADMIN, GROUP_READER], &[], &["--access-minutes", "30"]);
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    let granted = server.grant(&fields).await.is(200);
    let members: Vec<_> = granted.json().as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "token_type", "expires_in"]);
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("bearer"), &json!(1799)));
    assert_eq!(granted.header("cache-control"), "no-store");
    let token = granted["access_token"].as_str().unwrap();
    let (header, claims) = (claims(token, 0), claims(token, 1));
    assert_eq!(header["alg"], "RS256");
    assert_eq!(claims["role"], json!([GROUP_ADMIN, GROUP_READER]));
    assert_eq!((&claims["cid"], &claims["usrtype"]), (&json!(id), &json!("admin")));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("https://ids.example.com"), &json!("https://ids.example.com"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 1800);

    let kid = header["kid"].as_str().unwrap();
    let key = server.anonymous().get(&format!("/oauth/certs/{kid}")).await.is(200);
    assert_eq!((&key["kty"], &key["kid"], &key["alg"]), (&json!("RSA"), &json!(kid), &json!("RS256")));
    assert!(key["d"].is_null() && !key["n"].is_null() && !key["e"].is_null(), "public alone: {}", key.text);
    assert_eq!(server.anonymous().get("/oauth/certs").await.is(200)["keys"], json!([key.json()]));
    let missing = server.anonymous().get("/oauth/certs/none").await.fails(404, "NotFound");
    assert_eq!(missing["Errors"][0]["Data"]["ObjectID"], "none");
}

#[tokio::test]
async fn a_users_roles_are_limited_to_the_clients() {
    let server = Server::start();
    server.make_user("full", &[FULL], &[]);
    server.make_user("two", &[GROUP_ADMIN, USER_READER], &[]);
    let any = server.make_client(&[], &[], &[]);
    let reader = server.make_client(&[GROUP_READER], &[], &[]);
    let admin = server.make_client(&[GROUP_ADMIN, GROUP_READER], &[], &[]);
    let full = server.make_client(&[FULL], &[], &[]);
    for (user, (id, secret), scope, roles) in [
        ("full", &any, "", json!([FULL])),
        ("full", &reader, "", json!([GROUP_READER])),
        ("two", &any, "", json!([GROUP_ADMIN, USER_READER])),
        ("two", &full, "", json!([GROUP_ADMIN, USER_READER])),
        ("two", &admin, "", json!([GROUP_ADMIN])),
        ("two", &any, "AdminUserReader Shopper", json!([USER_READER])),
        ("full", &any, "AdminUserGroupReader", json!([GROUP_READER])),
        ("two", &any, "undefined AdminUserGroupAdmin", json!([GROUP_ADMIN])),
        ("two", &reader, "", Value::Null),
        ("two", &any, "FullAccess", Value::Null),
        ("full", &any, "Shopper", Value::Null),
    ] {
        let fields = [
            ("client_id", &**id),
            ("client_secret", secret),
            ("username", user),
            ("password", PASSWORD),
            ("scope", scope),
        ];
        let reply = server.grant(&[&[("grant_type", "password")], &fields[..]].concat()).await;
        match roles {
            Value::Null => _ = refused(reply, "invalid_scope", "Auth.InsufficientRoles"),
            roles => assert_eq!(role(&reply.is(200)), roles, "{user} {scope}"),
        }
    }
}

#[tokio::test]
async fn a_scope_limits_the_roles_of_a_client() {
    let server = Server::start();
    let (id, secret) = server.make_client(&[FULL], &[], &[]);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &*id),
        ("client_secret", &*secret),
        ("scope", USER_READER),
    ];
    let granted = server.grant(&fields).await.is(200);
    let cut = server.bearer(granted["access_token"].as_str().unwrap());
    cut.get("/v1/adminusers").await.is(200);
    cut.get("/v1/usergroups").await.fails(403, "Auth.InsufficientRoles");
    cut.get("/api/admin/v1/users-groups/list").await.fails(403, "cannot_access");
}

#[tokio::test]
async fn a_client_without_roles_gets_no_token_of_its_own() {
    let server = Server::start();
    let (id, secret) = server.make_client(&[], &[], &[]);
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    refused(server.grant(&fields).await, "invalid_scope", "Auth.InsufficientRoles");
}

#[tokio::test]
async fn a_client_without_its_secret_is_refused() {
    let server = Server::start();
    let (id, secret) = server.make_client(&[FULL], &[], &[]);
    let (public, none) = server.make_client(&[FULL], &[], &["--public"]);
    assert_eq!(none, "");
    let grant = async |fields: &[(&str, &str)]| {
        let reply = server.grant(&[&[("grant_type", "client_credentials")], fields].concat()).await;
        refused(reply, "invalid_client", "Auth.OauthError").text
    };
    let mut responses = vec![
        grant(&[("client_id", &id), ("client_secret", "wrong")]).await,
        grant(&[("client_id", &id), ("client_secret", "")]).await,
        grant(&[("client_id", &id)]).await,
        grant(&[("client_id", "unknown"), ("client_secret", &secret)]).await,
        grant(&[("client_secret", &secret)]).await,
        grant(&[("client_id", &public)]).await,
        grant(&[("client_id", &public), ("client_secret", &secret)]).await,
        grant(&[("client_id", &"x".repeat(1000)), ("client_secret", &secret)]).await,
    ];
    server.cli().run(&["client", "disable", &id]).printed();
    responses.push(grant(&[("client_id", &id), ("client_secret", &secret)]).await);
    responses.dedup();
    assert_eq!(responses.len(), 1, "one response, whatever the reason: {responses:?}");
    server.cli().run(&["client", "enable", &id]).printed();
    let upper = id.to_uppercase();
    server
        .grant(&[("grant_type", "client_credentials"), ("client_id", &upper), ("client_secret", &secret)])
        .await
        .is(200);
}

#[tokio::test]
async fn a_confidential_client_sends_its_secret_for_its_users_too() {
    let server = Server::start();
    server.make_user("ada", &[FULL], &[]);
    let (id, secret) = server.make_client(&[], &[], &[]);
    let grant = async |password: &str, secret: &[(&str, &str)]| {
        let fields = [("grant_type", "password"), ("client_id", &id), ("username", "ada"), ("password", password)];
        server.grant(&[&fields, secret].concat()).await
    };
    refused(grant(PASSWORD, &[]).await, "invalid_client", "Auth.OauthError");
    refused(grant(PASSWORD, &[("client_secret", "wrong")]).await, "invalid_client", "Auth.OauthError");
    for wrong in ["wrong", &"x".repeat(129), &"x".repeat(10_000), "a\u{85}b"] {
        let reply = grant(wrong, &[("client_secret", &secret)]).await;
        refused(reply, "invalid_grant", "Auth.InvalidUsernameOrPassword");
    }
    grant(PASSWORD, &[("client_secret", &secret)]).await.is(200);
}

#[tokio::test]
async fn an_invalid_grant_is_refused() {
    let server = Server::start();
    let grant = async |fields: &[(&str, &str)]| server.grant(fields).await;
    for kind in ["", "implicit", "Password"] {
        refused(grant(&[("grant_type", kind), ("client_id", "c")]).await, "unsupported_grant_type", "Auth.OauthError");
    }
    refused(grant(&[]).await, "unsupported_grant_type", "Auth.OauthError");
    for missing in [&[][..], &[("username", "u")], &[("password", "p")], &[("username", ""), ("password", "p")]] {
        let fields = [&[("grant_type", "password"), ("client_id", "c")], missing].concat();
        refused(grant(&fields).await, "invalid_request", "Auth.UsernameAndPasswordRequired");
    }
    let twice = grant(&[("grant_type", "password"), ("grant_type", "password")]).await;
    refused(twice, "invalid_request", "Request.InvalidRequestBody");
    let json = r#"{"grant_type":"client_credentials"}"#;
    for other in [Some("application/json"), Some("text/plain"), None] {
        let reply = server.anonymous().call("POST", "/oauth/token", other, json).await;
        refused(reply, "invalid_request", "Request.InvalidContentType");
    }
    let broken = server
        .anonymous()
        .call("POST", "/oauth/token", Some("application/x-www-form-urlencoded"), "grant_type=%FF")
        .await;
    refused(broken, "invalid_request", "Request.InvalidRequestBody");
}

#[tokio::test]
async fn an_invalid_token_is_refused() {
    let server = Server::start();
    let other = Server::start();
    let good = server.admin().await.bearer().to_owned();
    let parts: Vec<_> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let mut claims = claims(&good, 1);
    claims["role"] = json!(["FullAccess", "more"]);
    let tampered = URL_SAFE_NO_PAD.encode(claims.to_string());
    for bad in [
        "x",
        "a.b.c",
        &format!("{none}.{}.", parts[1]),
        &format!("{}.{tampered}.{}", parts[0], parts[2]),
        &format!("{}.{}.", parts[0], parts[1]),
        &format!("{good}x"),
        other.admin().await.bearer(),
    ] {
        server.bearer(bad).get("/v1/usergroups").await.fails(401, "InvalidToken");
        server.bearer(bad).get("/api/admin/v1/users-groups/list").await.fails(401, "unauthorized");
    }
    let send = async |value: &str| {
        let anonymous = server.anonymous();
        anonymous.send(anonymous.request("GET", "/v1/usergroups").header("authorization", value)).await
    };
    for bad in ["Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", &good, "Token x"] {
        let refused = send(bad).await.fails(401, "InvalidToken");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    send(&format!("bEARER  {good}")).await.is(200);
}

#[tokio::test]
async fn a_client_may_authenticate_by_http_basic() {
    let server = Server::start();
    server.make_user("ada", &[FULL], &[]);
    let (id, secret) = server.make_client(&[FULL], &[], &["--refresh-minutes", "60"]);
    let send = async |scheme: &str, pair: &str, fields: &[(&str, &str)]| {
        let anonymous = server.anonymous();
        let header = format!("{scheme} {}", STANDARD.encode(pair));
        let request = anonymous.request("POST", "/oauth/token").header("authorization", header);
        anonymous.send(request.form(fields)).await
    };
    let (own, pair) = ([("grant_type", "client_credentials")], format!("{id}:{secret}"));
    assert_eq!(role(&send("Basic", &pair, &own).await.is(200)), json!([FULL]));
    send("basic", &pair.replace('-', "%2D"), &own).await.is(200);
    send("Basic", &pair, &[own[0], ("client_id", &id.to_uppercase())]).await.is(200);
    send("Basic", &pair, &[own[0], ("client_secret", "")]).await.is(200);
    let user = [("grant_type", "password"), ("username", "ada"), ("password", PASSWORD)];
    let granted = send("Basic", &pair, &user).await.is(200);
    let renewal = [("grant_type", "refresh_token"), ("refresh_token", granted["refresh_token"].as_str().unwrap())];
    send("Basic", &pair, &renewal).await.is(200);
    send("Basic", &format!("{id}:"), &renewal).await.is(200);

    for both in [("client_id", "another"), ("client_secret", &*secret)] {
        refused(send("Basic", &pair, &[own[0], both]).await, "invalid_request", "Request.InvalidRequestBody");
    }
    for wrong in [format!("{id}:wrong"), format!("{id}:"), format!("nobody:{secret}"), id.clone(), String::new()] {
        let reply = send("Basic", &wrong, &own).await.fails(401, "Auth.OauthError");
        assert_eq!(reply["error"], "invalid_client");
        assert_eq!(reply.header("www-authenticate"), "Basic realm=\"rollbook\"");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    refused(send("Other", &pair, &own).await, "invalid_client", "Auth.OauthError");
    refused(send("Basic", &pair, &[]).await, "unsupported_grant_type", "Auth.OauthError");
    assert!(!server.log().contains(&secret), "no secret in the log");
}

#[tokio::test]
async fn tokens_and_links_use_the_public_url() {
    let url = "https://groups.example.com/rollbook";
    let mut server = Launch::bare().arg("--public-url").arg("https://groups.example.com/rollbook/").start();
    let announced = server.announcement();
    assert!(announced.contains(&format!("{url}/oauth/token")), "{announced}");
    assert!(
        announced.contains(&format!("{url}/v1/usergroups")) && !announced.contains("http://127.0.0.1:"),
        "{announced}"
    );
    let (id, secret) = server.make_client(&[FULL], &[], &[]);
    let token = server.client_token(&id, &secret).await;
    assert_eq!((&claims(&token, 1)["iss"], &claims(&token, 1)["aud"]), (&json!(url), &json!(url)));
    server.bearer(&token).get("/v1/usergroups").await.is(200);
    let named = Launch::default().arg("--public-url").arg(url).arg("--issuer").arg("rollbook").start();
    let (id, secret) = named.make_client(&[FULL], &[], &[]);
    assert_eq!(claims(&named.client_token(&id, &secret).await, 1)["iss"], "rollbook");
}
