//! Routes, methods, sizes, and requests that break the rules of HTTP.

use std::time::Duration;

use crate::support::{Launch, RawConnection, eventually, everything, send_raw};

use super::directory;

#[tokio::test]
async fn unknown_routes_are_reported_in_the_envelope() {
    let (server, admin) = directory().await;
    for caller in [&admin, &server.anonymous()] {
        for path in [
            "/v1",
            "/v1/",
            "/v1/usergroups/",
            "/v1/nothing",
            "/v1/usergroups/a/b",
            "/oauth",
            "/oauth/nothing",
            "/v1/me/x",
        ] {
            let reply = caller.get(path).await.fails(404, "NotFound");
            let data = serde_json::json!({ "ObjectType": "Route", "ObjectID": path });
            assert_eq!(reply["Errors"][0]["Data"], data);
        }
        for path in ["/api/admin", "/api/admin/v1/users-groups/", "/api/admin/v1/users-groups/1/2", "/api/admin/v2"] {
            caller.get(path).await.fails(404, "not_found");
        }
        for path in ["/nothing", "/api", "/v10/usergroups", "/API/admin/v1/users-groups/list"] {
            let reply = caller.get(path).await.is(404);
            assert!(reply.header("content-type").starts_with("text/plain") && !reply.header("x-request-id").is_empty());
        }
    }
}

#[tokio::test]
async fn unknown_methods_are_reported_in_the_envelope() {
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
async fn large_bodies_are_refused_before_authentication() {
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

/// A request with these header lines and this body, which closes its connection.
fn request(head: &str, lines: &[&str], body: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n{body}")
}

/// One chunk, without the end of the body.
fn chunk(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n", body.len())
}

/// The status line of the response to an incomplete request.
fn status_line(address: &str, request: String) -> String {
    let mut connection = RawConnection::connect(address);
    connection.write(request);
    connection.read_line()
}

#[tokio::test]
async fn without_a_token_64_kib_are_read_at_most() {
    let (server, admin) = directory().await;
    let (most, over) = ("x".repeat(64 * 1024), "x".repeat(64 * 1024 + 1));
    for (path, invalid, too_large) in [
        ("/v1/usergroups", "InvalidToken", "Request.TooLarge"),
        ("/api/admin/v1/users-groups", "unauthorized", "too_large"),
    ] {
        for caller in [server.anonymous(), server.bearer("forged")] {
            caller.text("POST", path, &most).await.fails(401, invalid);
            caller.text("POST", path, &over).await.fails(401, invalid);
            caller.text("POST", path, &"x".repeat(1024 * 1024 + 1)).await.fails(413, too_large);
        }
        // The server waits neither for a body that never ends nor for one that never comes.
        for (line, body) in [("transfer-encoding: chunked", chunk(&over)), ("content-length: 65537", String::new())] {
            let status = status_line(server.address(), request(&format!("POST {path}"), &[line], &body));
            assert!(status.starts_with("HTTP/1.1 401"), "{path} {line}: {status}");
        }
        assert_eq!(admin.text("POST", path, &over).await.status, 400, "with a token the body is read");
    }
    for (path, content_type, too_large) in [
        ("/oauth/token", "application/x-www-form-urlencoded", "Request.TooLarge"),
        ("/api/admin/v1/user/logon", "application/json", "too_large"),
    ] {
        for caller in [&admin, &server.anonymous()] {
            caller.call("POST", path, Some(content_type), over.as_str()).await.fails(413, too_large);
            assert_eq!(caller.call("POST", path, Some(content_type), most.as_str()).await.status, 400);
        }
        let lines = ["transfer-encoding: chunked"];
        let status = status_line(server.address(), request(&format!("POST {path}"), &lines, &chunk(&over)));
        assert!(status.starts_with("HTTP/1.1 413"), "{path}: {status}");
    }
}

/// A large body is refused while another one uses the budget, and accepted when that one is gone.
#[tokio::test]
async fn all_bodies_together_stay_within_their_budget() {
    let server = Launch::default().env("ROLLBOOK_BODY_BUDGET_MIB", "1").start();
    let admin = server.admin().await;
    let authorization = format!("authorization: Bearer {}", admin.bearer());
    let lines = ["content-length: 1000000", authorization.as_str()];
    let large = format!(r#"{{"Name":"G"}}{}"#, " ".repeat(200 * 1024));
    for (method, path, code) in
        [("PUT", "/v1/usergroups/g", "Api.Offline"), ("POST", "/api/admin/v1/users-groups", "unavailable")]
    {
        let (mut holder, mut refused) = (None, None);
        // The order in which the two are read depends on the network.
        let is_refused = async || {
            let mut sender = RawConnection::connect(server.address());
            sender.write(request("PUT /v1/usergroups/h", &lines, &" ".repeat(999_000)));
            holder = Some(sender);
            refused = Some(admin.text(method, path, &large).await).filter(|reply| reply.status == 503);
            refused.is_some()
        };
        eventually("the end of the budget", Duration::from_secs(20), is_refused).await;
        let reply = refused.unwrap().fails(503, code);
        assert!(!reply.header("retry-after").is_empty() && !reply.header("x-request-id").is_empty());
        admin.text("PUT", "/v1/usergroups/small", r#"{"Name":"N"}"#).await.is(200);
        drop(holder);
    }
    let taken = async || admin.text("PUT", "/v1/usergroups/g", &large).await.status == 200;
    eventually("the room of who broke off", Duration::from_secs(20), taken).await;
}

/// However small its chunks are, a body takes at most twice its size in memory.
#[tokio::test]
async fn a_body_in_tiny_chunks_is_accepted() {
    let (server, admin) = directory().await;
    let authorization = format!("authorization: Bearer {}", admin.bearer());
    let lines = ["transfer-encoding: chunked", authorization.as_str()];
    let spaces = format!(r#"{{"Name":"Tiny"{}}}"#, " ".repeat(300_000));
    let chunks: String = spaces.chars().map(|own| format!("1\r\n{own}\r\n")).collect();
    let response =
        send_raw(server.address(), request("PUT /v1/usergroups/tiny", &lines, &format!("{chunks}0\r\n\r\n")));
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

/// Unencoded characters that clients send work as if they were encoded, alone and after other requests.
#[tokio::test]
async fn raw_characters_in_a_url_work_as_if_encoded() {
    let (server, admin) = directory().await;
    let authorization = format!("authorization: Bearer {}", admin.bearer());
    for (path, status, words) in [
        ("/v1/adminusers?DateCreated=>2015-01-01", 200, r#""ID":"u""#),
        ("/v1/adminusers?DateCreated=<2015-01-01", 200, r#""Items":[]"#),
        (r#"/v1/usergroups?Name="G""#, 200, r#""Items":[]"#),
        ("/v1/usergroups?search=дом", 200, r#""Items":[]"#),
        ("/v1/usergroups?search=g&Foo`=1", 400, "List.InvalidProperty"),
        ("/v1/usergroups/дом", 404, "NotFound"),
        ("/v1/usergroups/<g>`", 404, "<g>`"),
        ("/v1/nothing/\"<>", 404, "Route"),
        ("/api/admin/v1/users-groups/list?search=>", 200, r#""ID":1"#),
        ("/api/admin/v1/users-groups/<1>", 400, "invalid_request"),
    ] {
        let response = send_raw(server.address(), request(&format!("GET {path}"), &[&authorization], ""));
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")) && response.contains(words), "{path}: {response}");
        assert!(response.contains("x-request-id: "), "{path}");
    }
    // On one connection, after a body that looks like the head of a request.
    let body = r#"{"Name":"GET /<> HTTP/1.1 é","Description":"a\r\n\r\nGET /<> HTTP/1.1"}"#;
    let put = |line: &str| format!("PUT /v1/usergroups/p HTTP/1.1\r\nhost: x\r\n{authorization}\r\n{line}\r\n\r\n");
    let pipelined = [
        format!("{}{body}", put(&format!("content-length: {}", body.len()))),
        format!("{}{}0\r\nx: <\r\n\r\n", put("transfer-encoding: chunked"), chunk(body)),
        request("GET /v1/usergroups?Name=!<x>", &[&authorization], ""),
    ];
    let responses = send_raw(server.address(), pipelined.concat());
    assert_eq!(responses.matches("HTTP/1.1 200").count(), 3, "{responses}");
    let kept = admin.get("/v1/usergroups/p").await.is(200);
    assert_eq!(
        (kept["Name"].as_str(), kept["Description"].as_str()),
        (Some("GET /<> HTTP/1.1 é"), Some("a\r\n\r\nGET /<> HTTP/1.1"))
    );
}

/// A base URL that ends in a slash.
#[tokio::test]
async fn extra_slashes_at_the_start_are_ignored() {
    let (server, admin) = directory().await;
    assert_eq!(admin.get("//v1/usergroups").await.is(200).ids(), ["g"]);
    admin.get("///v1/usergroups/g").await.is(200);
    admin.get("//api/admin/v1/users-groups/list").await.is(200);
    admin.get("//v1/nothing").await.fails(404, "NotFound");
    let fields = [("grant_type", "implicit"), ("client_id", "c")];
    server.anonymous().form("//oauth/token", &fields).await.fails(400, "Auth.OauthError");
    assert_eq!(server.anonymous().get("//healthz").await.is(200).text, "ok\n");
    // An empty ID is no ID.
    admin.delete("/v1/usergroups//assignments/u").await.is(404);
}

#[tokio::test]
async fn a_request_has_exactly_one_host() {
    let (server, _) = directory().await;
    let send = |path: &str, version: &str, lines: &str| {
        send_raw(server.address(), format!("GET {path} HTTP/{version}\r\n{lines}connection: close\r\n\r\n"))
    };
    for lines in [
        "",
        "host: a\r\nhost: a\r\n",
        "host: a\r\nHost: b\r\n",
        "host: a b\r\n",
        "host: a/b\r\n",
        "host: u@a\r\n",
        "host: a:b\r\n",
        "host: %zz\r\n",
        "host: a%4\r\n",
        "host: [::g]\r\n",
    ] {
        for (path, words) in [
            ("/v1/usergroups", r#""ErrorCode":"InvalidRequest""#),
            ("/oauth/certs", r#""ErrorCode":"InvalidRequest""#),
            ("/api/admin/v1/users-groups/list", r#""Message":"invalid_request""#),
            ("/healthz", "one Host header"),
            ("/docs/", "one Host header"),
        ] {
            let response = send(path, "1.1", lines);
            assert!(response.starts_with("HTTP/1.1 400") && response.contains(words), "{path} {lines:?}: {response}");
        }
    }
    for lines in ["host: \r\n", "host: rollbook.example:8080\r\n", "host: [::1]:8080\r\n"] {
        assert!(send("/healthz", "1.1", lines).starts_with("HTTP/1.1 200"), "{lines:?}");
    }
    // HTTP/1.0 requires no `Host`, but two are too many there, too.
    for lines in ["", "host: a\r\n"] {
        assert!(send("/healthz", "1.0", lines).starts_with("HTTP/1.0 200"), "{lines:?}");
    }
    for lines in ["host: a\r\nhost: a\r\n", "host: %zz\r\n"] {
        assert!(send("/healthz", "1.0", lines).starts_with("HTTP/1.0 400"), "{lines:?}");
    }
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

/// The complete order of checks, by requests that break more and more of them.
#[tokio::test]
async fn checks_run_in_their_order() {
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

/// A client that sends text in another encoding gets an error in the form of its API.
#[tokio::test]
async fn targets_that_are_no_text_are_refused_by_the_api_of_their_path() {
    let (server, admin) = directory().await;
    let send = |target: &[u8]| {
        let fields = format!(" HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", admin.bearer());
        send_raw(server.address(), [b"GET ", target, fields.as_bytes()].concat())
    };
    for (target, words) in [
        (&b"/v1/usergroups?search=\xe9"[..], r#""ErrorCode":"InvalidRequest""#),
        (b"/v1/usergroups/caf\xe9", r#""ErrorCode":"InvalidRequest""#),
        (b"/v1/usergroups?search=\x01", r#""ErrorCode":"InvalidRequest""#),
        (b"/api/admin/v1/users-groups/list?page=\xe9", r#""Message":"invalid_request""#),
        (b"/healthz?\xe9", "target"),
    ] {
        let response = send(target);
        assert!(response.starts_with("HTTP/1.1 400") && response.contains(words), "{response}");
    }
}

/// Requests that no client library sends get an error response, and the server goes on.
#[tokio::test]
async fn broken_requests_get_a_specific_error() {
    let (server, admin) = directory().await;
    let get = "GET /v1/usergroups HTTP/1.1\r\nhost: x\r\n";
    let post = "POST /api/admin/v1/users-groups HTTP/1.1\r\nhost: x\r\n";
    for (request, status, words) in [
        ("nonsense\r\n\r\n".to_owned(), 400, "not an HTTP request"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400, "version of HTTP"),
        ("GET \u{0} HTTP/1.1\r\n\r\n".to_owned(), 400, "not an HTTP request"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400, "HTTP/2"),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned(), 400, "without TLS"),
        ("GET no/where HTTP/1.1\r\n\r\n".to_owned(), 400, "target"),
        (format!("{get}a b: c\r\n\r\n"), 400, r#""ErrorCode":"InvalidRequest""#),
        (format!("{get}content-length: x\r\n\r\n"), 400, "Content-Length"),
        (format!("{get}transfer-encoding: gzip\r\n\r\n"), 400, "Transfer-Encoding"),
        (format!("{post}content-length: 1\r\ncontent-length: 2\r\n\r\n{{}}"), 400, r#""Message":"invalid_request""#),
        (
            format!("{post}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
            "must not come together",
        ),
        (format!("{get}x: {}\r\n\r\n", "y".repeat(200 * 1024)), 431, "Request.HeadTooLarge"),
        (format!("{post}{}\r\n", "x: y\r\n".repeat(101)), 431, "head_too_large"),
        (format!("GET /v1/{} HTTP/1.1\r\n\r\n", "x".repeat(70_000)), 414, "Request.UriTooLong"),
        (format!("GET /v1/{}", "x".repeat(200 * 1024)), 414, "Request.UriTooLong"),
    ] {
        let response = send_raw(server.address(), &request);
        let right = response.starts_with(&format!("HTTP/1.1 {status}")) && response.contains(words);
        assert!(right && response.contains("x-request-id: "), "{request:.100?}: {response}");
        let id = response.split("x-request-id: ").nth(1).unwrap().split("\r\n").next().unwrap();
        assert!(server.log().lines().any(|line| line.contains("refused") && line.contains(id)), "{request:.100?}");
    }
    let metrics = server.anonymous().get("/metrics").await.is(200).text;
    for counted in [
        r#"{route="none",method="GET",status="400"}"#,
        r#"{route="/v1/usergroups",method="GET",status="431"}"#,
        r#"{route="/api/admin/v1/users-groups",method="POST",status="400"}"#,
    ] {
        assert!(metrics.contains(counted), "{counted} is not in\n{metrics}");
    }
    // Requests before it get their responses, and requests after it are never read.
    let pipelined = format!("{get}\r\nnonsense\r\n\r\n{get}\r\n");
    let responses = send_raw(server.address(), pipelined);
    assert_eq!(
        (responses.matches("HTTP/1.1 401").count(), responses.matches("HTTP/1.1 400").count()),
        (1, 1),
        "{responses}"
    );
    let line = format!("authorization: Bearer {}", admin.bearer());
    let chunked = request(
        "POST /v1/usergroups",
        &[&line, "transfer-encoding: chunked"],
        "3\r\n{\"N\r\n9\r\name\":\"C\"}\r\n0\r\n\r\n",
    );
    assert!(send_raw(server.address(), chunked).starts_with("HTTP/1.1 201"));
    let broken = request("POST /v1/usergroups", &[&line, "transfer-encoding: chunked"], "x\r\n{}\r\n0\r\n\r\n");
    assert!(send_raw(server.address(), broken).contains("Request.InvalidRequestBody"));
    admin.get("/v1/usergroups/g").await.is(200);
}

/// A million brackets cost as much time as a million other bytes, and delay nobody else.
#[tokio::test]
async fn deeply_nested_bodies_are_read_quickly() {
    let (server, admin) = directory().await;
    let within = |levels: usize| {
        let ones = vec!["1"; 400_000].join(",");
        format!(r#"{{"xp":{{"a":{}{ones}{}}}}}"#, "[".repeat(levels), "]".repeat(levels))
    };
    admin.text("PATCH", "/v1/usergroups/g", &within(61)).await.fails(400, "ValidationFailure");
    admin.text("PATCH", "/v1/usergroups/g", &within(63)).await.fails(400, "Request.InvalidRequestBody");
    server.anonymous().text("PATCH", "/v1/usergroups/g", &within(61)).await.fails(401, "InvalidToken");
}
