//! How long the server works on one request, measured at the router: everything but the connection.

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

/// How often a request is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// The warm-up, which is not counted: until every statement is prepared on every thread and data are cached.
    pub warm_up: usize,
    /// How many runs are measured.
    pub runs: usize,
    /// Slow requests are repeated less often: warm-up and runs take at most about this long each.
    pub time_limit: Duration,
}

impl Effort {
    /// The effort for a figure in a report.
    pub(crate) const FULL: Self = Self { warm_up: 30, runs: 200, time_limit: Duration::from_secs(2) };
}

/// The result of a measurement.
pub(crate) struct Timed {
    /// The number of entities it matched.
    pub matches: u64,
    /// The median of the runs.
    pub median: Duration,
    /// The 99th percentile of the runs.
    pub p99: Duration,
    /// How often the request was sent, warm-up included.
    pub measured: usize,
}

/// Repeats a list request, which must match `expected` entities.
pub(crate) async fn time(
    app: &Router,
    directory: &Directory,
    uri: &str,
    expected: Option<u64>,
    effort: Effort,
) -> anyhow::Result<Timed> {
    let (mut matches, mut measured, mut took, started) = (0, 0, Vec::new(), Instant::now());
    for run in 0..effort.warm_up + effort.runs {
        let respond = respond(app, get(directory, uri)).await?;
        ensure!(respond.status == StatusCode::OK, "{uri}: {}", String::from_utf8_lossy(&respond.body));
        matches = total_matches(&respond.headers, &respond.body)?;
        ensure!(expected.is_none_or(|expected| expected == matches), "{uri} finds {matches}");
        measured = run + 1;
        if run >= effort.warm_up || started.elapsed() > effort.time_limit {
            took.push(respond.took);
        }
        if !took.is_empty() && started.elapsed() > 2 * effort.time_limit {
            break;
        }
    }
    let (median, p99) = percentiles(&mut took);
    Ok(Timed { matches, median, p99, measured })
}

/// The 50th and the 99th percentile; zero if there are no values.
pub(crate) fn percentiles(took: &mut [Duration]) -> (Duration, Duration) {
    took.sort_unstable();
    let at = |of_100: usize| took.get(took.len() * of_100 / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

/// A complete response.
pub(crate) struct Response {
    /// The time until the body was read completely.
    pub took: Duration,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Handles the request on a thread of the server.
pub(crate) async fn respond(app: &Router, request: Request<Body>) -> anyhow::Result<Response> {
    let app = app.clone();
    let response = tokio::spawn(async move {
        let started = Instant::now();
        let (head, body) = app.oneshot(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        anyhow::Ok(Response { took: started.elapsed(), status: head.status, headers: head.headers, body })
    });
    response.await?
}

/// The total number of matches in the response: OrderCloud and Rollbook's own API have it in the body, Core in a header or
/// in the number of items.
fn total_matches(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<u64> {
    if let Some(total) = headers.get("x-total-count") {
        return Ok(total.to_str()?.parse()?);
    }
    let body: Value = serde_json::from_slice(body)?;
    let total = body["Meta"]["TotalCount"].as_u64().or(body["total"].as_u64());
    Ok(total.or(body.as_array().map(|all| all.len() as u64)).unwrap_or_default())
}
