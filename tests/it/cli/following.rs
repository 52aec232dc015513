//! `rollbook changes --follow`, and the cursor that `rollbook export` prints.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Caller, Server, eventually, make_user};

const CHANGES: &str = "/rollbook/v1/changes";
const GROUPS: &str = "/rollbook/v1/groups";

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_printed_as_they_happen_until_the_command_is_interrupted() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut made = Vec::new();
    let make = async |group: &str| admin.post(GROUPS, &json!({ "id": group, "name": "G" })).await.is(201);
    for number in 0..60 {
        made.push(format!("g{number}"));
        make(&made[number]).await;
    }
    for (since, latest) in [(&[][..], 50), (&["--since", "2001-01-01"], 62)] {
        // On PostgreSQL, the transactions of other tests can hold the feed back.
        eventually("the feed has the groups", Duration::from_secs(60), async || {
            let page = admin.get(&format!("{CHANGES}?order=desc&limit=1&type=group.created")).await.is(200);
            page["changes"][0]["group"]["id"] == *made.last().unwrap()
        })
        .await;
        let arguments = [&["changes", "--follow", "--json", "--type", "group.created"][..], since].concat();
        let mut child = server.cli().start(&arguments);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || {
            let line = tokio::task::block_in_place(|| lines.next()).expect("a line").unwrap();
            serde_json::from_str::<Value>(&line).unwrap()["group"]["id"].as_str().unwrap().to_owned()
        };
        for group in &made[made.len() - latest..] {
            assert_eq!(next(), *group);
        }
        for _ in 0..2 {
            made.push(format!("g{}", made.len()));
            make(made.last().unwrap()).await;
            assert_eq!(next(), *made.last().unwrap());
        }
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(child.wait().unwrap().success());
        assert!(lines.next().is_none());
    }
}

/// The groups by number, without what an export leaves out, and the memberships by number.
#[derive(Debug, Default, PartialEq)]
struct Directory {
    groups: BTreeMap<i64, (String, Value)>,
    users: BTreeMap<i64, String>,
    members: BTreeSet<(i64, i64)>,
}

impl Directory {
    /// The directory in an export.
    fn exported(text: &str) -> Self {
        let mut directory = Self::default();
        let (mut groups, mut users) = (HashMap::new(), HashMap::new());
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            if let Some(group) = line.get("group") {
                let uid = group["uid"].as_i64().unwrap();
                groups.insert(text(&group["id"]), uid);
                directory.groups.insert(uid, (text(&group["id"]), group["labels"].clone()));
            } else if let Some(user) = line.get("user") {
                let uid = user["uid"].as_i64().unwrap();
                users.insert(text(&user["id"]), uid);
                directory.users.insert(uid, text(&user["id"]));
            } else {
                let pair = &line["membership"];
                directory.members.insert((groups[&text(&pair["group"])], users[&text(&pair["user"])]));
            }
        }
        directory
    }

    /// Applies a change if its number is higher than the last one applied to its entity.
    fn apply(&mut self, change: &Value, applied: &mut HashMap<String, (u64, u64)>) {
        let number = |name: &str| change[name]["uid"].as_i64();
        let (seq, index) = change["id"].as_str().unwrap().split_once('.').unwrap();
        let id = (seq.parse().unwrap(), index.parse().unwrap());
        let (kind, what) = change["type"].as_str().unwrap().split_once('.').unwrap();
        let last = applied.entry(format!("{kind} {:?} {:?}", number("group"), number("user"))).or_default();
        if id <= *last {
            return;
        }
        *last = id;
        match (kind, what) {
            ("group", "deleted") => {
                let group = number("group").unwrap();
                self.groups.remove(&group);
                self.members.retain(|pair| pair.0 != group);
            }
            ("group", _) => {
                let after = &change["after"];
                let entry = (after["id"].as_str().unwrap().to_owned(), after["labels"].clone());
                self.groups.insert(number("group").unwrap(), entry);
            }
            ("membership", "added") => _ = self.members.insert((number("group").unwrap(), number("user").unwrap())),
            ("membership", _) => _ = self.members.remove(&(number("group").unwrap(), number("user").unwrap())),
            _ => {}
        }
    }
}

async fn keep_writing(admin: Caller, writer: usize, stopped: Arc<AtomicBool>) {
    for round in 0_usize.. {
        if stopped.load(Ordering::Acquire) {
            return;
        }
        let (shared, own) = (format!("{GROUPS}/g{}", round % 4), format!("w{writer}-{round}"));
        let member = format!("{shared}/members/u{}", (writer + round) % 5);
        match round % 5 {
            0 | 3 => _ = admin.put(&member, &json!({})).await.is(204),
            1 => _ = admin.delete(&member).await.is(204),
            2 => _ = admin.patch(&shared, &json!({ "labels": { "en": own } })).await.is(200),
            _ => {
                admin.post(GROUPS, &json!({ "id": own, "name": own })).await.is(201);
                admin.put(&format!("{GROUPS}/{own}/members/u1"), &json!({})).await.is(204);
                if round % 2 == 0 {
                    admin.delete(&format!("{GROUPS}/{own}")).await.is(204);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_and_the_changes_behind_its_cursor_are_the_directory() {
    let server = Server::start();
    let admin = server.admin().await;
    for number in 0..5 {
        make_user(&admin, &format!("u{number}")).await;
        admin.post(GROUPS, &json!({ "id": format!("g{number}"), "name": "G" })).await.is(201);
    }
    let (stopped, mut writing) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for writer in 0..8 {
        writing.spawn(keep_writing(admin.clone(), writer, Arc::clone(&stopped)));
    }
    let export = || tokio::task::block_in_place(|| server.cli().run(&["export"]));
    let mut exports = Vec::new();
    for _ in 0..3 {
        exports.push(export());
    }
    stopped.store(true, Ordering::Release);
    writing.join_all().await;
    admin.post(GROUPS, &json!({ "id": "last", "name": "last" })).await.is(201);
    let present = Directory::exported(&export().printed());
    for outcome in exports {
        let (_, cursor) = outcome.stderr.trim_end().rsplit_once(' ').unwrap();
        let (mut directory, mut applied) = (Directory::exported(&outcome.stdout), HashMap::new());
        let (mut after, mut is_complete) = (cursor.to_owned(), false);
        while !is_complete {
            let page = admin.get(&format!("{CHANGES}?limit=100&after={after}")).await.is(200);
            for change in page["changes"].as_array().unwrap() {
                directory.apply(change, &mut applied);
                is_complete = change["group"]["id"] == "last";
            }
            after = page["next"].as_str().unwrap().to_owned();
        }
        assert_eq!(directory, present);
    }
}
