//! The history of a group, a user or a membership: its changes, merged from the entries of single changes, of changes of
//! several members, and of batches.

use std::collections::VecDeque;

use crate::domain::error::{Error, Result};
use crate::domain::group::GroupUid;
use crate::domain::history::{ChangeId, HistoryOf, HistoryPage, HistoryQuery, Order, Subject};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::copy::Value;
use crate::store::sql::journal::batch_index::Touch;

use super::batches::{batch_entries, common_batch_entries};
use super::entries::{StoredChange, load};
use super::horizon::horizon;
use super::names::{GroupFilter, named};
use super::{SnapshotReader, Statement, integer};

/// The number of entries that are looked up at a time.
const LOOKED_UP: usize = 256;
/// The number of entries that are read at first, then twice as many each time. One entry can name 100,000 members, and fill
/// a page.
const LOADED_FIRST: usize = 2;
/// The maximum number of entries that are read at a time.
const LOADED_MAX: usize = 32;
/// A page ends after this number of entries, and may be shorter for that.
const ENTRIES_MAX: usize = 8_192;

/// Reads a page of the history. Fails with `NoLongerKept` for a position, forwards, whose change was dropped.
pub(crate) async fn history<S: SnapshotReader>(
    snapshot: &mut S,
    query: &HistoryQuery,
) -> Result<HistoryPage, S::Failure> {
    // Backwards, a page simply ends where the journal does; forwards, changes behind the position would be missing.
    if let (Some(after), Order::Ascending) = (query.after, query.order)
        && horizon(snapshot).await?.is_some_and(|horizon| after.seq <= horizon.seq)
    {
        return Err(Error::NoLongerKept.into());
    }
    let limit = query.limit as usize;
    let mut groups = GroupFilter::new(&query.visibility);
    let mut reader = HistoryReader::new(query.of.into(), query.order, query.after);
    let mut found: Vec<StoredChange> = Vec::new();
    let (mut next, mut more) = (query.after, true);
    'page: while reader.entries_read < ENTRIES_MAX {
        let Some(changes) = reader.next_changes(snapshot).await? else {
            more = false;
            break;
        };
        groups.look_up(snapshot, &changes).await?;
        for change in changes {
            let at = change.circumstances.at;
            if is_beyond(query, at) {
                more = false;
                break 'page;
            }
            if found.len() == limit {
                break 'page;
            }
            next = Some(change.id);
            let is_wanted = query.types.as_ref().is_none_or(|types| types.contains(&change.kind));
            if query.span.contains(at) && is_wanted && groups.shows(&change) {
                found.push(change);
            }
        }
    }
    Ok(HistoryPage { changes: named(snapshot, found).await?, next, more })
}

/// Whether no later change of the order can be in the query's span: the times of an entity's changes never go back.
fn is_beyond(query: &HistoryQuery, at: Timestamp) -> bool {
    match query.order {
        Order::Ascending => query.span.until.is_some_and(|until| at > until),
        Order::Descending => query.span.since.is_some_and(|since| at < since),
    }
}

/// Whose changes a [`HistoryReader`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trail {
    /// Those of the group and of its memberships.
    Group(GroupUid),
    /// Those of the group alone.
    GroupItself(GroupUid),
    /// Those of its memberships alone.
    Members(GroupUid),
    /// Those of the user and of their memberships.
    User(UserUid),
    /// Those of the user alone.
    UserItself(UserUid),
    /// Those of their memberships alone.
    MembershipsOf(UserUid),
    /// Those of the user's membership of the group.
    Membership(GroupUid, UserUid),
}

impl From<HistoryOf> for Trail {
    fn from(of: HistoryOf) -> Self {
        match of {
            HistoryOf::Group(group) => Self::Group(group),
            HistoryOf::User(user) => Self::User(user),
            HistoryOf::Membership(group, user) => Self::Membership(group, user),
        }
    }
}

impl Trail {
    /// Whether a change of the subject belongs to the trail.
    fn concerns(self, subject: &Subject) -> bool {
        match (self, subject) {
            (Self::Group(uid) | Self::GroupItself(uid), Subject::Group(group))
            | (Self::Group(uid) | Self::Members(uid), Subject::Membership { group, .. }) => *group == uid,
            (Self::User(uid) | Self::UserItself(uid), Subject::User(user))
            | (Self::User(uid) | Self::MembershipsOf(uid), Subject::Membership { user, .. }) => *user == uid,
            (Self::Membership(own, uid), Subject::Membership { group, user }) => (*group, *user) == (own, uid),
            _ => false,
        }
    }
}

/// Reads the changes of one trail in their order, some entries at a time.
pub(crate) struct HistoryReader {
    trail: Trail,
    order: Order,
    /// Changes up to this one, itself included, are left out.
    after: Option<ChangeId>,
    /// The moment at which the reader ends; `None` = with the last entry.
    ends_at: Option<Timestamp>,
    /// The numbers of entries to read, in order.
    pending: VecDeque<i64>,
    /// Where the next look-up begins; `None` = there are no more entries.
    from: Option<i64>,
    /// The number of entries to read next.
    load: usize,
    /// The number of entries that were read.
    pub entries_read: usize,
}

impl HistoryReader {
    /// A reader of the changes behind `after`.
    pub(crate) fn new(trail: Trail, order: Order, after: Option<ChangeId>) -> Self {
        let from = match (after, order) {
            (Some(after), _) => after.seq,
            (None, Order::Ascending) => 0,
            (None, Order::Descending) => i64::MAX,
        };
        Self {
            trail,
            order,
            after,
            ends_at: None,
            pending: VecDeque::new(),
            from: Some(from),
            load: LOADED_FIRST,
            entries_read: 0,
        }
    }

    /// A reader of the changes after the moment, the newest first. Entries of the moment and before are not decoded: those
    /// of a batch have thousands of changes.
    pub(crate) fn since(trail: Trail, at: Timestamp) -> Self {
        Self { ends_at: Some(at), ..Self::new(trail, Order::Descending, None) }
    }

    /// Returns the changes of the next entries, which may be none; `None` if there are no more entries.
    pub(crate) async fn next_changes<S: SnapshotReader>(
        &mut self,
        snapshot: &mut S,
    ) -> Result<Option<Vec<StoredChange>>, S::Failure> {
        if self.pending.is_empty() {
            self.look_up(snapshot).await?;
        }
        let numbers: Vec<_> = self.pending.drain(..self.pending.len().min(self.load)).collect();
        if numbers.is_empty() {
            return Ok(None);
        }
        self.load = (self.load * 2).min(LOADED_MAX);
        self.entries_read += numbers.len();
        let mut changes = Vec::new();
        for entry in load(snapshot, &numbers, self.order).await? {
            if self.ends_at.is_some_and(|at| entry.circumstances.at <= at) {
                self.pending.clear();
                self.from = None;
                break;
            }
            let of_entry = entry.changes(self.order, |subject| self.trail.concerns(subject))?;
            changes.extend(of_entry.into_iter().filter(|change| self.is_behind(change.id)));
        }
        Ok(Some(changes))
    }

    /// Looks up the numbers of the next entries.
    async fn look_up<S: SnapshotReader>(&mut self, snapshot: &mut S) -> Result<(), S::Failure> {
        let Some(from) = self.from else { return Ok(()) };
        let numbers = self.entry_numbers(snapshot, from).await?;
        self.from = numbers.last().filter(|_| numbers.len() == LOOKED_UP).map(|last| match self.order {
            Order::Ascending => last + 1,
            Order::Descending => last - 1,
        });
        self.pending.extend(numbers);
        Ok(())
    }

    fn is_behind(&self, id: ChangeId) -> bool {
        self.after.is_none_or(|after| match self.order {
            Order::Ascending => id > after,
            Order::Descending => id < after,
        })
    }

    /// Returns the numbers of the next [`LOOKED_UP`] entries that may have changes of the entity, in order.
    pub(crate) async fn entry_numbers<S: SnapshotReader>(
        &self,
        snapshot: &mut S,
        from: i64,
    ) -> Result<Vec<i64>, S::Failure> {
        let (statements, touches) = self.sources(from);
        let mut numbers = Vec::new();
        for rows in snapshot.read(statements).await? {
            for row in rows {
                numbers.push(integer(&row, 0)?);
            }
        }
        match self.trail {
            Trail::Membership(group, user) => {
                let both = [(Touch::UserMember, user), (Touch::GroupMember, group)];
                numbers.extend(common_batch_entries(snapshot, both, from, self.order, LOOKED_UP).await?);
            }
            _ => {
                for (touch, uid) in touches {
                    numbers.extend(batch_entries(snapshot, touch, uid, from, self.order, LOOKED_UP).await?);
                }
            }
        }
        match self.order {
            Order::Ascending => numbers.sort_unstable(),
            Order::Descending => numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number)),
        }
        numbers.dedup();
        numbers.truncate(LOOKED_UP);
        Ok(numbers)
    }

    /// The statements that find entries, and what batches did to the entity.
    fn sources(&self, from: i64) -> (Vec<Statement>, Vec<(Touch, i64)>) {
        let source = |table, column, condition, parameters| self.source(from, table, column, condition, parameters);
        let by_subject = |kind: &str, uid: i64| {
            source("journal", "seq", "kind = $1 AND subject = $2", vec![kind.to_owned().into(), uid.into()])
        };
        let of_user = |table, condition, uid: UserUid| source(table, "seq", condition, vec![uid.into()]);
        match self.trail {
            Trail::Group(uid) => (
                vec![by_subject("group", uid), by_subject("membership", uid), by_subject("members", uid)],
                vec![(Touch::GroupCreated, uid), (Touch::GroupUpdated, uid), (Touch::GroupMember, uid)],
            ),
            Trail::GroupItself(uid) => {
                (vec![by_subject("group", uid)], vec![(Touch::GroupCreated, uid), (Touch::GroupUpdated, uid)])
            }
            Trail::Members(uid) => {
                (vec![by_subject("membership", uid), by_subject("members", uid)], vec![(Touch::GroupMember, uid)])
            }
            Trail::User(uid) => (
                vec![
                    by_subject("user", uid),
                    of_user("journal", "member = $1", uid),
                    of_user("journal_members", "user_uid = $1", uid),
                ],
                vec![(Touch::UserCreated, uid), (Touch::UserUpdated, uid), (Touch::UserMember, uid)],
            ),
            Trail::UserItself(uid) => {
                (vec![by_subject("user", uid)], vec![(Touch::UserCreated, uid), (Touch::UserUpdated, uid)])
            }
            Trail::MembershipsOf(uid) => (
                vec![of_user("journal", "member = $1", uid), of_user("journal_members", "user_uid = $1", uid)],
                vec![(Touch::UserMember, uid)],
            ),
            Trail::Membership(group, uid) => (
                vec![
                    source("journal", "seq", "member = $1 AND subject = $2", vec![uid.into(), group.into()]),
                    source(
                        "journal_members m JOIN journal j ON j.seq = m.seq",
                        "m.seq",
                        "m.user_uid = $1 AND j.subject = $2",
                        vec![uid.into(), group.into()],
                    ),
                ],
                // Batches are found by both ends.
                Vec::new(),
            ),
        }
    }

    /// A statement that finds entries by a condition.
    fn source(&self, from: i64, table: &str, column: &str, condition: &str, mut parameters: Vec<Value>) -> Statement {
        let (comparison, direction) = match self.order {
            Order::Ascending => (">=", "ASC"),
            Order::Descending => ("<=", "DESC"),
        };
        parameters.push(from.into());
        let from = parameters.len();
        let sql = format!(
            "SELECT {column} FROM {table} WHERE {condition} AND {column} {comparison} ${from} \
             ORDER BY {column} {direction} LIMIT {LOOKED_UP}"
        );
        Statement::built(sql, parameters)
    }
}
