//! Reads request bodies completely before the handler runs, within a limit per body and a limit for all bodies.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::available_parallelism;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::future::Either;
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::http::request::error::{DirectoryError, Error, RequestError, Result};

use crate::http::Failure;
use crate::http::limits::{LINGER_TIME, Limits};
use crate::http::request::handler::{Handler, ResponseFuture};
use crate::http::request::idempotency::{IDEMPOTENCY_KEY, RawBody};

/// The length in bytes above which a body is processed on a blocking thread. JSON of any shape up to this length is
/// parsed and freed within a millisecond. Only `\u` escapes or white space make the JSON of an entity longer.
const LARGE_BODY_BYTES: usize = 16 * 1024;

/// The maximum memory that a parsed body takes, as a multiple of its length. The worst case is `[0,0,...]`, where every
/// two bytes become a value. The measured factor was 20 to 40, and 60 with the overhead of the allocator. Bodies of lists,
/// which may be longer, are read into at most 100,000 keys and never become such values.
const PARSED_SIZE_FACTOR: usize = 64;

/// Checks the token of a request.
pub(crate) trait Authenticator: Clone + Send + Sync + 'static {
    /// Fails with `Unauthenticated` or `TokenRevoked` if the headers have no valid token.
    fn authenticate(&self, headers: &HeaderMap) -> impl Future<Output = Result<()>> + Send;
}

/// The limits that the bodies of all APIs share.
#[derive(Clone)]
pub(crate) struct BodyBudget {
    limits: Limits,
    /// One permit per byte of the budget that is free.
    budget: Arc<Semaphore>,
    /// One permit per free thread for requests with large bodies.
    threads: Arc<Semaphore>,
}

impl BodyBudget {
    /// Creates a budget that is completely free.
    pub(crate) fn new(limits: Limits) -> Self {
        let threads = threads(available_parallelism().map_or(1, usize::from), &limits);
        let budget = limits.body_budget.min(Semaphore::MAX_PERMITS);
        Self { limits, budget: Arc::new(Semaphore::new(budget)), threads: Arc::new(Semaphore::new(threads)) }
    }
}

/// The number of threads for requests with large bodies: one per core, but at most as many as can each hold a parsed
/// body within the size of the budget. So parsed large bodies take at most as much memory as the budget again.
fn threads(cores: usize, limits: &Limits) -> usize {
    let parsed = limits.body_bytes.saturating_mul(PARSED_SIZE_FACTOR).max(1);
    cores.min(limits.body_budget / parsed).max(1)
}

/// The layer that reads the bodies of one API.
#[derive(Clone)]
pub(crate) struct BodyLayer<A> {
    /// The limits shared with other APIs.
    pub shared: BodyBudget,
    /// Checks the token before more than [`Limits::anonymous_bytes`] are read.
    pub authenticator: A,
    /// The route of the sign-in, whose clients have no token yet.
    pub sign_in: Option<&'static str>,
    /// The routes with bodies up to [`Limits::large_body_bytes`].
    pub large_bodies: &'static [&'static str],
}

impl<A: Authenticator, S> Layer<S> for BodyLayer<A> {
    type Service = WholeBody<A, S>;

    fn layer(&self, handler: S) -> WholeBody<A, S> {
        WholeBody { bodies: Arc::new(self.clone()), handler }
    }
}

/// Reads the whole body before the handler runs. As a layer around the handlers of a route, it runs after the checks of
/// route and method and before the check of the caller, which is the order of checks (docs/ordercloud.md, section 9).
/// Only a body longer than [`Limits::anonymous_bytes`] needs a valid token before the rest of it is read.
///
/// Fails with `TooLarge` (immediately if the declared length is over the limit), with `InvalidBody` if the body is
/// incomplete or does not arrive in time, with `Unauthenticated` or `TokenRevoked`, and with `Unavailable` if the
/// budget is exhausted.
#[derive(Clone)]
pub(crate) struct WholeBody<A, S> {
    bodies: Arc<BodyLayer<A>>,
    handler: S,
}

impl<A: Authenticator, S: Handler> Service<Request> for WholeBody<A, S> {
    type Response = Response;
    type Error = Infallible;
    /// A request without a body needs no boxed future.
    type Future = Either<S::Future, ResponseFuture>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.handler.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.body().is_end_stream() {
            return Either::Left(self.handler.call(request));
        }
        let (bodies, handler) = (Arc::clone(&self.bodies), self.handler.take());
        Either::Right(Box::pin(async move { Ok(bodies.respond(request, handler).await) }))
    }
}

/// Runs the handler, and releases the body's permits after it returned: until then the parsed body is in memory.
async fn respond(request: Request, mut handler: impl Handler, _permits: OwnedSemaphorePermit) -> Response {
    handler.respond(request).await
}

impl BodyBudget {
    /// Like [`respond`], but on a blocking thread, for which it waits: parsing, checking and freeing a large body would
    /// delay the other requests on a runtime thread.
    async fn respond_on_blocking_thread(
        &self,
        request: Request,
        handler: impl Handler,
        permits: OwnedSemaphorePermit,
    ) -> Response {
        let Ok(thread) = Arc::clone(&self.threads).acquire_owned().await else {
            return Failure::from(DirectoryError::Unavailable("the server is stopping".to_owned())).into_response();
        };
        let (runtime, response) = (Handle::current(), respond(request, handler, permits).in_current_span());
        let result = spawn_blocking(move || {
            let _thread = thread;
            runtime.block_on(response)
        });
        match result.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(response) => response,
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(cancelled)) => Failure(Error::internal(cancelled)).into_response(),
        }
    }
}

impl<A: Authenticator> BodyLayer<A> {
    async fn respond(&self, request: Request, handler: impl Handler) -> Response {
        let (mut parts, mut body) = request.into_parts();
        match self.read(&parts, &mut body).await {
            Ok(Buffer { bytes, permits, .. }) => {
                let (large, bytes) = (bytes.len() > LARGE_BODY_BYTES, Bytes::from(bytes));
                if parts.headers.contains_key(IDEMPOTENCY_KEY) {
                    let is_list = self.takes_list(route(&parts));
                    parts.extensions.insert(RawBody { bytes: bytes.clone(), is_list });
                }
                let request = Request::from_parts(parts, bytes.into());
                if large {
                    self.shared.respond_on_blocking_thread(request, handler, permits).await
                } else {
                    respond(request, handler, permits).await
                }
            }
            Err(error) => refuse(Request::from_parts(parts, body), error).into_response(),
        }
    }

    fn takes_list(&self, route: Option<&str>) -> bool {
        route.is_some_and(|route| self.large_bodies.contains(&route))
    }

    async fn read(&self, parts: &Parts, body: &mut Body) -> Result<Buffer> {
        let limits = &self.shared.limits;
        let route = route(parts);
        let max_bytes = match route {
            Some(_) if self.sign_in == route => limits.anonymous_bytes,
            _ if self.takes_list(route) => limits.large_body_bytes,
            _ => limits.body_bytes,
        };
        match timeout(limits.body_time, self.collect(parts, body, max_bytes)).await {
            Ok(read) => read,
            Err(_) => {
                Err(RequestError::InvalidBody(format!("the body took more than {} s", limits.body_time.as_secs()))
                    .into())
            }
        }
    }

    async fn collect(&self, parts: &Parts, body: &mut Body, max_bytes: usize) -> Result<Buffer> {
        let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut buffer = Buffer::new(body.size_hint().exact().map_or(max_bytes, |_| declared), &self.shared.budget)?;
        let (mut anonymous, mut arrived) = (true, Bytes::new());
        loop {
            let length = declared.max(buffer.bytes.len() + arrived.len());
            if length > max_bytes {
                return Err(RequestError::TooLarge.into());
            }
            if anonymous && length > self.shared.limits.anonymous_bytes {
                self.authenticator.authenticate(&parts.headers).await?;
                anonymous = false;
            }
            buffer.append(&arrived, &self.shared.budget)?;
            let Some(frame) = body.frame().await else { return Ok(buffer) };
            let frame = frame.map_err(|_| RequestError::InvalidBody("the body broke off".to_owned()))?;
            arrived = frame.into_data().unwrap_or_default();
        }
    }
}

/// The route of a request, as the router names it.
fn route(parts: &Parts) -> Option<&str> {
    parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

/// The received part of a body, and its permits of the budget: one per byte of its capacity. The capacity is at most
/// twice the length, no matter how small the chunks were.
struct Buffer {
    bytes: Vec<u8>,
    /// The maximum length of the body.
    max_bytes: usize,
    permits: OwnedSemaphorePermit,
}

impl Buffer {
    fn new(max_bytes: usize, budget: &Arc<Semaphore>) -> Result<Self> {
        Ok(Self { bytes: Vec::new(), max_bytes, permits: acquire(budget, 0)? })
    }

    fn append(&mut self, data: &[u8], budget: &Arc<Semaphore>) -> Result<()> {
        let (length, capacity) = (self.bytes.len() + data.len(), self.permits.num_permits());
        if length > capacity {
            let wanted = length.max(self.max_bytes.min(2 * capacity));
            self.permits.merge(acquire(budget, wanted - capacity)?);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

fn acquire(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit> {
    let bytes = u32::try_from(bytes).map_err(|_| RequestError::TooLarge)?;
    let exhausted =
        |_| Error::Directory(DirectoryError::Unavailable("the budget of --body-budget-mib is exhausted".to_owned()));
    Arc::clone(budget).try_acquire_many_owned(bytes).map_err(exhausted)
}

/// Refuses a request whose body was not read. The rest of the body is read and dropped for [`LINGER_TIME`]: if the
/// connection were closed with unread bytes, it would be reset, and the client would lose the response.
pub(crate) fn refuse(request: Request, error: impl Into<Error>) -> Failure {
    // A client that expects `100 Continue` sends no body until it gets one, and reading would make hyper send it.
    let sending = !request.body().is_end_stream() && !request.headers().contains_key(EXPECT);
    if sending {
        let mut body = request.into_body();
        tokio::spawn(timeout(LINGER_TIME, async move { while let Some(Ok(_)) = body.frame().await {} }));
    }
    Failure::from(error)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::http::header::AUTHORIZATION;
    use axum::routing::post;
    use futures_util::{FutureExt as _, stream};
    use tower::ServiceExt as _;

    use super::*;
    use crate::domain::error::SignInError;

    /// Accepts any token.
    #[derive(Clone)]
    struct AnyToken;

    impl Authenticator for AnyToken {
        async fn authenticate(&self, headers: &HeaderMap) -> Result<()> {
            headers
                .contains_key(AUTHORIZATION)
                .then_some(())
                .ok_or(Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)))
        }
    }

    fn shared() -> BodyBudget {
        let body_time = Duration::from_millis(20);
        BodyBudget::new(Limits { body_bytes: 10, anonymous_bytes: 5, body_budget: 25, body_time, ..Limits::default() })
    }

    /// `/` and `/sign-in` return the body, `/stuck` never responds, `/panic` panics.
    fn app(shared: BodyBudget) -> Router {
        let echo = post(async |body: Bytes| String::from_utf8_lossy(&body).into_owned());
        let bodies =
            BodyLayer { shared, authenticator: AnyToken, sign_in: Some("/sign-in"), large_bodies: &["/large"] };
        Router::new()
            .route("/", echo.clone())
            .route("/sign-in", echo)
            .route("/stuck", post(std::future::pending::<()>))
            .route("/panic", post(async || -> &'static str { panic!("on purpose") }))
            .layer(bodies)
    }

    async fn send(app: Router, path: &str, token: bool, body: Body) -> Result<String, Arc<Error>> {
        let request = Request::post(path);
        let request = if token { request.header(AUTHORIZATION, "Bearer t") } else { request };
        let response = app.oneshot(request.body(body).unwrap()).await.unwrap();
        match Failure::carried_by(&response) {
            Some(error) => Err(error),
            None => {
                assert_eq!(response.status(), StatusCode::OK);
                let bytes = response.into_body().collect().await.unwrap().to_bytes();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }

    async fn send_to_root(body: Body) -> Result<String, Arc<Error>> {
        send(app(shared()), "/", true, body).await
    }

    fn chunked(chunks: &[&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks.iter().map(|chunk| Ok::<_, Infallible>(*chunk)).collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn bodies_are_read_completely() {
        assert_eq!(send_to_root(Body::empty()).await.unwrap(), "");
        assert_eq!(send_to_root(Body::from("0123456789")).await.unwrap(), "0123456789");
        assert_eq!(send_to_root(chunked(&["01234", "56789"])).await.unwrap(), "0123456789");
    }

    #[tokio::test]
    async fn too_large_bodies_are_refused_by_declared_or_received_length() {
        for body in [Body::from("0123456789a"), chunked(&["01234", "56789", "a"])] {
            assert!(matches!(*send_to_root(body).await.unwrap_err(), Error::Request(RequestError::TooLarge)));
        }
    }

    #[tokio::test]
    async fn a_body_over_the_anonymous_limit_needs_a_token() {
        let anonymous = async |path: &str, body: Body| send(app(shared()), path, false, body).await;
        assert_eq!(anonymous("/", Body::from("01234")).await.unwrap(), "01234");
        assert_eq!(anonymous("/sign-in", chunked(&["012", "34"])).await.unwrap(), "01234");
        for body in [Body::from("012345"), chunked(&["01234", "5"])] {
            assert!(matches!(
                *anonymous("/", body).await.unwrap_err(),
                Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated))
            ));
        }
        for body in [Body::from("012345"), chunked(&["01234", "5"])] {
            assert!(matches!(
                *send(app(shared()), "/sign-in", true, body).await.unwrap_err(),
                Error::Request(RequestError::TooLarge)
            ));
        }
        assert!(matches!(
            *anonymous("/", Body::from("0123456789a")).await.unwrap_err(),
            Error::Request(RequestError::TooLarge)
        ));
    }

    #[tokio::test]
    async fn incomplete_bodies_are_refused() {
        let stuck = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert!(matches!(*send_to_root(stuck).await.unwrap_err(), Error::Request(RequestError::InvalidBody(_))));
        let broken = Body::from_stream(stream::iter([Ok("a"), Err(std::io::Error::other("reset"))]));
        assert!(matches!(*send_to_root(broken).await.unwrap_err(), Error::Request(RequestError::InvalidBody(_))));
    }

    #[tokio::test]
    async fn all_bodies_share_one_budget() {
        let shared = shared();
        let app = app(shared.clone());
        let mut first = Box::pin(send(app.clone(), "/stuck", true, Body::from("0123456789")));
        let mut second = Box::pin(send(app.clone(), "/stuck", true, Body::from("0123456789")));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        assert_eq!(shared.budget.available_permits(), 5, "a body uses the budget until its request is processed");
        let refused = send(app.clone(), "/", true, Body::from("0123456789")).await;
        assert!(matches!(*refused.unwrap_err(), Error::Directory(DirectoryError::Unavailable(_))));
        assert_eq!(send(app.clone(), "/", true, Body::from("01234")).await.unwrap(), "01234");
        drop(first);
        assert_eq!(send(app.clone(), "/", true, Body::from("0123456789")).await.unwrap(), "0123456789");
        drop(second);
        let broken = Body::from_stream(stream::iter([Ok("a"), Err(std::io::Error::other("reset"))]));
        send(app, "/", true, broken).await.unwrap_err();
        assert_eq!(shared.budget.available_permits(), 25);
    }

    #[tokio::test]
    async fn large_bodies_run_on_a_blocking_thread_and_panics_propagate() {
        let shared = BodyBudget::new(Limits::default());
        let large = "x".repeat(LARGE_BODY_BYTES + 1);
        assert_eq!(send(app(shared.clone()), "/", true, Body::from(large.clone())).await.unwrap(), large);
        let panics = std::panic::AssertUnwindSafe(send(app(shared.clone()), "/panic", true, Body::from(large)));
        assert!(panics.catch_unwind().await.is_err());
        assert_eq!(shared.budget.available_permits(), Limits::default().body_budget);
    }

    #[test]
    fn parsed_bodies_are_bounded_on_many_cores() {
        let limits = Limits::default();
        assert_eq!([1, 2, 64].map(|cores| threads(cores, &limits)), [1, 2, 4]);
        let mebibyte = Limits { body_budget: 1024 * 1024, ..limits };
        assert_eq!(threads(64, &mebibyte), 1, "at least one thread");
    }

    #[test]
    fn small_chunks_take_at_most_twice_their_bytes() {
        let budget = Arc::new(Semaphore::new(1_000_000));
        let mut buffer = Buffer::new(20_000, &budget).unwrap();
        for length in 1..=10_000 {
            buffer.append(b"x", &budget).unwrap();
            assert!(buffer.bytes.capacity() <= 2 * length && buffer.bytes.capacity() <= buffer.permits.num_permits());
        }
        assert_eq!(budget.available_permits() + buffer.permits.num_permits(), 1_000_000);
    }
}
