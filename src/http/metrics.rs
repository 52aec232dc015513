//! `/metrics`, and the counters and histograms of HTTP requests.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, FORWARDED, VIA};
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use metrics::{Counter, Histogram, counter, histogram};
use metrics_exporter_prometheus::PrometheusHandle;
use tracing::info;

use crate::metric_names::{HTTP_LATENCY, HTTP_REQUESTS};

/// The route `/metrics`, which returns all metrics in the text format of Prometheus.
pub(crate) fn routes(recorder: PrometheusHandle) -> Router {
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Router::new().route("/metrics", get(async move || (content_type, recorder.render())))
}

/// Like [`routes`], but returns 403 to a request that came through a proxy. For the port of the APIs, where metrics are
/// for requests from this machine only.
pub(crate) fn local_routes(recorder: PrometheusHandle) -> Router {
    routes(recorder).layer(from_fn(refuse_forwarded))
}

async fn refuse_forwarded(request: Request, next: Next) -> Response {
    if request.headers().keys().any(is_proxy_header) {
        info!("a request for /metrics through a proxy was refused");
        let sentence = "Metrics are available on this machine only; see --metrics-listen.\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    next.run(request).await
}

/// Whether proxies add this header: `Forwarded` (RFC 7239), `Via` (RFC 9110, section 7.6.3), and the common headers
/// that are not standardized.
fn is_proxy_header(name: &HeaderName) -> bool {
    *name == FORWARDED || *name == VIA || name == "x-real-ip" || name.as_str().starts_with("x-forwarded-")
}

/// The metrics of requests, by route. The handles are cached, because a lookup by labels costs more than the rest of
/// the middleware.
#[derive(Default)]
pub(crate) struct RequestMetrics(RwLock<HashMap<Box<str>, RouteMetrics>>);

/// The metrics of one route, by method and status.
type RouteMetrics = HashMap<(&'static str, u16), Series>;

#[derive(Clone)]
struct Series {
    count: Counter,
    latency: Histogram,
}

impl Series {
    fn new(route: &str, method: &'static str, status: u16) -> Self {
        let (route, status) = (route.to_owned(), status.to_string());
        let count = counter!(HTTP_REQUESTS, "route" => route.clone(), "method" => method, "status" => status);
        Self { count, latency: histogram!(HTTP_LATENCY, "route" => route, "method" => method) }
    }

    fn record(&self, latency: Duration) {
        self.count.increment(1);
        self.latency.record(latency);
    }
}

impl RequestMetrics {
    /// Counts a request and records its latency. `route` is the template of the route, never a path, which bounds the
    /// number of series.
    pub(crate) fn record(&self, route: &str, method: &Method, status: StatusCode, latency: Duration) {
        let key = (label(method), status.as_u16());
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = routes.get(route).and_then(|series| series.get(&key)) {
            return series.record(latency);
        }
        drop(routes);
        let series = Series::new(route, key.0, key.1);
        series.record(latency);
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(route.into()).or_default().insert(key, series);
    }
}

/// The label of a method. Clients choose the method, so every unknown one gets the same label.
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
