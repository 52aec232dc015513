//! How long the server works on one request: around the router, so with everything but the connection.

use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::Router;
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::support::{Directory, generate};

/// Not counted: until every statement is prepared on every thread and what is read is in memory.
const WARM_UP: usize = 30;
const RUNS: usize = 200;
/// Questions that take longer are asked less often.
const PATIENCE: Duration = Duration::from_secs(4);

/// A question to the list of groups.
pub struct Question {
    pub name: &'static str,
    uri: String,
    /// How many groups it must find.
    matches: Option<u64>,
    /// The aim for the median.
    pub aim: Option<Duration>,
}

/// What came of it.
pub struct Timed {
    pub matches: u64,
    pub runs: usize,
    pub median: Duration,
    pub p99: Duration,
}

/// The questions: those with an aim, then those asked for information.
pub fn questions(groups: usize) -> Vec<Question> {
    let shared = generate::SHARED_BY as u64;
    let codename = generate::codename(groups / 3, groups);
    let aimed = |name, query: &str, matches, aim| {
        Question { name, uri: format!("/v1/usergroups{query}"), matches, aim: Some(Duration::from_millis(aim)) }
    };
    let told = |name, query: &str| Question { name, uri: format!("/v1/usergroups{query}"), matches: None, aim: None };
    vec![
        aimed("first page of the default list", "", None, 1),
        aimed("search that matches 10", &format!("?search={codename}"), Some(shared), 5),
        aimed("xp filter that matches 10", &format!("?xp.Project={codename}"), Some(shared), 5),
        told("search of one character", "?search=x"),
        told("search of two characters", "?search=%C5%82%C3%B3"),
        told("search that matches many", "?search=berlin"),
        told("search that matches nothing", "?search=zzzzzz"),
        told("xp filter that matches many", "?xp.Site.Country=PL"),
        told("xp range that matches many", "?xp.Budget=%3E50000"),
        told("Name prefix", "?Name=Vertrieb*"),
        told("Description containing", "?Description=*forwards*"),
        told("two xp filters", "?xp.Site.Country=PL&xp.Floor=3"),
        told("sorted by ID", "?sortBy=ID"),
        told("sorted by xp", "?sortBy=!xp.Budget"),
        told("filtered and sorted by xp", "?xp.Site.City=Z%C3%BCrich&sortBy=xp.Budget"),
        told("page 500", "?page=500"),
        told("page 5000", "?page=5000"),
        told("page of 100", "?pageSize=100"),
    ]
}

/// Core's list of one page after a number, in the middle of all.
pub fn by_number(groups: usize) -> Question {
    let uri = format!("/Group/list?limit=20&lastID={}", groups / 2);
    Question { name: "Core: 20 after an ID", uri, matches: None, aim: None }
}

impl Question {
    /// Asks it again and again.
    pub async fn time(&self, app: &Router, directory: &Directory) -> anyhow::Result<Timed> {
        let mut matches = 0;
        for _ in 0..WARM_UP {
            matches = self.ask(app, directory).await?.1;
        }
        ensure!(self.matches.is_none_or(|expected| expected == matches), "{} finds {matches}", self.name);
        let (started, mut took) = (Instant::now(), Vec::new());
        while took.len() < RUNS && started.elapsed() < PATIENCE {
            took.push(self.ask(app, directory).await?.0);
        }
        took.sort_unstable();
        let at = |of_100: usize| took[took.len() * of_100 / 100];
        Ok(Timed { matches, runs: took.len(), median: at(50), p99: at(99) })
    }

    async fn ask(&self, app: &Router, directory: &Directory) -> anyhow::Result<(Duration, u64)> {
        let (app, request) = (app.clone(), directory.get(&self.uri));
        let answer = tokio::spawn(async move {
            let started = Instant::now();
            let response = app.oneshot(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            anyhow::Ok((started.elapsed(), status, body))
        });
        let (took, status, body) = answer.await??;
        ensure!(status == StatusCode::OK, "{}: {status} {}", self.uri, String::from_utf8_lossy(&body));
        let body: Value = serde_json::from_slice(&body)?;
        let total = body["Meta"]["TotalCount"].as_u64();
        Ok((took, total.unwrap_or_default()))
    }
}
