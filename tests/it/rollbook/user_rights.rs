//! Passwords, locks, tokens and rights of users in Rollbook's own API.

use serde_json::{Value, json};

use super::users::{USERS, ada, join, make, path, plain};
use super::with;
use crate::support::{A, AUDITOR, B, FULL, GROUP_ADMIN, PASSWORD, Server, USER_ADMIN, USER_READER, make_group};

#[tokio::test]
async fn a_password_ends_tokens_and_is_never_shown() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, &ada()).await;
    let password = path("ada/password");
    assert_eq!(admin.get(&path("ada")).await["passwordSet"], false);
    admin.put(&password, &json!({ "password": "too-short" })).await.fails(400, "insecure_password");
    admin
        .post(USERS, &json!({ "password": "weak", "username": "u", "firstName": "F", "lastName": "L", "email": "e" }))
        .await
        .fails(400, "insecure_password");
    admin.put(&password, &json!({ "password": PASSWORD })).await.is(204);
    let token = server.log_on("ada@example.org", PASSWORD).await.is(200)["Token"].as_str().unwrap().to_owned();
    let own = server.bearer(&token);
    own.get("/rollbook/v1/me").await.is(200);
    admin.put(&password, &json!({ "password": "Another-Horse-8" })).await.is(204);
    own.get("/rollbook/v1/me").await.fails(401, "token_revoked");
    let shown = admin.get(&path("ada")).await;
    assert!(shown["passwordSet"] == true && !shown.text.contains("Horse"), "{}", shown.text);
    for body in [json!({ "password": PASSWORD }), json!({ "password": null })] {
        for method in ["PUT", "PATCH"] {
            let mut user = plain("ada");
            user["password"] = body["password"].clone();
            let refused = admin.call(method, &path("ada"), Some("application/json"), user.to_string()).await;
            assert_eq!(refused.fails(400, "invalid")["errors"][0]["pointer"], "/password");
        }
    }
    admin.put(&password, &json!({})).await.fails(400, "invalid");
    admin.put(&password, &json!({ "password": PASSWORD, "old": "x" })).await.fails(400, "invalid_body");
}

#[tokio::test]
async fn a_repeated_request_is_answered_once() {
    let server = Server::start();
    let admin = server.admin().await;
    let repeat = async |method: &str, path: &str, key: &str, body: &Value| {
        let first = with(&admin, method, path, ("idempotency-key", key), body).await;
        let again = with(&admin, method, path, ("idempotency-key", key), body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text), "{method} {path}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{method} {path}");
        first
    };
    let mut body = ada();
    body["password"] = json!(PASSWORD);
    repeat("POST", USERS, "one", &body).await.is(201);
    body["password"] = json!("Another-Horse-8");
    with(&admin, "POST", USERS, ("idempotency-key", "one"), &body).await.is(201);
    with(&admin, "POST", USERS, ("idempotency-key", "one"), &plain("b")).await.fails(422, "idempotency_key_reused");
    join(&admin, "ada", "g").await;
    let patched = repeat("PATCH", &path("ada"), "two", &json!({ "phone": "2" })).await.is(200);
    assert_eq!((&patched["groupCount"], &patched["version"]), (&json!(1), &json!(2)));
    repeat("POST", &path("ada/unlock"), "three", &Value::Null).await.is(204);
    repeat("POST", &path("ada/revoke-tokens"), "four", &Value::Null).await.is(204);
    assert_eq!(admin.get(&path("ada")).await["version"], 3);
}

#[tokio::test]
async fn failed_sign_ins_lock_until_someone_unlocks() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = ada();
    body["password"] = json!(PASSWORD);
    make(&admin, &body).await;
    for _ in 0..10 {
        server.log_on("ada@example.org", "wrong").await.is(401);
    }
    let locked = admin.get(&path("ada")).await.is(200);
    assert!(locked["lockedUntil"].is_string() && locked["failedSignIns"] == 10, "{}", locked.text);
    server.log_on("ada@example.org", PASSWORD).await.is(401);
    with(&admin, "POST", &path("ada/unlock"), ("if-match", "*"), &Value::Null).await.fails(412, "precondition_failed");
    admin.call("POST", &path("username:ada@example.org/unlock"), None, "").await.is(204);
    let unlocked = admin.get(&path("ada")).await.is(200);
    assert_eq!((&unlocked["lockedUntil"], &unlocked["failedSignIns"]), (&Value::Null, &json!(0)));
    let token = server.log_on("ada@example.org", PASSWORD).await.is(200)["Token"].as_str().unwrap().to_owned();
    admin.call("POST", &path("ada/revoke-tokens"), None, "").await.is(204);
    server.bearer(&token).get("/rollbook/v1/me").await.fails(401, "token_revoked");
}

/// Nobody gives or takes a role that they do not hold, and nobody limited to communities writes users.
#[tokio::test]
async fn nobody_gives_or_takes_what_they_do_not_hold() {
    let server = Server::start();
    let admin = server.admin().await;
    let both = server.token(&[USER_ADMIN, GROUP_ADMIN], &[]).await;
    let mut own = plain("own");
    own["roles"] = json!([GROUP_ADMIN]);
    let mut above = plain("above");
    above["roles"] = json!([AUDITOR]);
    make(&admin, &above).await;
    for (roles, status) in [
        (json!([]), 201),
        (json!([GROUP_ADMIN]), 201),
        (json!([USER_ADMIN, GROUP_ADMIN]), 201),
        (json!([AUDITOR]), 403),
        (json!([GROUP_ADMIN, FULL]), 403),
        (json!([USER_READER]), 403),
    ] {
        let mut body = plain(&format!("made-{}", roles.to_string().len()));
        body["roles"] = roles;
        both.post(USERS, &body).await.is(status);
    }
    make(&both, &own).await;
    for roles in [json!([FULL]), json!([GROUP_ADMIN, AUDITOR])] {
        both.patch(&path("own"), &json!({ "roles": roles })).await.fails(403, "forbidden");
        own["roles"] = roles;
        both.put(&path("own"), &own).await.fails(403, "forbidden");
    }
    // Of a user with a role that the caller does not hold, nothing can be changed.
    for reply in [
        both.patch(&path("above"), &json!({ "roles": [] })).await,
        both.patch(&path("above"), &json!({ "phone": "1" })).await,
        both.put(&path("above"), &plain("above")).await,
        both.put(&path("above/password"), &json!({ "password": PASSWORD })).await,
        both.call("POST", &path("above/unlock"), None, "").await,
        both.call("POST", &path("above/revoke-tokens"), None, "").await,
        both.delete(&path("above")).await,
    ] {
        reply.fails(403, "forbidden");
    }
    assert_eq!(admin.get(&path("above")).await["version"], 1);
    assert_eq!(both.patch(&path("own"), &json!({ "roles": [], "communities": [A] })).await.is(200)["roles"], json!([]));
    // Callers limited to communities read users, and write none, whatever the communities of the users are.
    let in_a = server.token(&[FULL], &[A]).await;
    let mut limited = plain("limited");
    limited["communities"] = json!([A, B]);
    make(&admin, &limited).await;
    for reply in [
        in_a.post(USERS, &plain("new")).await,
        in_a.put(&path("limited"), &limited).await,
        in_a.patch(&path("limited"), &json!({ "communities": [] })).await,
        in_a.delete(&path("limited")).await,
        in_a.put(&path("limited/password"), &json!({ "password": PASSWORD })).await,
        in_a.call("POST", &path("limited/unlock"), None, "").await,
    ] {
        reply.fails(403, "forbidden");
    }
    assert_eq!(in_a.get(&path("limited")).await.is(200)["communities"], json!([A]), "they see their own");
    make_group(&admin, "seen", &[A]).await;
    make_group(&admin, "hidden", &[B]).await;
    for group in admin.get("/v1/usergroups").await.ids() {
        let pair = json!({ "UserGroupID": group, "UserID": "limited" });
        admin.post("/v1/usergroups/assignments", &pair).await.is(204);
    }
    assert_eq!(in_a.get(&path("limited")).await.is(200)["groupCount"], 1);
    assert_eq!(admin.get(&path("limited")).await.is(200)["groupCount"], 2);
}
