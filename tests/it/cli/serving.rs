//! `rollbook serve`: its first start, its settings, and what it refuses.

use std::process::Command;

use tempfile::TempDir;

use crate::support::{Launch, Rollbook, Server};

#[tokio::test]
async fn the_first_start_makes_a_client_and_tells_it_once() {
    let mut server = Launch::bare().start();
    let told = server.announcement();
    let script = format!("{}\n", told.lines().filter(|line| line.contains("curl")).collect::<Vec<_>>().join("\n"));
    let output = Command::new("bash").args(["-euc", &script]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains(r#""Items":[]"#), "{script}{printed}");

    let word = |name: &str| told.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().trim().to_owned();
    let (id, secret) = (word("client_id"), word("client_secret"));
    assert!(!server.log().contains(&secret), "never through the log");
    server.restart();
    server.client_token(&id, &secret).await;
    let clients = server.cli().run(&["client", "list"]).printed();
    assert_eq!(clients.lines().count(), 2, "later starts make none: {clients}");
    assert!(clients.contains(&id) && !clients.contains(&secret));
}

#[tokio::test]
async fn a_preset_client_is_made_or_given_its_secret_at_each_start() {
    let server = Server::start();
    let token = server.admin().await.bearer().to_owned();
    let fields = [("grant_type", "client_credentials"), ("client_id", "ADMIN")];
    let with = |secret| [&fields[..], &[("client_secret", secret)]].concat();
    let database = server.into_database();
    let server = Launch::default().env("ROLLBOOK_ADMIN_CLIENT_SECRET", "another-secret-0123456789").start_on(database);
    server.grant(&with("another-secret-0123456789")).await.is(200);
    server.grant(&with("a-secret-of-the-tests-0123456789")).await.fails(400, "Auth.OauthError");
    server.bearer(&token).get("/v1/usergroups").await.fails(401, "Auth.TokenRevoked");
    let clients = server.cli().run(&["client", "list"]).printed();
    assert_eq!(clients.lines().count(), 2, "{clients}");
    let log = server.log();
    assert!(!log.contains("another-secret") && !log.contains("a-secret-of"), "no secret in the log");
}

#[test]
fn a_preset_client_is_whole_and_has_a_long_secret() {
    let directory = TempDir::new().unwrap();
    let refused = |environment: &[(&str, &str)]| {
        let rollbook = Rollbook::at(directory.path());
        let rollbook = environment.iter().fold(rollbook, |rollbook, (name, value)| rollbook.env(name, value));
        rollbook.run(&["serve", "--listen", "127.0.0.1:0"]).error()
    };
    let (id, secret) = ("ROLLBOOK_ADMIN_CLIENT_ID", "ROLLBOOK_ADMIN_CLIENT_SECRET");
    assert!(refused(&[(id, "ci")]).contains(secret));
    assert!(refused(&[(secret, "01234567890123456789")]).contains(id));
    let short = refused(&[(id, "ci"), (secret, "0123456789012345678")]);
    assert!(short.contains("20 to 128") && !short.contains("0123456789012345678"), "{short}");
}

#[tokio::test]
async fn the_default_language_is_fixed_when_the_directory_is_made() {
    let mut server = Launch::default().env("ROLLBOOK_DEFAULT_LANGUAGE", "it").start();
    assert!(server.stop().success());
    let error = server.cli().run(&["serve", "--listen", "127.0.0.1:0", "--default-language", "en"]).error();
    assert!(error.contains("'it'") || error.contains("\"it\"") || error.contains(" it"), "{error}");
    let error = server.cli().run(&["serve", "--default-language", "e_n"]).error();
    assert!(error.contains("BCP 47"), "{error}");
    server.restart();
}

#[tokio::test]
async fn listening_beyond_loopback_warns_and_hides_metrics() {
    let server = Launch::default().env("ROLLBOOK_LISTEN", "0.0.0.0:0").start();
    assert!(server.log().contains("put a proxy that speaks TLS in front"), "{}", server.log());
    let port = server.base().rsplit(':').next().unwrap().to_owned();
    let reply = server.caller_at(&format!("http://127.0.0.1:{port}")).get("/metrics").await;
    assert_eq!(reply.status, 404);
}
