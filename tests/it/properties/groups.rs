//! The list of groups, for a caller who sees all of them and for one who sees those of one community.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::listing::{check_all_pages, check_list};
use super::oracle::{GROUPS, ListRequest, fold};
use super::strategies::{ListRequests, text, xp};
use crate::random::{check, drawn};
use crate::support::{A, Caller, FULL, Server};

/// How many groups there are; the limited caller sees every third.
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

    /// The limited caller and its groups, or the other caller and all groups.
    fn visible(&self, limited: bool) -> (&Caller, &[Json]) {
        if limited { (&self.limited, &self.of_limited) } else { (&self.admin, &self.groups) }
    }
}

/// A group whose ID is a prefix, to be made unique.
pub(crate) fn group() -> impl Strategy<Value = Json> {
    let description = option::weighted(0.6, prop_oneof![1 => Just(String::new()), 6 => text()]);
    ("[A-Za-z_-]{0,3}", text(), description, xp())
        .prop_map(|(id, name, description, xp)| json!({ "ID": id, "Name": name, "Description": description, "xp": xp }))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_request_returns_what_the_oracle_expects() {
    let directory = Directory::filled().await;
    let strategy = (ListRequests::of(&GROUPS, &directory.groups).request(), proptest::bool::weighted(0.2));
    check(400, strategy, async |(request, limited): (ListRequest, bool)| {
        let (caller, groups) = directory.visible(limited);
        check_list(caller, &GROUPS, &request, groups).await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_together_are_the_list() {
    let directory = Directory::filled().await;
    let strategy =
        (ListRequests::of(&GROUPS, &directory.groups).request(), 1..=30_usize, proptest::bool::weighted(0.3));
    check(40, strategy, async |(mut request, size, limited): (ListRequest, usize, bool)| {
        request.filters.truncate(1);
        let (caller, groups) = directory.visible(limited);
        check_all_pages(caller, &GROUPS, &request, size, groups).await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_by_last_id_are_the_list() {
    let directory = Directory::filled().await;
    check(20, (1..=30_usize, any::<bool>()), async |(size, limited): (usize, bool)| {
        let (caller, groups) = directory.visible(limited);
        let (mut observed, mut last) = (Vec::new(), "-".to_owned());
        loop {
            let (after, size) = (format!(">{last}"), size.to_string());
            let query = [("sortBy", "ID"), ("ID", after.as_str()), ("page", "1"), ("pageSize", size.as_str())];
            let reply = caller.list(GROUPS.path, &query).await.is(200);
            let ids = reply.ids();
            prop_assert_eq!(reply.total(), (groups.len() - observed.len()) as u64);
            let Some(end) = ids.last() else { break };
            last.clone_from(end);
            observed.extend(ids);
        }
        let mut ids: Vec<_> = groups.iter().filter_map(|group| group["ID"].as_str()).collect();
        ids.sort_by_key(|id| fold(id));
        prop_assert_eq!(observed, ids);
        Ok(())
    });
}
