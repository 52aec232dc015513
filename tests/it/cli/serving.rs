//! `rollbook serve`: the first start, its settings, and starts that it refuses.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Database, Launch, Rollbook, Server, Store, binary_in_shell, eventually};

#[tokio::test]
async fn the_first_start_creates_a_client_and_prints_it_once() {
    let mut server = Launch::bare().start();
    let observed = server.announcement();
    let word = |name: &str| observed.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().trim().to_owned();
    let (id, secret) = (word("client_id"), word("client_secret"));
    assert!(!server.log().contains(&secret), "never through the log");
    server.restart();
    server.client_token(&id, &secret).await;
    let clients = server.cli().run(&["client", "list"]).printed();
    assert_eq!(clients.lines().count(), 2, "later starts make none: {clients}");
    assert!(clients.contains(&id) && !clients.contains(&secret));
}

/// As a user pastes them into another terminal of the same machine.
#[tokio::test]
async fn the_commands_that_the_first_start_prints_work_unchanged() {
    let mut server = Launch::bare().start();
    let observed = server.announcement();
    let is_command = |line: &&str| {
        ["TOKEN=", "printf "].iter().any(|word| line.starts_with(word)) || line.contains(" client create ")
    };
    let script: Vec<_> = observed.lines().filter(is_command).collect();
    assert_eq!(script.len(), 3, "{observed}");
    let output = Command::new("sh").args(["-eu", "-c", &script.join("\n")]).env_clear().envs(path()).output().unwrap();
    let (printed, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(printed.contains(r#""Items":[]"#) && printed.contains("client_secret: "), "{observed}{printed}{errors}");
    assert_eq!(server.cli().run(&["client", "list"]).printed().lines().count(), 3, "made in the same directory");
    // printf is built into the shell: only what follows the pipe is an argument of a process.
    let secret = observed.lines().find_map(|line| line.trim().strip_prefix("client_secret")).unwrap().trim();
    for line in script {
        assert!(line.split(" | ").skip(1).all(|piped| !piped.contains(secret) && !piped.contains("$TOKEN")), "{line}");
        assert!(line.split("$(").all(|part| !part.starts_with("curl")), "{line}");
    }
}

fn path() -> Option<(&'static str, std::ffi::OsString)> {
    std::env::var_os("PATH").map(|path| ("PATH", path))
}

#[tokio::test]
async fn the_address_of_metrics_is_reported() {
    let mut server = Launch::bare().env("ROLLBOOK_METRICS_LISTEN", "127.0.0.1:0").start();
    let observed = server.announcement();
    let url =
        observed.lines().find_map(|line| line.strip_prefix("metrics on ")).unwrap_or_else(|| panic!("{observed}"));
    let base = url.strip_suffix("/metrics").unwrap();
    assert_eq!(server.caller_at(base).get("/metrics").await.status, 200);
}

/// An error response is not taken for a token.
#[tokio::test]
async fn the_command_for_a_token_prints_nothing_if_it_is_refused() {
    let mut server = Launch::bare().start();
    let observed = server.announcement();
    let line = observed.lines().find(|line| line.starts_with("TOKEN=")).unwrap();
    let secret = observed.lines().find_map(|line| line.trim().strip_prefix("client_secret")).unwrap().trim();
    let script = format!("{}\nprintf '<%s>' \"$TOKEN\"", line.replace(secret, "wrong"));
    let output = Command::new("sh").args(["-c", &script]).env_clear().envs(path()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "<>");
}

#[tokio::test]
async fn a_closed_terminal_does_not_end_the_server() {
    let mut server = Server::start();
    let admin = server.admin().await;
    server.hang_up();
    let is_logged = async || {
        admin.get("/v1/usergroups").await.is(200);
        server.log().contains("SIGHUP is ignored")
    };
    eventually("a line of the log", Duration::from_secs(10), is_logged).await;
    assert!(server.stop().success());
}

/// On a full disk, or in a pipe that nobody reads, log lines are lost and nothing else.
#[tokio::test]
async fn a_log_that_cannot_be_written_does_not_stop_the_server() {
    let mut server = Launch::default().without_log().start();
    let admin = server.admin().await;
    for id in ["a", "b"] {
        admin.post("/v1/usergroups", &json!({ "ID": id, "Name": "N" })).await.is(201);
        admin.get("/v1/usergroups/none").await.is(404);
    }
    assert!(server.stop().success());
}

#[tokio::test]
async fn a_start_that_cannot_be_printed_is_a_start() {
    let database = Database::new(Store::of_this_run());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = database.folder().join("log");
    let streams = format!(">/dev/full 2>{}", log.display());
    let mut command = binary_in_shell(database.url(), "", &streams);
    let mut server = command.env("ROLLBOOK_LISTEN", address.to_string()).spawn().unwrap();
    let mut listens = false;
    while !listens && server.try_wait().unwrap().is_none() {
        listens = TcpStream::connect(address).is_ok()
            && std::fs::read_to_string(&log).unwrap().contains("standard output cannot be written");
        tokio::task::yield_now().await;
    }
    let observed = std::fs::read_to_string(&log).unwrap();
    let runs = server.try_wait().unwrap().is_none();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(runs && observed.contains("rollbook client create"), "{observed}");
}

#[tokio::test]
async fn a_preset_client_is_created_or_gets_its_secret_at_each_start() {
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
fn a_preset_client_is_complete_and_has_a_long_secret() {
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
async fn the_default_language_is_fixed_when_the_directory_is_created() {
    let mut server = Launch::default().env("ROLLBOOK_DEFAULT_LANGUAGE", "it").start();
    assert!(server.stop().success());
    let error = server.cli().run(&["serve", "--listen", "127.0.0.1:0", "--default-language", "en"]).error();
    assert!(error.contains("'it'") || error.contains("\"it\"") || error.contains(" it"), "{error}");
    let error = server.cli().run(&["serve", "--default-language", "e_n"]).error();
    assert!(error.contains("BCP 47"), "{error}");
    server.restart();
}

#[tokio::test]
async fn listening_on_other_than_loopback_warns_and_hides_metrics() {
    let server = Launch::default().env("ROLLBOOK_LISTEN", "0.0.0.0:0").start();
    assert!(server.log().contains("put a proxy that speaks TLS in front"), "{}", server.log());
    let port = server.base().rsplit(':').next().unwrap().to_owned();
    let reply = server.caller_at(&format!("http://127.0.0.1:{port}")).get("/metrics").await;
    assert_eq!(reply.status, 404);
}
