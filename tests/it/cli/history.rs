//! `rollbook history`, `rollbook changes` and `--at`.

use serde_json::{Value, json};

use crate::support::{Outcome, Rollbook, Server, make_user};

fn lines(outcome: Outcome) -> Vec<Value> {
    outcome.printed().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn types(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_auditor_reads_who_was_in_a_group_and_why() {
    let server = Server::start();
    let (admin, cli) = (server.admin().await, server.cli());
    make_user(&admin, "ada").await;
    admin.post("/rollbook/v1/groups", &json!({ "id": "support", "name": "Support" })).await.is(201);
    cli.run(&["group", "add-member", "support", "ada", "--reason", "Ticket 7"]).printed();
    let added = lines(cli.run(&["history", "group", "support", "--json"]));
    assert_eq!(types(&added), ["membership.added", "group.created"]);
    assert_eq!((&added[0]["reason"], &added[0]["channel"]), (&json!("Ticket 7"), &json!("cli")));
    let then = added[0]["time"].as_str().unwrap().to_owned();
    cli.run(&["group", "remove-member", "support", "ada"]).printed();

    let members = |more: &[&str]| cli.run(&[&["group", "members", "support"][..], more].concat()).printed();
    assert_eq!(members(&[]).lines().count(), 1, "the heading alone");
    let at = members(&["--at", &then]);
    assert!(at.lines().nth(1).unwrap().starts_with("ada\tada\t"), "{at}");
    let groups = lines(cli.run(&["user", "groups", "ada", "--at", &then, "--json"]));
    assert_eq!(groups[0]["group"]["id"], "support");
    assert_eq!(lines(cli.run(&["user", "groups", "ada", "--json"])), Vec::<Value>::new());

    let history = cli.run(&["history", "user", "ada"]).printed();
    let first = history.lines().nth(1).unwrap();
    assert!(first.contains("\tmembership.removed\tsupport\tada\toperator "), "{history}");
    let since = lines(cli.run(&["history", "group", "support", "--json", "--since", &then]));
    assert_eq!(types(&since), ["membership.removed", "membership.added"]);
    assert!(cli.run(&["history", "group", "nobody"]).error().contains("nobody"));
    assert!(cli.run(&["group", "members", "support", "--at", "yesterday"]).error().contains("2026-03-01"));
}

#[tokio::test]
async fn the_latest_changes_are_printed_as_they_happened() {
    let server = Server::start();
    let cli = server.cli();
    for number in 0..60 {
        cli.run(&["group", "create", "--name", "G", "--id", &format!("g{number}")]).printed();
    }
    let printed = || lines(cli.run(&["changes", "--type", "group.created", "--json"]));
    // On PostgreSQL, the transactions of other tests can hold the feed back.
    let mut latest = printed();
    while latest.last().is_none_or(|change| change["group"]["id"] != "g59") {
        latest = printed();
    }
    let ids: Vec<_> = latest.iter().map(|change| change["group"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (10..60).map(|number| format!("g{number}")).collect::<Vec<_>>());
    let all =
        lines(cli.run(&["changes", "--since", "2001-01-01", "--channel", "cli", "--type", "group.created", "--json"]));
    assert_eq!(all.len(), 60);
    assert!(cli.run(&["changes", "--type", "group"]).error().contains("group.created"));
}

#[tokio::test]
async fn times_are_local_and_json_is_in_utc() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let local = server.cli().env("TZ", "IST-5:30");
    let listed = local.run(&["history", "user", "ada"]).printed();
    assert!(listed.lines().nth(1).unwrap().contains("+05:30\tuser.created"), "{listed}");
    let utc = server.cli().env("TZ", "UTC").run(&["history", "user", "ada"]).printed();
    assert!(utc.lines().nth(1).unwrap().contains("Z\tuser.created"), "{utc}");
    let json = |rollbook: &Rollbook| rollbook.run(&["history", "user", "ada", "--json"]).printed();
    assert_eq!(json(&local), json(&server.cli()));
    assert!(json(&local).contains("Z\""));
    // A time without an offset is local: what it was in the east an hour ago is later in UTC.
    let time = listed.lines().nth(1).unwrap().split('\t').next().unwrap().trim_end_matches("+05:30").to_owned();
    let since = |rollbook: &Rollbook| rollbook.run(&["history", "user", "ada", "--since", &time]).printed();
    assert_eq!((since(&local).lines().count(), since(&server.cli().env("TZ", "UTC")).lines().count()), (2, 1));
}
