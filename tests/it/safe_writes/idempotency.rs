//! Requests with an `Idempotency-Key`.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{GROUP, labelled, request, send};
use crate::support::{CORE, Caller, FULL, Launch, PASSWORD, Reply, Server, Store, make_user, user_body};

async fn keyed(caller: &Caller, key: &str, method: &str, path: &str, body: &Value) -> Reply {
    send(caller, method, path, &[("idempotency-key", key)], body).await
}

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == "true"
}

/// The parts of an answer that a repetition gets again.
fn parts(reply: &Reply) -> (u16, String, String, String, String) {
    let header = |name| reply.header(name).to_owned();
    (reply.status, reply.text.clone(), header("location"), header("etag"), header("content-type"))
}

#[tokio::test]
async fn a_repetition_gets_the_same_answer_in_each_api() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    admin.put(GROUP, &json!({ "Name": "G" })).await.is(200);
    let pair = json!({ "UserGroupID": "g", "UserID": "ada" });
    for (key, method, path, body, status) in [
        ("1", "POST", "/v1/usergroups", json!({ "Name": "N" }), 201),
        ("2", "PATCH", GROUP, json!({ "Name": "Two" }), 200),
        ("3", "POST", "/v1/usergroups/assignments", pair.clone(), 204),
        ("4", "POST", "/v1/usergroups/assignments", pair, 204),
        ("5", "POST", "/v1/adminusers", user_body("bob"), 201),
        ("6", "PATCH", "/v1/adminusers/ada", json!({ "Phone": "1" }), 200),
        ("7", "POST", "/v1/adminusers/ada/unlock", Value::Null, 204),
        ("8", "POST", CORE, labelled(None, "Core"), 200),
        ("9", "POST", CORE, labelled(Some(1), "Edited"), 200),
        ("10", "PATCH", GROUP, json!({}), 200),
    ] {
        let first = keyed(&admin, key, method, path, &body).await.is(status);
        assert!(!is_replay(&first), "{method} {path}");
        for spelling in [key.to_owned(), format!("\"{key}\"")] {
            let again = keyed(&admin, &spelling, method, path, &body).await.is(status);
            assert!(is_replay(&again), "{method} {path}");
            assert_eq!(parts(&again), parts(&first), "{method} {path}");
        }
    }
    assert_eq!(admin.get("/v1/usergroups").await.is(200).total(), 3);
    assert_eq!(admin.get("/v1/adminusers").await.is(200).total(), 2);
    // The answer outlives what it names.
    admin.delete(GROUP).await.is(204);
    assert!(is_replay(&keyed(&admin, "2", "PATCH", GROUP, &json!({ "Name": "Two" })).await.is(200)));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let server = Server::start();
    let admin = server.admin().await;
    let body = json!({ "ID": "g", "Name": "One" });
    keyed(&admin, "k", "POST", "/v1/usergroups", &body).await.is(201);
    for (method, path, body) in [
        ("POST", "/v1/usergroups", json!({ "ID": "g", "Name": "Two" })),
        ("POST", "/v1/usergroups?x=1", body.clone()),
        ("PATCH", GROUP, body.clone()),
        ("POST", "/v1/usergroups/assignments", json!({})),
    ] {
        keyed(&admin, "k", method, path, &body).await.fails(422, "IdempotencyKeyReused");
    }
    keyed(&admin, "k", "POST", CORE, &labelled(None, "x")).await.fails(422, "idempotency_key_reused");
    // Spelling and white space of the same JSON make no other request.
    let spaced = admin.request("POST", "/v1/usergroups").header("idempotency-key", "k");
    let spaced = spaced.header("content-type", "application/json").body(r#" { "ID" : "g","Name":"One" } "#);
    assert!(is_replay(&admin.send(spaced).await.is(201)));
    // PUT and DELETE are idempotent without a key, and another caller has other keys.
    assert!(!is_replay(&keyed(&admin, "k", "PUT", GROUP, &json!({ "Name": "Three" })).await.is(200)));
    let other = server.token(&[FULL], &[]).await;
    keyed(&other, "k", "POST", "/v1/usergroups", &body).await.fails(409, "IdExists");
    assert!(!is_replay(&keyed(&admin, "k", "DELETE", GROUP, &Value::Null).await.is(204)));
    keyed(&server.anonymous(), "k", "POST", "/v1/usergroups", &body).await.fails(401, "InvalidToken");
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.put(GROUP, &json!({ "Name": "G" })).await.is(200);
    let pair = json!({ "UserGroupID": "g", "UserID": "ada" });
    let path = "/v1/usergroups/assignments";
    keyed(&admin, "k", "POST", path, &pair).await.fails(404, "NotFound");
    keyed(&admin, "k", "POST", "/v1/usergroups", &json!({ "ID": "g", "Name": "N" })).await.fails(409, "IdExists");
    keyed(&admin, "k", "POST", "/v1/usergroups", &json!({})).await.fails(400, "ValidationFailure");
    let stale = [("idempotency-key", "k"), ("if-match", r#""ordercloud-1-9""#)];
    send(&admin, "PATCH", GROUP, &stale, &json!({ "Name": "N" })).await.fails(412, "PreconditionFailed");
    keyed(&admin, "k", "POST", CORE, &labelled(Some(99), "x")).await.fails(400, "invalid_data");
    make_user(&admin, "ada").await;
    assert!(!is_replay(&keyed(&admin, "k", "POST", path, &pair).await.is(204)));
    assert!(is_replay(&keyed(&admin, "k", "POST", path, &pair).await.is(204)));
    for bad in ["", "a b", r#""a"#, r#""""#, &"x".repeat(256)] {
        keyed(&admin, bad, "POST", "/v1/usergroups", &json!({ "Name": "N" })).await.fails(400, "InvalidRequest");
        keyed(&admin, bad, "POST", CORE, &labelled(None, "x")).await.fails(400, "invalid_request");
    }
}

/// Where a token is issued or ended, a key means nothing: nobody gets the token of an earlier sign-in.
#[tokio::test]
async fn tokens_are_never_replayed() {
    let server = Server::start();
    server.make_user("ada", &[FULL], &[]);
    let anonymous = server.anonymous();
    let body = json!({ "username": "ada", "password": PASSWORD });
    let log_on = async || keyed(&anonymous, "k", "POST", "/api/admin/v1/user/logon", &body).await.is(200);
    let (first, second) = (log_on().await, log_on().await);
    assert!(!is_replay(&second) && first["Token"] != second["Token"]);
}

/// Fifty equal requests at once, over all nodes: one of them makes the group.
async fn fifty_make_one(nodes: &[Caller], key: &str) -> Vec<Reply> {
    let mut requests = JoinSet::new();
    for at in 0..50 {
        let (caller, key) = (nodes[at % nodes.len()].clone(), key.to_owned());
        let body = json!({ "Name": format!("Made under {key}") });
        requests.spawn(async move { keyed(&caller, &key, "POST", "/v1/usergroups", &body).await });
    }
    requests.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_equal_requests_make_one_group_and_get_one_answer() {
    let server = Server::start();
    // SQLite allows one server on a file.
    let other = (Store::of_this_run() == Store::Postgres).then(|| server.another_node());
    let mut nodes = vec![server.admin().await];
    if let Some(other) = &other {
        nodes.push(other.admin().await);
    }
    let replies = fifty_make_one(&nodes, "k").await;
    let first = parts(&replies[0]);
    assert!(replies.iter().all(|reply| reply.status == 201 && parts(reply) == first), "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| !is_replay(reply)).count(), 1);
    assert_eq!(nodes[0].get("/v1/usergroups").await.is(200).total(), 1);
}

/// Whether a killed server had committed the change or not: a repetition makes it once.
#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_after_a_kill_makes_the_change_once() {
    const ROUNDS: usize = 4;
    let mut server = Server::start();
    for round in 1..=ROUNDS {
        let (admin, key) = (server.admin().await, format!("key-{round}"));
        let mut requests = JoinSet::new();
        for _ in 0..50 {
            let (admin, key) = (admin.clone(), key.clone());
            let body = json!({ "Name": format!("Made under {key}") });
            requests.spawn(async move {
                let headers = [("idempotency-key", &*key)];
                admin.try_send(request(&admin, "POST", "/v1/usergroups", &headers, &body)).await
            });
        }
        // The first answer, or the first one after the kill in round one: then most requests are in progress.
        let mut answers = Vec::new();
        if round > 1 {
            answers.extend(requests.join_next().await.expect("a request").expect("no panic"));
        }
        server.kill_9();
        answers.extend(requests.join_all().await.into_iter().flatten());
        server.restart();
        let repeated = fifty_make_one(&[server.admin().await], &key).await;
        let first = parts(&repeated[0]);
        for reply in answers.iter().chain(&repeated) {
            assert_eq!(parts(reply), first);
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        assert!(answers.is_empty() || repeated.iter().all(is_replay), "what was acknowledged is replayed");
        assert_eq!(server.admin().await.get("/v1/usergroups").await.is(200).total(), round as u64);
    }
}

/// Neither a password nor a hash that is fast to compute is stored: two requests that differ in it are the same one.
#[tokio::test]
async fn no_password_is_part_of_what_is_stored() {
    let database = tempfile::TempDir::new().unwrap();
    let server = Launch::default().store(Store::Sqlite).start_on(crate::support::Database::in_folder(database));
    let admin = server.admin().await;
    let mut body = user_body("ada");
    body["Password"] = "Unforgettable-Pa55word".into();
    let made = keyed(&admin, "k", "POST", "/v1/adminusers", &body).await.is(201);
    body["Password"] = "Another-Pa55word".into();
    let again = keyed(&admin, "k", "POST", "/v1/adminusers", &body).await.is(201);
    assert!(is_replay(&again) && parts(&again) == parts(&made));
    let mut stored = 0;
    for entry in std::fs::read_dir(server.database().folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        stored += bytes.len();
        assert!(!bytes.windows(13).any(|bytes| bytes == b"Unforgettable"));
    }
    assert!(stored > 0);
}
