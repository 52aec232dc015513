//! `rollbook client`, `user` and `openapi`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{A, FULL, GROUP_READER, Outcome, PASSWORD, Rollbook, Server, eventually};

/// A change by a command takes effect within five seconds; the limit leaves room for a slow machine.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn clients_are_created_listed_and_deleted_while_a_server_runs() {
    let server = Server::start();
    let cli = server.cli();
    let (id, secret) = server.make_client(&[GROUP_READER, FULL], &[A], &["--refresh-minutes", "5"]);
    assert_eq!(secret.len(), 43);
    let list = cli.run(&["client", "list"]).printed();
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    let fields = [&id, "enabled", "secret", "-", "FullAccess,AdminUserGroupReader", A, "600", "5", "off", "off", "-"];
    assert_eq!(line, fields.join("\t") + "\tmade by a test");
    assert!(!list.contains(&secret));
    let observed = cli.run(&["client", "create", "--name", "printed"]).printed();
    assert!(
        observed.contains("client_id:") && observed.contains("client_secret:") && observed.contains("not shown again"),
        "{observed}"
    );
    let (public, _) = server.make_client(&[], &[], &["--public"]);
    assert!(cli.run(&["client", "rotate", &public]).error().contains("is public"));
    cli.run(&["client", "delete", &id]).printed();
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    server.grant(&fields).await.fails(400, "Auth.OauthError");
    for command in ["rotate", "enable", "disable", "delete"] {
        let error = cli.run(&["client", command, &id]).error();
        assert!(error.contains(&format!("there is no client '{id}'")), "{error}");
    }
}

#[tokio::test]
async fn a_client_acts_in_the_name_of_its_user() {
    let server = Server::start();
    server.make_user("robot", &[], &[]);
    let (id, secret) = server.make_client(&[FULL], &[], &["--user", "ROBOT"]);
    server.client_token(&id, &secret).await;
    server.admin().await.patch("/v1/adminusers/robot", &json!({ "Active": false })).await.is(200);
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    server.grant(&fields).await.fails(400, "Auth.OauthError");
    let error = server.cli().run(&["client", "create", "--name", "n", "--user", "nobody"]).error();
    assert!(error.contains("there is no user 'nobody'"), "{error}");
    let error = server.cli().run(&["client", "create", "--name", "n", "--public", "--user", "robot"]).error();
    assert!(error.contains("'--public' cannot be used with '--user <USER>'"), "{error}");
    let list = server.cli().run(&["client", "list"]).printed();
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    assert_eq!(line.split('\t').nth(3), Some("robot"), "{list}");
}

#[tokio::test]
async fn users_are_created_listed_and_changed_while_a_server_runs() {
    let server = Server::start();
    let cli = server.cli();
    server.make_user("ada", &[FULL], &[]);
    server.log_on("ada", PASSWORD).await.is(200);
    cli.run_with(&["user", "set-password", "ADA"], "Another-Horse-8\n").printed();
    server.log_on("ada", PASSWORD).await.fails(401, "invalid_credentials");
    server.log_on("ada", "Another-Horse-8").await.is(200);
    cli.run(&["user", "set-communities", "ada", "--community", A]).printed();
    let many: Vec<_> = (0..101).map(|number| format!("--community=00000000-0000-4000-8000-{number:012}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for command in [&["user", "set-communities", "ada"][..], &["client", "create", "--name", "n"]] {
        let error = cli.run(&[command, &many].concat()).error();
        assert!(error.contains("--community must not name more than 100 communities"), "{error}");
    }
    cli.run(&["user", "set-roles", "ada", "--role", GROUP_READER]).printed();
    let list = cli.run(&["user", "list"]).printed();
    assert!(list.lines().any(|line| line == format!("ada\tada\tactive\t0\tAdminUserGroupReader\t{A}")), "{list}");
    cli.run(&["user", "set-roles", "ada", "--none"]).printed();
    cli.run(&["user", "set-communities", "ada", "--none"]).printed();
    server.log_on("ada", "Another-Horse-8").await.fails(403, "cannot_access");
    for _ in 0..10 {
        server.log_on("ada", "wrong").await.fails(401, "invalid_credentials");
    }
    server.log_on("ada", "Another-Horse-8").await.fails(401, "invalid_credentials");
    let listed = |state: &str, failures: u8| {
        let list = cli.run(&["user", "list"]).printed();
        assert!(list.lines().any(|line| line == format!("ada\tada\t{state}\t{failures}\t-\t-")), "{list}");
    };
    listed("locked", 10);
    cli.run(&["user", "unlock", "ada"]).printed();
    listed("active", 0);
    server.log_on("ada", "Another-Horse-8").await.fails(403, "cannot_access");
}

#[tokio::test]
async fn a_client_without_roles_causes_a_warning() {
    let server = Server::start();
    let cli = server.cli();
    let made = cli.run(&["client", "create", "--json", "--name", "bare"]);
    let (id, warning) = (made.clone().json()["client_id"].as_str().unwrap().to_owned(), made.stderr);
    assert!(
        warning.contains(&format!("warning: the client {id} has no role: its own tokens open nothing")),
        "{warning}"
    );
    let public = cli.run(&["client", "create", "--name", "spa", "--public"]);
    assert!(public.stderr.contains("has no role: users who sign in through it keep all"), "{}", public.stderr);
    let fine = cli.run(&["client", "create", "--name", "fine", "--role", GROUP_READER]);
    assert_eq!(fine.stderr, "");
    let list = cli.run(&["client", "list"]);
    let warned: Vec<_> = list.stderr.lines().filter(|line| line.starts_with("warning: the client ")).collect();
    assert_eq!(warned.len(), 2, "{}", list.stderr);
    assert!(warned[0].contains(&id), "{warned:?}");
}

#[tokio::test]
async fn keys_are_upcoming_then_sign_and_retire() {
    let server = Server::start();
    let cli = server.cli();
    let states = || {
        let list = cli.run(&["keys", "list"]).printed();
        list.lines().map(|line| line.rsplit('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["signs"]);
    let observed = cli.run(&["keys", "rotate", "--publish-seconds", "3600"]).printed();
    assert_eq!(states(), ["upcoming", "signs"]);
    let error = cli.run(&["keys", "rotate"]).error();
    let announced = observed.split(' ').nth(2).unwrap();
    assert!(
        error.contains(&format!("the key {announced} is announced")) && error.contains("--publish-seconds"),
        "{error}"
    );
    assert_eq!(states(), ["upcoming", "signs"]);
    cli.run(&["keys", "rotate", "--publish-seconds", "7200"]).printed();
    assert_eq!(states(), ["upcoming", "upcoming", "signs"]);
}

/// A client that read the public keys just before the rotation, and caches them as long as it may, has read them again
/// before the new key signs a token.
#[tokio::test]
async fn a_new_key_signs_once_all_who_keep_the_public_keys_have_it() {
    let server = Server::start();
    let keys = server.anonymous().get("/oauth/certs").await.is(200);
    let kept: i64 = keys.header("cache-control").split_once("max-age=").unwrap().1.parse().unwrap();
    server.cli().run(&["keys", "rotate"]).printed();
    let list = server.cli().run(&["keys", "list"]).printed();
    let moments: Vec<Timestamp> = list.lines().map(|line| line.split('\t').nth(1).unwrap().parse().unwrap()).collect();
    // The first key signs since the server started, which was a moment ago.
    let [signs, started] = moments[..] else { panic!("{list}") };
    // A node reads the keys again after five seconds at most.
    assert!(signs.duration_since(started) > SignedDuration::from_secs(kept + 5), "{list}");
}

#[tokio::test]
async fn invalid_users_are_refused_with_the_reason() {
    let server = Server::start();
    let cli = server.cli();
    server.make_user("ada", &[], &[]);
    let create = |more: &[&str], input: &str| {
        let names = ["user", "create", "--first-name", "F", "--last-name", "L", "--email", "e@x.io"];
        cli.run_with(&[&names, more].concat(), input).error()
    };
    let good = "Correct-Horse-7\n";
    assert!(create(&["--username", "ADA"], good).contains("another user has this username"));
    assert!(create(&["--username", "b", "--id", "Ada"], good).contains("another user has the ID"));
    assert!(create(&["--username", " "], good).contains("--username is required"));
    assert!(create(&["--username", "b"], "weak\n").contains("too weak"));
    assert!(create(&["--username", "b"], "").contains("the password is empty"));
    assert!(create(&["--username", "b", "--role", "King"], good).contains("FullAccess, AdminUserGroupAdmin"));
    assert!(create(&["--username", "b", "--community", "x"], good).contains("must be a GUID"));
    for command in ["unlock", "set-password"] {
        let error = cli.run_with(&["user", command, "nobody"], good).error();
        assert!(error.contains("there is no user 'nobody'"), "{error}");
    }
    assert_eq!(server.admin().await.get("/v1/adminusers").await.is(200).ids(), ["ada"]);
}

/// All commands and subcommands.
const COMMANDS: [&[&str]; 26] = [
    &[],
    &["serve"],
    &["client", "create"],
    &["client", "list"],
    &["client", "rotate"],
    &["client", "enable"],
    &["token", "create"],
    &["group", "create"],
    &["group", "list"],
    &["group", "members"],
    &["user", "create"],
    &["user", "list"],
    &["user", "groups"],
    &["user", "set-roles"],
    &["user", "erase"],
    &["restore", "group"],
    &["history", "group"],
    &["history", "user"],
    &["changes"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["backup"],
    &["copy"],
    &["import"],
    &["export"],
    &["openapi"],
];

#[test]
fn h_prints_short_help_and_help_prints_long_help() {
    let rollbook = Rollbook::on("sqlite:none.db");
    for command in COMMANDS {
        let help = |flag| rollbook.run(&[command, &[flag]].concat()).printed();
        let (short, long) = (help("-h"), help("--help"));
        assert!(short.lines().count() <= 36, "{short}");
        assert!(2 * short.len() < long.len(), "{short}{long}");
        for flag in ["--database <URL>", "--help"] {
            assert!(short.contains(flag), "{short}");
        }
        for flag in ["--database-connections", "--log-format", "sslrootcert"] {
            assert!(long.contains(flag) && !short.contains(flag), "{flag}: {short}");
        }
    }
}

#[test]
fn usage_lines_leave_out_what_the_environment_sets() {
    let rollbook =
        Rollbook::on("sqlite:none.db").env("ROLLBOOK_LOG", "info").env("ROLLBOOK_COPY_FROM", "sqlite:from.db");
    let usage = |outcome: Outcome| {
        let printed = outcome.stdout + &outcome.stderr;
        printed
            .lines()
            .find_map(|line| line.strip_prefix("Usage: ").map(str::to_owned))
            .unwrap_or_else(|| panic!("{printed}"))
    };
    for flag in [&[][..], &["--help"], &["-h"]] {
        let of = |command: &[&str]| usage(rollbook.run(&[command, flag].concat()));
        assert_eq!(of(&["client", "create"]), "rollbook client create [OPTIONS] --name <NAME>");
        assert_eq!(of(&["copy"]), "rollbook copy [OPTIONS] --to <URL>");
        assert_eq!(of(&["import"]), "rollbook import [OPTIONS] <FILE>");
    }
    assert_eq!(usage(rollbook.run(&["user", "list", "--no-such-flag"])), "rollbook user list [OPTIONS]");
    assert_eq!(usage(rollbook.run(&["--no-such-flag"])), "rollbook [OPTIONS]");
    let from_here = Rollbook::on("sqlite:none.db").run(&["copy"]);
    assert_eq!(usage(from_here), "rollbook copy [OPTIONS] --from <URL> --to <URL>");
}

#[test]
fn a_flag_before_its_command_is_refused_with_its_position() {
    let rollbook = Rollbook::on("sqlite:none.db");
    let error = rollbook.run(&["--database", "sqlite:x.db", "client", "list"]).error();
    assert!(error.contains("tip: flags follow the command: rollbook client ... --database <URL>"), "{error}");
    let error = rollbook.run(&["client", "list", "--no-such-flag"]).error();
    assert!(!error.contains("flags follow"), "{error}");
}

#[test]
fn an_invalid_setting_is_named_as_it_was_given() {
    let rollbook = Rollbook::on("foo");
    let error = rollbook.run(&["keys", "list"]).error();
    assert!(error.contains("--database (or ROLLBOOK_DATABASE) names no database"), "{error}");
    let error = rollbook.run(&["copy", "--from", "foo", "--to", "sqlite:x.db"]).error();
    assert!(error.contains("--from (or ROLLBOOK_COPY_FROM) names no database"), "{error}");
    for filter in ["bogus", "info,inof"] {
        let error = Rollbook::on("sqlite:none.db").env("ROLLBOOK_LOG", filter).run(&["keys", "list"]).error();
        assert!(error.contains(&format!("{filter:?} is no filter; give error, warn, info")), "{error}");
    }
}

#[test]
fn an_empty_variable_is_not_set_and_an_empty_flag_is_refused() {
    let settings = [
        "database",
        "database-connections",
        "database-wait-seconds",
        "database-statement-seconds",
        "default-language",
        "issuer",
        "public-url",
        "log",
        "log-format",
        "listen",
        "metrics-listen",
        "max-connections",
        "journal-days",
        "body-budget-mib",
        "sign-in-days",
    ];
    let empty = settings.iter().fold(Rollbook::on(""), |rollbook, setting| {
        rollbook.env(&format!("ROLLBOOK_{}", setting.to_uppercase().replace('-', "_")), "")
    });
    for command in [&["openapi", "core"][..], &["serve", "--help"], &["copy", "--help"]] {
        empty.run(command).printed();
    }
    for setting in settings {
        let outcome = Rollbook::on("sqlite:none.db").run(&[&format!("--{setting}"), ""]);
        let named = outcome.stderr.contains(&format!("--{setting} <"));
        assert!(!outcome.success && named, "{setting}: {}", outcome.stderr);
    }
}

#[test]
fn no_flag_takes_a_secret() {
    let rollbook = Rollbook::on("sqlite:none.db");
    for command in
        [&["serve"][..], &["client", "create"], &["client", "rotate"], &["user", "create"], &["user", "set-password"]]
    {
        let help = rollbook.run(&[command, &["--help"]].concat()).printed();
        assert!(
            !help.contains("--password") && !help.contains("--secret") && !help.contains("--client-secret"),
            "{help}"
        );
    }
}

#[test]
fn an_unknown_api_has_no_document() {
    assert!(Rollbook::on("sqlite:none.db").run(&["openapi", "soap"]).error().contains("core, ordercloud"));
}

#[tokio::test]
async fn clients_are_changed() {
    let server = Server::start();
    let (id, secret) = server.make_client(&[GROUP_READER, FULL], &[A], &[]);
    let set = |arguments: &[&str]| server.cli().run(&[&["client", "set", &*id], arguments].concat());
    let listed = || {
        let printed = server.cli().run(&["client", "list", "--json"]).printed();
        let mut clients = printed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        clients.find(|client| client["id"] == id).unwrap()
    };
    let before = listed();
    assert_eq!((&before["roles"], &before["communities"]), (&json!([FULL, GROUP_READER]), &json!([A])));
    let token = server.bearer(&server.client_token(&id, &secret).await);
    set(&["--name", "N\u{e9}w", "--no-communities", "--access-minutes", "7", "--refresh-minutes", "9"]).printed();
    set(&["--refresh-rotation", "true"]).printed();
    set(&["--strict-members", "true", "--max-removal-percent", "0"]).printed();
    let mut expected = before;
    for (name, value) in [
        ("name", json!("N\u{e9}w")),
        ("communities", json!([])),
        ("accessMinutes", json!(7)),
        ("refreshMinutes", json!(9)),
        ("refreshRotation", json!(true)),
        ("strictMembers", json!(true)),
        ("maxRemovalPercent", json!(0)),
        ("updated", listed()["updated"].clone()),
    ] {
        expected[name] = value;
    }
    assert_eq!(listed(), expected);
    token.get("/v1/usergroups").await.is(200);
    set(&["--role", GROUP_READER]).printed();
    assert_eq!(listed()["roles"], json!([GROUP_READER]));
    eventually("a removed role ends the token", LIMIT, async || token.get("/v1/usergroups").await.status == 401).await;
    set(&["--enabled", "false"]).printed();
    assert_eq!(listed()["enabled"], json!(false));
    assert!(set(&["--no-roles"]).stderr.contains("has no role"));
    assert!(set(&["--name", " "]).error().contains("name is required"));
    assert!(
        set(&["--refresh-minutes", "0"])
            .error()
            .contains("--refresh-rotation needs refresh tokens: give --refresh-minutes")
    );
    assert!(set(&["--max-removal-percent", "101"]).error().contains("--max-removal-percent must be 0 to 100"));
    server.make_user("robot", &[], &[]);
    set(&["--user", "ROBOT", "--no-max-removal-percent"]).printed();
    assert_eq!((&listed()["user"], &listed()["maxRemovalPercent"]), (&json!("robot"), &json!(null)));
    set(&["--no-user"]).printed();
    assert_eq!(listed()["user"], json!(null));
    assert!(set(&["--user", "nobody"]).error().contains("there is no user 'nobody'"));
    assert!(set(&["--no-roles", "--role", FULL]).error().contains("cannot be used with"));
    assert!(set(&[]).error().contains("required"));
    assert!(server.cli().run(&["client", "set", "nobody", "--name", "n"]).error().contains("there is no client"));
}

#[tokio::test]
async fn users_are_shown_disabled_and_deleted() {
    let server = Server::start();
    let (admin, cli) = (server.admin().await, server.cli());
    server.make_user("ada", &[GROUP_READER], &[A]);
    admin.patch("/v1/adminusers/ada", &json!({ "xp": { "b": 1.0, "a": null }, "Phone": "1" })).await.is(200);
    let printed = cli.run(&["user", "show", "ADA", "--json"]).printed();
    assert!(printed.contains(r#""xp":{"b":1.0,"a":null}"#), "{printed}");
    let shown = cli.run(&["user", "show", "ada", "--json"]).json();
    assert_eq!((&shown["id"], &shown["phone"], &shown["passwordSet"]), (&json!("ada"), &json!("1"), &json!(true)));
    assert_eq!((&shown["roles"], &shown["communities"]), (&json!([GROUP_READER]), &json!([A])));
    assert_eq!(cli.run(&["user", "list", "--json"]).json(), shown);
    let table = cli.run(&["user", "show", "ada"]).printed();
    for line in ["ID:              ada", "state:           active", &format!("roles:           {GROUP_READER}")] {
        assert!(table.lines().any(|own| own == line), "{line}: {table}");
    }
    assert!(cli.run(&["user", "disable", "ada"]).printed().contains("is disabled"));
    assert_eq!(admin.get("/v1/adminusers/ada").await.is(200)["Active"], json!(false));
    cli.run(&["user", "enable", "ada"]).printed();
    assert_eq!(admin.get("/v1/adminusers/ada").await.is(200)["Active"], json!(true));
    assert!(cli.run(&["user", "delete", "ada"]).printed().contains("was deleted"));
    admin.get("/v1/adminusers/ada").await.fails(404, "NotFound");
    for command in ["show", "enable", "disable", "delete"] {
        assert!(cli.run(&["user", command, "ada"]).error().contains("there is no user 'ada'"), "{command}");
    }
    let keys = cli.run(&["keys", "list", "--json"]).json();
    assert_eq!(keys["state"], json!("signs"));
}
