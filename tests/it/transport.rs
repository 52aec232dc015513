//! What every API has in common: health, metrics, pages for people, connections and shutdown.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Launch, RawConnection, Server, Store, eventually, send_raw};

#[tokio::test]
async fn health_checks_are_answered() {
    let server = Server::start();
    let anonymous = server.anonymous();
    assert_eq!(anonymous.get("/healthz").await.is(200).text, "ok\n");
    assert_eq!(anonymous.get("/readyz").await.is(200).text, "ready\n");
}

#[tokio::test]
async fn metrics_cover_requests_and_the_store() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.get("/v1/usergroups/secret-name").await.is(404);
    admin.post("/v1/usergroups", &json!({ "Name": "N" })).await.is(201);
    let metrics = server.anonymous().get("/metrics").await.is(200);
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    for series in [
        r#"rollbook_http_requests_total{route="/v1/usergroups/{userGroupID}",method="GET",status="404"} 1"#,
        r#"rollbook_http_requests_total{route="/v1/usergroups",method="POST",status="201"} 1"#,
        r#"rollbook_http_request_seconds_bucket{route="/v1/usergroups",method="POST",le="#,
    ] {
        assert!(metrics.text.contains(series), "{series} is not in\n{}", metrics.text);
    }
    let of_the_store = match Store::of_this_run() {
        Store::Sqlite => ["queue", "commit", "wal"],
        Store::Postgres => ["connections", "waiting", "database"],
    };
    for word in of_the_store {
        assert!(metrics.text.contains(word), "nothing of the {word} in\n{}", metrics.text);
    }
    assert!(!metrics.text.contains("secret-name"));
    let ids = ["client_id", admin.bearer()];
    assert!(ids.iter().all(|id| !metrics.text.contains(id)));
}

/// On the listener of the APIs, metrics are for the machine itself; on a listener of their own, the operator controls
/// access.
#[tokio::test]
async fn metrics_are_refused_through_a_proxy() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Launch::default().env("ROLLBOOK_METRICS_LISTEN", &free.to_string()).start();
    let (same_listener, own_listener) = (server.anonymous(), server.caller_at(&format!("http://{free}")));
    for name in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"] {
        let refused = same_listener.send(same_listener.request("GET", "/metrics").header(name, "1.1 x")).await.is(403);
        assert!(refused.text.contains("--metrics-listen") && !refused.text.contains("rollbook_"), "{}", refused.text);
        own_listener.send(own_listener.request("GET", "/metrics").header(name, "1.1 x")).await.is(200);
        same_listener.send(same_listener.request("GET", "/healthz").header(name, "1.1 x")).await.is(200);
    }
    let metrics = same_listener.get("/metrics").await.is(200).text;
    assert!(metrics.contains(r#"{route="/metrics",method="GET",status="403"} 6"#), "{metrics}");
    assert!(server.log().contains("through a proxy"), "{}", server.log());
}

/// The file descriptors that the store and the libraries need stay reserved.
#[tokio::test]
async fn connections_stay_below_the_limit_of_open_files() {
    let processors = u32::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
    let server = Launch::default().open_files(256 + 16 + 8 * processors + 3).start();
    assert!(server.log().contains("connections=3 ") && server.log().contains("LimitNOFILE"), "{}", server.log());
    let idle: Vec<_> = (0..20).map(|_| RawConnection::connect(server.address())).collect();
    drop(idle);
    server.admin().await.get("/v1/usergroups").await.is(200);
    assert!(!server.log().contains("could not be accepted"), "{}", server.log());
}

#[tokio::test]
async fn metrics_can_have_their_own_listener() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Launch::default().env("ROLLBOOK_METRICS_LISTEN", &free.to_string()).start();
    let own_listener = server.caller_at(&format!("http://{free}"));
    assert!(own_listener.get("/metrics").await.is(200).text.contains("rollbook_"));
    own_listener.get("/v1/usergroups").await.is(404);
}

#[tokio::test]
async fn a_browser_is_redirected_to_the_documents() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let start = anonymous.get("/").await;
    assert_eq!((start.status, start.header("location")), (303, "/docs/"));
    let page = anonymous.get("/docs/").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "no external resources");
    let quoted = page.text.split("href=\"").chain(page.text.split("src=\"")).filter_map(|part| part.split('"').next());
    let files: Vec<_> = quoted.filter(|file| file.contains('.') && !file.contains('<')).map(str::to_owned).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files.iter().map(|file| file.trim_start_matches("./")).chain([""]) {
        let asset = anonymous.get(&format!("/docs/{file}")).await.is(200);
        assert_eq!(asset.header("x-content-type-options"), "nosniff", "{file}");
        let policy = asset.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    }
    let settings = anonymous.get("/docs/swagger-initializer.js").await.is(200).text;
    assert!(settings.contains("/openapi/core.json") && settings.contains("/openapi/ordercloud.json"));
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let server = Server::start();
    let admin = server.admin().await;
    crate::support::make_groups(&admin, &["g"]).await;
    for path in ["/v1/usergroups/g", "/api/admin/v1/users-groups/list", "/healthz", "/openapi/core.json"] {
        let (head, get) = (admin.call("HEAD", path, None, "").await, admin.get(path).await);
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), get.text.len().to_string(), "{path}");
    }
    let missing = admin.call("HEAD", "/v1/usergroups/none", None, "").await;
    assert_eq!((missing.status, missing.text.as_str()), (404, ""));
}

/// The server does not wait forever for a request that does not arrive.
#[tokio::test]
async fn an_incomplete_head_times_out() {
    let server = Server::start();
    let address = server.address().to_owned();
    let (begin, mut slow) = (Instant::now(), RawConnection::connect(&address));
    slow.write("GET /healthz HTTP/1.1\r\nhost: x\r\nx-half");
    let response = tokio::task::spawn_blocking(move || slow.read_to_end()).await.unwrap();
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 408"), "{response}");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(
        send_raw(&address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight() {
    let mut server = Server::start();
    let admin = server.admin().await;
    let body = r#"{"ID":"late","Name":"N"}"#;
    let mut late = RawConnection::connect(server.address());
    late.write(format!(
        "POST /v1/usergroups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        admin.bearer(),
        body.len()
    ));
    // The server sends 100 Continue: from here on the request is in flight.
    assert!(late.read_line().starts_with("HTTP/1.1 100"));
    server.terminate();
    let address = server.address().to_owned();
    let closed = async || std::net::TcpStream::connect(&address).is_err();
    eventually("the end of listening", Duration::from_secs(10), closed).await;
    late.write(body);
    let response = late.read_to_end();
    assert!(response.contains("HTTP/1.1 201"), "{response}");
    assert!(server.wait().success());
    server.restart();
    server.admin().await.get("/v1/usergroups/late").await.is(200);
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::start();
    let head = "GET /healthz HTTP/1.1\r\nhost: x\r\n";
    let responses = send_raw(server.address(), format!("{head}\r\n{head}\r\n{head}connection: close\r\n\r\n"));
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 3, "{responses}");
}

#[tokio::test]
async fn the_log_contains_no_secret() {
    let server = Launch::default().env("ROLLBOOK_LOG", "debug").env("ROLLBOOK_LOG_FORMAT", "json").start();
    let admin = server.admin().await;
    server.make_user("ada", &["FullAccess"], &[]);
    let session = server.log_on("ada", crate::support::PASSWORD).await.is(200);
    server.log_on("a-password-in-the-wrong-field", "wrong-password").await.is(401);
    admin.get("/v1/usergroups?search=query-secret&Foo=1").await.is(400);
    let log = server.log();
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    let secrets = [
        crate::support::PASSWORD,
        "a-secret-of-the-tests",
        admin.bearer(),
        session["Token"].as_str().unwrap(),
        "wrong-password",
        "a-password-in-the-wrong-field",
        "query-secret",
        "PRIVATE KEY",
        "$argon2",
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
