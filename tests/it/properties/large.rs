//! A directory larger than the threshold for look-up and sort, so that the store uses index scans, too.

use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value as Json, json};

use super::listing::{check_all_pages, page};
use super::oracle::{GROUPS, ListRequest};
use super::strategies::ListRequests;
use crate::random::check;
use crate::support::{Caller, Server};

const COUNT: usize = 1_400;
/// How many requests are in flight at a time: they share commits.
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

/// Some groups are changed within the lists under test, some are deleted and some are new: few enough that the store
/// updates its cached results from the journal.
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

/// Requests the first page, one in the middle and the last.
async fn check_pages(admin: &Caller, request: &ListRequest, groups: &[Json]) -> Result<(), TestCaseError> {
    let expected = request.expected(&GROUPS, groups);
    let last = expected.len().div_ceil(PAGE).max(1);
    for number in [1, last.div_ceil(2), last] {
        let reply = page(admin, &GROUPS, request, number, PAGE).await.is(200);
        let rows = expected.iter().skip((number - 1) * PAGE).take(PAGE);
        let ids: Vec<_> = rows.filter_map(|group| group["ID"].as_str()).collect();
        prop_assert_eq!(reply.ids(), ids, "{:?}", request);
        prop_assert_eq!(reply.total(), expected.len() as u64, "{:?}", request);
    }
    Ok(())
}

/// Requests pages by last ID, forward and back.
async fn check_pages_by_id(admin: &Caller, groups: &[Json]) {
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
async fn first_and_last_pages_are_what_the_oracle_expects() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut groups = fill(&admin).await;
    // Without statistics, PostgreSQL guesses, and a busy machine may not finish such a long list within its time limit.
    server.database().analyse();
    let requests = ListRequests::of(&GROUPS, &groups[..40]);
    let sent = Mutex::new(Vec::new());
    check(100, requests.request(), async |request: ListRequest| {
        prop_assume!(request.suits());
        check_pages(&admin, &request, &groups).await?;
        sent.lock().expect("no panic").push(request);
        Ok(())
    });
    check_all_pages(&admin, &GROUPS, &ListRequest::default(), 100, &groups).await.expect("all pages are the list");
    let sent = sent.into_inner().expect("no panic");
    assert!(sent.len() >= 50);
    check_pages_by_id(&admin, &groups).await;
    for _ in 0..2 {
        change(&admin, &mut groups).await;
        for request in &sent {
            check_pages(&admin, request, &groups).await.expect("the same after changes");
        }
        check_pages_by_id(&admin, &groups).await;
    }
}
