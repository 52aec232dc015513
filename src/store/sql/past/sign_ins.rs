//! The recorded sign-ins, in the order of the feed: nothing can appear any more before what was read.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::domain::actor::{NamedClient, NamedUser};
use crate::domain::error::{Error, Result};
use crate::domain::history::Order;
use crate::domain::journal::Channel;
use crate::domain::sign_in::{RecordedSignIn, SignInFilter, SignInPage, SignInPosition, SignInQuery, SignInType};
use crate::domain::time::Timestamp;
use crate::store::copy::{Row, Value};

use super::feed::{includes, is_beyond, start_of};
use super::{
    FeedColumns, SnapshotReader, Statement, direction, integer, list_of, optional_integer, optional_text, read_rows,
    text,
};

/// The number of rows that one statement reads.
const CHUNK: usize = 256;
/// The maximum number of rows that are read for one page, beyond those of the last statements. A page may be shorter for
/// that.
const ROWS_MAX: usize = 8_192;
/// The selected columns. The number of the transaction follows them.
const COLUMNS: &str = "seq, at, type, channel, user_uid, client_uid, source, count, reason";
/// The number of [`COLUMNS`].
const COLUMN_COUNT: usize = 9;

/// A row of the table.
struct StoredSignIn {
    position: SignInPosition,
    kind: SignInType,
    channel: Channel,
    user: Option<i64>,
    client: Option<i64>,
    source: Option<String>,
    count: i64,
    reason: Option<String>,
}

/// Reads a part of the sign-ins. Fails with `NoLongerKept` if the row of the position is gone or is another one.
pub(crate) async fn read<S: SnapshotReader>(snapshot: &mut S, query: &SignInQuery) -> Result<SignInPage, S::Failure> {
    let mut position = match &query.after {
        Some(after) => Some(checked(snapshot, *after).await?),
        None => first_position(snapshot, query).await?,
    };
    let (mut found, mut more, mut rows_read) = (Vec::new(), true, 0);
    'page: while rows_read < ROWS_MAX {
        let statements = statements(snapshot.feed_columns(), query, position.as_ref());
        let (rows, is_last) = merged(snapshot.read(statements).await?, query.order, &mut rows_read)?;
        let before = position;
        for row in rows.into_iter().filter(|row| Some(row.position) != before) {
            if is_beyond(query.span, query.order, row.position.at) {
                more = false;
                break 'page;
            }
            if query.span.contains(row.position.at) && matches(&query.filter, &row) {
                if found.len() == query.limit as usize {
                    break 'page;
                }
                position = Some(row.position);
                found.push(row);
            } else {
                position = Some(row.position);
            }
        }
        if is_last {
            more = false;
            break;
        }
    }
    Ok(SignInPage { sign_ins: named(snapshot, found).await?, next: position, more })
}

/// Returns the position if its row is still what it was.
async fn checked<S: SnapshotReader>(snapshot: &mut S, position: SignInPosition) -> Result<SignInPosition, S::Failure> {
    let sql = format!("SELECT at, {} FROM sign_ins WHERE seq = $1", snapshot.feed_columns().transaction);
    let rows = read_rows(snapshot, Statement::built(sql, vec![position.seq.into()])).await?;
    let is_same = match rows.first() {
        Some(row) => integer(row, 0)? == position.at.as_micros() && integer(row, 1)? == position.transaction,
        None => false,
    };
    if is_same { Ok(position) } else { Err(Error::NoLongerKept.into()) }
}

/// Returns a position before the first row that can be in the query's span; `None` = the beginning.
async fn first_position<S: SnapshotReader>(
    snapshot: &mut S,
    query: &SignInQuery,
) -> Result<Option<SignInPosition>, S::Failure> {
    let Some((condition, order, bound)) = start_of(query.span, query.order) else { return Ok(None) };
    let transaction = snapshot.feed_columns().transaction;
    let sql = format!("SELECT seq, at, {transaction} FROM sign_ins WHERE {condition} ORDER BY {order} LIMIT 1");
    let rows = read_rows(snapshot, Statement::built(sql, vec![bound.as_micros().into()])).await?;
    let position = rows.first().map(|row| {
        let (seq, at) = (integer(row, 0)?, Timestamp::from_micros(integer(row, 1)?));
        Ok::<_, Error>(SignInPosition { transaction: integer(row, 2)?, seq, at })
    });
    Ok(position.transpose()?)
}

/// The statements that read the next rows, from that of the position on: one for each user, else each client, else each
/// source of the filter, which an index finds in their order, or one for all rows. The other parts of the filter are
/// applied to what they read.
fn statements(columns: FeedColumns, query: &SignInQuery, position: Option<&SignInPosition>) -> Vec<Statement> {
    let SignInFilter { users, clients, sources, .. } = &query.filter;
    let equal = |column: &'static str, numbers: &[i64]| -> Vec<(String, Option<Value>)> {
        numbers.iter().map(|number| (format!("{column} = {number}"), None)).collect()
    };
    let conditions = match (&users[..], &clients[..], &sources[..]) {
        ([], [], []) => vec![("1 = 1".to_owned(), None)],
        ([], [], sources) => {
            let parameter = if position.is_some() { "$3" } else { "$1" };
            let is = |source: &IpAddr| (format!("source = {parameter}"), Some(Value::from(source.to_string())));
            sources.iter().map(is).collect()
        }
        ([], clients, _) => equal("client_uid", clients),
        (users, ..) => equal("user_uid", users),
    };
    let (from, place) = match (position, query.order) {
        (None, _) => (String::new(), Vec::new()),
        (Some(position), order) => {
            let from = if order == Order::Ascending { columns.from } else { columns.to };
            (format!(" AND {from}"), vec![position.transaction.into(), position.seq.into()])
        }
    };
    let (settled, transaction) = (columns.is_settled, columns.transaction);
    let order = columns.order.replace("{}", direction(query.order));
    let statement = |(condition, value): (String, Option<Value>)| {
        let sql = format!(
            "SELECT {COLUMNS}, {transaction} FROM sign_ins WHERE {condition} AND {settled}{from} \
             ORDER BY {order} LIMIT {CHUNK}"
        );
        Statement::built(sql, place.iter().cloned().chain(value).collect())
    };
    conditions.into_iter().map(statement).collect()
}

/// Returns the first rows of all answers in their order, and whether no row comes after them. Counts the rows that were
/// read.
fn merged(answers: Vec<Vec<Row>>, order: Order, rows_read: &mut usize) -> Result<(Vec<StoredSignIn>, bool)> {
    let are_whole = answers.iter().all(|rows| rows.len() < CHUNK);
    let mut rows = answers.iter().flatten().map(stored).collect::<Result<Vec<_>>>()?;
    *rows_read += rows.len();
    rows.sort_by_key(|row| (row.position.transaction, row.position.seq));
    if order == Order::Descending {
        rows.reverse();
    }
    let is_last = are_whole && rows.len() <= CHUNK;
    rows.truncate(CHUNK);
    Ok((rows, is_last))
}

fn stored(row: &Row) -> Result<StoredSignIn> {
    let unknown = |what: &str| Error::internal(anyhow::anyhow!("a sign-in has an unknown {what}"));
    let owned = |at| Ok::<_, Error>(optional_text(row, at)?.map(str::to_owned));
    let at = Timestamp::from_micros(integer(row, 1)?);
    Ok(StoredSignIn {
        position: SignInPosition { transaction: integer(row, COLUMN_COUNT)?, seq: integer(row, 0)?, at },
        kind: text(row, 2)?.parse().map_err(|()| unknown("type"))?,
        channel: text(row, 3)?.parse().map_err(|()| unknown("channel"))?,
        user: optional_integer(row, 4)?,
        client: optional_integer(row, 5)?,
        source: owned(6)?,
        count: integer(row, 7)?,
        reason: owned(8)?,
    })
}

/// Whether the filter includes the row.
fn matches(filter: &SignInFilter, row: &StoredSignIn) -> bool {
    let source = row.source.as_deref().and_then(|source| source.parse().ok());
    includes(&filter.types, Some(&row.kind))
        && includes(&filter.users, row.user.as_ref())
        && includes(&filter.clients, row.client.as_ref())
        && includes(&filter.channels, Some(&row.channel))
        && includes(&filter.sources, source.as_ref())
}

/// Returns the sign-ins with the present names of their users and clients.
async fn named<S: SnapshotReader>(
    snapshot: &mut S,
    rows: Vec<StoredSignIn>,
) -> Result<Vec<RecordedSignIn>, S::Failure> {
    const USERS: &str = "SELECT uid, id, username FROM users WHERE uid IN";
    const CLIENTS: &str = "SELECT uid, id, name FROM clients WHERE uid IN";
    let users = names(snapshot, USERS, rows.iter().filter_map(|row| row.user).collect()).await?;
    let clients = names(snapshot, CLIENTS, rows.iter().filter_map(|row| row.client).collect()).await?;
    let user = |uid: i64| users.get(&uid).cloned().map(|(id, username)| NamedUser { uid, id, username });
    let client = |uid: i64| clients.get(&uid).cloned().map(|(id, name)| NamedClient { uid, id, name });
    let named = |row: StoredSignIn| RecordedSignIn {
        seq: row.position.seq,
        at: row.position.at,
        kind: row.kind,
        channel: row.channel,
        user: row.user.and_then(user),
        client: row.client.and_then(client),
        source: row.source,
        count: row.count,
        reason: row.reason,
    };
    Ok(rows.into_iter().map(named).collect())
}

/// Looks up the ID and the name of each number.
async fn names<S: SnapshotReader>(
    snapshot: &mut S,
    select: &str,
    numbers: BTreeSet<i64>,
) -> Result<HashMap<i64, (String, String)>, S::Failure> {
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("{select} ({})", list_of(numbers));
    let rows = read_rows(snapshot, Statement::built(sql, Vec::new())).await?;
    let name = |row: &Row| Ok::<_, Error>((integer(row, 0)?, (text(row, 1)?.to_owned(), text(row, 2)?.to_owned())));
    Ok(rows.iter().map(name).collect::<Result<_>>()?)
}
