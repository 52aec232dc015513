//! The tables that a copy carries from one SQL store to another, and what is made anew beside their rows. All else
//! (indexes of text, counters) each store makes in its own way.

use anyhow::{Context as _, anyhow};

use crate::store::copy::{Column, Kind, Row, Table, Value};

use super::layout::Beside;
use super::rows::{self, Columns};
use super::tables::{Groups, Listing as _, Users};

macro_rules! columns {
    ($($kind:ident: $($name:literal)+;)+) => { &[$($(Column { name: $name, kind: Kind::$kind }),+),+] };
}
pub(super) use columns;

/// Every table that is copied. Those of things begin with the columns that `select_group!` and its like select.
pub static TABLES: [Table; 9] = [
    Table { name: "settings", columns: columns! { Text: "key" "value"; }, key: 1 },
    Table {
        name: Groups::TABLE,
        columns: columns! {
            Integer: "uid";
            Text: "id" "name" "labels" "description" "xp" "communities";
            Integer: "created" "updated" "deleted" "version" "members";
            Text: "id_key" "name_key" "description_key";
        },
        key: 1,
    },
    Table {
        name: Users::TABLE,
        columns: columns! {
            Integer: "uid";
            Text: "id" "username" "first_name" "last_name" "email" "phone";
            Integer: "terms_accepted";
            Small: "active";
            Text: "xp";
            Small: "roles";
            Text: "communities";
            Integer: "generation" "password_set" "created" "updated" "deleted" "version" "last_active";
            Integer: "failed_attempts" "locked_until";
            Text: "password_hash" "id_key" "username_key" "first_name_key" "last_name_key" "email_key" "phone_key";
        },
        key: 1,
    },
    Table {
        name: "memberships",
        columns: columns! { Integer: "group_uid" "user_uid"; Text: "user_key"; Small: "live"; Integer: "added"; },
        key: 2,
    },
    Table {
        name: "clients",
        columns: columns! {
            Integer: "uid";
            Text: "id" "name";
            Small: "roles";
            Text: "communities";
            Integer: "user_uid" "access_minutes" "refresh_minutes";
            Small: "enabled";
            Integer: "generation" "secret_set" "created" "updated" "deleted" "version";
            Text: "secret_hash" "id_key";
        },
        key: 1,
    },
    Table { name: "ended_tokens", columns: columns! { Text: "jti"; Integer: "expires"; }, key: 1 },
    Table {
        name: "refresh_tokens",
        columns: columns! {
            Text: "hash" "family";
            Integer: "user_uid" "client_uid" "user_generation" "client_generation";
            Small: "scope";
            Integer: "expires";
            Small: "used";
        },
        key: 1,
    },
    Table { name: "signing_keys", columns: columns! { Text: "kid" "pem"; Integer: "signs_from"; }, key: 1 },
    Table {
        name: "journal",
        columns: columns! {
            Integer: "seq";
            Text: "operation";
            Integer: "at" "actor_user" "actor_client";
            Text: "door" "kind" "change";
            Integer: "subject" "member";
            Text: "before" "after";
        },
        key: 1,
    },
];

/// The table of groups.
pub static GROUPS: &Table = &TABLES[1];
/// The table of users.
pub static USERS: &Table = &TABLES[2];

/// What stands beside these rows of the table.
pub fn beside(table: &Table, rows: &[Row]) -> anyhow::Result<Beside> {
    match table.name {
        Groups::TABLE => beside_groups(rows).context("a group cannot be read"),
        Users::TABLE => beside_users(rows).context("a user cannot be read"),
        _ => Ok(Beside::default()),
    }
}

fn beside_groups(rows: &[Row]) -> anyhow::Result<Beside> {
    let groups = rows.iter().map(|row| rows::group(&Cells(row))).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Beside::of_groups(&groups))
}

fn beside_users(rows: &[Row]) -> anyhow::Result<Beside> {
    let users = rows.iter().map(|row| rows::user(&Cells(row))).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Beside::of_users(&users))
}

/// The number of the table's rows.
pub fn count(table: &Table) -> String {
    format!("SELECT count(*) FROM {}", table.name)
}

/// The next rows of a table, of which those up to the key that is given as parameters were had.
pub fn select(table: &Table, from_the_first: bool, limit: usize) -> String {
    let key = names(&table.columns[..table.key]);
    let behind = match from_the_first {
        true => String::new(),
        false => format!(" WHERE ({key}) > ({})", parameters(table.key)),
    };
    format!("SELECT {} FROM {}{behind} ORDER BY {key} LIMIT {limit}", names(table.columns), table.name)
}

/// One row with all columns as parameters.
pub fn insert(table: &Table) -> String {
    let (names, parameters) = (names(table.columns), parameters(table.columns.len()));
    format!("INSERT INTO {} ({names}) VALUES ({parameters})", table.name)
}

/// The live groups, users and memberships, in this order, counted anew.
pub const LIVE: &str = "SELECT (SELECT count(*) FROM groups WHERE deleted IS NULL), \
     (SELECT count(*) FROM users WHERE deleted IS NULL), \
     (SELECT CAST(coalesce(sum(members), 0) AS BIGINT) FROM groups WHERE deleted IS NULL)";

/// The names of columns, as statements list them.
pub fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

/// `$1` is what both engines call the first parameter. (To SQLite it is a name; names are numbered as they come.)
fn parameters(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// A copied row, as the columns that things are read from.
pub struct Cells<'a>(pub &'a Row);

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
    use crate::store::sql::rows::{select_client, select_group, select_user};

    #[test]
    fn tables_begin_with_the_columns_that_things_are_read_from() {
        for (table, selected) in [(1, select_group!("")), (2, select_user!("")), (4, select_client!(""))] {
            let columns = names(TABLES[table].columns);
            let selected = selected.trim_start_matches("SELECT ").trim_end();
            assert!(columns.starts_with(selected), "{columns}");
        }
    }

    #[test]
    fn statements_go_by_the_key() {
        let table = &TABLES[3];
        assert_eq!(
            select(table, false, 7),
            "SELECT group_uid, user_uid, user_key, live, added FROM memberships \
             WHERE (group_uid, user_uid) > ($1, $2) ORDER BY group_uid, user_uid LIMIT 7"
        );
        assert!(!select(table, true, 7).contains("WHERE"));
        assert!(insert(&TABLES[5]).ends_with("(jti, expires) VALUES ($1, $2)"));
    }
}
