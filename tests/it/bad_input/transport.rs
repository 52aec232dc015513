//! Routes, methods and sizes.

use crate::support::{everything, raw};

use super::directory;

#[tokio::test]
async fn unknown_routes_are_told_in_the_envelope() {
    let (server, admin) = directory().await;
    for caller in [&admin, &server.anonymous()] {
        for path in [
            "/v1",
            "/v1/",
            "/v1/usergroups/",
            "/v1/nothing",
            "/v1/usergroups/a/b",
            "/oauth",
            "/oauth/userinfo",
            "/v1/me",
        ] {
            let reply = caller.get(path).await.fails(404, "NotFound");
            let data = serde_json::json!({ "ObjectType": "Route", "ObjectID": path });
            assert_eq!(reply["Errors"][0]["Data"], data);
        }
        for path in ["/api/admin", "/api/admin/v1/users-groups/", "/api/admin/v1/users-groups/1/2", "/api/admin/v2"] {
            caller.get(path).await.fails(404, "not_found");
        }
        for path in ["/nothing", "/api", "/v10/usergroups", "//v1/usergroups", "/API/admin/v1/users-groups/list"] {
            let reply = caller.get(path).await.is(404);
            assert!(reply.header("content-type").starts_with("text/plain") && !reply.header("x-request-id").is_empty());
        }
    }
}

#[tokio::test]
async fn unknown_methods_are_told_in_the_envelope() {
    let (server, admin) = directory().await;
    for caller in [&admin, &server.anonymous()] {
        for (method, path) in [
            ("PUT", "/v1/usergroups"),
            ("POST", "/v1/usergroups/g"),
            ("GET", "/oauth/token"),
            ("BREW", "/v1/adminusers"),
        ] {
            let reply = caller.call(method, path, None, "").await.fails(405, "Request.MethodNotAllowed");
            assert!(!reply.header("allow").is_empty());
        }
        for (method, path) in [
            ("PUT", "/api/admin/v1/users-groups"),
            ("PATCH", "/api/admin/v1/users-groups/1"),
            ("GET", "/api/admin/v1/user/logon"),
        ] {
            caller.call(method, path, None, "").await.fails(405, "method_not_allowed");
        }
    }
    admin.call("DELETE", "/healthz", None, "").await.is(405);
}

/// Route and method, then size, then 401: the order of docs/ordercloud.md, section 9.
#[tokio::test]
async fn large_bodies_are_refused_before_the_caller_is_looked_at() {
    let (server, admin) = directory().await;
    let before = everything(&admin).await;
    let over = format!(r#"{{"Name":"{}"}}"#, "x".repeat(1024 * 1024));
    for caller in [&admin, &server.anonymous()] {
        caller.text("POST", "/v1/usergroups", &over).await.fails(413, "Request.TooLarge");
        caller.text("POST", "/oauth/token", &over).await.fails(413, "Request.TooLarge");
        caller.text("POST", "/api/admin/v1/users-groups", &over).await.fails(413, "too_large");
        caller.text("PUT", "/v1/usergroups", &over).await.fails(405, "Request.MethodNotAllowed");
        caller.text("POST", "/v1/nothing", &over).await.fails(404, "NotFound");
    }
    let most = format!(r#"{{"Name":"{}"}}"#, "x".repeat(1024 * 1024 - 11));
    server.anonymous().text("POST", "/v1/usergroups", &most).await.fails(401, "InvalidToken");
    admin.text("POST", "/v1/usergroups", &most).await.fails(400, "ValidationFailure");
    assert_eq!(everything(&admin).await, before);
}

#[tokio::test]
async fn long_urls_are_refused() {
    let (server, admin) = directory().await;
    let of_length = |path: &str, length: usize| format!("{path}{}", "x".repeat(length - path.len()));
    for caller in [&admin, &server.anonymous()] {
        caller.get(&of_length("/v1/usergroups?search=", 16 * 1024 + 1)).await.fails(414, "Request.UriTooLong");
        caller.get(&of_length("/v1/usergroups/", 60_000)).await.fails(414, "Request.UriTooLong");
        caller.get(&of_length("/api/admin/v1/users-groups/list?", 16 * 1024 + 1)).await.fails(414, "uri_too_long");
    }
    admin.get(&of_length("/v1/usergroups?search=", 16 * 1024)).await.is(200);
    admin.get(&of_length("/v1/usergroups/", 16 * 1024)).await.fails(404, "NotFound");
}

/// The order in full, one request that breaks more and more of it at a time.
#[tokio::test]
async fn checks_come_in_their_order() {
    let (server, admin) = directory().await;
    let reader = server.token(&["AdminUserGroupReader"], &[]).await;
    server.anonymous().text("PATCH", "/v1/usergroups/no%FF", "{").await.fails(401, "InvalidToken");
    reader.text("PATCH", "/v1/usergroups/no%FF", "{").await.fails(403, "Auth.InsufficientRoles");
    admin.text("PATCH", "/v1/usergroups/no%FF", "{").await.fails(400, "InvalidRequest");
    admin.text("PATCH", "/v1/usergroups/missing", r#"{"Name":1}"#).await.fails(404, "NotFound");
    admin.text("PATCH", "/v1/usergroups/g", r#"{"Name":1,"ID":"g"}"#).await.fails(400, "ValidationFailure");
    let post = "/api/admin/v1/users-groups";
    server.anonymous().text("POST", post, "{").await.fails(401, "unauthorized");
    reader.text("POST", post, "{").await.fails(403, "cannot_access");
    admin.text("POST", post, "{").await.fails(400, "invalid_request");
    admin.text("DELETE", "/api/admin/v1/users-groups/x", "{").await.fails(400, "invalid_request");
    admin.text("DELETE", "/api/admin/v1/users-groups/99", "{").await.fails(404, "not_found");
}

/// What no client library sends is no reason to fall over.
#[tokio::test]
async fn broken_requests_end_the_connection_alone() {
    let (server, admin) = directory().await;
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET \u{0} HTTP/1.1\r\n\r\n",
        "POST /v1/usergroups HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ] {
        let answer = raw(server.address(), request);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{request:?}: {answer}");
    }
    let bearer = admin.bearer();
    let head =
        format!("POST /v1/usergroups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\nconnection: close\r\n");
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n3\r\n{{\"N\r\n9\r\name\":\"C\"}}\r\n0\r\n\r\n");
    assert!(raw(server.address(), chunked).starts_with("HTTP/1.1 201"));
    let both = format!("{head}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n");
    assert!(raw(server.address(), both).starts_with("HTTP/1.1 400"));
    admin.get("/v1/usergroups/g").await.is(200);
}
