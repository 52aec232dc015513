//! Reads of groups by ID that are asked for at the same time share a statement: while one is under way, those that come
//! meanwhile wait for the next one, which asks for all of them; where many wait, it does not wait itself. So a busy node
//! costs the database a statement for many requests, and a lone request waits for nobody. A statement is sent after
//! every request that it answers was made, so each sees all that was acknowledged before it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::domain::error::{Error, Result};
use crate::domain::group::Group;
use crate::domain::id::Id;
use crate::domain::shared::Shared;
use crate::store::sql::rows::{self, select_group};

use super::points::Points;

/// How many statements are under way at most.
const STATEMENTS: usize = 4;
/// How many requests do not wait for those under way.
const MANY: usize = 16;
/// How many requests at most share a statement.
const REQUESTS: usize = 64;

/// What a request for a group is answered with.
type Found = Result<Option<Arc<Shared<Group>>>>;

/// The reads of groups by ID.
pub struct Together {
    points: Arc<Points>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: usize,
    waiting: Vec<(String, Sender<Found>)>,
}

/// The right to have one statement under way. When it ends, however it does, it goes to those who wait.
struct Turn(Arc<Together>);

impl Together {
    /// Reads through these sessions.
    pub fn new(points: Arc<Points>) -> Arc<Self> {
        Arc::new(Self { points, state: Mutex::default() })
    }

    /// The live group with the ID.
    pub async fn find(self: &Arc<Self>, id: &Id) -> Found {
        let key = id.key();
        match self.turn(&key) {
            Ok(turn) => {
                let mut found = self.ask(vec![key.clone()]).await?;
                drop(turn);
                Ok(found.remove(&key))
            }
            Err(answer) => {
                let gone = |_| Error::Unavailable("the store is closed".to_owned());
                answer.await.map_err(gone)?
            }
        }
    }

    /// The turn for a statement of one's own, or else where the answer will come.
    fn turn(self: &Arc<Self>, key: &str) -> Result<Turn, Receiver<Found>> {
        let mut state = self.lock();
        if state.under_way == 0 {
            state.under_way = 1;
            return Ok(Turn(Arc::clone(self)));
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push((key.to_owned(), sender));
        if state.waiting.len() >= MANY && state.under_way < STATEMENTS {
            state.under_way += 1;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            self.begin(waiting);
        }
        Err(receiver)
    }

    /// Answers those who wait, in a turn that is counted already.
    fn begin(self: &Arc<Self>, waiting: Vec<(String, Sender<Found>)>) {
        let turn = Turn(Arc::clone(self));
        tokio::spawn(async move { turn.0.answer(waiting).await });
    }

    async fn ask(&self, keys: Vec<String>) -> Result<HashMap<String, Arc<Shared<Group>>>> {
        const THESE: &str = select_group!("FROM groups WHERE id_key = ANY($1) AND deleted IS NULL");
        let found = self.points.rows(THESE, &[&keys]).await?;
        let group = |row| rows::group(row).map(|group| (group.fields.id.key(), Arc::new(group.into())));
        found.iter().map(group).collect()
    }

    async fn answer(&self, waiting: Vec<(String, Sender<Found>)>) {
        let found = self.ask(waiting.iter().map(|(key, _)| key.clone()).collect()).await;
        for (key, sender) in waiting {
            // Who went away needs no answer.
            let _gone = sender.send(found.as_ref().map(|groups| groups.get(&key).cloned()).map_err(Error::clone));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.waiting.is_empty() {
            state.under_way -= 1;
            return;
        }
        let few = state.waiting.len().min(REQUESTS);
        let waiting = state.waiting.drain(..few).collect();
        // A task that is never run ends its turn at once, in here.
        drop(state);
        self.0.begin(waiting);
    }
}
