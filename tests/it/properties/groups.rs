//! The list of groups, for a caller who sees all of them and for one who sees those of one community.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::listing::{holds, walks};
use super::oracle::{GROUPS, Question, fold};
use super::strategies::{Asking, text, xp};
use crate::random::{check, drawn};
use crate::support::{A, Caller, FULL, Server};

/// How many groups there are; every third is the limited caller's.
const COUNT: usize = 60;

struct Directory {
    admin: Caller,
    limited: Caller,
    groups: Vec<Json>,
    of_limited: Vec<Json>,
    _server: Server,
}

impl Directory {
    async fn filled() -> Self {
        let server = Server::start();
        let (admin, limited) = (server.admin().await, server.token(&[FULL], &[A]).await);
        let (mut groups, mut of_limited) = (Vec::new(), Vec::new());
        for (at, group) in drawn(vec(group(), COUNT)).into_iter().enumerate() {
            let mut group = group;
            group["ID"] = format!("{}{at}", group["ID"].as_str().unwrap_or_default()).into();
            let maker = if at % 3 == 0 { &limited } else { &admin };
            let made = maker.post("/v1/usergroups", &group).await.is(201);
            assert_eq!(made.json(), &group);
            of_limited.extend((at % 3 == 0).then(|| group.clone()));
            groups.push(group);
        }
        Self { admin, limited, groups, of_limited, _server: server }
    }

    /// The limited caller and its groups, or the one who sees all.
    fn seen(&self, limited: bool) -> (&Caller, &[Json]) {
        if limited { (&self.limited, &self.of_limited) } else { (&self.admin, &self.groups) }
    }
}

/// A group whose ID is a beginning, to be made unique.
pub fn group() -> impl Strategy<Value = Json> {
    let description = option::weighted(0.6, prop_oneof![1 => Just(String::new()), 6 => text()]);
    ("[A-Za-z_-]{0,3}", text(), description, xp())
        .prop_map(|(id, name, description, xp)| json!({ "ID": id, "Name": name, "Description": description, "xp": xp }))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_is_answered_as_in_memory() {
    let directory = Directory::filled().await;
    let asked = (Asking::of(&GROUPS, &directory.groups).question(), proptest::bool::weighted(0.2));
    check(400, asked, async |(question, limited): (Question, bool)| {
        let (caller, groups) = directory.seen(limited);
        holds(caller, &GROUPS, &question, groups).await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_walk_is_whole() {
    let directory = Directory::filled().await;
    let asked = (Asking::of(&GROUPS, &directory.groups).question(), 1..=30_usize, proptest::bool::weighted(0.3));
    check(40, asked, async |(mut question, size, limited): (Question, usize, bool)| {
        question.filters.truncate(1);
        let (caller, groups) = directory.seen(limited);
        walks(caller, &GROUPS, &question, size, groups).await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_by_last_id_is_whole() {
    let directory = Directory::filled().await;
    check(20, (1..=30_usize, any::<bool>()), async |(size, limited): (usize, bool)| {
        let (caller, groups) = directory.seen(limited);
        let (mut walked, mut last) = (Vec::new(), "-".to_owned());
        loop {
            let (after, size) = (format!(">{last}"), size.to_string());
            let query = [("sortBy", "ID"), ("ID", after.as_str()), ("page", "1"), ("pageSize", size.as_str())];
            let reply = caller.list(GROUPS.path, &query).await.is(200);
            let ids = reply.ids();
            prop_assert_eq!(reply.total(), (groups.len() - walked.len()) as u64);
            let Some(end) = ids.last() else { break };
            last.clone_from(end);
            walked.extend(ids);
        }
        let mut ids: Vec<_> = groups.iter().filter_map(|group| group["ID"].as_str()).collect();
        ids.sort_by_key(|id| fold(id));
        prop_assert_eq!(walked, ids);
        Ok(())
    });
}
