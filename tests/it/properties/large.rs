//! A directory larger than what the store looks up and sorts at once, so that orders are walked, too.

use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value as Json, json};

use super::listing::{page, walks};
use super::oracle::{GROUPS, Question};
use super::strategies::Asking;
use crate::random::check;
use crate::support::{Caller, Server};

const COUNT: usize = 1_400;
/// How many requests are under way at a time: they share commits.
const AT_ONCE: usize = 32;
const PAGE: usize = 50;

fn group(at: usize) -> Json {
    let (rank, department) = (at * 7_919 % COUNT, ["IT", "HR", "Ops"][at % 3]);
    json!({
        "ID": format!("g-{rank:04}"), "Name": format!("Team {}", at % 7),
        "Description": if at.is_multiple_of(2) { Json::Null } else { format!("Floor {}", at % 5).into() },
        "xp": { "N": rank, "Dept": department, "Tags": [at % 2, format!("t{}", at % 11)] },
    })
}

async fn fill(admin: &Caller) -> Vec<Json> {
    let groups: Vec<_> = (0..COUNT).map(group).collect();
    let mut making = tokio::task::JoinSet::new();
    for group in groups.clone() {
        if making.len() == AT_ONCE {
            making.join_next().await.expect("a task").expect("made");
        }
        let admin = admin.clone();
        making.spawn(async move { admin.post("/v1/usergroups", &group).await.is(201) });
    }
    making.join_all().await;
    groups
}

/// Some groups are moved within what lists are asked for, some are deleted and some are new: so few that the store makes the
/// changes to what it remembers.
async fn change(admin: &Caller, groups: &mut Vec<Json>) {
    for at in (0..groups.len()).step_by(100) {
        let id = groups[at]["ID"].as_str().expect("an ID").to_owned();
        let (department, xp) = (["IT", "HR", "Ops", "Lab"][at % 4], groups[at]["xp"].as_object_mut().expect("an xp"));
        xp.insert("Dept".to_owned(), department.into());
        xp.insert("N".to_owned(), (at / 2).into());
        let xp = groups[at]["xp"].clone();
        let patch = json!({ "Name": "Moved", "xp": xp });
        groups[at]["Name"] = "Moved".into();
        admin.patch(&format!("/v1/usergroups/{id}"), &patch).await.is(200);
    }
    let gone: Vec<_> = (0..groups.len()).step_by(130).collect();
    for at in gone.into_iter().rev() {
        let gone = groups.swap_remove(at);
        admin.delete(&format!("/v1/usergroups/{}", gone["ID"].as_str().expect("an ID"))).await.is(204);
    }
    for number in 0..5 {
        let new = json!({ "ID": format!("new-{}-{number}", groups.len()), "Name": "Team 3", "Description": "Floor 2",
                          "xp": { "N": number, "Dept": "IT", "Tags": [number, "t3"] } });
        admin.post("/v1/usergroups", &new).await.is(201);
        groups.push(new);
    }
}

/// Asks for the first page, one in the middle and the last.
async fn ask(admin: &Caller, question: &Question, groups: &[Json]) -> Result<(), TestCaseError> {
    let expected = question.answer(&GROUPS, groups);
    let last = expected.len().div_ceil(PAGE).max(1);
    for number in [1, last.div_ceil(2), last] {
        let reply = page(admin, &GROUPS, question, number, PAGE).await.is(200);
        let rows = expected.iter().skip((number - 1) * PAGE).take(PAGE);
        let ids: Vec<_> = rows.filter_map(|group| group["ID"].as_str()).collect();
        prop_assert_eq!(reply.ids(), ids, "{:?}", question);
        prop_assert_eq!(reply.total(), expected.len() as u64, "{:?}", question);
    }
    Ok(())
}

/// Asks for what lies beyond some IDs, forward and back.
async fn walk_by_id(admin: &Caller, groups: &[Json]) {
    let mut ids: Vec<_> = groups.iter().filter_map(|group| group["ID"].as_str()).collect();
    ids.sort_unstable();
    let forward = (0..ids.len()).step_by(PAGE);
    for at in forward.clone().chain(forward.rev().map(|at| at + 7)).filter(|at| *at < ids.len()) {
        let uri = format!("/v1/usergroups?sortBy=ID&ID=%3E{}&pageSize={PAGE}", ids[at]);
        let (reply, rest) = (admin.get(&uri).await.is(200), &ids[at + 1..]);
        assert_eq!(reply.total(), rest.len() as u64, "{uri}");
        assert_eq!(reply.ids(), rest[..rest.len().min(PAGE)], "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_and_far_pages_are_those_of_memory() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut groups = fill(&admin).await;
    // Before, PostgreSQL guesses, and a busy machine may not get through a list of so many in time.
    server.database().analyse();
    let asking = Asking::of(&GROUPS, &groups[..40]);
    let asked = Mutex::new(Vec::new());
    check(100, asking.question(), async |question: Question| {
        prop_assume!(question.suits());
        ask(&admin, &question, &groups).await?;
        asked.lock().expect("whole").push(question);
        Ok(())
    });
    walks(&admin, &GROUPS, &Question::default(), 100, &groups).await.expect("a whole walk");
    let asked = asked.into_inner().expect("whole");
    assert!(asked.len() >= 50);
    walk_by_id(&admin, &groups).await;
    for _ in 0..2 {
        change(&admin, &mut groups).await;
        for question in &asked {
            ask(&admin, question, &groups).await.expect("the same after changes");
        }
        walk_by_id(&admin, &groups).await;
    }
}
