//! `/metrics`, and what is counted of requests.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use metrics::{Counter, Histogram, counter, histogram};
use metrics_exporter_prometheus::PrometheusHandle;

/// How many requests were answered, by route, method and status.
pub const REQUESTS: &str = "rollbook_http_requests_total";
/// Seconds from a request's head to its answer's, by route and method.
pub const LATENCY: &str = "rollbook_http_request_seconds";

/// The route that serves what was measured so far, in Prometheus' text format.
pub fn routes(measured: PrometheusHandle) -> Router {
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Router::new().route("/metrics", get(async move || (content_type, measured.render())))
}

/// The series of requests. They are looked up once each, as a look-up by labels costs more than the rest of the
/// middleware together.
#[derive(Default)]
pub struct Requests(RwLock<HashMap<Box<str>, ByAnswer>>);

/// The series of one route, by method and status.
type ByAnswer = HashMap<(&'static str, u16), Series>;

#[derive(Clone)]
struct Series {
    answered: Counter,
    latency: Histogram,
}

impl Series {
    fn new(route: &str, method: &'static str, status: u16) -> Self {
        let (route, by_status) = (route.to_owned(), status.to_string());
        let answered = counter!(REQUESTS, "route" => route.clone(), "method" => method, "status" => by_status);
        Self { answered, latency: histogram!(LATENCY, "route" => route, "method" => method) }
    }

    fn record(&self, took: Duration) {
        self.answered.increment(1);
        self.latency.record(took);
    }
}

impl Requests {
    /// Counts a request that `route` (a template, never a path: there are few of them) answered after `took`.
    pub fn record(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let key = (label(method), status.as_u16());
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = routes.get(route).and_then(|known| known.get(&key)) {
            return series.record(took);
        }
        drop(routes);
        let series = Series::new(route, key.0, key.1);
        series.record(took);
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(route.into()).or_default().insert(key, series);
    }
}

/// Methods are the caller's words; only the known ones become labels.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
