//! `rollbook import` and `export`.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Server;

const LINES: [&str; 6] = [
    r#"{"group":{"uid":7,"id":"Sales","labels":{"de":"Vertrieb","en":"Sales"},"description":"Sells","xp":{"Floor":1.0},"communities":["a6dfbbee-4866-422a-8f83-6b8533375e7d"]}}"#,
    r#"{"group":{"uid":9,"id":"bare","labels":{"en":"Bare"}}}"#,
    r#"{"user":{"id":"ana","username":"ana@x","first_name":"Ana","last_name":"López","email":"ana@example.com","active":true,"xp":{"Desk":[1,2]},"roles":["AdminUserGroupReader"]}}"#,
    r#"{"user":{"id":"bo","username":"bo","first_name":"Bo","last_name":"B","email":"bo@example.com","phone":"1","terms_accepted":"2026-01-31T10:00:00Z","active":false}}"#,
    r#"{"membership":{"group":"Sales","user":"ana"}}"#,
    r#"{"membership":{"group":"Sales","user":"bo"}}"#,
];

/// The row of one kind in what an import prints: created, updated, unchanged, refused.
fn counts(printed: &str, kind: &str) -> Vec<u64> {
    let row = printed.lines().find(|line| line.starts_with(kind)).unwrap_or_else(|| panic!("{printed}"));
    row.split_whitespace().skip(1).map(|count| count.parse().unwrap()).collect()
}

#[tokio::test]
async fn what_is_imported_is_there_at_every_door_and_exported_as_it_was() {
    let server = Server::start();
    let text = LINES.join("\n") + "\n";
    let printed = server.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!(counts(&printed, "groups"), [2, 0, 0, 0]);
    assert_eq!(counts(&printed, "users"), [2, 0, 0, 0]);
    assert_eq!(counts(&printed, "memberships"), [2, 0, 0, 0]);

    let admin = server.admin().await;
    let group = admin.get("/v1/usergroups/sales").await.is(200);
    assert_eq!((&group["Name"], &group["xp"]["Floor"]), (&json!("Sales"), &json!(1.0)));
    let group = admin.get("/api/admin/v1/users-groups/7").await.is(200);
    assert!(group.json().to_string().contains("Vertrieb"), "{:?}", group.json());
    let members = admin.get("/v1/usergroups/assignments?userGroupID=sales").await.is(200);
    assert_eq!(members["Meta"]["TotalCount"], 2);
    let made = admin.post("/v1/usergroups", &json!({ "Name": "later" })).await.is(201);
    let id = made["ID"].as_str().unwrap();
    admin.delete(&format!("/v1/usergroups/{id}")).await.is(204);

    assert_eq!(server.cli().run(&["export"]).printed(), text);
    let again = server.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!(counts(&again, "groups"), [0, 0, 2, 0]);
    assert_eq!(counts(&again, "memberships"), [0, 0, 2, 0]);
    let other = Server::start();
    other.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!(other.cli().run(&["export"]).printed(), text);
}

#[tokio::test]
async fn refused_lines_are_told_and_kept_and_the_others_are_imported() {
    let (server, folder) = (Server::start(), TempDir::new().unwrap());
    let (file, kept) = (folder.path().join("in.jsonl"), folder.path().join("refused.jsonl"));
    let wrong = [
        r#"{"group":{"id":"g","labels":{"en":"G"},"colour":"red"}}"#,
        r#"{"membership":{"group":"Sales","user":"nobody"}}"#,
        r#"{"user":{"id":"twin","username":"ANA@X","first_name":"T","last_name":"T","email":"t","active":true}}"#,
        "not JSON",
    ];
    fs::write(&file, LINES.into_iter().chain(wrong).collect::<Vec<_>>().join("\n")).unwrap();
    let arguments = ["import", file.to_str().unwrap(), "--refused", kept.to_str().unwrap()];
    let outcome = server.cli().run(&arguments);
    assert!(!outcome.success);
    assert_eq!(counts(&outcome.stdout, "memberships"), [2, 0, 0, 1]);
    for told in [
        "line 7: the member 'colour' is not known",
        "line 8: there is no user 'nobody'",
        "line 9: another user has this username",
        "line 10: ",
        "4 of 10 lines were refused; the others are imported",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), wrong.join("\n") + "\n");
    let error = server.cli().run(&arguments).error();
    assert!(error.contains("name a file that does not exist"), "{error}");
    let error = server.cli().run(&["import", "/no/such/file"]).error();
    assert!(error.contains("/no/such/file cannot be read"), "{error}");
}

#[tokio::test]
async fn an_import_changes_what_is_there_and_ends_tokens_as_any_change_does() {
    let server = Server::start();
    server.make_user("robot", &["AdminUserGroupReader"], &[]);
    let (id, secret) = server.make_client(&["FullAccess"], &[], &["--user", "robot"]);
    server.client_token(&id, &secret).await;
    let mut lines: Vec<Value> =
        server.cli().run(&["export"]).printed().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter_mut().for_each(|line| line["user"]["active"] = json!(false));
    let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(counts(&server.cli().run_with(&["import", "-"], &text).printed(), "users"), [0, 1, 0, 0]);
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    server.grant(&fields).await.fails(400, "Auth.OauthError");
}

#[tokio::test]
async fn writes_go_on_beside_an_import() {
    let server = Server::start();
    let admin = server.admin().await;
    let line =
        |number: usize| format!(r#"{{"group":{{"id":"g{number}","labels":{{"en":"G"}},"xp":{{"n":{number}}}}}}}"#);
    let (cli, text) = (server.cli(), (0..2_000).map(line).collect::<Vec<_>>().join("\n"));
    let import = tokio::task::spawn_blocking(move || cli.run_with(&["import", "-"], &text).printed());
    let mut written = 0;
    while !import.is_finished() {
        admin.post("/v1/usergroups", &json!({ "Name": "beside" })).await.is(201);
        written += 1;
    }
    assert_eq!(counts(&import.await.unwrap(), "groups"), [2_000, 0, 0, 0]);
    assert_eq!(admin.get("/v1/usergroups").await.is(200)["Meta"]["TotalCount"], 2_000 + written);
}
