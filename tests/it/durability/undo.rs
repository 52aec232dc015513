//! A server that is killed in the middle of a large undo.

use std::time::Duration;

use rand::random_range;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Caller, Server};

/// The number of users who are imported.
const USERS: usize = 5_000;
/// The number of groups, of which every user is a member.
const GROUPS: usize = 9;
/// How often the server is killed.
const ROUNDS: usize = 4;

/// Lines of the groups, the users and their memberships.
fn lines() -> String {
    let groups = (0..GROUPS).map(|group| json!({ "group": { "id": format!("g{group}"), "labels": { "en": "N" } } }));
    let users = (0..USERS).map(|number| {
        let id = format!("u{number}");
        json!({ "user": { "id": id, "username": id, "first_name": "F", "last_name": "L", "email": "e@x.io", "active": true } })
    });
    let member = |(group, user)| json!({ "membership": { "group": format!("g{group}"), "user": format!("u{user}") } });
    let members = (0..GROUPS).flat_map(|group| (0..USERS).map(move |user| (group, user))).map(member);
    groups.chain(users).chain(members).map(|line| format!("{line}\n")).collect()
}

/// The numbers of groups, users and memberships that the counters tell, and those of users and members that lists count.
async fn counts(admin: &Caller) -> Vec<Value> {
    let info = admin.get("/rollbook/v1/info").await.is(200);
    let users = admin.get("/rollbook/v1/users?username=u*&limit=1").await.is(200);
    let members = admin.get("/rollbook/v1/groups/uid:1/members?limit=1").await.is(200);
    vec![
        info["groups"].clone(),
        info["users"].clone(),
        info["memberships"].clone(),
        users["total"].clone(),
        members["total"].clone(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_undo_is_all_or_nothing() {
    let mut server = Server::start();
    server.cli().run_with(&["import", "-"], &lines()).printed();
    let there = [GROUPS, USERS, GROUPS * USERS, USERS, USERS].map(Value::from).to_vec();
    let gone = vec![json!(0); 5];
    let undo = async |admin: &Caller, body: Value| admin.post("/rollbook/v1/undo", &body).await.is(200);

    let admin = server.admin().await;
    assert_eq!(counts(&admin).await, there);
    let begin = Instant::now();
    let undone = undo(&admin, json!({ "channel": "import" })).await;
    let duration = begin.elapsed();
    assert_eq!((&undone["undone"], &undone["conflicts"]), (&json!(GROUPS + USERS + GROUPS * USERS), &json!(0)));
    assert_eq!(counts(&admin).await, gone);
    let mut operation = undone["operation"].clone();
    for _ in 0..ROUNDS {
        let admin = server.admin().await;
        let before = counts(&admin).await;
        let moment = duration.mul_f64(random_range(0.1..0.9));
        let running = tokio::spawn({
            let (admin, body) = (admin.clone(), json!({ "operation": operation }));
            async move { admin.try_send(admin.request("POST", "/rollbook/v1/undo").json(&body)).await }
        });
        tokio::time::sleep(moment.max(Duration::from_millis(1))).await;
        server.kill_9();
        let answered = running.await.unwrap();
        server.restart();
        let admin = server.admin().await;
        let after = counts(&admin).await;
        assert!(after == there || after == gone, "{after:?}");
        if let Some(answer) = answered.filter(|answer| answer.status == 200) {
            assert_ne!(after, before, "an acknowledged undo is kept");
            operation = answer["operation"].clone();
        } else if after != before {
            let latest = admin.get("/rollbook/v1/changes?order=desc&limit=1").await.is(200);
            operation = latest["changes"][0]["operation"].clone();
        }
    }
}
