//! Health checks: `/healthz` (liveness of the process) and `/readyz` (readiness of the database).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::domain::error::{Error, Result};
use crate::service::Service;

/// For how long the result of a check is cached: each check is a small durable write, and anyone may request it.
const RESULT_TTL: Duration = Duration::from_secs(1);
/// The time limit of a check. A request that also waits for a running check gets its response within five seconds.
const CHECK_TIMEOUT: Duration = Duration::from_secs(4);

/// The routes `/healthz` and `/readyz`. `/healthz` always returns 200. `/readyz` returns 200 if the
/// database can be read and written, otherwise 503.
pub(crate) fn routes(service: Arc<Service>) -> Router {
    let check = move || -> BoxFuture<'static, Result<()>> {
        let service = Arc::clone(&service);
        Box::pin(async move { service.ready().await })
    };
    let readiness =
        Arc::new(CachedCheck { check, result_ttl: RESULT_TTL, timeout: CHECK_TIMEOUT, last: Mutex::default() });
    let ready = get(async |State(readiness): State<Arc<CachedCheck<_>>>| respond(readiness.is_ready().await));
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", ready).with_state(readiness)
}

fn respond(ready: bool) -> Response {
    if ready {
        return "ready\n".into_response();
    }
    let sentence = "The database cannot be read and written now; the log says why.\n";
    (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response()
}

/// A readiness check whose result all concurrent requests share.
struct CachedCheck<C> {
    check: C,
    result_ttl: Duration,
    timeout: Duration,
    /// When the last check ended, and its result. Locked while a check runs.
    last: Mutex<Option<(Instant, bool)>>,
}

impl<C> CachedCheck<C>
where
    C: Fn() -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
{
    /// Returns the cached result if it has not expired, otherwise runs a check.
    async fn is_ready(self: Arc<Self>) -> bool {
        // A separate task, because a client that disconnects must not cancel the check that other requests wait for.
        tokio::spawn(async move { self.run_or_reuse().await }).await.unwrap_or(false)
    }

    async fn run_or_reuse(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((ended, ready)) = *last
            && ended.elapsed() < self.result_ttl
        {
            return ready;
        }
        let timed_out = || Error::Unavailable("the readiness check timed out".to_owned());
        let checked = timeout(self.timeout, (self.check)()).await.unwrap_or_else(|_| Err(timed_out()));
        if let Err(error) = &checked {
            warn!(%error, "the database is not ready");
        }
        *last = Some((Instant::now(), checked.is_ok()));
        checked.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn readiness(
        result_ttl: Duration,
        timeout: Duration,
        check: impl Fn() -> BoxFuture<'static, Result<()>>,
    ) -> Arc<CachedCheck<impl Fn() -> BoxFuture<'static, Result<()>>>> {
        Arc::new(CachedCheck { check, result_ttl, timeout, last: Mutex::default() })
    }

    /// A check that succeeds only the first time, and the number of its runs.
    fn failing_later() -> (Arc<AtomicUsize>, impl Fn() -> BoxFuture<'static, Result<()>> + Send + Sync) {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let check = move || -> BoxFuture<'static, Result<()>> {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            let result = if run == 0 { Ok(()) } else { Err(Error::Unavailable("full".to_owned())) };
            Box::pin(async move {
                tokio::task::yield_now().await;
                result
            })
        };
        (runs, check)
    }

    #[tokio::test]
    async fn concurrent_requests_share_one_check() {
        let (runs, check) = failing_later();
        let readiness = readiness(HOUR, HOUR, check);
        let results = (0..50).map(|_| Arc::clone(&readiness).is_ready());
        assert_eq!(futures_util::future::join_all(results).await, [true; 50]);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_expired_result_is_checked_again() {
        let (runs, check) = failing_later();
        let readiness = readiness(Duration::ZERO, HOUR, check);
        assert!(Arc::clone(&readiness).is_ready().await);
        assert!(!Arc::clone(&readiness).is_ready().await);
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_check_that_times_out_is_not_ready() {
        let readiness = readiness(HOUR, Duration::from_millis(1), || Box::pin(std::future::pending()));
        let results = (0..2).map(|_| Arc::clone(&readiness).is_ready());
        assert_eq!(futures_util::future::join_all(results).await, [false; 2]);
    }
}
