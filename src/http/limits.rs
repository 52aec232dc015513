//! What one request may cost. Where a limit is hit, the caller is told so in the envelope of its API.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::EXPECT;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::domain::Error;

use super::Failure;

/// The limits of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are served at a time; further ones wait to be accepted.
    pub connections: usize,
    /// How long a request's head may take to arrive, and how long a connection may idle.
    pub header_time: Duration,
    /// The longest URL, in bytes: path and query.
    pub url_bytes: usize,
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long it may take until an answer begins, body included.
    pub answer_time: Duration,
    /// How long a client may take none of its answer.
    pub write_time: Duration,
    /// How long a stop waits for what is in flight.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_time: Duration::from_secs(10),
            url_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            body_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            stop_time: Duration::from_secs(10),
        }
    }
}

/// Reads the whole body before the handler runs. As a layer around a route's handlers it comes after route and
/// method and before the caller is looked at, which is the order of checks (docs/ordercloud.md, section 9).
///
/// Fails with `TooLarge`, at once where the length was declared, or with `InvalidBody` for a body that breaks off
/// or does not arrive in time.
pub async fn whole_body(State(limits): State<Limits>, request: Request) -> Result<Request, Failure> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, mut body) = request.into_parts();
    match read(&mut body, &limits).await {
        Ok(bytes) => Ok(Request::from_parts(parts, bytes.into())),
        Err(error) => Err(refuse(Request::from_parts(parts, body), error)),
    }
}

async fn read(body: &mut Body, limits: &Limits) -> Result<Bytes, Error> {
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(Error::TooLarge);
    }
    match timeout(limits.body_time, Limited::new(body, limits.body_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::TooLarge),
        Ok(Err(_)) => Err(Error::InvalidBody("the body broke off".to_owned())),
        Err(_) => Err(Error::InvalidBody(format!("the body took more than {} s", limits.body_time.as_secs()))),
    }
}

/// Refuses a request whose body was not read. What its client is still sending is read on for a while: a connection
/// closed on unread bytes is reset, and the client would lose the answer.
pub fn refuse(request: Request, error: Error) -> Failure {
    const PATIENCE: Duration = Duration::from_secs(5);
    // Who waits for `100 Continue` sends nothing until asked to, and reading would ask.
    let sending = !request.body().is_end_stream() && !request.headers().contains_key(EXPECT);
    if sending {
        let mut body = request.into_body();
        tokio::spawn(timeout(PATIENCE, async move { while let Some(Ok(_)) = body.frame().await {} }));
    }
    Failure(error)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Bytes;
    use axum::http::StatusCode;
    use axum::middleware::map_request_with_state;
    use axum::routing::post;
    use futures_util::stream;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(body: Body) -> Result<String, std::sync::Arc<Error>> {
        let limits = Limits { body_bytes: 10, body_time: Duration::from_millis(20), ..Limits::default() };
        let app = axum::Router::new()
            .route("/", post(async |body: Bytes| String::from_utf8_lossy(&body).into_owned()))
            .layer(map_request_with_state(limits, whole_body));
        let response = app.oneshot(Request::post("/").body(body).unwrap()).await.unwrap();
        match Failure::carried_by(&response) {
            Some(error) => Err(error),
            None => {
                assert_eq!(response.status(), StatusCode::OK);
                let bytes = response.into_body().collect().await.unwrap().to_bytes();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }

    fn chunked(chunks: &[&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks.iter().map(|chunk| Ok::<_, Infallible>(*chunk)).collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn bodies_are_read_whole() {
        assert_eq!(answer(Body::empty()).await.unwrap(), "");
        assert_eq!(answer(Body::from("0123456789")).await.unwrap(), "0123456789");
        assert_eq!(answer(chunked(&["01234", "56789"])).await.unwrap(), "0123456789");
    }

    #[tokio::test]
    async fn large_bodies_are_refused_declared_or_counted() {
        for body in [Body::from("0123456789a"), chunked(&["01234", "56789", "a"])] {
            assert!(matches!(*answer(body).await.unwrap_err(), Error::TooLarge));
        }
    }

    #[tokio::test]
    async fn bodies_that_do_not_arrive_are_refused() {
        let stuck = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert!(matches!(*answer(stuck).await.unwrap_err(), Error::InvalidBody(_)));
        let broken = Body::from_stream(stream::iter([Ok("a"), Err(std::io::Error::other("reset"))]));
        assert!(matches!(*answer(broken).await.unwrap_err(), Error::InvalidBody(_)));
    }
}
