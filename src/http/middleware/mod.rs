//! The outermost layer of all routes: request ID, check of the head, time limit, panics, rendering of errors, CORS,
//! metrics and log. It is one function and not a stack of layers, because every request passes it.

mod host;
mod request_id;

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, ETAG, HOST, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio::time::timeout;
use tower::{Service, layer::layer_fn};
use tracing::{Instrument as _, Span, debug, debug_span, info_span};

use crate::http::request::error::{DirectoryError, Error, RequestError};

use super::Failure;
use super::limits::Limits;
use super::metrics::RequestMetrics;
use super::request::bodies::refuse;
use super::request::handler::{Handler, ResponseFuture};
use super::response::envelope::{Envelope, FailedRequest, log, plain};
use host::has_one_host;
use request_id::{X_REQUEST_ID, request_id};

/// The extension of a request that replaces one whose head was refused.
#[derive(Clone)]
pub(crate) struct RefusedRequest(
    /// The reason for the refusal.
    pub RequestError,
);

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// A client may keep the response for itself, if it asks each time whether the tag is still current.
const REVALIDATED: HeaderValue = HeaderValue::from_static("private, no-cache");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The middleware around a handler.
#[derive(Clone)]
struct WithMiddleware<S> {
    middleware: Arc<Middleware>,
    handler: S,
}

impl<S: Handler> Service<Request> for WithMiddleware<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.handler.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> ResponseFuture {
        let (middleware, handler) = (Arc::clone(&self.middleware), self.handler.take());
        Box::pin(async move { Ok(middleware.handle(request, handler).await) })
    }
}

struct Middleware {
    envelopes: Vec<Envelope>,
    limits: Limits,
    metrics: RequestMetrics,
}

/// Wraps the routes in the middleware and adds the fallbacks for unknown paths and methods. An error is rendered in the
/// envelope of the API that the path belongs to, otherwise as plain text.
pub(crate) fn wrap(routes: Router, envelopes: Vec<Envelope>, limits: Limits) -> Router {
    let middleware = Arc::new(Middleware { envelopes, limits, metrics: RequestMetrics::default() });
    // The layers that read bodies do not wrap the fallbacks: 404 and 405 take precedence over 413.
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(async |request: Request| refuse(request, RequestError::MethodNotAllowed))
        .layer(layer_fn(move |handler| WithMiddleware { middleware: Arc::clone(&middleware), handler }))
}

async fn no_route(request: Request) -> Failure {
    let path = request.uri().path().to_owned();
    refuse(request, RequestError::RouteNotFound(path))
}

impl Middleware {
    async fn handle(&self, request: Request, handler: impl Handler) -> Response {
        let started = Instant::now();
        let request_id = request_id(request.headers());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let route = request.extensions().get::<MatchedPath>().cloned();
        let envelope = self.envelopes.iter().find(|envelope| envelope.covers(uri.path()));

        let mut response = match (&method, envelope) {
            _ if let Some(error) = self.check_head(&request) => refuse(request, error).into_response(),
            (&Method::OPTIONS, Some(Envelope { is_open_to_other_origins: true, .. })) => preflight(),
            _ => self.respond(request, handler).instrument(span(&method, &request_id)).await,
        };
        if let Some(error) = Failure::carried_by(&response) {
            response = envelope.map_or(plain as fn(&Error) -> Response, |envelope| envelope.render)(&error);
            let (status, request_id) = (response.status().as_u16(), text(&request_id));
            log(&error, &FailedRequest { method: method.as_str(), path: uri.path(), status, request_id });
        }
        if envelope.is_some_and(|envelope| envelope.is_open_to_other_origins) {
            allow_any_origin(response.headers_mut());
        }
        add_default_headers(response.headers_mut());
        let (latency, status) = (started.elapsed(), response.status());
        let route = route.as_ref().map_or("none", MatchedPath::as_str);
        self.metrics.record(route, &method, status, latency);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        debug!(%method, path = uri.path(), status = status.as_u16(), micros, request_id = text(&request_id), "request");
        response.headers_mut().insert(X_REQUEST_ID, request_id);
        response
    }

    /// Returns the error in the head of the request, if it has one.
    fn check_head(&self, request: &Request) -> Option<RequestError> {
        if let Some(RefusedRequest(error)) = request.extensions().get() {
            return Some(error.clone());
        }
        if request.uri().path_and_query().is_some_and(|url| url.as_str().len() > self.limits.url_bytes) {
            return Some(RequestError::UriTooLong);
        }
        let may_lack_host = request.version() < Version::HTTP_11 && !request.headers().contains_key(HOST);
        let host_is_valid = may_lack_host || has_one_host(request.headers());
        (!host_is_valid).then_some(RequestError::Malformed("The request must have one Host header, and a valid one."))
    }

    /// Runs the handler within the time limit. A panic becomes an internal error.
    async fn respond(&self, request: Request, mut handler: impl Handler) -> Response {
        let is_read = request.method().is_safe();
        let response = timeout(self.limits.response_time, handler.respond(request));
        match AssertUnwindSafe(response).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                let cause = format!("no response within {} s", self.limits.response_time.as_secs());
                // A write that the store has started may still be committed.
                let error = if is_read {
                    Error::Directory(DirectoryError::Unavailable(cause))
                } else {
                    Error::Directory(DirectoryError::OutcomeUnknown(cause))
                };
                Failure(error).into_response()
            }
            Err(panic) => Failure(Error::internal(anyhow::anyhow!("panic: {}", message(&*panic)))).into_response(),
        }
    }
}

/// The span that adds the request ID to the log lines of the handler. Reads log almost nothing, so their span has the
/// level debug, which saves its cost by default.
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

/// Allows requests from web pages of any origin: an API authenticates by token, never by cookie (docs/ordercloud.md,
/// section 1).
fn allow_any_origin(headers: &mut HeaderMap) {
    const EXPOSED: HeaderValue =
        HeaderValue::from_static("Location, Link, X-Total-Count, X-Request-ID, ETag, Idempotency-Replayed");
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Forbids caching unless the response allows it or has an entity tag, and forbids guessing the content type.
fn add_default_headers(headers: &mut HeaderMap) {
    let caching = if headers.contains_key(ETAG) { REVALIDATED } else { NO_STORE };
    headers.entry(CACHE_CONTROL).or_insert(caching);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
}

fn preflight() -> Response {
    const ALLOWED_HEADERS: &str = "authorization, content-type, accept, if-match, if-none-match, idempotency-key, \
                                   rollbook-reason, last-event-id";
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
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
    use crate::domain::error::SignInError;

    fn app() -> Router {
        let limits = Limits { url_bytes: 100, response_time: Duration::from_millis(20), ..Limits::default() };
        let routes = Router::new()
            .route("/api/ok", get(async || "ok").post(async || "posted"))
            .route(
                "/api/refused",
                get(async || Failure(Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)))),
            )
            .route("/api/panic", get(async || -> &'static str { panic!("on purpose") }))
            .route("/api/stuck", get(std::future::pending::<()>).post(std::future::pending::<()>))
            .route("/plain", post(async || "ok"));
        let render = |error: &Error| (StatusCode::IM_A_TEAPOT, error.to_string()).into_response();
        wrap(routes, vec![Envelope { prefixes: &["/api"], is_open_to_other_origins: true, render }], limits)
    }

    async fn send(method: &str, uri: &str, body: &'static str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder().method(method).uri(uri).header(HOST, "x").body(Body::from(body)).unwrap();
        let (head, body) = app().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn errors_are_rendered_in_the_envelope_of_their_path() {
        for (method, uri, text) in [
            ("GET", "/api/refused", "no valid token"),
            ("GET", "/api/nothing", "no such route: /api/nothing"),
            ("PUT", "/api/ok", "method not allowed"),
            ("GET", "/api/panic", "internal: panic: on purpose"),
            ("GET", "/api/stuck", "unavailable: no response within 0 s"),
            ("POST", "/api/stuck", "the outcome is unknown: no response within 0 s"),
        ] {
            let (status, headers, body) = send(method, uri, "").await;
            assert_eq!((status, body.as_str()), (StatusCode::IM_A_TEAPOT, text), "{method} {uri}");
            assert!(headers.contains_key(X_REQUEST_ID));
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        }
        for (method, uri, status) in [("GET", "/nothing", 404), ("GET", "/plain", 405), ("GET", "/apix", 404)] {
            let (given, headers, _) = send(method, uri, "").await;
            assert_eq!(given.as_u16(), status, "{method} {uri}");
            assert!(headers.contains_key(X_REQUEST_ID) && !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }

    #[tokio::test]
    async fn a_refused_method_gets_the_allowed_methods() {
        assert_eq!(send("PUT", "/api/ok", "").await.1[ALLOW], "GET,HEAD,POST");
        let (status, headers, body) = send("HEAD", "/api/ok", "").await;
        assert_eq!((status, body.as_str(), &headers["content-length"]), (StatusCode::OK, "", &"2".parse().unwrap()));
    }

    #[tokio::test]
    async fn long_urls_are_refused() {
        let of_length = |length: usize| format!("/api/ok?{}", "x".repeat(length - 8));
        assert_eq!(send("GET", &of_length(100), "").await.2, "ok");
        assert_eq!(send("GET", &of_length(101), "").await.2, "the URL is over the limit");
    }

    #[tokio::test]
    async fn cross_origin_requests_are_allowed_for_apis_only() {
        let (status, headers, _) = send("OPTIONS", "/api/ok", "").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(headers[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().starts_with("authorization, "));
        let (status, headers, _) = send("OPTIONS", "/plain", "").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}
