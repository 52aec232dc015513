//! `rollbook client`, `user` and `openapi`.

use serde_json::json;

use crate::support::{A, FULL, GROUP_READER, PASSWORD, Rollbook, Server};

#[tokio::test]
async fn clients_are_made_listed_and_deleted_beside_a_server() {
    let server = Server::start();
    let cli = server.cli();
    let (id, secret) = server.make_client(&[GROUP_READER, FULL], &[A], &["--refresh-minutes", "5"]);
    assert_eq!(secret.len(), 43);
    let list = cli.run(&["client", "list"]).printed();
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    let fields = [&id, "enabled", "secret", "FullAccess,AdminUserGroupReader", A, "600", "5", "made by a test"];
    assert_eq!(line, fields.join("\t"));
    assert!(!list.contains(&secret));
    let told = cli.run(&["client", "create", "--name", "told"]).printed();
    assert!(
        told.contains("client_id:") && told.contains("client_secret:") && told.contains("not shown again"),
        "{told}"
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
}

#[tokio::test]
async fn users_are_made_listed_and_changed_beside_a_server() {
    let server = Server::start();
    let cli = server.cli();
    server.make_user("ada", &[FULL], &[]);
    server.log_on("ada", PASSWORD).await.is(200);
    cli.run_with(&["user", "set-password", "ADA"], "Another-Horse-8\n").printed();
    server.log_on("ada", PASSWORD).await.fails(401, "invalid_credentials");
    server.log_on("ada", "Another-Horse-8").await.is(200);
    cli.run(&["user", "set-communities", "ada", "--community", A]).printed();
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
    cli.run(&["user", "unlock", "ada"]).printed();
    server.log_on("ada", "Another-Horse-8").await.fails(403, "cannot_access");
}

#[tokio::test]
async fn what_a_user_cannot_be_is_told() {
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
