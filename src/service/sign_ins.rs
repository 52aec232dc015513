//! Recording who signs in, and reading it (docs/rollbook.md, section 12).
//!
//! The store records a refused password in the transaction that counts it. Everything else waits here for a moment: no
//! sign-in waits for its record, and many records share one transaction. The server writes them every half second, before
//! each read, and when it stops.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{debug, warn};

use crate::domain::caller::{OperateDirectory, Permit, ReadSignIns};
use crate::domain::error::{Error, Result};
use crate::domain::sign_in::{SignIn, SignInPage, SignInQuery};
use crate::domain::time::Timestamp;
use crate::metric_names::SIGN_INS_LOST;
use crate::store::Store;

use super::Service;

/// The maximum number of sign-ins that wait. Further ones are lost, and counted.
const CAPACITY: usize = 10_000;
/// The maximum number of sign-ins in one transaction.
const BATCH: usize = 500;
/// How long a sign-in waits for a database that cannot be written, in seconds. A later record would be out of the order of
/// time in which a reader expects it.
const MAX_WAIT: i64 = 60;
/// The maximum number of steps in which old sign-ins are deleted at a time.
const MAX_STEPS: u32 = 1_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// The sign-ins that wait to be recorded.
#[derive(Default)]
pub(super) struct WaitingSignIns {
    queue: Mutex<VecDeque<SignIn>>,
    /// Held while the first of the queue are written, so that nothing is written twice.
    writing: tokio::sync::Mutex<()>,
}

impl WaitingSignIns {
    fn queue(&self) -> MutexGuard<'_, VecDeque<SignIn>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a sign-in. If too many wait, it is lost.
    fn push(&self, sign_in: SignIn) {
        let mut queue = self.queue();
        if queue.len() < CAPACITY {
            queue.push_back(sign_in);
        } else {
            drop(queue);
            report_lost(1, "too many waited to be written");
        }
    }

    /// Writes all that wait, a batch after the other. What cannot be written goes on waiting unless it is from before
    /// `oldest`.
    async fn write(&self, store: &dyn Store, oldest: Timestamp) -> Result<()> {
        let _alone = self.writing.lock().await;
        loop {
            let batch: Vec<_> = self.queue().iter().take(BATCH).copied().collect();
            if batch.is_empty() {
                return Ok(());
            }
            let count = batch.len();
            let written = store.record_sign_ins(batch).await;
            let mut queue = self.queue();
            match written {
                Ok(()) => drop(queue.drain(..count)),
                Err(error) => {
                    let waiting = queue.len();
                    queue.retain(|sign_in| sign_in.at >= oldest);
                    report_lost(waiting - queue.len(), "the database could not be written for too long");
                    return Err(error);
                }
            }
        }
    }
}

/// Counts sign-ins that are not recorded, and logs their number.
fn report_lost(count: usize, cause: &'static str) {
    if count > 0 {
        metrics::counter!(SIGN_INS_LOST).increment(count as u64);
        warn!(count, cause, "sign-ins were not recorded");
    }
}

impl Service {
    /// Records the sign-in within a second.
    pub(super) fn record_sign_in(&self, sign_in: SignIn) {
        self.waiting_sign_ins.push(sign_in);
    }

    /// Writes the sign-ins that wait to be recorded. Fails if that is not possible now; they go on waiting then.
    pub(crate) async fn write_sign_ins(&self) -> Result<()> {
        let (waiting, store) = (Arc::clone(&self.waiting_sign_ins), Arc::clone(&self.store));
        let oldest = self.clock.now().plus_seconds(-MAX_WAIT);
        // On a task of its own: a caller who goes away must not interrupt it.
        tokio::spawn(async move { waiting.write(&*store, oldest).await }).await.map_err(Error::internal)?
    }

    /// Writes the sign-ins that wait, for the last time.
    pub(super) async fn write_last_sign_ins(&self) {
        if let Err(error) = self.write_sign_ins().await {
            debug!(%error, "sign-ins could not be written");
            report_lost(self.waiting_sign_ins.queue().len(), "the server stopped");
        }
    }

    /// Returns a part of the recorded sign-ins. Fails with `NoLongerKept` for a position that is gone.
    pub(crate) async fn sign_ins(&self, _permit: &Permit<ReadSignIns>, query: SignInQuery) -> Result<SignInPage> {
        if let Err(error) = self.write_sign_ins().await {
            debug!(%error, "sign-ins could not be written");
        }
        self.store.sign_ins(query).await
    }

    /// Deletes the sign-ins that are older than this number of days, in small transactions.
    pub(crate) async fn clear_sign_ins(&self, _permit: &Permit<OperateDirectory>, days: u32) -> Result<()> {
        let before = self.clock.now().plus_seconds(-i64::from(days) * SECONDS_PER_DAY);
        for _ in 0..MAX_STEPS {
            if !self.store.clear_sign_ins(before).await? {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::domain::caller::{Caller, Permission};
    use crate::domain::env::{Clock, RandomIds};
    use crate::domain::history::{Order, Span};
    use crate::domain::journal::Channel;
    use crate::domain::sign_in::{Origin, SignInFilter, SignInType};
    use crate::store::sqlite::{SqliteOptions, SqliteStore};

    /// A clock that shows what it is set to.
    #[derive(Debug, Default)]
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::Relaxed))
        }
    }

    impl SetClock {
        fn set(&self, second: i64) {
            self.0.store(second * 1_000_000, Ordering::Relaxed);
        }
    }

    fn success(second: i64) -> SignIn {
        let origin = Origin { channel: Channel::Core, source: None };
        let (at, kind) = (Timestamp::from_micros(second * 1_000_000), SignInType::Succeeded);
        SignIn { at, kind, origin, user: Some(1), client: None, refusal: None }
    }

    fn permit<P: Permission>() -> Permit<P> {
        Arc::new(Caller::operator(Channel::CommandLine)).permit().unwrap()
    }

    async fn service() -> (Service, Arc<SetClock>, TempDir) {
        let folder = TempDir::new().unwrap();
        let (path, list_limit) = (folder.path().join("rollbook.db"), Duration::from_secs(60));
        let options = SqliteOptions { path, default_language: None, create: true, serve: true, list_limit };
        let store = Arc::new(SqliteStore::open(options).await.unwrap());
        let clock = Arc::new(SetClock::default());
        let ids = Arc::<RandomIds>::default();
        (Service::new(store, Arc::clone(&clock) as Arc<dyn Clock>, ids, "rollbook".to_owned()), clock, folder)
    }

    /// The seconds of all that is recorded.
    async fn recorded(service: &Service) -> Vec<i64> {
        let (filter, span) = (SignInFilter::default(), Span::default());
        let query = SignInQuery { filter, span, order: Order::Ascending, after: None, limit: 1_000 };
        let page = service.sign_ins(&permit(), query).await.unwrap();
        page.sign_ins.iter().map(|sign_in| sign_in.at.as_micros() / 1_000_000).collect()
    }

    #[test]
    fn a_full_queue_takes_no_more() {
        let waiting = WaitingSignIns::default();
        (0..=CAPACITY as i64).for_each(|second| waiting.push(success(second)));
        let queue = waiting.queue();
        assert_eq!((queue.len(), queue[0].at), (CAPACITY, success(0).at));
    }

    #[tokio::test]
    async fn what_waits_is_read_at_once_and_recorded_once() {
        let (service, _clock, _folder) = service().await;
        (1..=700).for_each(|second| service.record_sign_in(success(second)));
        let (one, other) = tokio::join!(recorded(&service), recorded(&service));
        assert_eq!((one, other), ((1..=700).collect(), (1..=700).collect()));
        assert!(service.waiting_sign_ins.queue().is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_written_waits_for_a_minute() {
        let (service, clock, _folder) = service().await;
        service.store.close().await;
        [100, 130].map(success).into_iter().for_each(|sign_in| service.record_sign_in(sign_in));
        let waiting = || service.waiting_sign_ins.queue().len();
        for (now, expected) in [(160, 2), (161, 1), (190, 1), (191, 0)] {
            clock.set(now);
            let is_written = service.write_sign_ins().await.is_ok();
            assert_eq!((waiting(), is_written), (expected, false), "{now}");
        }
    }

    #[tokio::test]
    async fn what_is_older_than_the_days_is_deleted() {
        let (service, clock, _folder) = service().await;
        let day = SECONDS_PER_DAY;
        (0..2_000).for_each(|second| service.record_sign_in(success(second)));
        [day, 2 * day].map(success).into_iter().for_each(|sign_in| service.record_sign_in(sign_in));
        assert_eq!(recorded(&service).await.len(), 1_000);
        clock.set(91 * day);
        service.clear_sign_ins(&permit(), 90).await.unwrap();
        assert_eq!(recorded(&service).await, [day, 2 * day]);
    }
}
