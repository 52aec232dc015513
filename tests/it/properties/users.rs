//! The list of users: properties of every type.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};

use super::listing::{check_all_pages, check_list};
use super::oracle::{ListRequest, USERS};
use super::strategies::{ListRequests, text, xp};
use crate::random::{check, drawn};
use crate::support::{Caller, FULL, GROUP_ADMIN, GROUP_READER, PASSWORD, Server, USER_READER};

/// How many users there are.
const COUNT: usize = 24;

/// A user without an ID and a username yet.
pub(crate) fn user() -> impl Strategy<Value = Json> {
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

/// Fills the directory; returns the users as the API returns them.
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
async fn every_list_request_returns_what_the_oracle_expects() {
    let server = Server::start();
    let admin = server.admin().await;
    let users = fill(&server, &admin).await;
    let requests = ListRequests::of(&USERS, &users);
    check(250, requests.request(), async |request: ListRequest| check_list(&admin, &USERS, &request, &users).await);
    check(15, (requests.request(), 1..=12_usize), async |(mut request, size): (ListRequest, usize)| {
        request.filters.clear();
        check_all_pages(&admin, &USERS, &request, size, &users).await
    });
}
