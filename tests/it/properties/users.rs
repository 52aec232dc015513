//! The list of users: properties of every type.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};

use super::listing::{holds, walks};
use super::oracle::{Question, USERS};
use super::strategies::{Asking, text, xp};
use crate::random::{check, drawn};
use crate::support::{Caller, FULL, GROUP_ADMIN, GROUP_READER, PASSWORD, Server, USER_READER};

/// How many users there are.
const COUNT: usize = 24;

/// A user who has yet to be given an ID and a username.
pub fn user() -> impl Strategy<Value = Json> {
    let terms =
        select(vec![None, Some("2015-01-01"), Some("2015-01-01T05:30:00+05:30"), Some("2026-02-03T04:05:06.789Z")]);
    (text(), text(), text(), option::of(text()), terms, any::<bool>(), xp()).prop_map(
        |(first, last, email, phone, terms, active, xp)| {
            json!({
                "FirstName": first, "LastName": last, "Email": email, "Phone": phone, "TermsAccepted": terms,
                "Active": active, "xp": xp,
            })
        },
    )
}

/// Fills the directory; gives the users as the API tells them.
async fn fill(server: &Server, admin: &Caller) -> Vec<Json> {
    let roles = || subsequence(vec![FULL, GROUP_ADMIN, GROUP_READER, USER_READER], 1..=3);
    for (at, (mut user, roles)) in drawn(vec((user(), roles()), COUNT)).into_iter().enumerate() {
        let id = format!("U{}-{at}", at * 7 % 5);
        user["ID"] = id.as_str().into();
        let username = format!("{}.{at}", user["FirstName"].as_str().unwrap_or_default());
        user["Username"] = username.chars().rev().take(50).collect::<String>().into();
        if at % 6 == 0 {
            user["Password"] = PASSWORD.into();
        }
        admin.post("/v1/adminusers", &user).await.is(201);
        if at % 4 == 0 {
            set_roles(server, &id, &roles);
        }
        if at % 12 == 0 {
            let username = user["Username"].as_str().unwrap_or_default();
            server.log_on(username, PASSWORD).await;
            server.log_on(username, "wrong").await;
        }
    }
    admin.get("/v1/adminusers?pageSize=100").await.is(200)["Items"].as_array().expect("users").clone()
}

fn set_roles(server: &Server, id: &str, roles: &[&str]) {
    let mut arguments = vec!["user", "set-roles", id];
    arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
    server.cli().run(&arguments).printed();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_is_answered_as_in_memory() {
    let server = Server::start();
    let admin = server.admin().await;
    let users = fill(&server, &admin).await;
    let asking = Asking::of(&USERS, &users);
    check(250, asking.question(), async |question: Question| holds(&admin, &USERS, &question, &users).await);
    check(15, (asking.question(), 1..=12_usize), async |(mut question, size): (Question, usize)| {
        question.filters.clear();
        walks(&admin, &USERS, &question, size, &users).await
    });
}
