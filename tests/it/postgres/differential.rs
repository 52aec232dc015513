//! The same requests to a server of each store, in the same order: every response has the same status, headers and
//! body.
//!
//! Values that a server generates are masked: times, IDs and numbers. IDs and numbers must be generated in the same
//! order on both stores.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use super::launch;
use crate::model::callers::{ASSIGNMENTS, Callers, GROUPS, USERS};
use crate::model::operations::{Operation, sequence};
use crate::properties::listing::page;
use crate::properties::oracle::{self, ListRequest, Schema};
use crate::properties::strategies::ListRequests;
use crate::properties::{groups, users};
use crate::random::{check, drawn};
use crate::support::{CORE, Caller, Reply, Server, Store, core_groups};

const SEQUENCES: u32 = 8;
const OPERATIONS: usize = 80;
const REQUESTS: u32 = 200;
/// How many entities the lists contain.
const ENTITIES: usize = 50;
/// A number that no group has.
const NOBODY: i64 = 1_000_000_000;

/// A server, and the values it has generated so far.
struct StoreUnderTest {
    callers: Callers,
    _server: Server,
    made: Mutex<GeneratedIds>,
}

#[derive(Default)]
struct GeneratedIds {
    /// The numbers of groups, live and deleted, in the order of creation.
    numbers: Vec<i64>,
    /// The generated IDs in the order in which they were returned.
    ids: Vec<String>,
}

/// A server of each store.
struct BothStores([StoreUnderTest; 2]);

impl StoreUnderTest {
    async fn start(store: Store) -> Self {
        let server = launch().store(store).start();
        Self { callers: Callers::at(&server).await, _server: server, made: Mutex::default() }
    }

    /// Performs an operation; returns the response with generated values masked.
    async fn perform(&self, limited: bool, operation: &Operation) -> String {
        let mut made = self.made.lock().await;
        let picked = |nth: &prop::sample::Index| match &made.numbers[..] {
            [] => NOBODY,
            numbers => *nth.get(numbers),
        };
        let reply = self.callers.send(limited, operation, picked).await;
        if matches!(operation, Operation::Post(_) | Operation::Put(..) | Operation::Add(_)) {
            let all = core_groups(&self.callers.admin).await;
            let new: Vec<_> = all.into_iter().filter(|number| !made.numbers.contains(number)).collect();
            made.numbers.extend(new);
        }
        made.observed(reply)
    }

    async fn observed(&self, reply: Reply) -> String {
        self.made.lock().await.observed(reply)
    }
}

impl GeneratedIds {
    /// The response as text: status, headers in order and body.
    fn observed(&mut self, reply: Reply) -> String {
        let mut headers: Vec<_> =
            reply.headers.iter().map(|(name, value)| header(name.as_str(), value, &reply)).collect();
        headers.sort();
        let whole = format!("{}\n{}\n\n{}", reply.status, headers.join("\n"), reply.text);
        self.without_ids(&self.without_numbers(&without_times(&whole)))
    }

    /// Numbers occur in known places only: after these words.
    fn without_numbers(&self, text: &str) -> String {
        [r#""ID":"#, "users-groups/", "with the ID ", "there is no group "].iter().fold(
            text.to_owned(),
            |text, words| {
                let mut parts = text.split(words);
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |text, part| {
                    let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    let position = |number: i64| self.numbers.iter().position(|own| *own == number);
                    match part[..digits].parse().ok().and_then(position) {
                        Some(position) => format!("{text}{words}NUMBER-{position}{}", &part[digits..]),
                        None => text + words + part,
                    }
                })
            },
        )
    }

    /// Generated IDs have 26 characters, which no ID of these tests has.
    fn without_ids(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
        let mut observed = String::new();
        for run in text.split_inclusive(|c| !is_part(c)) {
            let word = run.trim_end_matches(|c| !is_part(c));
            if word.len() == 26 && word.starts_with('0') {
                let known = self.ids.iter().position(|own| own == word);
                let position = known.unwrap_or(self.ids.len());
                if known.is_none() {
                    self.ids.push(word.to_owned());
                }
                observed += &format!("GENERATED-{position}");
            } else {
                observed += word;
            }
            observed += &run[word.len()..];
        }
        observed
    }
}

/// A header's line, without values that differ in every response.
fn header(name: &str, value: &reqwest::header::HeaderValue, reply: &Reply) -> String {
    let value = value.to_str().expect("text");
    match name {
        "date" | "x-request-id" => format!("{name}: ..."),
        "etag" => format!("{name}: {}", without_identity(value)),
        "content-length" if value == reply.text.len().to_string() => format!("{name}: as long as the body"),
        _ => format!("{name}: {value}"),
    }
}

/// Masks the number and the time of the last sign-in in an entity tag, such as `"ordercloud-12-2.1764211000000000-0"`.
fn without_identity(tag: &str) -> String {
    let parts = tag.split('-').enumerate().map(|(at, part)| match (at, part.split_once('.')) {
        (1, _) => "NUMBER".to_owned(),
        (2, Some((version, time))) if time != "0" => format!("{version}.TIME"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("-")
}

/// Masks `2026-11-22T01:02:03Z`, with a fraction or without.
fn without_times(text: &str) -> String {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let is_time = |text: &str| {
        let bytes = text.as_bytes().iter().zip(SHAPE);
        text.len() > SHAPE.len()
            && bytes.into_iter().all(|(c, shape)| if *shape == b'd' { c.is_ascii_digit() } else { c == shape })
    };
    let mut observed = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if is_time(rest) {
            rest = rest[SHAPE.len()..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
            observed += "TIME";
        } else {
            observed.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    observed
}

/// The entity without generated values, for which the other server cannot be queried.
fn without_dates(entity: &Json) -> Json {
    let mut entity = entity.clone();
    for date in ["DateCreated", "LastActive", "PasswordLastSetDate"] {
        entity.as_object_mut().and_then(|members| members.shift_remove(date));
    }
    entity
}

impl BothStores {
    async fn start() -> Self {
        Self([StoreUnderTest::start(Store::Sqlite).await, StoreUnderTest::start(Store::Postgres).await])
    }

    /// Performs the same operation on both, with each server's caller; the responses must be equal.
    async fn same(&self, limited: bool, what: &str, send: impl AsyncFn(&Caller) -> Reply) -> TestCaseResult {
        let [one, other] = &self.0;
        let (expected, observed) = tokio::join!(send(one.callers.acting(limited)), send(other.callers.acting(limited)));
        prop_assert_eq!(other.observed(observed).await, one.observed(expected).await, "{}", what);
        Ok(())
    }

    async fn perform(&self, limited: bool, operation: Operation) -> TestCaseResult {
        let [one, other] = &self.0;
        let (expected, observed) = tokio::join!(one.perform(limited, &operation), other.perform(limited, &operation));
        prop_assert_eq!(observed, expected, "{:?} limited: {}", operation, limited);
        Ok(())
    }

    /// Compares all lists of both APIs.
    async fn same_lists(&self) -> TestCaseResult {
        let lists =
            [GROUPS, USERS, ASSIGNMENTS, &format!("{CORE}/list")].map(|path| format!("{path}?pageSize=7&page=2"));
        let more =
            ["/v1/usergroups?sortBy=!Name,xp.a", "/v1/usergroups?search=o&searchOn=Name&xp.a=*"].map(str::to_owned);
        for path in lists.into_iter().chain(more).chain([format!("{CORE}/list-all")]) {
            for limited in [false, true] {
                self.same(limited, &path, async |caller| caller.get(&path).await).await?;
            }
        }
        Ok(())
    }

    /// Creates the same entities on both servers; returns them as the API returns them.
    async fn fill(&self, path: &str, entities: Vec<Json>) -> Vec<Json> {
        for (at, entity) in entities.iter().enumerate() {
            let limited = path == GROUPS && at % 3 == 0;
            let make = async |caller: &Caller| caller.post(path, entity).await;
            self.same(limited, &entity.to_string(), make).await.expect("equal responses");
        }
        let listed = self.0[0].callers.admin.get(&format!("{path}?pageSize=100")).await.is(200);
        listed["Items"].as_array().expect("a list").iter().map(without_dates).collect()
    }

    /// Sends the same random list requests to both.
    async fn compare_lists(&self, schema: &'static Schema, entities: &[Json]) {
        let strategy = (ListRequests::of(schema, entities).request(), 1..4_usize, 1..=60_usize, any::<bool>());
        check(REQUESTS, strategy, async |(request, number, size, limited): (ListRequest, usize, usize, bool)| {
            let what = format!("{request:?} page {number} of {size}");
            self.same(limited, &what, async |caller| page(caller, schema, &request, number, size).await).await
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_operations_get_equal_responses() {
    let both_stores = BothStores::start().await;
    check(SEQUENCES, sequence(OPERATIONS), async |operations: Vec<(bool, Operation)>| {
        for store_under_test in &both_stores.0 {
            store_under_test.callers.empty().await;
        }
        for (limited, operation) in operations {
            both_stores.perform(limited, operation).await?;
        }
        both_stores.same_lists().await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn random_list_requests_get_equal_responses() {
    let both_stores = BothStores::start().await;
    let with = |mut entity: Json, name: &str, value: String| {
        entity[name] = value.into();
        entity
    };
    let groups = drawn(vec(groups::group(), ENTITIES)).into_iter().enumerate();
    let groups = groups.map(|(at, group)| {
        let id = format!("{}{at}", group["ID"].as_str().unwrap_or_default());
        with(group, "ID", id)
    });
    let groups = both_stores.fill(GROUPS, groups.collect()).await;
    both_stores.compare_lists(&oracle::GROUPS, &groups).await;
    let users = drawn(vec(users::user(), ENTITIES)).into_iter().enumerate();
    let users =
        users.map(|(at, user)| with(with(user, "ID", format!("U{}-{at}", at % 5)), "Username", format!("name {at}")));
    let users = both_stores.fill(USERS, users.collect()).await;
    both_stores.compare_lists(&oracle::USERS, &users).await;
    both_stores.fill(ASSIGNMENTS, pairs(&groups, &users)).await;
    both_stores.same_lists().await.expect("the same lists");
}

/// Every seventh pair of a group and a user.
fn pairs(groups: &[Json], users: &[Json]) -> Vec<Json> {
    let pairs = groups.iter().flat_map(|group| users.iter().map(move |user| (&group["ID"], &user["ID"])));
    pairs.step_by(7).map(|(group, user)| json!({ "UserGroupID": group, "UserID": user })).collect()
}
