//! What every API stands on: health, metrics, the pages for people, connections and their end.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Launch, Raw, Server, Store, eventually, raw};

#[tokio::test]
async fn the_machines_that_watch_are_answered() {
    let server = Server::start();
    let anonymous = server.anonymous();
    assert_eq!(anonymous.get("/healthz").await.is(200).text, "ok\n");
    assert_eq!(anonymous.get("/readyz").await.is(200).text, "ready\n");
}

#[tokio::test]
async fn metrics_tell_of_requests_and_of_the_store() {
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

#[tokio::test]
async fn metrics_can_stand_apart() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Launch::default().env("ROLLBOOK_METRICS_LISTEN", &free.to_string()).start();
    let apart = server.caller_at(&format!("http://{free}"));
    assert!(apart.get("/metrics").await.is(200).text.contains("rollbook_"));
    apart.get("/v1/usergroups").await.is(404);
}

#[tokio::test]
async fn a_person_is_led_to_the_documents() {
    let server = Server::start();
    let anonymous = server.anonymous();
    let start = anonymous.get("/").await;
    assert_eq!((start.status, start.header("location")), (303, "/docs/"));
    let page = anonymous.get("/docs/").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "nothing from elsewhere");
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

/// A request that does not arrive is not waited for without end.
#[tokio::test]
async fn a_head_that_does_not_arrive_is_given_up() {
    let server = Server::start();
    let address = server.address().to_owned();
    let (begin, mut slow) = (Instant::now(), Raw::connect(&address));
    slow.write("GET /healthz HTTP/1.1\r\nhost: x\r\nx-half");
    let answer = tokio::task::spawn_blocking(move || slow.read_to_end()).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(raw(&address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight() {
    let mut server = Server::start();
    let admin = server.admin().await;
    let body = r#"{"ID":"late","Name":"N"}"#;
    let mut late = Raw::connect(server.address());
    late.write(format!(
        "POST /v1/usergroups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        admin.bearer(),
        body.len()
    ));
    // The server asks for the body: from here on the request is in flight.
    assert!(late.read_line().starts_with("HTTP/1.1 100"));
    server.terminate();
    let address = server.address().to_owned();
    let closed = async || std::net::TcpStream::connect(&address).is_err();
    eventually("the end of listening", Duration::from_secs(10), closed).await;
    late.write(body);
    let answer = late.read_to_end();
    assert!(answer.contains("HTTP/1.1 201"), "{answer}");
    assert!(server.wait().success());
    server.restart();
    server.admin().await.get("/v1/usergroups/late").await.is(200);
}

#[tokio::test]
async fn many_requests_go_over_one_connection() {
    let server = Server::start();
    let head = "GET /healthz HTTP/1.1\r\nhost: x\r\n";
    let answers = raw(server.address(), format!("{head}\r\n{head}\r\n{head}connection: close\r\n\r\n"));
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
}

#[tokio::test]
async fn the_log_holds_no_secret() {
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
