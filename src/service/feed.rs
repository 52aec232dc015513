//! Readers that follow the feed (docs/rollbook.md, section 11).
//!
//! While anyone follows, one task of the node reads each new part of the feed once and hands it to all readers, so that
//! a commit costs one read however many follow. A reader that is behind reads by itself until it has caught up, and so
//! does one that is limited to communities: which groups it may see is decided in the store.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::domain::caller::{Permit, ReadChanges};
use crate::domain::community::Visibility;
use crate::domain::error::{Error, Result};
use crate::domain::history::{ChangeFilter, FeedChange, FeedPage, FeedPosition, FeedQuery, Order, Span};
use crate::domain::time::Timestamp;
use crate::store::Store;

use super::{CachedEntity, Service};

/// The maximum number of changes in a part that is shared, or that a reader reads by itself.
const PART_CHANGES: u32 = 250;
/// The number of shared parts that a reader may be behind before it reads by itself.
const PARTS_BEHIND: usize = 16;
/// The time from a part that had changes to the next look at the feed: many commits in a row are one part.
const PAUSE: Duration = Duration::from_millis(100);
/// The same for a reader that reads by itself, because it is limited to communities.
const OWN_PAUSE: Duration = Duration::from_millis(250);
/// The time after which the task looks whether anyone follows, and after a read that failed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum number of readers that read by themselves at once, so that those who catch up leave room for others.
const OWN_READS: usize = 4;

/// The part of the feed that was read last, shared by those who follow it.
pub(super) struct Feed {
    parts: broadcast::Sender<Arc<SharedPart>>,
    /// Whether the task runs that reads the parts.
    is_read: Mutex<bool>,
    is_closed: watch::Sender<bool>,
    own_reads: Semaphore,
}

impl Default for Feed {
    fn default() -> Self {
        let (parts, is_read) = (broadcast::Sender::new(PARTS_BEHIND), Mutex::default());
        Self { parts, is_read, is_closed: watch::Sender::default(), own_reads: Semaphore::new(OWN_READS) }
    }
}

/// A part of the feed with all its changes. It has everything between its positions.
struct SharedPart {
    /// The position behind which the part begins; `None` = at the beginning.
    from: Option<FeedPosition>,
    /// The position at which it ends.
    to: Option<FeedPosition>,
    /// When it had been read.
    read: Timestamp,
    page: Arc<CachedEntity<FeedPage>>,
    /// Whether the reading begins again after an error, such as a failover: then each reader looks for itself where it is.
    follows_failure: bool,
}

impl SharedPart {
    /// Whether the part has everything behind the position. If the position is in the part, its entry must be there:
    /// after a failover that lost changes, a reader may be at one of them, which only a read of its own finds out.
    fn goes_on_from(&self, position: Option<&FeedPosition>) -> bool {
        let has_entry = |position: &FeedPosition| {
            self.page.changes.iter().any(|feed| {
                (feed.transaction, feed.change.id.seq) == (position.transaction, position.change.seq)
                    && feed.change.operation == position.operation
            })
        };
        self.from.as_ref() == position || (self.from.as_ref() < position && position.is_some_and(has_entry))
    }
}

/// The changes of a part that one reader gets.
pub(crate) struct ReadPart {
    /// The part, which several readers may share.
    pub page: Arc<CachedEntity<FeedPage>>,
    /// The indexes of the reader's changes in it.
    pub selected: Vec<usize>,
}

impl ReadPart {
    /// The changes, in their order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &FeedChange> {
        self.selected.iter().filter_map(|at| self.page.changes.get(*at))
    }
}

/// A reader that follows the feed from its position on, the oldest change first.
pub(crate) struct FeedReader {
    store: Arc<dyn Store>,
    feed: Arc<Feed>,
    query: FeedQuery,
    parts: broadcast::Receiver<Arc<SharedPart>>,
    is_closed: watch::Receiver<bool>,
    next: Next,
    /// A shared part that came while the reader was behind it.
    ahead: Option<Arc<SharedPart>>,
    /// Whether the reader must read by itself before it takes a shared part: whether its position is still there is not
    /// known.
    is_lost: bool,
    /// Whether the caller was limited to communities at the last read.
    is_limited: bool,
    /// When a limited reader may read again.
    rested: Instant,
}

/// What a reader reads next.
enum Next {
    /// From the store: there may be changes behind the position.
    Own,
    /// This shared part.
    Shared(Arc<SharedPart>),
    /// The next shared part, when it comes.
    Awaited,
}

impl Service {
    /// Returns a reader of the feed from the query's position on. The query's visibility, order and limit do not count.
    pub(crate) fn follow(&self, _permit: &Permit<ReadChanges>, query: FeedQuery) -> FeedReader {
        let (store, feed) = (Arc::clone(&self.store), Arc::clone(&self.feed));
        let limit = query.limit.min(PART_CHANGES);
        let query = FeedQuery { order: Order::Ascending, limit, ..query };
        // Before the first read, so that no part is missed.
        let parts = feed.subscribe(self);
        let is_closed = feed.is_closed.subscribe();
        FeedReader {
            store,
            feed,
            query,
            parts,
            is_closed,
            next: Next::Own,
            ahead: None,
            is_lost: true,
            is_limited: false,
            rested: Instant::now(),
        }
    }

    /// Returns the last position of the feed, behind which nothing can be read yet; `None` in an empty feed.
    pub(crate) async fn feed_end(&self, _permit: &Permit<ReadChanges>) -> Result<Option<FeedPosition>> {
        self.store.feed_end().await
    }

    /// Ends all readers that follow the feed, now and later: the server stops.
    pub fn end_followers(&self) {
        self.feed.is_closed.send_replace(true);
    }
}

impl FeedReader {
    /// The position up to which the feed was read; `None` = nothing was there to read.
    pub(crate) fn position(&self) -> Option<&FeedPosition> {
        self.query.after.as_ref()
    }

    /// Whether there may be more behind the position already.
    pub(crate) fn has_more(&self) -> bool {
        !matches!(self.next, Next::Awaited)
    }

    /// Waits until there may be changes behind the position; `Break` once the server stops. The permit for [`Self::read`]
    /// must not be older than the time returned; `None` = now. The wait can be broken off.
    pub(crate) async fn ready(&mut self) -> ControlFlow<(), Option<Timestamp>> {
        loop {
            if *self.is_closed.borrow() {
                return ControlFlow::Break(());
            }
            let part = match &self.next {
                Next::Shared(part) => return ControlFlow::Continue(Some(part.read)),
                Next::Own => match self.caught_up() {
                    Some(part) => part,
                    None => tokio::select! {
                        _ = self.is_closed.wait_for(|is_closed| *is_closed) => return ControlFlow::Break(()),
                        () = sleep_until(self.rested) => return ControlFlow::Continue(None),
                    },
                },
                Next::Awaited => match self.ahead.take() {
                    Some(part) => part,
                    None => tokio::select! {
                        _ = self.is_closed.wait_for(|is_closed| *is_closed) => return ControlFlow::Break(()),
                        received = self.parts.recv() => match received {
                            Ok(part) => part,
                            Err(_) => {
                                (self.next, self.is_lost) = (Next::Own, true);
                                continue;
                            }
                        },
                    },
                },
            };
            self.follow_with(part);
        }
    }

    /// Sets what to read next after the shared part came.
    fn follow_with(&mut self, part: Arc<SharedPart>) {
        let position = &self.query.after;
        self.is_lost |= part.follows_failure;
        if self.is_lost || self.is_limited {
            self.next = Next::Own;
        } else if part.to <= *position {
            self.next = Next::Awaited;
        } else if part.goes_on_from(position.as_ref()) {
            self.next = Next::Shared(part);
        } else {
            (self.next, self.ahead) = (Next::Own, Some(part));
        }
    }

    /// The shared part that a reader which reads by itself has reached, if it has.
    fn caught_up(&mut self) -> Option<Arc<SharedPart>> {
        while !self.is_lost && !self.is_limited {
            let part = match self.ahead.take().map_or_else(|| self.parts.try_recv(), Ok) {
                Ok(part) => part,
                Err(TryRecvError::Lagged(_)) => {
                    self.is_lost = true;
                    return None;
                }
                Err(_) => return None,
            };
            let position = &self.query.after;
            if part.follows_failure {
                self.is_lost = true;
            } else if part.to > *position && part.goes_on_from(position.as_ref()) {
                return Some(part);
            } else if part.to > *position {
                self.ahead = Some(part);
                return None;
            }
        }
        None
    }

    /// Reads the part that is ready, of what the caller may see, and moves the position. Fails with `NoLongerKept` if the
    /// position is gone.
    pub(crate) async fn read(&mut self, permit: &Permit<ReadChanges>) -> Result<ReadPart> {
        let visibility = &permit.caller().visibility;
        // If this is broken off, the part is read again.
        match std::mem::replace(&mut self.next, Next::Own) {
            Next::Shared(part) if visibility.limit().is_none() => {
                self.next = Next::Awaited;
                Ok(self.selected(&part))
            }
            _ => self.read_own(visibility.clone()).await,
        }
    }

    /// What the reader gets of a shared part.
    fn selected(&mut self, part: &SharedPart) -> ReadPart {
        let FeedQuery { after, filter, span, .. } = &self.query;
        let read = after.as_ref().map(|position| (position.transaction, position.change));
        let is_wanted = |FeedChange { transaction, change }: &FeedChange| {
            Some((*transaction, change.id)) > read && span.contains(change.time) && filter.selects(change)
        };
        let changes = part.page.changes.iter().enumerate();
        let selected = changes.filter(|(_, change)| is_wanted(change)).map(|(at, _)| at).collect();
        self.query.after.clone_from(&part.to);
        ReadPart { page: Arc::clone(&part.page), selected }
    }

    async fn read_own(&mut self, visibility: Visibility) -> Result<ReadPart> {
        self.is_limited = visibility.limit().is_some();
        let turn = self.feed.own_reads.acquire().await.map_err(Error::internal)?;
        let page = self.store.changes(FeedQuery { visibility, ..self.query.clone() }).await?;
        drop(turn);
        self.is_lost = false;
        if page.next.is_some() {
            self.query.after.clone_from(&page.next);
        }
        if !page.more {
            self.next = Next::Awaited;
            self.rested = if self.is_limited { Instant::now() + OWN_PAUSE } else { Instant::now() };
        }
        let selected = (0..page.changes.len()).collect();
        Ok(ReadPart { page: Arc::new(page.into()), selected })
    }
}

impl Feed {
    /// Returns a receiver of the parts from now on, and starts the task if it does not run.
    fn subscribe(self: &Arc<Self>, service: &Service) -> broadcast::Receiver<Arc<SharedPart>> {
        let mut is_read = self.is_read.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = self.parts.subscribe();
        if !std::mem::replace(&mut *is_read, true) {
            let (feed, store, clock) = (Arc::clone(self), Arc::clone(&service.store), Arc::clone(&service.clock));
            tokio::spawn(async move { feed.read_parts(&*store, || clock.now()).await });
        }
        parts
    }

    /// Reads each new part of the feed and hands it to all readers, as long as there are any.
    async fn read_parts(&self, store: &dyn Store, now: impl Fn() -> Timestamp) {
        let (mut position, mut seen, mut has_failed) = (None, 0, false);
        while self.is_followed() {
            match self.read_part(store, &mut position, &mut has_failed, &now).await {
                Ok(Found::More) => {}
                Ok(Found::Changes) => sleep(PAUSE).await,
                // If the time is over, it is only read once more.
                Ok(Found::Nothing) => _ = timeout(CHECK_INTERVAL, store.wait_for_feed(&mut seen)).await,
                Err(error) => {
                    tracing::debug!(%error, "the feed could not be read");
                    // Readers go on by themselves from where they are, and are told if that is gone.
                    (position, has_failed) = (None, true);
                    sleep(CHECK_INTERVAL).await;
                }
            }
        }
    }

    /// Whether anyone follows. If not, the next one starts the task again.
    fn is_followed(&self) -> bool {
        let mut is_read = self.is_read.lock().unwrap_or_else(PoisonError::into_inner);
        *is_read = self.parts.receiver_count() > 0 && !*self.is_closed.borrow();
        *is_read
    }

    /// Reads what is behind the position and hands it on. Without a position it begins at the end of the feed.
    async fn read_part(
        &self,
        store: &dyn Store,
        position: &mut Option<FeedPosition>,
        has_failed: &mut bool,
        now: impl Fn() -> Timestamp,
    ) -> Result<Found> {
        let (from, page) = match position.as_ref() {
            None => {
                let end = store.feed_end().await?;
                (end.clone(), FeedPage { changes: Vec::new(), next: end, more: false })
            }
            Some(from) => (Some(from.clone()), store.changes(all_behind(from.clone())).await?),
        };
        let found = match (page.changes.is_empty(), page.more) {
            (_, true) => Found::More,
            (false, false) => Found::Changes,
            (true, false) => Found::Nothing,
        };
        if position.is_none() || page.next != from {
            let follows_failure = std::mem::take(has_failed);
            position.clone_from(&page.next);
            let part =
                SharedPart { from, to: page.next.clone(), read: now(), page: Arc::new(page.into()), follows_failure };
            // Without a receiver the task ends.
            let _sent = self.parts.send(Arc::new(part));
        }
        Ok(found)
    }
}

/// What was behind a position.
enum Found {
    /// Nothing yet.
    Nothing,
    /// The last changes.
    Changes,
    /// Changes, and there are more.
    More,
}

/// The query for a part with all changes.
fn all_behind(position: FeedPosition) -> FeedQuery {
    FeedQuery {
        visibility: Visibility::All,
        filter: ChangeFilter::default(),
        span: Span::default(),
        order: Order::Ascending,
        after: Some(position),
        limit: PART_CHANGES,
        is_settled: true,
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::actor::NamedActor;
    use crate::domain::change_type::ChangeType;
    use crate::domain::history::{Change, ChangeId, Subject};
    use crate::domain::journal::Channel;

    use super::*;

    fn position(seq: i64, operation: &str) -> FeedPosition {
        FeedPosition { transaction: 0, change: ChangeId { seq, index: u32::MAX }, operation: operation.to_owned() }
    }

    fn change(seq: i64, operation: &str) -> FeedChange {
        let change = Change {
            id: ChangeId { seq, index: 0 },
            kind: ChangeType::GroupCreated,
            subject: Subject::Group(1),
            time: Timestamp::from_micros(0),
            operation: operation.to_owned(),
            channel: Channel::Core,
            reason: None,
            actor: NamedActor::default(),
            group: None,
            user: None,
            client: None,
            before: None,
            after: None,
            since: None,
            undoes: None,
        };
        FeedChange { transaction: 0, change }
    }

    /// The part behind the entry 4, with the entries 5 to 7.
    fn part() -> SharedPart {
        let changes = vec![change(5, "e"), change(6, "f"), change(7, "g")];
        let (from, to) = (Some(position(4, "d")), Some(position(7, "g")));
        let page = FeedPage { changes, next: to.clone(), more: false };
        SharedPart { from, to, read: Timestamp::from_micros(0), page: Arc::new(page.into()), follows_failure: false }
    }

    #[test]
    fn a_part_is_taken_only_from_a_position_that_it_has() {
        for (seq, operation, goes_on) in [
            (4, "d", true),
            (5, "e", true),
            (6, "f", true),
            // Before the part: changes would be missed.
            (3, "c", false),
            // Another operation under the number: the reader's change was lost.
            (4, "x", false),
            (6, "x", false),
        ] {
            assert_eq!(part().goes_on_from(Some(&position(seq, operation))), goes_on, "{seq} {operation}");
        }
        assert!(!part().goes_on_from(None));
        assert!(SharedPart { from: None, ..part() }.goes_on_from(None));
    }
}
