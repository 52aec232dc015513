//! The one layer around everything: request ID, URL length, time, panics, the envelope of failures, CORS, what is
//! counted and what is logged. One function rather than a stack of layers, as every request pays for it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_request_with_state};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio::time::timeout;
use tracing::{Instrument as _, Span, debug, debug_span, info_span};

use crate::domain::Error;

use super::Failure;
use super::limits::{Limits, refuse, whole_body};
use super::metrics::Requests;
use super::render::{Envelope, Failed, log, plain};
use super::request_id::{X_REQUEST_ID, of as request_id_of};

struct Outer {
    envelopes: Vec<Envelope>,
    limits: Limits,
    requests: Requests,
}

/// The routes as they are served: unknown paths and methods are failures like others, bodies are read whole, and
/// failures come in the envelope of the API whose path it is.
pub fn wrap(routes: Router, envelopes: Vec<Envelope>, limits: Limits) -> Router {
    let outer = Arc::new(Outer { envelopes, limits, requests: Requests::default() });
    // Set after the layer that reads bodies, the fallbacks stay outside of it: 404 and 405 come before 413.
    routes
        .layer(map_request_with_state(limits, whole_body))
        .fallback(no_route)
        .method_not_allowed_fallback(async |request: Request| refuse(request, Error::MethodNotAllowed))
        .layer(from_fn_with_state(outer, pass))
}

async fn no_route(request: Request) -> Failure {
    let path = request.uri().path().to_owned();
    refuse(request, Error::RouteNotFound(path))
}

async fn pass(State(outer): State<Arc<Outer>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id_of(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let envelope = outer.envelopes.iter().find(|envelope| envelope.covers(uri.path()));

    let mut response = match (&method, envelope) {
        (&Method::OPTIONS, Some(_)) => preflight(),
        _ => outer.answer(request, next).instrument(span(&method, &request_id)).await,
    };
    if let Some(error) = Failure::carried_by(&response) {
        response = envelope.map_or(plain as fn(&Error) -> Response, |own| own.render)(&error);
        let (status, request_id) = (response.status().as_u16(), text(&request_id));
        log(&error, &Failed { method: method.as_str(), path: uri.path(), status, request_id });
    }
    if envelope.is_some() {
        allow_any_origin(response.headers_mut());
    }
    let (took, status) = (started.elapsed(), response.status());
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    outer.requests.record(route, &method, status, took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    debug!(%method, path = uri.path(), status = status.as_u16(), micros, request_id = text(&request_id), "request");
    response.headers_mut().insert(X_REQUEST_ID, request_id);
    response
}

impl Outer {
    async fn answer(&self, request: Request, next: Next) -> Response {
        if request.uri().path_and_query().is_some_and(|url| url.as_str().len() > self.limits.url_bytes) {
            return refuse(request, Error::UriTooLong).into_response();
        }
        let reads = request.method().is_safe();
        let answer = timeout(self.limits.answer_time, next.run(request));
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                let late = format!("no answer within {} s", self.limits.answer_time.as_secs());
                // A write that has begun is ended without us.
                let error = if reads { Error::Unavailable(late) } else { Error::OutcomeUnknown(late) };
                Failure(error).into_response()
            }
            Err(panic) => Failure(Error::internal(anyhow::anyhow!("panic: {}", message(&*panic)))).into_response(),
        }
    }
}

/// What the handler logs stands under the request's ID. Reads log next to nothing and are spared the price of it.
fn span(method: &Method, request_id: &HeaderValue) -> Span {
    match method.is_safe() {
        true => debug_span!("request", id = text(request_id)),
        false => info_span!("request", id = text(request_id)),
    }
}

fn text(request_id: &HeaderValue) -> &str {
    request_id.to_str().unwrap_or_default()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// Browsers may call every API from anywhere: rights come with the token, never with a cookie
/// (docs/ordercloud.md, section 1).
fn allow_any_origin(headers: &mut HeaderMap) {
    const EXPOSED: HeaderValue = HeaderValue::from_static("Location, Link, X-Total-Count, X-Request-ID");
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

fn preflight() -> Response {
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, accept"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::header::ALLOW;
    use axum::routing::{get, post};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    fn app() -> Router {
        let limits =
            Limits { url_bytes: 100, body_bytes: 10, answer_time: Duration::from_millis(20), ..Limits::default() };
        let routes = Router::new()
            .route("/api/ok", get(async || "ok").post(async || "posted"))
            .route("/api/refused", get(async || Failure(Error::Unauthenticated)))
            .route("/api/panic", get(async || -> &'static str { panic!("on purpose") }))
            .route("/api/stuck", get(std::future::pending::<()>).post(std::future::pending::<()>))
            .route("/plain", post(async || "ok"));
        let render = |error: &Error| (StatusCode::IM_A_TEAPOT, error.to_string()).into_response();
        wrap(routes, vec![Envelope { prefixes: &["/api"], render }], limits)
    }

    async fn ask(method: &str, uri: &str, body: &'static str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder().method(method).uri(uri).body(Body::from(body)).unwrap();
        let (head, body) = app().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn failures_come_in_the_envelope_of_their_path() {
        for (method, uri, text) in [
            ("GET", "/api/refused", "no valid token"),
            ("GET", "/api/nothing", "no such route: /api/nothing"),
            ("PUT", "/api/ok", "method not allowed"),
            ("GET", "/api/panic", "internal: panic: on purpose"),
            ("GET", "/api/stuck", "unavailable: no answer within 0 s"),
            ("POST", "/api/stuck", "the outcome is unknown: no answer within 0 s"),
        ] {
            let (status, headers, body) = ask(method, uri, "").await;
            assert_eq!((status, body.as_str()), (StatusCode::IM_A_TEAPOT, text), "{method} {uri}");
            assert!(headers.contains_key(X_REQUEST_ID));
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        }
        for (method, uri, status) in [("GET", "/nothing", 404), ("GET", "/plain", 405), ("GET", "/apix", 404)] {
            let (given, headers, _) = ask(method, uri, "").await;
            assert_eq!(given.as_u16(), status, "{method} {uri}");
            assert!(headers.contains_key(X_REQUEST_ID) && !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }

    #[tokio::test]
    async fn route_and_method_come_before_size() {
        let large = "0123456789a";
        assert_eq!(ask("POST", "/api/ok", large).await.2, "the request body is over the limit");
        assert_eq!(ask("PUT", "/api/ok", large).await.2, "method not allowed");
        assert_eq!(ask("POST", "/api/nothing", large).await.2, "no such route: /api/nothing");
        assert_eq!(ask("POST", "/plain", large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(ask("POST", "/api/ok", "0123456789").await.2, "posted");
    }

    #[tokio::test]
    async fn a_refused_method_is_told_the_allowed_ones() {
        assert_eq!(ask("PUT", "/api/ok", "").await.1[ALLOW], "GET,HEAD,POST");
        let (status, headers, body) = ask("HEAD", "/api/ok", "").await;
        assert_eq!((status, body.as_str(), &headers["content-length"]), (StatusCode::OK, "", &"2".parse().unwrap()));
    }

    #[tokio::test]
    async fn long_urls_are_refused() {
        let of_length = |length: usize| format!("/api/ok?{}", "x".repeat(length - 8));
        assert_eq!(ask("GET", &of_length(100), "").await.2, "ok");
        assert_eq!(ask("GET", &of_length(101), "").await.2, "the URL is over the limit");
    }

    #[tokio::test]
    async fn browsers_are_let_in_where_there_is_an_api() {
        let (status, headers, _) = ask("OPTIONS", "/api/ok", "").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "authorization, content-type, accept");
        let (status, headers, _) = ask("OPTIONS", "/plain", "").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}
