//! Long-lived tokens (docs/ordercloud.md, section 8), which the command line creates and every API accepts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{A, AUDITOR, FULL, GROUP_ADMIN, Server, eventually, make_group};

/// Creates a token by the command line. Returns its ID and the token itself.
fn create(server: &Server, client: &str, more: &[&str]) -> (String, String) {
    let arguments = [&["token", "create", client, "--name", "sync", "--json"], more].concat();
    let created = server.cli().run(&arguments).json();
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

/// The tokens that the command line lists, as JSON.
fn listed(server: &Server, more: &[&str]) -> Vec<Value> {
    let printed = server.cli().run(&[&["token", "list", "--json"], more].concat()).printed();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A change by another process takes effect within five seconds; the limit leaves room for a slow machine.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_api_accepts_them_as_their_client() {
    let server = Server::start();
    let admin = server.admin().await;
    let (inside, outside) = (make_group(&admin, "in", &[A]).await, make_group(&admin, "out", &[]).await);
    let (id, _) = server.make_client(&[GROUP_ADMIN], &[A], &[]);
    let (token_id, token) = create(&server, &id, &[]);
    assert!(token.strip_prefix("rbk_").is_some_and(|digits| digits.len() == 43), "{token}");
    let program = server.bearer(&token);
    assert_eq!(program.get("/v1/usergroups").await.is(200).total(), 1);
    program.get(&format!("/api/admin/v1/users-groups/{inside}")).await.is(200);
    program.get(&format!("/api/admin/v1/users-groups/{outside}")).await.fails(404, "not_found");
    program.get("/v1/adminusers").await.fails(403, "Auth.InsufficientRoles");
    let large = json!({ "ID": "large", "Name": "L", "Description": "x".repeat(1_000), "Unknown": "x".repeat(70_000) });
    program.post("/v1/usergroups", &large).await.is(201);
    program.post("/api/admin/v1/user/logoff", &json!({})).await.is(200);
    program.get("/v1/usergroups").await.is(200);
    server.bearer(&token[..token.len() - 1]).get("/v1/usergroups").await.fails(401, "InvalidToken");
    server.bearer(&token_id).get("/v1/usergroups").await.fails(401, "InvalidToken");
    assert!(!server.log().contains(&token), "the log has no token");
}

#[tokio::test]
async fn they_are_listed_and_revoked() {
    let server = Server::start();
    let ((one, _), (other, _)) = (server.make_client(&[FULL], &[], &[]), server.make_client(&[AUDITOR], &[], &[]));
    let (first, token) = create(&server, &one, &[]);
    let (second, _) = create(&server, &other, &["--days", "730"]);
    let ids = |more: &[&str]| {
        listed(&server, more).iter().map(|own| own["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), [&*first, &*second]);
    assert_eq!(ids(&[&*other]), [&*second]);
    let entry = listed(&server, &[&*one]).remove(0);
    assert_eq!((&entry["name"], &entry["client"], &entry["lastUsed"]), (&json!("sync"), &json!(one), &Value::Null));
    let day = |name: &str| entry[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let days = day("expires").duration_since(day("created")).as_secs_f64() / 86_400.0;
    assert_eq!(days.round(), 365.0);
    let table = server.cli().run(&["token", "list"]).printed();
    assert!(table.starts_with("ID\tCLIENT\tCREATED\tEXPIRES\tLAST_USED\tNAME\n"), "{table}");
    assert_eq!((table.lines().count(), table.contains("rbk_")), (3, false));

    let program = server.bearer(&token);
    program.get("/v1/usergroups").await.is(200);
    eventually("the use is recorded", LIMIT, async || {
        let last = &listed(&server, &[&*one])[0]["lastUsed"];
        last.as_str().is_some_and(|hour| hour.ends_with(":00:00Z"))
    })
    .await;
    server.cli().run(&["token", "revoke", &first.to_uppercase()]).printed();
    eventually("the token is revoked", LIMIT, async || {
        program.get("/v1/usergroups").await.code() == "Auth.TokenRevoked"
    })
    .await;
    assert_eq!(ids(&[]), [&*second]);
    let error = server.cli().run(&["token", "revoke", &first]).error();
    assert!(error.contains("there is no token") && error.contains("rollbook token list"), "{error}");
}

#[tokio::test]
async fn they_outlive_a_new_secret_and_end_with_client_and_user() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("robot", &[], &[]);
    let (id, secret) = server.make_client(&[FULL], &[], &["--user", "robot"]);
    let access = server.bearer(&server.client_token(&id, &secret).await);
    let program = server.bearer(&create(&server, &id, &[]).1);
    assert_eq!(program.get("/v1/me").await.is(200)["ID"], "robot");
    let ends = async |what: &str, caller: &crate::support::Caller| {
        eventually(what, LIMIT, async || caller.get("/v1/usergroups").await.code() == "Auth.TokenRevoked").await;
    };
    server.cli().run(&["client", "rotate", &id]).printed();
    ends("a new secret ends the access token", &access).await;
    program.get("/v1/usergroups").await.is(200);
    server.cli().run(&["client", "disable", &id]).printed();
    ends("a disabled client ends its tokens", &program).await;
    server.cli().run(&["client", "enable", &id]).printed();
    assert_eq!(listed(&server, &[]).len(), 0, "it has ended");
    let again = server.bearer(&create(&server, &id, &[]).1);
    again.get("/v1/me").await.is(200);
    program.get("/v1/me").await.fails(401, "Auth.TokenRevoked");
    admin.patch("/v1/adminusers/robot", &json!({ "Active": false })).await.is(200);
    again.get("/v1/me").await.fails(401, "Auth.TokenRevoked");
    admin.patch("/v1/adminusers/robot", &json!({ "Active": true })).await.is(200);
    let last = server.bearer(&create(&server, &id, &[]).1);
    last.get("/v1/me").await.is(200);
    admin.delete("/v1/adminusers/robot").await.is(204);
    last.get("/v1/me").await.fails(401, "Auth.TokenRevoked");
}

#[tokio::test]
async fn they_are_reported_before_their_end() {
    let mut server = Server::start();
    let (id, _) = server.make_client(&[FULL], &[], &[]);
    let (soon, token) = create(&server, &id, &["--days", "29"]);
    let (later, _) = create(&server, &id, &["--days", "32"]);
    server.restart();
    eventually("the gauge counts it", LIMIT, async || {
        server.anonymous().get("/metrics").await.is(200).text.contains("rollbook_tokens_expiring 1\n")
    })
    .await;
    eventually("the log names it", LIMIT, async || {
        server.anonymous().get("/healthz").await.is(200);
        server.log().contains(&soon)
    })
    .await;
    assert!(!server.log().contains(&later) && !server.log().contains(&token));
}

#[test]
fn the_command_refuses_what_makes_no_token() {
    let server = Server::start();
    let (public, _) = server.make_client(&[], &[], &["--public"]);
    let (id, _) = server.make_client(&[FULL], &[], &[]);
    let error = |arguments: &[&str]| server.cli().run(&[&["token", "create"], arguments].concat()).error();
    assert!(error(&[&*public, "--name", "n"]).contains("is public"));
    assert!(error(&["nobody", "--name", "n"]).contains("there is no client 'nobody'"));
    assert!(error(&[&*id, "--name", " "]).contains("name is required"));
    for days in ["--days=0", "--days=731", "--days=-1", "--days=x"] {
        assert!(error(&[&*id, "--name", "n", days]).contains("--days"), "{days}");
    }
    assert!(error(&[&*id]).contains("--name"));
    let shown = server.cli().run(&["token", "create", &id, "--name", "shown"]).printed();
    assert!(shown.contains("token:   rbk_") && shown.contains("not shown again"), "{shown}");
}
