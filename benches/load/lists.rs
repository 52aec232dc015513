//! How long the server works on one request: around the router, so with everything but the connection.

use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::request::get;
use super::support::{Directory, generate};

/// Not counted: until every statement is prepared on every thread and what is read is in memory.
const WARM_UP: usize = 30;
const RUNS: usize = 200;
/// Slow questions are asked less often: warm-up and runs each take about so long at most.
const PATIENCE: Duration = Duration::from_secs(2);

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
    pub median: Duration,
    pub p99: Duration,
}

/// The questions: those with an aim, then those asked for information.
pub fn questions(groups: usize) -> Vec<Question> {
    let shared = generate::SHARED_BY as u64;
    let codename = generate::codename(groups / 3, groups);
    let aimed = |name, query: &str, matches, aim| Question {
        name,
        uri: format!("/v1/usergroups{query}"),
        matches,
        aim: Some(Duration::from_millis(aim)),
    };
    let told = |name, query: &str| Question { name, uri: format!("/v1/usergroups{query}"), matches: None, aim: None };
    let core = |name, path: &str| Question {
        name,
        uri: format!("/api/admin/v1/users-groups{path}"),
        matches: None,
        aim: None,
    };
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
        core("Core: first page", "/list"),
        core("Core: page 5000", "/list?page=5000"),
        core("Core: all of them", "/list-all"),
    ]
}

impl Question {
    /// Asks it again and again.
    pub async fn time(&self, app: &Router, directory: &Directory) -> anyhow::Result<Timed> {
        let (mut matches, mut took, started) = (0, Vec::new(), Instant::now());
        for run in 0..WARM_UP + RUNS {
            let (time, found) = self.ask(app, directory).await?;
            ensure!(self.matches.is_none_or(|expected| expected == found), "{} finds {found}", self.name);
            matches = found;
            if run >= WARM_UP || started.elapsed() > PATIENCE {
                took.push(time);
            }
            if !took.is_empty() && started.elapsed() > 2 * PATIENCE {
                break;
            }
        }
        took.sort_unstable();
        let at = |of_100: usize| took[took.len() * of_100 / 100];
        Ok(Timed { matches, median: at(50), p99: at(99) })
    }

    async fn ask(&self, app: &Router, directory: &Directory) -> anyhow::Result<(Duration, u64)> {
        let (app, request) = (app.clone(), get(directory, &self.uri));
        let answer = tokio::spawn(async move {
            let started = Instant::now();
            let response = app.oneshot(request).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok((started.elapsed(), head, body))
        });
        let (took, head, body) = answer.await??;
        ensure!(head.status == StatusCode::OK, "{}: {}", self.uri, String::from_utf8_lossy(&body));
        Ok((took, found(&head.headers, &body)?))
    }
}

/// How many things the answer tells of: OrderCloud in its envelope, Core in a header or by sending all.
fn found(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<u64> {
    if let Some(total) = headers.get("x-total-count") {
        return Ok(total.to_str()?.parse()?);
    }
    let body: Value = serde_json::from_slice(body)?;
    let total = body["Meta"]["TotalCount"].as_u64();
    Ok(total.or(body.as_array().map(|all| all.len() as u64)).unwrap_or_default())
}
