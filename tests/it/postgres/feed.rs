//! The feed of changes, read by polling and as a stream while many write on two nodes and one of them is killed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::two_nodes;
use crate::support::{Caller, Event, Events, eventually};

const CHANGES: &str = "/rollbook/v1/changes";
const GROUPS: &str = "/rollbook/v1/groups";
const WRITERS: usize = 32;
/// Fewer groups than writers, so that the changes of one group overlap.
const SHARED: usize = 6;
/// The number of changes on each node before one is killed, and on the other one afterwards.
const ENOUGH: usize = 200;

/// The identity of a change as numbers: the entry and the index.
fn number(change: &Value) -> (u64, u64) {
    let (seq, index) = change["id"].as_str().unwrap().split_once('.').unwrap();
    (seq.parse().unwrap(), index.parse().unwrap())
}

/// Everything behind the cursor, part by part, until `done` holds and nothing is left.
async fn polled(reader: Caller, mut after: String, done: Arc<AtomicBool>) -> (Vec<Value>, String) {
    let mut changes = Vec::new();
    loop {
        let is_last = done.load(Ordering::Acquire);
        let page = reader.get(&format!("{CHANGES}?limit=7&wait=1&after={after}")).await.is(200);
        let told = page["changes"].as_array().unwrap();
        changes.extend(told.clone());
        after = page["next"].as_str().unwrap().to_owned();
        if is_last && told.is_empty() {
            return (changes, after);
        }
    }
}

/// Everything behind the cursor, over connections that are cut again and again, until the change with this ID.
async fn streamed(reader: Caller, mut last: String, until: impl AsyncFn() -> Option<String>) -> Vec<Event> {
    let mut told: Vec<Event> = Vec::new();
    loop {
        let mut events = Events::open(&reader, CHANGES, Some(&last)).await;
        for _ in 0..50 {
            let event = events.next().await.expect("an event");
            last.clone_from(&event.id);
            if event.kind != "cursor" {
                told.push(event);
            }
            if let Some(end) = until().await
                && let Some(at) = told.iter().position(|event| event.data["id"] == end.as_str())
            {
                told.truncate(at + 1);
                return told;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_overlapping_writers_is_told_once_and_in_order() {
    let mut nodes = two_nodes();
    let admins = [nodes[0].admin().await, nodes[1].admin().await];
    for group in 0..SHARED {
        admins[1].post(GROUPS, &json!({ "id": format!("g{group}"), "name": "new" })).await.is(201);
    }
    let mut start = String::new();
    eventually("the feed has the groups", Duration::from_secs(60), async || {
        let page = admins[1].get(&format!("{CHANGES}?type=group.created")).await.is(200);
        start = page["next"].as_str().unwrap_or_default().to_owned();
        page["changes"].as_array().unwrap().len() == SHARED
    })
    .await;
    let (done, end) = (Arc::new(AtomicBool::new(false)), Arc::new(std::sync::Mutex::new(None::<String>)));
    let polling = tokio::spawn(polled(admins[1].clone(), start.clone(), Arc::clone(&done)));
    let mut streaming = JoinSet::new();
    for _ in 0..2 {
        let (reader, start, end) = (admins[1].clone(), start.clone(), Arc::clone(&end));
        streaming.spawn(streamed(reader, start, async move || end.lock().unwrap().clone()));
    }

    let written = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let stopped = Arc::new(AtomicBool::new(false));
    let mut writing = JoinSet::new();
    for writer in 0..WRITERS {
        let (node, written, stopped) = (writer % 2, Arc::clone(&written), Arc::clone(&stopped));
        let admin = admins[node].clone();
        writing.spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0.. {
                if stopped.load(Ordering::Acquire) {
                    break;
                }
                let path = format!("{GROUPS}/g{}", (writer + round) % SHARED);
                let name = format!("{writer}-{round}");
                let request = admin.request("PATCH", &path).json(&json!({ "name": name }));
                match admin.try_send(request).await {
                    Some(reply) if reply.status == 200 => {
                        acknowledged.push(name);
                        written[node].fetch_add(1, Ordering::AcqRel);
                    }
                    Some(reply) => assert_eq!(reply.status, 503, "{}", reply.text),
                    // The node was killed.
                    None => break,
                }
            }
            acknowledged
        });
    }
    let enough = async |node: usize, count: usize| {
        eventually("writers write", Duration::from_secs(120), async || {
            tokio::time::sleep(Duration::from_millis(10)).await;
            written[node].load(Ordering::Acquire) >= count
        })
        .await;
    };
    enough(0, ENOUGH).await;
    enough(1, ENOUGH).await;
    nodes[0].kill_9();
    enough(1, written[1].load(Ordering::Acquire) + ENOUGH).await;
    stopped.store(true, Ordering::Release);
    let acknowledged: Vec<_> = writing.join_all().await.into_iter().flatten().collect();
    // The last change of all, behind which nothing comes.
    admins[1].post(GROUPS, &json!({ "id": "last", "name": "last" })).await.is(201);
    let mut last = Value::Null;
    eventually("the feed has the last change", Duration::from_secs(60), async || {
        let page = admins[1].get(&format!("{CHANGES}?order=desc&limit=1")).await.is(200);
        last = page["changes"][0].clone();
        last["group"]["id"] == "last"
    })
    .await;
    *end.lock().unwrap() = Some(last["id"].as_str().unwrap().to_owned());
    done.store(true, Ordering::Release);
    // Wakes the streams once more.
    admins[1].patch(&format!("{GROUPS}/last"), &json!({ "description": "d" })).await.is(200);

    let (mut polled, _) = polling.await.unwrap();
    let at = polled.iter().position(|change| change["id"] == last["id"]).expect("the last change");
    polled.truncate(at + 1);
    let mut ids: Vec<_> = polled.iter().map(number).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), polled.len(), "each change once");
    for told in streaming.join_all().await {
        let told: Vec<_> = told.into_iter().map(|event| event.data).collect();
        assert_eq!(told.iter().map(number).collect::<Vec<_>>(), polled.iter().map(number).collect::<Vec<_>>());
    }
    let names: Vec<_> = polled.iter().filter_map(|change| change["after"]["name"].as_str()).collect();
    let missing: Vec<_> = acknowledged.iter().filter(|name| !names.contains(&name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "every acknowledged change is told");
    // The rule of a reader: a change is applied only if its number is higher than the last one applied to its entity.
    let mut applied = HashMap::new();
    for change in &polled {
        let group = change["group"]["uid"].as_i64().unwrap();
        let state = applied.entry(group).or_insert((number(change), change));
        if number(change) > state.0 {
            *state = (number(change), change);
        }
    }
    for (group, (_, change)) in applied {
        let present = admins[1].get(&format!("{GROUPS}/uid:{group}")).await.is(200);
        assert_eq!(present["name"], change["after"]["name"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_on_one_node_hears_what_the_other_writes() {
    let nodes = two_nodes();
    let admins = [nodes[0].admin().await, nodes[1].admin().await];
    let mut events = Events::open(&admins[1], &format!("{CHANGES}?type=group.created"), None).await;
    for group in ["a", "b", "c"] {
        admins[0].post(GROUPS, &json!({ "id": group, "name": group })).await.is(201);
        assert_eq!(events.change().await.unwrap().data["group"]["id"], group);
    }
}
