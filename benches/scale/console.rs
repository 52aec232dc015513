//! Pages of the console, as somebody who is signed in and sees everything asks for them.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use rollbook::domain::caller::{Caller, Permit, WriteUsers};
use rollbook::domain::id::Id;
use rollbook::domain::journal::Channel;
use rollbook::domain::role::Roles;
use rollbook::service::users::UserDraft;

use super::list_cases::uri;
use super::people::{self, BUSY, EVERYBODY};
use super::report::{Goal, Row, Section};
use super::support::generate;
use super::target::{Target, millis};
use super::timing::{Effort, Response, percentiles, respond};

/// The administrator, whose password is worthless outside of a run.
const USERNAME: &str = "console-of-the-benchmark";
const PASSWORD: &str = "Passw0rd!!x";
/// The goal for the median of a page, in milliseconds (docs/console.md).
const PAGE_MILLIS: f64 = 5.0;

/// Measures the pages. The note of a row has the length of the page as it is sent.
pub(crate) async fn measure(large: &Target, small: &Target) -> anyhow::Result<Section> {
    let (visitor, other) = (Visitor::sign_in(large).await?, Visitor::sign_in(small).await?);
    let mut rows = Vec::new();
    for (what, path) in pages(&visitor).await? {
        let (median, p99, bytes) = match visitor.time(&path).await {
            Ok(measured) => measured,
            Err(error) => {
                rows.push(Row::failed(what, &error).goal(Goal::Under(PAGE_MILLIS)));
                continue;
            }
        };
        let kilobytes = bytes as f64 / 1_000.0;
        let row = Row::new(what, median).p99(p99).goal(Goal::Under(PAGE_MILLIS)).note(format!("{kilobytes:.1} KB"));
        rows.push(match other.time(&path).await {
            Ok((baseline, ..)) => row.baseline(baseline),
            Err(_) => row,
        });
    }
    Ok(Section::new("The console", "median ms", "1,000 groups", rows))
}

/// The pages, by what they show.
async fn pages(visitor: &Visitor<'_>) -> anyhow::Result<Vec<(&'static str, String)>> {
    let everybody = visitor.number("groups", &generate::id(EVERYBODY)).await?;
    let busy = visitor.number("users", &people::id(BUSY)).await?;
    let group = format!("/console/groups/{everybody}");
    let user = format!("/console/users/{busy}");
    Ok(vec![
        ("groups", "/console/groups".to_owned()),
        ("groups, the latest changed first", uri("/console/groups", &[("sort", "-updated")])),
        ("groups, most members first", uri("/console/groups", &[("sort", "-memberCount")])),
        ("overview of the largest group", group.clone()),
        ("members of the largest group", format!("{group}/members")),
        ("members, the latest first", uri(&format!("{group}/members"), &[("sort", "-since")])),
        ("history of the largest group", format!("{group}/history")),
        ("users", "/console/users".to_owned()),
        ("users by last name", uri("/console/users", &[("sort", "lastName")])),
        ("groups of the user in the most", user.clone()),
        ("history of that user", format!("{user}/history")),
        ("changes", "/console/changes".to_owned()),
        ("deleted groups", "/console/deleted".to_owned()),
        ("clients", "/console/clients".to_owned()),
        ("system", "/console/system".to_owned()),
    ])
}

/// Somebody who is signed in.
struct Visitor<'a> {
    target: &'a Target,
    cookie: String,
}

impl<'a> Visitor<'a> {
    /// Signs in as the administrator, whom it creates if there is none.
    async fn sign_in(target: &'a Target) -> anyhow::Result<Self> {
        let permit: Permit<WriteUsers> = Arc::new(Caller::operator(Channel::CommandLine)).permit()?;
        let service = &target.directory.service;
        let id = Id::new(USERNAME).context("the username is an ID, too")?;
        if service.user(&Arc::new(Caller::operator(Channel::CommandLine)).permit()?, &id).await.is_err() {
            service.create_user(&permit, administrator(id.clone())).await?;
            service.set_user_roles(&permit, id, Roles::FULL_ACCESS).await?;
        }
        let form = format!("username={USERNAME}&password={}&to=/console/", PASSWORD.replace('!', "%21"));
        let request = Request::post("/console/sign-in")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form))?;
        let response = respond(&target.app, request).await?;
        let cookie = response.headers.get(header::SET_COOKIE).context("the sign-in sets no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { target, cookie })
    }

    async fn get(&self, path: &str) -> anyhow::Result<Response> {
        let request = Request::get(path)
            .header(header::HOST, "localhost")
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_ENCODING, "gzip")
            .body(Body::empty())?;
        let response = respond(&self.target.app, request).await?;
        ensure!(response.status == StatusCode::OK, "{path}: {}", response.status);
        Ok(response)
    }

    /// The number of a group or user with the ID.
    async fn number(&self, kind: &str, id: &str) -> anyhow::Result<i64> {
        let path = format!("/rollbook/v1/{kind}/{id}");
        let response = respond(&self.target.app, super::request::get(&self.target.directory, &path)).await?;
        let entity: serde_json::Value = serde_json::from_slice(&response.body)?;
        entity["uid"].as_i64().with_context(|| format!("{path} has no number"))
    }

    /// The median and the 99th percentile of the page, in milliseconds, and its length in bytes as it is sent.
    async fn time(&self, path: &str) -> anyhow::Result<(f64, f64, usize)> {
        let Effort { warm_up, runs, time_limit } = Effort::FULL;
        let (mut took, mut bytes, started) = (Vec::new(), 0, Instant::now());
        for run in 0..warm_up + runs {
            let response = self.get(path).await?;
            bytes = response.body.len();
            if run >= warm_up || started.elapsed() > time_limit {
                took.push(response.took);
            }
            if !took.is_empty() && started.elapsed() > 2 * time_limit {
                break;
            }
        }
        let (median, p99) = percentiles(&mut took);
        Ok((millis(median), millis(p99), bytes))
    }
}

fn administrator(id: Id) -> UserDraft {
    UserDraft {
        username: id.to_string(),
        id: Some(id),
        password: Some(PASSWORD.to_owned().into()),
        first_name: "Console".to_owned(),
        last_name: "Benchmark".to_owned(),
        email: "console@localhost".to_owned(),
        phone: None,
        terms_accepted: None,
        active: true,
        xp: None,
    }
}
