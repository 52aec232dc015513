//! The same requests to a server of each store, in the same order: every answer is the same, status, headers and body.
//!
//! What a server makes up itself is put aside: times, generated IDs and numbers. Of IDs and numbers it is held that they
//! come in the same order at either store.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use super::launch;
use crate::model::callers::{ASSIGNMENTS, Callers, GROUPS, USERS};
use crate::model::operations::{Operation, sequence};
use crate::properties::listing::page;
use crate::properties::oracle::{self, Question, Schema};
use crate::properties::strategies::Asking;
use crate::properties::{groups, users};
use crate::random::{check, drawn};
use crate::support::{CORE, Caller, Reply, Server, Store, core_groups};

const SEQUENCES: u32 = 8;
const OPERATIONS: usize = 80;
const QUESTIONS: u32 = 200;
/// How many things there are that lists are asked of.
const THINGS: usize = 50;
/// A number that no group has.
const NOBODY: i64 = 1_000_000_000;

/// A server, and what it has made up so far.
struct Side {
    callers: Callers,
    _server: Server,
    made: Mutex<MadeUp>,
}

#[derive(Default)]
struct MadeUp {
    /// The numbers of groups, live and deleted, in the order in which they were made.
    numbers: Vec<i64>,
    /// The generated IDs in the order in which they were told.
    ids: Vec<String>,
}

/// A server of each store.
struct Twins([Side; 2]);

impl Side {
    async fn start(store: Store) -> Self {
        let server = launch().store(store).start();
        Self { callers: Callers::at(&server).await, _server: server, made: Mutex::default() }
    }

    /// Does an operation; gives the answer with what was made up put aside.
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
        made.told(reply)
    }

    async fn told(&self, reply: Reply) -> String {
        self.made.lock().await.told(reply)
    }
}

impl MadeUp {
    /// The answer as a text: status, headers in order and body.
    fn told(&mut self, reply: Reply) -> String {
        let mut headers: Vec<_> =
            reply.headers.iter().map(|(name, value)| header(name.as_str(), value, &reply)).collect();
        headers.sort();
        let whole = format!("{}\n{}\n\n{}", reply.status, headers.join("\n"), reply.text);
        self.without_ids(&self.without_numbers(&without_times(&whole)))
    }

    /// Numbers stand where only they can stand: behind these words.
    fn without_numbers(&self, text: &str) -> String {
        [r#""ID":"#, "users-groups/", "with the ID ", "there is no group "].iter().fold(
            text.to_owned(),
            |text, words| {
                let mut parts = text.split(words);
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |text, part| {
                    let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    let place = |number: i64| self.numbers.iter().position(|own| *own == number);
                    match part[..digits].parse().ok().and_then(place) {
                        Some(place) => format!("{text}{words}NUMBER-{place}{}", &part[digits..]),
                        None => text + words + part,
                    }
                })
            },
        )
    }

    /// Generated IDs are of 26 characters, which no ID of these tests is.
    fn without_ids(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
        let mut told = String::new();
        for run in text.split_inclusive(|c| !is_part(c)) {
            let word = run.trim_end_matches(|c| !is_part(c));
            if word.len() == 26 && word.starts_with('0') {
                let known = self.ids.iter().position(|own| own == word);
                let place = known.unwrap_or(self.ids.len());
                if known.is_none() {
                    self.ids.push(word.to_owned());
                }
                told += &format!("GENERATED-{place}");
            } else {
                told += word;
            }
            told += &run[word.len()..];
        }
        told
    }
}

/// A header's line, without what differs from one answer to the next.
fn header(name: &str, value: &reqwest::header::HeaderValue, reply: &Reply) -> String {
    let value = value.to_str().expect("text");
    match name {
        "date" | "x-request-id" => format!("{name}: ..."),
        "content-length" if value == reply.text.len().to_string() => format!("{name}: as long as the body"),
        _ => format!("{name}: {value}"),
    }
}

/// `2026-11-22T01:02:03Z`, with a fraction or without, is put aside.
fn without_times(text: &str) -> String {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let is_time = |text: &str| {
        let bytes = text.as_bytes().iter().zip(SHAPE);
        text.len() > SHAPE.len()
            && bytes.into_iter().all(|(c, shape)| if *shape == b'd' { c.is_ascii_digit() } else { c == shape })
    };
    let mut told = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if is_time(rest) {
            rest = rest[SHAPE.len()..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
            told += "TIME";
        } else {
            told.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    told
}

/// The thing without what only this server says, as nobody can ask another about that.
fn without_dates(thing: &Json) -> Json {
    let mut thing = thing.clone();
    for date in ["DateCreated", "LastActive", "PasswordLastSetDate"] {
        thing.as_object_mut().and_then(|members| members.shift_remove(date));
    }
    thing
}

impl Twins {
    async fn start() -> Self {
        Self([Side::start(Store::Sqlite).await, Side::start(Store::Postgres).await])
    }

    /// Does the same at both, with the caller of each; the answers must be the same.
    async fn same(&self, limited: bool, what: &str, ask: impl AsyncFn(&Caller) -> Reply) -> TestCaseResult {
        let [one, other] = &self.0;
        let (expected, told) = tokio::join!(ask(one.callers.acting(limited)), ask(other.callers.acting(limited)));
        prop_assert_eq!(other.told(told).await, one.told(expected).await, "{}", what);
        Ok(())
    }

    async fn perform(&self, limited: bool, operation: Operation) -> TestCaseResult {
        let [one, other] = &self.0;
        let (expected, told) = tokio::join!(one.perform(limited, &operation), other.perform(limited, &operation));
        prop_assert_eq!(told, expected, "{:?} limited: {}", operation, limited);
        Ok(())
    }

    /// All that either door lists is the same.
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

    /// Makes the same things on both sides; gives them as the API tells them.
    async fn fill(&self, path: &str, things: Vec<Json>) -> Vec<Json> {
        for (at, thing) in things.iter().enumerate() {
            let limited = path == GROUPS && at % 3 == 0;
            let make = async |caller: &Caller| caller.post(path, thing).await;
            self.same(limited, &thing.to_string(), make).await.expect("made alike");
        }
        let listed = self.0[0].callers.admin.get(&format!("{path}?pageSize=100")).await.is(200);
        listed["Items"].as_array().expect("a list").iter().map(without_dates).collect()
    }

    /// Asks both the same random questions of a list.
    async fn ask(&self, schema: &'static Schema, things: &[Json]) {
        let asked = (Asking::of(schema, things).question(), 1..4_usize, 1..=60_usize, any::<bool>());
        check(QUESTIONS, asked, async |(question, number, size, limited): (Question, usize, usize, bool)| {
            let what = format!("{question:?} page {number} of {size}");
            self.same(limited, &what, async |caller| page(caller, schema, &question, number, size).await).await
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_operations_are_answered_alike() {
    let twins = Twins::start().await;
    check(SEQUENCES, sequence(OPERATIONS), async |operations: Vec<(bool, Operation)>| {
        for side in &twins.0 {
            side.callers.empty().await;
        }
        for (limited, operation) in operations {
            twins.perform(limited, operation).await?;
        }
        twins.same_lists().await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn random_questions_are_answered_alike() {
    let twins = Twins::start().await;
    let with = |mut thing: Json, name: &str, value: String| {
        thing[name] = value.into();
        thing
    };
    let groups = drawn(vec(groups::group(), THINGS)).into_iter().enumerate();
    let groups = groups.map(|(at, group)| {
        let id = format!("{}{at}", group["ID"].as_str().unwrap_or_default());
        with(group, "ID", id)
    });
    let groups = twins.fill(GROUPS, groups.collect()).await;
    twins.ask(&oracle::GROUPS, &groups).await;
    let users = drawn(vec(users::user(), THINGS)).into_iter().enumerate();
    let users =
        users.map(|(at, user)| with(with(user, "ID", format!("U{}-{at}", at % 5)), "Username", format!("name {at}")));
    let users = twins.fill(USERS, users.collect()).await;
    twins.ask(&oracle::USERS, &users).await;
    twins.fill(ASSIGNMENTS, pairs(&groups, &users)).await;
    twins.same_lists().await.expect("the same lists");
}

/// Every seventh pair of a group and a user.
fn pairs(groups: &[Json], users: &[Json]) -> Vec<Json> {
    let pairs = groups.iter().flat_map(|group| users.iter().map(move |user| (&group["ID"], &user["ID"])));
    pairs.step_by(7).map(|(group, user)| json!({ "UserGroupID": group, "UserID": user })).collect()
}
