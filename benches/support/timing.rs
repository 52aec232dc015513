//! How long the server works on one request: around the router, so with everything but the connection.

use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::request::get;
use super::support::Directory;

/// How often a question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Not counted: until every statement is prepared on every thread and what is read is in memory.
    pub warm_up: usize,
    pub runs: usize,
    /// Slow questions are asked less often: warm-up and runs each take about so long at most.
    pub patience: Duration,
}

impl Effort {
    /// What a figure of its own deserves.
    pub const FULL: Self = Self { warm_up: 30, runs: 200, patience: Duration::from_secs(2) };
}

/// What came of it.
pub struct Timed {
    /// How many things it found.
    pub matches: u64,
    pub median: Duration,
    pub p99: Duration,
    /// How often it was asked, warm-up included.
    pub asked: usize,
}

/// Asks for a list again and again, which must find `expected` things.
pub async fn time(
    app: &Router,
    directory: &Directory,
    uri: &str,
    expected: Option<u64>,
    effort: Effort,
) -> anyhow::Result<Timed> {
    let (mut matches, mut asked, mut took, started) = (0, 0, Vec::new(), Instant::now());
    for run in 0..effort.warm_up + effort.runs {
        let answer = answer(app, get(directory, uri)).await?;
        ensure!(answer.status == StatusCode::OK, "{uri}: {}", String::from_utf8_lossy(&answer.body));
        matches = found(&answer.headers, &answer.body)?;
        ensure!(expected.is_none_or(|expected| expected == matches), "{uri} finds {matches}");
        asked = run + 1;
        if run >= effort.warm_up || started.elapsed() > effort.patience {
            took.push(answer.took);
        }
        if !took.is_empty() && started.elapsed() > 2 * effort.patience {
            break;
        }
    }
    let (median, p99) = percentiles(&mut took);
    Ok(Timed { matches, median, p99, asked })
}

/// Half took at most so long, and 99 of 100; zero where there are none.
pub fn percentiles(took: &mut [Duration]) -> (Duration, Duration) {
    took.sort_unstable();
    let at = |of_100: usize| took.get(took.len() * of_100 / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

/// An answer, read whole.
pub struct Answer {
    pub took: Duration,
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Bytes,
}

/// Has the request answered on a thread of the server.
pub async fn answer(app: &Router, request: Request<Body>) -> anyhow::Result<Answer> {
    let app = app.clone();
    let answered = tokio::spawn(async move {
        let started = Instant::now();
        let (head, body) = app.oneshot(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        anyhow::Ok(Answer { took: started.elapsed(), status: head.status, headers: head.headers, body })
    });
    answered.await?
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
