//! Headers of every API: CORS, the request ID, and headers for caches and browsers (docs/ordercloud.md, section 1).

use crate::support::{Caller, Reply, Server};

/// A path of each kind: known and unknown, of either API.
const PATHS: [&str; 5] =
    ["/v1/usergroups", "/v1/nothing", "/oauth/token", "/api/admin/v1/users-groups/list", "/api/admin/nothing"];

async fn with_header(caller: &Caller, path: &str, name: &str, value: &str) -> Reply {
    caller.send(caller.request("GET", path).header(name, value)).await
}

#[tokio::test]
async fn browsers_may_call_from_anywhere() {
    let server = Server::start();
    let callers = [server.anonymous(), server.admin().await];
    for path in PATHS {
        let preflight = callers[0].call("OPTIONS", path, None, "").await.is(204);
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST, PUT, PATCH, DELETE, OPTIONS");
        let allowed = "authorization, content-type, accept, if-match, if-none-match, idempotency-key, rollbook-reason, \
                       last-event-id";
        assert_eq!(preflight.header("access-control-allow-headers"), allowed);
        for caller in &callers {
            let reply = caller.get(path).await;
            assert_eq!(reply.header("access-control-allow-origin"), "*", "{path} {}", reply.status);
            let exposed = "Location, Link, X-Total-Count, X-Request-ID, ETag, Idempotency-Replayed";
            assert_eq!(reply.header("access-control-expose-headers"), exposed);
            assert_eq!(reply.header("access-control-allow-credentials"), "");
        }
    }
    assert_eq!(callers[0].get("/healthz").await.is(200).header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn no_response_is_cached_or_sniffed() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post("/v1/usergroups", &serde_json::json!({ "ID": "g", "Name": "N" })).await.is(201);
    let more = ["/v1/usergroups/none", "/api/admin/v1/users-groups/2", "/api/admin/v1/users-groups/list-all"];
    let documents = ["/v1/openapi/v3", "/openapi/core.json", "/openapi/ordercloud.json"];
    let others = ["/", "/nothing", "/healthz", "/readyz", "/metrics"];
    for path in PATHS.into_iter().chain(more).chain(documents).chain(others) {
        for caller in [&admin, &server.anonymous()] {
            let reply = caller.get(path).await;
            assert_eq!(
                (reply.header("x-content-type-options"), reply.header("cache-control")),
                ("nosniff", "no-store"),
                "{path}"
            );
        }
    }
    for path in ["/v1/usergroups/g", "/api/admin/v1/users-groups/1"] {
        assert_eq!(admin.get(path).await.is(200).header("cache-control"), "private, no-cache");
        assert_eq!(server.anonymous().get(path).await.is(401).header("cache-control"), "no-store");
    }
    let anonymous = server.anonymous();
    let keys = anonymous.get("/oauth/certs").await.is(200);
    let one = format!("/oauth/certs/{}", keys["keys"][0]["kid"].as_str().unwrap());
    for reply in [keys, anonymous.get(&one).await.is(200)] {
        assert_eq!(reply.header("cache-control"), "public, max-age=300");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(anonymous.get("/oauth/certs/none").await.is(404).header("cache-control"), "no-store");
    for path in ["/docs/", "/docs/swagger-initializer.js"] {
        let page = anonymous.get(path).await.is(200);
        assert_eq!((page.header("referrer-policy"), page.header("x-content-type-options")), ("no-referrer", "nosniff"));
    }
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let server = Server::start();
    let anonymous = server.anonymous();
    for path in PATHS.into_iter().chain(["/", "/nothing", "/healthz", "/docs/", "/openapi/core.json"]) {
        assert_eq!(
            with_header(&anonymous, path, "x-request-id", "From_outside-1").await.header("x-request-id"),
            "From_outside-1"
        );
        let made = anonymous.get(path).await.header("x-request-id").to_owned();
        assert!(!made.is_empty() && made.len() <= 64, "{path}");
        assert_ne!(anonymous.get(path).await.header("x-request-id"), made);
    }
    for bad in ["", "a b", "a;b", "ü", &"x".repeat(65)] {
        let own = with_header(&anonymous, "/v1/usergroups", "x-request-id", bad).await;
        assert!(!own.header("x-request-id").is_empty() && own.header("x-request-id") != bad, "{bad}");
    }
    assert!(server.log().contains("From_outside-1"), "the log names the request that failed");
}

/// Neither `Host` nor `X-Forwarded-Host` is trusted: links are paths.
#[tokio::test]
async fn links_are_never_built_from_the_host() {
    let server = Server::start();
    let admin = server.admin().await;
    let request = admin
        .request("POST", "/v1/usergroups")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example");
    let made = admin.send(request.json(&serde_json::json!({ "ID": "g", "Name": "N" }))).await.is(201);
    assert_eq!(made.header("location"), "/v1/usergroups/g");
    let listed = with_header(&admin, "/api/admin/v1/users-groups/list", "host", "evil.example").await.is(200);
    assert!(!listed.header("link").contains("evil"), "{}", listed.header("link"));
}
