//! Reading the past from the journal: histories, the feed of changes, and the directory at any moment
//! (docs/rollbook.md, section 11). The journal is the only source; there is no table of versions.
//!
//! The algorithms are written once, over a [`SnapshotReader`]. Each store implements it for one read transaction.

pub(crate) mod batches;
mod entities_then;
pub(crate) mod entries;
pub(crate) mod feed;
pub(crate) mod history;
mod horizon;
mod members_then;
pub(crate) mod moments;
pub(crate) mod names;
pub(crate) mod sign_ins;
pub(crate) mod spells;
pub(crate) mod states;

use std::borrow::Cow;

use crate::domain::error::{Error, Result};
use crate::domain::history::Order;
use crate::domain::labels::Tag;
use crate::store::copy::{Row, Value};

/// A statement that reads rows of integers and texts. Both engines accept its text, with parameters `$1, $2, ...`.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// The text.
    pub sql: Cow<'static, str>,
    /// The values of the parameters; none is NULL.
    pub parameters: Vec<Value>,
}

impl Statement {
    /// A constant statement, which the engine may prepare once.
    pub(crate) fn constant(sql: &'static str, parameters: Vec<Value>) -> Self {
        Self { sql: Cow::Borrowed(sql), parameters }
    }

    /// A statement whose text depends on the question.
    pub(crate) fn built(sql: String, parameters: Vec<Value>) -> Self {
        Self { sql: Cow::Owned(sql), parameters }
    }
}

/// One snapshot of the database.
pub(crate) trait SnapshotReader {
    /// The error of the engine.
    type Failure: From<Error>;

    /// The language whose label is a group's Name.
    fn language(&self) -> &Tag;

    /// The columns by which the feed is ordered. Transactions that overlap write their entries in no common order of
    /// `seq`, so an engine that has them orders by the transaction first.
    fn feed_columns(&self) -> FeedColumns;

    /// Runs the statements, in one round trip if possible, and returns the rows of each. Numbers of entities are
    /// returned as integers of any width, NULL as [`Value::Null`].
    fn read(&mut self, statements: Vec<Statement>) -> impl Future<Output = Result<Vec<Vec<Row>>, Self::Failure>>;
}

/// Runs one statement and returns its rows.
pub(crate) async fn read_rows<S: SnapshotReader>(
    snapshot: &mut S,
    statement: Statement,
) -> Result<Vec<Row>, S::Failure> {
    Ok(snapshot.read(vec![statement]).await?.pop().unwrap_or_default())
}

/// How an engine orders the feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeedColumns {
    /// The number of the transaction, as an integer to select.
    pub transaction: &'static str,
    /// The condition that an entry stands behind the position of the parameters `$1` (transaction) and `$2` (seq), or at
    /// it.
    pub from: &'static str,
    /// The condition that an entry stands before that position, or at it.
    pub to: &'static str,
    /// The condition that no entry can appear any more before the entry.
    pub is_settled: &'static str,
    /// The columns of the order, each with a place for its direction, `{}`.
    pub order: &'static str,
}

/// `ASC` or `DESC`.
pub(crate) const fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// Reads an integer from the row.
pub(crate) fn integer(row: &Row, at: usize) -> Result<i64> {
    match row.get(at) {
        Some(Value::Integer(integer)) => Ok(*integer),
        other => Err(unreadable(at, other)),
    }
}

/// Reads a nullable integer from the row.
pub(crate) fn optional_integer(row: &Row, at: usize) -> Result<Option<i64>> {
    match row.get(at) {
        Some(Value::Null) => Ok(None),
        _ => integer(row, at).map(Some),
    }
}

/// Reads a text from the row.
pub(crate) fn text(row: &Row, at: usize) -> Result<&str> {
    match row.get(at) {
        Some(Value::Text(text)) => Ok(text),
        other => Err(unreadable(at, other)),
    }
}

/// Reads a nullable text from the row.
pub(crate) fn optional_text(row: &Row, at: usize) -> Result<Option<&str>> {
    match row.get(at) {
        Some(Value::Null) => Ok(None),
        _ => text(row, at).map(Some),
    }
}

fn unreadable(at: usize, value: Option<&Value>) -> Error {
    Error::internal(anyhow::anyhow!("column {at} of the journal has another type: {value:?}"))
}

/// Returns the numbers as a comma-separated list, to stand in a statement.
pub(crate) fn list_of(numbers: impl IntoIterator<Item = i64>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}
