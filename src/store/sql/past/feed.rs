//! The feed: all changes of the directory, in an order in which nothing can appear any more before what was read.

use crate::domain::error::{Error, Result};
use crate::domain::history::{
    ChangeFilter, ChangeId, FeedChange, FeedPage, FeedPosition, FeedQuery, JournaledPage, Order, Span, Subject,
};
use crate::domain::time::Timestamp;
use crate::store::copy::{Row, Value};

use super::entries::{COLUMN_COUNT, COLUMNS, Entry, StoredChange};
use super::names::{GroupFilter, named};
use super::{FeedColumns, SnapshotReader, Statement, direction, integer, read_rows, text};

/// The number of entries that are read at a time. One can name 100,000 members.
const CHUNK: usize = 64;
/// The maximum number of entries that are read for one page. A page may be shorter for that.
const ENTRIES_MAX: usize = 4_096;
/// By how much the times of entries may be out of the order of the feed, in seconds: the longest transaction, on two
/// nodes whose clocks differ.
const DISORDER: i64 = 120;

/// Reads a part of the feed. Fails with `NoLongerKept` if the entry of the position is gone or is another operation's.
pub(crate) async fn feed<S: SnapshotReader>(snapshot: &mut S, query: &FeedQuery) -> Result<FeedPage, S::Failure> {
    let Part { changes, next, more } = part(snapshot, query).await?;
    let (transactions, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    let changes = named(snapshot, changes).await?;
    let changes = transactions.into_iter().zip(changes).map(|(transaction, change)| FeedChange { transaction, change });
    Ok(FeedPage { changes: changes.collect(), next, more })
}

/// As [`feed`], with numbers instead of names.
pub(crate) async fn journaled<S: SnapshotReader>(
    snapshot: &mut S,
    query: &FeedQuery,
) -> Result<JournaledPage, S::Failure> {
    let Part { changes, next, more } = part(snapshot, query).await?;
    let bytes = changes.iter().flat_map(|(_, change)| change.before.iter().chain(&change.after)).map(String::len).sum();
    let language = snapshot.language();
    let changes = changes.into_iter().map(|(_, change)| change.journaled(language));
    Ok(JournaledPage { changes: changes.collect::<Result<_>>()?, next, more, bytes })
}

/// A part of the feed before names are looked up.
struct Part {
    /// The changes, each with the number of its transaction.
    changes: Vec<(i64, StoredChange)>,
    next: Option<FeedPosition>,
    more: bool,
}

async fn part<S: SnapshotReader>(snapshot: &mut S, query: &FeedQuery) -> Result<Part, S::Failure> {
    let limit = query.limit as usize;
    let mut groups = GroupFilter::new(&query.visibility);
    let mut position = match &query.after {
        Some(after) => Some(checked(snapshot, after).await?),
        None => first_position(snapshot, query).await?,
    };
    let mut found: Vec<(i64, StoredChange)> = Vec::new();
    let (mut more, mut entries_read) = (true, 0);
    'page: while entries_read < ENTRIES_MAX {
        let rows = read_rows(snapshot, entries_from(snapshot.feed_columns(), query, position.as_ref())).await?;
        let is_last = rows.len() < CHUNK;
        entries_read += rows.len();
        let before = position.clone();
        for row in &rows {
            let transaction = integer(row, COLUMN_COUNT)?;
            let entry = Entry::read(row)?;
            let (seq, operation) = (entry.seq, entry.circumstances.operation.as_ref().to_owned());
            let at = entry.circumstances.at;
            if is_beyond(query.span, query.order, at) {
                more = false;
                break 'page;
            }
            let is_wanted = |subject: &Subject| query.filter.concerns(subject);
            let mut changes = match query.span.contains(at) {
                true => entry.changes(query.order, is_wanted)?,
                false => Vec::new(),
            };
            changes.retain(|change| is_behind(change.id, before.as_ref(), query.order));
            groups.look_up(snapshot, &changes).await?;
            changes.retain(|change| groups.is_in_feed(change) && matches(&query.filter, change));
            let fits = limit - found.len();
            if changes.len() > fits {
                if let Some(last) = changes.get(fits.wrapping_sub(1)) {
                    position = Some(FeedPosition { transaction, change: last.id, operation });
                }
                found.extend(changes.into_iter().take(fits).map(|change| (transaction, change)));
                break 'page;
            }
            found.extend(changes.into_iter().map(|change| (transaction, change)));
            let index = match query.order {
                Order::Ascending => u32::MAX,
                Order::Descending => 0,
            };
            position = Some(FeedPosition { transaction, change: ChangeId { seq, index }, operation });
        }
        if is_last {
            more = false;
            position = behind_all(snapshot, query, position).await?;
            break;
        }
    }
    Ok(Part { changes: found, next: position, more })
}

/// Returns the last position of the feed, behind which nothing can be read yet; `None` in an empty feed.
pub(crate) async fn end<S: SnapshotReader>(snapshot: &mut S) -> Result<Option<FeedPosition>, S::Failure> {
    let statement = Statement::built(end_statement(snapshot.feed_columns()), Vec::new());
    let rows = read_rows(snapshot, statement).await?;
    Ok(rows.first().map(end_position).transpose()?)
}

/// The statement that reads the last entry of the feed, for [`end_position`]. It has no parameters.
pub(crate) fn end_statement(FeedColumns { transaction, is_settled, order, .. }: FeedColumns) -> String {
    let order = order.replace("{}", direction(Order::Descending));
    format!("SELECT seq, operation, {transaction} FROM journal WHERE {is_settled} ORDER BY {order} LIMIT 1")
}

/// The position behind all changes of the entry in a row of [`end_statement`].
pub(crate) fn end_position(row: &Row) -> Result<FeedPosition> {
    let change = ChangeId { seq: integer(row, 0)?, index: u32::MAX };
    Ok(FeedPosition { transaction: integer(row, 2)?, change, operation: text(row, 1)?.to_owned() })
}

/// Returns the position at which a part ends that has everything up to the end. Entries of other operations than those
/// of the filter are not read, so they do not move the position by themselves.
async fn behind_all<S: SnapshotReader>(
    snapshot: &mut S,
    query: &FeedQuery,
    position: Option<FeedPosition>,
) -> Result<Option<FeedPosition>, S::Failure> {
    let is_filtered = !query.filter.operations.is_empty() && query.order == Order::Ascending;
    if is_filtered { Ok(end(snapshot).await?.max(position)) } else { Ok(position) }
}

/// Returns the position if its entry is still what it was.
async fn checked<S: SnapshotReader>(snapshot: &mut S, position: &FeedPosition) -> Result<FeedPosition, S::Failure> {
    let sql = format!("SELECT operation, {} FROM journal WHERE seq = $1", snapshot.feed_columns().transaction);
    let rows = read_rows(snapshot, Statement::built(sql, vec![position.change.seq.into()])).await?;
    let is_same = match rows.first() {
        Some(row) => text(row, 0)? == position.operation && integer(row, 1)? == position.transaction,
        None => false,
    };
    if is_same { Ok(position.clone()) } else { Err(Error::NoLongerKept.into()) }
}

/// Returns a position before the first entry that can be in the query's span; `None` = the beginning.
async fn first_position<S: SnapshotReader>(
    snapshot: &mut S,
    query: &FeedQuery,
) -> Result<Option<FeedPosition>, S::Failure> {
    let Some((condition, order, bound)) = start_of(query.span, query.order) else { return Ok(None) };
    let transaction = snapshot.feed_columns().transaction;
    let sql = format!("SELECT seq, operation, {transaction} FROM journal WHERE {condition} ORDER BY {order} LIMIT 1");
    let rows = read_rows(snapshot, Statement::built(sql, vec![bound.as_micros().into()])).await?;
    let position = rows.first().map(end_position).transpose()?;
    let index = if query.order == Order::Ascending { u32::MAX } else { 0 };
    Ok(position.map(|position| FeedPosition { change: ChangeId { index, ..position.change }, ..position }))
}

/// The condition on the time `$1` of an entry before all that can be in the span, the order in which the last such entry
/// is first, and that time; `None` = reading starts at the beginning.
pub(super) fn start_of(span: Span, order: Order) -> Option<(&'static str, &'static str, Timestamp)> {
    match (order, span) {
        (Order::Ascending, Span { since: Some(since), .. }) => {
            Some(("at < $1", "at DESC", since.plus_seconds(-DISORDER)))
        }
        (Order::Descending, Span { until: Some(until), .. }) => Some(("at > $1", "at", until.plus_seconds(DISORDER))),
        _ => None,
    }
}

/// Whether no later entry of the order can be in the span.
pub(super) fn is_beyond(span: Span, order: Order, at: Timestamp) -> bool {
    match order {
        Order::Ascending => span.until.is_some_and(|until| at > until.plus_seconds(DISORDER)),
        Order::Descending => span.since.is_some_and(|since| at < since.plus_seconds(-DISORDER)),
    }
}

/// Whether the change is behind the position, in the order of the changes of one entry.
fn is_behind(id: ChangeId, position: Option<&FeedPosition>, order: Order) -> bool {
    position.is_none_or(|position| {
        let read = position.change;
        id.seq != read.seq
            || match order {
                Order::Ascending => id.index > read.index,
                Order::Descending => id.index < read.index,
            }
    })
}

/// The statement that reads the next entries, from that of the position on.
fn entries_from(columns: super::FeedColumns, query: &FeedQuery, position: Option<&FeedPosition>) -> Statement {
    let mut conditions = vec![if query.is_settled { columns.is_settled } else { "seq > 0" }.to_owned()];
    let mut parameters: Vec<Value> = Vec::new();
    if let Some(FeedPosition { transaction, change, .. }) = position {
        parameters.extend([(*transaction).into(), change.seq.into()]);
        conditions.push(match query.order {
            Order::Ascending => columns.from.to_owned(),
            Order::Descending => columns.to.to_owned(),
        });
    }
    if !query.filter.operations.is_empty() {
        let first = parameters.len() + 1;
        parameters.extend(query.filter.operations.iter().cloned().map(Value::from));
        let names: Vec<_> = (first..=parameters.len()).map(|at| format!("${at}")).collect();
        conditions.push(format!("operation IN ({})", names.join(", ")));
    }
    let order = columns.order.replace("{}", direction(query.order));
    let conditions = conditions.join(" AND ");
    let transaction = columns.transaction;
    let sql = format!("SELECT {COLUMNS}, {transaction} FROM journal WHERE {conditions} ORDER BY {order} LIMIT {CHUNK}");
    Statement::built(sql, parameters)
}

/// Whether the filter's other lists include the change. The statement has selected the operations.
fn matches(filter: &ChangeFilter, change: &StoredChange) -> bool {
    let circumstances = &change.circumstances;
    includes(&filter.types, Some(&change.kind))
        && includes(&filter.actors, circumstances.actor_user.as_ref())
        && includes(&filter.clients, circumstances.actor_client.as_ref())
        && includes(&filter.channels, Some(&circumstances.channel))
}

/// Whether the list of a filter is empty or has the value.
pub(super) fn includes<T: PartialEq>(wanted: &[T], value: Option<&T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(value))
}
