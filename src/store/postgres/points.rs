//! Point reads: one statement each, on a few sessions that all requests share. Their statements are sent one behind the
//! other without waiting for answers in between, so that a busy node spends few system calls on each, and a read costs
//! no place in the pool. Each statement is a transaction of its own and sees all that was committed before it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::domain::{Error, Result};

use super::address::Address;
use super::session::{Limits, Session};
use super::trouble::{Trouble, of_reading};

/// How many sessions share the reads: as many as keep two processors of the database busy.
const LANES: usize = 2;
/// How many reads may be under way.
const AT_ONCE: usize = 4_096;
/// For how long a failure to connect answers for those that come after it.
const DOWN: Duration = Duration::from_millis(100);

/// The shared sessions.
pub struct Points {
    pub(super) address: Arc<Address>,
    limits: Limits,
    lanes: [Lane; LANES],
    next: AtomicUsize,
    places: Semaphore,
}

#[derive(Default)]
struct Lane {
    session: RwLock<Option<Arc<Session>>>,
    /// Held by who connects; the last failure.
    connecting: Mutex<Option<(Instant, String)>>,
}

impl Points {
    /// No session yet: they are made when they are wanted.
    pub fn new(address: Arc<Address>, limits: Limits) -> Self {
        let (lanes, next, places) = (Default::default(), AtomicUsize::new(0), Semaphore::new(AT_ONCE));
        Self { address, limits, lanes, next, places }
    }

    /// The rows of the statement. Where the session is lost it is asked once more on a new one.
    pub async fn rows(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let busy = |_| Error::Unavailable("too many reads at once".to_owned());
        let _place = self.places.try_acquire().map_err(busy)?;
        let lane = &self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % LANES];
        match self.asked(lane, sql, values).await {
            Err(Trouble::NotMade(_)) => self.asked(lane, sql, values).await.map_err(of_reading),
            answer => answer.map_err(of_reading),
        }
    }

    /// The one row that the statement gives, if it gives one.
    pub async fn find(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    async fn asked(&self, lane: &Lane, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Trouble> {
        let session = self.session(lane).await?;
        let asked = async { session.client().query(&session.prepared(sql).await?, values).await };
        match timeout(self.limits.answer(), asked).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                // Nothing comes through: who is next connects anew.
                session.begins();
                Err(Trouble::TimedOut)
            }
        }
    }

    async fn session(&self, lane: &Lane) -> Result<Arc<Session>, Trouble> {
        if let Some(session) = lane.usable() {
            return Ok(session);
        }
        let refused = |cause| Trouble::Refused(Error::Unavailable(cause));
        let waited = timeout(self.limits.wait, lane.connecting.lock()).await;
        let mut failure = waited.map_err(|_| refused("the database does not answer".to_owned()))?;
        if let Some(session) = lane.usable() {
            return Ok(session);
        }
        if let Some((_, cause)) = failure.as_ref().filter(|(at, _)| at.elapsed() < DOWN) {
            return Err(refused(cause.clone()));
        }
        let opened = Session::open(&self.address, &self.limits, 0).await;
        *failure = opened.as_ref().err().map(|cause| (Instant::now(), cause.clone()));
        let session = Arc::new(opened.map_err(refused)?);
        *lane.session.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Lets go of the sessions.
    pub fn close(&self) {
        for lane in &self.lanes {
            lane.session.write().unwrap_or_else(PoisonError::into_inner).take();
        }
        self.places.close();
    }
}

impl Lane {
    fn usable(&self) -> Option<Arc<Session>> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().filter(|session| session.is_usable()).cloned()
    }
}
