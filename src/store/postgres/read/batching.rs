//! Batching of group reads: concurrent reads of groups by ID share a statement.
//!
//! - If no statement is in flight, a request sends its own at once: a lone request never waits.
//! - Otherwise it joins the waiting requests. When a statement ends, its slot passes to the waiting requests, and one
//!   statement reads the groups of all of them. So a busy node sends one statement for many requests.
//! - If many requests wait, they take a further slot at once, up to [`MAX_IN_FLIGHT`].
//!
//! A statement is sent only after every request that it serves has arrived. So each request sees all writes that were
//! acknowledged before it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::domain::error::{Error, Result};
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::store::CachedEntity;
use crate::store::sql::columns::{Record as _, select};

use super::point_reads::PointReads;

/// The maximum number of statements in flight.
const MAX_IN_FLIGHT: usize = 4;
/// The number of waiting requests from which on they take a further slot.
const BATCH_THRESHOLD: usize = 16;
/// The maximum number of requests that share the statement of a slot that became free.
const MAX_BATCH_SIZE: usize = 64;

/// The result of one request: the group, if it exists.
type GroupResult = Result<Option<Arc<CachedEntity<Group>>>>;

/// The reads of groups by ID.
pub(crate) struct BatchedReads {
    point_reads: Arc<PointReads>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of statements in flight, which is the number of [`Slot`]s.
    in_flight: usize,
    /// The requests that wait for a slot. Empty if nothing is in flight.
    waiting: Vec<Waiting>,
}

/// A request that waits for its result.
struct Waiting {
    /// The key of the group's ID.
    key: String,
    result: Sender<GroupResult>,
}

/// The right to have one statement in flight. Dropping it, also by a panic or a cancelled request, passes the right to
/// the waiting requests.
struct Slot(Arc<BatchedReads>);

/// What a new request does.
enum Admission {
    /// It reads its group itself.
    Read(Slot),
    /// It waits for the result of a shared statement.
    Wait(Receiver<GroupResult>),
}

impl BatchedReads {
    /// Reads through the sessions of `point_reads`.
    pub(crate) fn new(point_reads: Arc<PointReads>) -> Arc<Self> {
        Arc::new(Self { point_reads, state: Mutex::default() })
    }

    /// Returns the live group with the ID, if it exists. Fails as [`PointReads::rows`] does.
    pub(crate) async fn find(self: &Arc<Self>, id: &Id) -> GroupResult {
        let key = id.key();
        match self.admit(&key) {
            Admission::Read(slot) => {
                let mut groups = self.read(vec![key.clone()]).await?;
                drop(slot);
                Ok(groups.remove(&key))
            }
            Admission::Wait(result) => {
                let closed = |_| Error::Unavailable("the store is closed".to_owned());
                result.await.map_err(closed)?
            }
        }
    }

    /// Gives the request a slot, or adds it to the waiting ones. If many wait then, starts a shared statement for them.
    fn admit(self: &Arc<Self>, key: &str) -> Admission {
        let mut state = self.lock();
        if state.in_flight == 0 {
            state.in_flight = 1;
            return Admission::Read(Slot(Arc::clone(self)));
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push(Waiting { key: key.to_owned(), result: sender });
        if state.waiting.len() >= BATCH_THRESHOLD && state.in_flight < MAX_IN_FLIGHT {
            state.in_flight += 1;
            let batch = std::mem::take(&mut state.waiting);
            drop(state);
            self.start(batch);
        }
        Admission::Wait(receiver)
    }

    /// Starts a shared statement for the batch. Its slot must be counted in `in_flight` already.
    fn start(self: &Arc<Self>, batch: Vec<Waiting>) {
        let slot = Slot(Arc::clone(self));
        tokio::spawn(async move { slot.0.serve(batch).await });
    }

    /// Reads the groups of the batch, and sends each request its result.
    async fn serve(&self, batch: Vec<Waiting>) {
        let groups = self.read(batch.iter().map(|waiting| waiting.key.clone()).collect()).await;
        for Waiting { key, result } in batch {
            // Fails if the request was cancelled, which does not matter.
            let _sent = result.send(groups.as_ref().map(|groups| groups.get(&key).cloned()).map_err(Error::clone));
        }
    }

    /// Reads the live groups with these keys in one statement, and returns them by key.
    async fn read(&self, keys: Vec<String>) -> Result<HashMap<String, Arc<CachedEntity<Group>>>> {
        static BY_ID_KEYS: LazyLock<String> =
            LazyLock::new(|| select::<Group>("WHERE id_key = ANY($1) AND deleted IS NULL"));
        let rows = self.point_reads.rows(&BY_ID_KEYS, &[&keys]).await?;
        let group = |row| Group::read(row).map(|group| (group.fields.id.key(), Arc::new(group.into())));
        rows.iter().map(group).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.waiting.is_empty() {
            state.in_flight -= 1;
            return;
        }
        let count = state.waiting.len().min(MAX_BATCH_SIZE);
        let batch = state.waiting.drain(..count).collect();
        // Unlock first: if the runtime is shutting down, it drops the new task and its slot at once, inside `start`.
        drop(state);
        self.0.start(batch);
    }
}
