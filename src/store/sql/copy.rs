//! The tables that a copy transfers between SQL stores, the rows derived from theirs, and the statements of the copy.
//! Each store builds text indexes and counters itself.

use anyhow::{Context as _, anyhow};

use crate::domain::client::Client;
use crate::domain::group::Group;
use crate::domain::idempotency::RecordedAnswer;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::user::User;
use crate::store::copy::{Column, Row, Table, Value};
use crate::store::{RefreshToken, SigningKey};

use super::columns::{Record, columns, copied, names, parameters};
use super::derived::Derived;
use super::entity::StoredEntity;
use super::journal::batch_index::BATCH_INDEX;
use super::journal::{JOURNAL, JOURNAL_MEMBERS};
use super::rows::Columns;
use super::sign_ins::SIGN_INS;
use super::statistics::DAILY_COUNTS;

/// All tables that are copied.
pub(crate) static TABLES: [Table; 15] = [
    Table { name: "settings", columns: columns! { Text: "key" "value"; }, key: 1 },
    table::<Group>(&copied::<_, { Group::COLUMNS.len() }>(Group::COLUMNS)),
    table::<User>(&copied::<_, { User::COLUMNS.len() }>(User::COLUMNS)),
    Table {
        name: "memberships",
        columns: columns! {
            Integer: "group_uid" "user_uid";
            Text: "user_key";
            Small: "live";
            Integer: "added" "change";
        },
        key: 2,
    },
    table::<Client>(&copied::<_, { Client::COLUMNS.len() }>(Client::COLUMNS)),
    Table { name: "ended_tokens", columns: columns! { Text: "name"; Integer: "expires"; }, key: 1 },
    table::<RefreshToken>(&copied::<_, { RefreshToken::COLUMNS.len() }>(RefreshToken::COLUMNS)),
    table::<LongLivedToken>(&copied::<_, { LongLivedToken::COLUMNS.len() }>(LongLivedToken::COLUMNS)),
    table::<SigningKey>(&copied::<_, { SigningKey::COLUMNS.len() }>(SigningKey::COLUMNS)),
    JOURNAL,
    JOURNAL_MEMBERS,
    BATCH_INDEX,
    table::<RecordedAnswer>(&copied::<_, { RecordedAnswer::COLUMNS.len() }>(RecordedAnswer::COLUMNS)),
    SIGN_INS,
    DAILY_COUNTS,
];

/// The table of settings.
pub(crate) static SETTINGS: &Table = &TABLES[0];
/// The table of groups.
pub(crate) static GROUPS: &Table = &TABLES[1];
/// The table of users.
pub(crate) static USERS: &Table = &TABLES[2];
/// The table of clients.
pub(crate) static CLIENTS: &Table = &TABLES[4];

const fn table<E: Record>(columns: &'static [Column]) -> Table {
    Table { name: E::TABLE, columns, key: E::KEY }
}

/// Returns what is derived from these rows of the table. Fails if a row cannot be read.
pub(crate) fn derived(table: &Table, rows: &[Row]) -> anyhow::Result<Derived> {
    match table.name {
        Group::TABLE => derived_from::<Group>(rows),
        User::TABLE => derived_from::<User>(rows),
        _ => Ok(Derived::default()),
    }
}

fn derived_from<E: StoredEntity>(rows: &[Row]) -> anyhow::Result<Derived> {
    let read = |row| E::read(&Cells(row)).with_context(|| format!("a {} cannot be read", E::NAME));
    Ok(Derived::of(&rows.iter().map(read).collect::<anyhow::Result<Vec<E>>>()?))
}

/// Returns the statement that counts the rows of the table.
pub(crate) fn count(table: &Table) -> String {
    format!("SELECT count(*) FROM {}", table.name)
}

/// Returns the statement that selects the next rows of a table, ordered by key: from the start, or after the key in the
/// parameters.
pub(crate) fn select(table: &Table, from_start: bool, limit: usize) -> String {
    let key = column_names(&table.columns[..table.key]);
    let after_key = match from_start {
        true => String::new(),
        false => format!(" WHERE ({key}) > ({})", parameters(table.key)),
    };
    format!("SELECT {} FROM {}{after_key} ORDER BY {key} LIMIT {limit}", column_names(table.columns), table.name)
}

/// Returns an `INSERT` of one row, with all columns as parameters.
pub(crate) fn insert(table: &Table) -> String {
    let (names, parameters) = (column_names(table.columns), parameters(table.columns.len()));
    format!("INSERT INTO {} ({names}) VALUES ({parameters})", table.name)
}

/// Counts the live groups, users and memberships, and reads the counter of changes, in this order.
pub(crate) const LIVE: &str = "SELECT (SELECT count(*) FROM groups WHERE deleted IS NULL), \
     (SELECT count(*) FROM users WHERE deleted IS NULL), \
     (SELECT CAST(coalesce(sum(members), 0) AS BIGINT) FROM groups WHERE deleted IS NULL), \
     (SELECT CAST(sum(value) AS BIGINT) FROM counters WHERE name = 'changes')";

/// Returns the names of the columns as a comma-separated list.
pub(crate) fn column_names(columns: &[Column]) -> String {
    names(columns.iter().map(|column| column.name))
}

/// A copied row, to read an entity from.
pub(crate) struct Cells<'a>(pub &'a Row);

impl Cells<'_> {
    fn at(&self, at: usize) -> Option<&Value> {
        self.0.get(at)
    }
}

impl Columns for Cells<'_> {
    type Error = anyhow::Error;

    fn integer(&self, at: usize) -> anyhow::Result<i64> {
        self.optional_integer(at)?.ok_or_else(|| Self::unreadable(at, "it is null".to_owned()))
    }

    fn optional_integer(&self, at: usize) -> anyhow::Result<Option<i64>> {
        match self.at(at) {
            Some(Value::Integer(integer)) => Ok(Some(*integer)),
            Some(Value::Null) => Ok(None),
            other => Err(Self::unreadable(at, format!("{other:?} is no integer"))),
        }
    }

    fn small(&self, at: usize) -> anyhow::Result<i64> {
        self.integer(at)
    }

    fn optional_small(&self, at: usize) -> anyhow::Result<Option<i64>> {
        self.optional_integer(at)
    }

    fn text(&self, at: usize) -> anyhow::Result<&str> {
        self.optional_text(at)?.ok_or_else(|| Self::unreadable(at, "it is null".to_owned()))
    }

    fn optional_text(&self, at: usize) -> anyhow::Result<Option<&str>> {
        match self.at(at) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(Self::unreadable(at, format!("{other:?} is no text"))),
        }
    }

    fn unreadable(at: usize, reason: String) -> anyhow::Error {
        anyhow!("column {at}: {reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn statements_select_by_key() {
        let table = &TABLES[3];
        assert_eq!(
            select(table, false, 7),
            "SELECT group_uid, user_uid, user_key, live, added, change FROM memberships \
             WHERE (group_uid, user_uid) > ($1, $2) ORDER BY group_uid, user_uid LIMIT 7"
        );
        assert!(!select(table, true, 7).contains("WHERE"));
        assert!(insert(&TABLES[5]).ends_with("(name, expires) VALUES ($1, $2)"));
    }
}
