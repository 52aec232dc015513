//! `rollbook group` and `rollbook user groups`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{A, Outcome, Rollbook, Server, eventually};

/// The JSON objects that a command printed, one for each line.
fn lines(outcome: Outcome) -> Vec<Value> {
    outcome.printed().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn server() -> (Server, Rollbook) {
    let server = Server::start();
    let cli = server.cli();
    (server, cli)
}

#[tokio::test]
async fn groups_are_created_listed_shown_and_deleted() {
    let (server, cli) = server();
    let admin = server.admin().await;
    let create =
        ["group", "create", "--name", "Support team", "--label", "de=Hilfe", "--id", "support", "--community", A];
    let created = cli.run(&[&create[..], &["--description", "Answers", "--reason", "Ticket 7"]].concat()).printed();
    assert_eq!(created, "The group Support team (ID support, number 1) was created.\n");
    cli.run(&["group", "create", "--label", "en=Sales\u{1b}[2J", "--label", "it=Vendite"]).printed();
    let shown = cli.run(&["group", "show", "SUPPORT", "--json"]).json();
    let mut expected = admin.get("/rollbook/v1/groups/support").await.is(200).json().clone();
    expected["xp"] = Value::Null;
    assert_eq!(shown, expected);
    let printed = cli.run(&["group", "show", "uid:1"]).printed();
    for line in ["ID:          support", "labels:      de=Hilfe, en=Support team", "members:     0", "deleted:     -"] {
        assert!(printed.lines().any(|own| own == line), "{line}: {printed}");
    }
    let listed = cli.run(&["group", "list"]).printed();
    assert_eq!(listed.lines().nth(1), Some(&*format!("1\tsupport\t0\t{A}\tSupport team")));
    assert!(listed.contains("Sales\\u{1b}"), "control characters do not reach the terminal: {listed}");
    let ids = |outcome| lines(outcome).iter().map(|group| group["uid"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(cli.run(&["group", "list", "--json"])), [1, 2]);
    assert_eq!(ids(cli.run(&["group", "list", "--json", "--search", "ANSWER"])), [1]);

    cli.run(&[
        "user",
        "create",
        "--id",
        "ada",
        "--username",
        "ada",
        "--first-name",
        "A",
        "--last-name",
        "L",
        "--email",
        "a@x",
        "--no-password",
    ])
    .printed();
    cli.run(&["group", "add-member", "support", "ada"]).printed();
    assert!(cli.run(&["group", "delete", "support", "--if-empty"]).error().contains("has members, 1 in all"));
    assert_eq!(cli.run(&["group", "delete", "support"]).printed(), "The group support was deleted.\n");
    let is_gone = async || admin.get("/rollbook/v1/groups/support").await.status == 404;
    eventually("the server notices the deletion", Duration::from_secs(10), is_gone).await;
    assert!(cli.run(&["group", "show", "uid:1", "--json"]).json()["deleted"].is_string());
    assert!(cli.run(&["group", "delete", "uid:1"]).error().contains("is deleted"));
    for command in ["show", "delete", "members"] {
        let error = cli.run(&["group", command, "support"]).error();
        assert!(error.contains("there is no group 'support'; `rollbook group list`"), "{error}");
    }
}

#[tokio::test]
async fn wrong_groups_are_refused_with_the_reason() {
    let (_server, cli) = server();
    cli.run(&["group", "create", "--name", "Support", "--id", "support"]).printed();
    let long = "x".repeat(101);
    for (arguments, reason) in [
        (&["create", "--id", "g"][..], "--name"),
        (&["create", "--name", " "], "--name is required and must not be blank"),
        (&["create", "--name", &long], "--name must not be longer than 100 characters"),
        (&["create", "--label", "en_US=x"], "is not a language tag"),
        (&["create", "--label", "en"], "must be a language tag, '=' and a text"),
        (&["create", "--name", "A", "--label", "en=B"], "--label"),
        (&["create", "--name", "N", "--id", "a b"], "letters, digits, hyphens and underscores"),
        (&["create", "--name", "N", "--id", "SUPPORT"], "another group has the ID"),
        (&["create", "--name", "N", "--community", "x"], "must be a GUID"),
        (&["show", "a b"], "must be the ID of a group, or 'uid:' and its number"),
        (&["show", "uid:x"], "must be the ID of a group, or 'uid:' and its number"),
        (&["add-member", "support", "name:x"], "must be the ID of a user"),
        (&["add-member", "support"], "<USER>"),
    ] {
        let error = cli.run(&[&["group"], arguments].concat()).error();
        assert!(error.contains(reason), "{arguments:?}: {error}");
    }
    assert_eq!(lines(cli.run(&["group", "list", "--json"])).len(), 1);
}

#[tokio::test]
async fn members_are_added_listed_and_removed() {
    let (server, cli) = server();
    let admin = server.admin().await;
    cli.run(&["group", "create", "--name", "Support", "--id", "support"]).printed();
    for name in ["ada", "bob"] {
        admin.post("/v1/adminusers", &crate::support::user_body(name)).await.is(201);
    }
    let add = |users: &[&str]| cli.run(&[&["group", "add-member", "support"], users].concat());
    assert_eq!(add(&["ada", "--reason", "Ticket 8"]).printed(), "Users added: 1.\n");
    assert_eq!(add(&["uid:1", "username:BOB"]).printed(), "Users added: 1; already members: 1.\n");
    let error = add(&["nobody", "uid:9"]).error();
    assert!(error.contains("there are no users nobody, uid:9; nothing was changed"), "{error}");
    let members = lines(cli.run(&["group", "members", "uid:1", "--json"]));
    let listed = admin.get("/rollbook/v1/groups/support/members").await.is(200);
    assert_eq!(json!(members), listed["items"]);
    let operator = &members[0]["addedBy"]["operator"];
    assert!(operator["user"].is_string() && operator["host"].is_string(), "{members:?}");
    let printed = cli.run(&["group", "members", "support"]).printed();
    let by = format!("operator {}@{}", operator["user"].as_str().unwrap(), operator["host"].as_str().unwrap());
    let fields: Vec<_> = printed.lines().nth(1).unwrap().split('\t').collect();
    assert_eq!((fields[0], fields[1], fields[3]), ("ada", "ada", &*by), "{printed}");

    for address in ["ada", "uid:1", "username:ada"] {
        let groups = lines(cli.run(&["user", "groups", address, "--json"]));
        assert_eq!(json!(groups), admin.get("/rollbook/v1/users/ada/groups").await.is(200)["items"]);
        assert_eq!(groups[0]["group"], json!({ "uid": 1, "id": "support", "name": "Support" }));
    }
    let printed = cli.run(&["user", "groups", "ada"]).printed();
    assert!(printed.lines().nth(1).unwrap().starts_with("1\tsupport\t"), "{printed}");
    assert!(cli.run(&["user", "groups", "nobody"]).error().contains("there is no user 'nobody'"));

    let remove = |users: &[&str]| cli.run(&[&["group", "remove-member", "support"], users].concat());
    assert_eq!(remove(&["ada"]).printed(), "Users removed: 1.\n");
    assert_eq!(remove(&["ada", "bob"]).printed(), "Users removed: 1; no members: 1.\n");
    assert_eq!(lines(cli.run(&["group", "members", "support", "--json"])), Vec::<Value>::new());
    assert_eq!(cli.run(&["user", "groups", "ada"]).printed(), "NUMBER\tID\tSINCE\tADDED_BY\tNAME\n");
}
