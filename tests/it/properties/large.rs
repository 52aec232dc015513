//! A directory larger than what the store looks up and sorts at once, so that orders are walked, too.

use proptest::prelude::*;
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

#[tokio::test(flavor = "multi_thread")]
async fn first_and_far_pages_are_those_of_memory() {
    let server = Server::start();
    let admin = server.admin().await;
    let groups = fill(&admin).await;
    let asking = Asking::of(&GROUPS, &groups[..40]);
    check(100, asking.question(), async |question: Question| {
        prop_assume!(question.suits());
        let expected = question.answer(&GROUPS, &groups);
        let last = expected.len().div_ceil(PAGE).max(1);
        for number in [1, last.div_ceil(2), last] {
            let reply = page(&admin, &GROUPS, &question, number, PAGE).await.is(200);
            let rows = expected.iter().skip((number - 1) * PAGE).take(PAGE);
            let ids: Vec<_> = rows.filter_map(|group| group["ID"].as_str()).collect();
            prop_assert_eq!(reply.ids(), ids, "{:?}", question);
            prop_assert_eq!(reply.total(), expected.len() as u64, "{:?}", question);
        }
        Ok(())
    });
    walks(&admin, &GROUPS, &Question::default(), 100, &groups).await.expect("a whole walk");
}
