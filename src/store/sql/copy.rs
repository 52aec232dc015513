//! The tables that a copy carries from one SQL store to another, and what is made anew beside their rows. All else
//! (indexes of text, counters) each store makes in its own way.

use anyhow::{Context as _, anyhow};

use crate::domain::community::Communities;
use crate::domain::xp::Xp;
use crate::store::copy::{Column, Kind, Row, Table, Value};

use super::changes::{texts_of_group, texts_of_user};
use super::rows::{self, Columns};
use super::tables::{Groups, Listing as _, Users};
use super::xp;

macro_rules! columns {
    ($($kind:ident: $($name:literal)+;)+) => { &[$($(Column { name: $name, kind: Kind::$kind }),+),+] };
}

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

/// The links between groups and communities.
static LINKS: Table =
    Table { name: "group_communities", columns: columns! { Text: "community"; Integer: "owner"; }, key: 2 };

const XP_COLUMNS: &[Column] = columns! {
    Integer: "owner";
    Text: "path";
    Small: "kind";
    Text: "text" "rest";
    Real: "number";
    Integer: "instant";
    Small: "least";
};

/// The rows behind filters and orders by xp, of groups.
static GROUP_XP: Table = Table { name: Groups::XP_TABLE, columns: XP_COLUMNS, key: 5 };
/// The same, of users.
static USER_XP: Table = Table { name: Users::XP_TABLE, columns: XP_COLUMNS, key: 5 };

/// What stands beside rows: of live things alone, as tombstones have nothing beside them.
#[derive(Debug, Default, PartialEq)]
pub struct Beside {
    /// Rows of other tables.
    pub rows: Vec<(&'static Table, Vec<Row>)>,
    /// The folded texts that a search looks through, by the number of the group or user.
    pub texts: Vec<(i64, Vec<String>)>,
}

/// What stands beside these rows of the table.
pub fn beside(table: &Table, rows: &[Row]) -> anyhow::Result<Beside> {
    match table.name {
        Groups::TABLE => beside_groups(rows).context("a group cannot be read"),
        Users::TABLE => beside_users(rows).context("a user cannot be read"),
        _ => Ok(Beside::default()),
    }
}

fn beside_groups(rows: &[Row]) -> anyhow::Result<Beside> {
    let (mut links, mut xp, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let group = rows::group(&Cells(row))?;
        if group.deleted.is_none() {
            links.extend(links_of(group.uid, &group.fields.communities));
            xp.extend(xp_of(group.uid, group.fields.xp.as_ref()));
            texts.push((group.uid, texts_of_group(&group)));
        }
    }
    Ok(Beside { rows: vec![(&LINKS, links), (&GROUP_XP, xp)], texts })
}

fn beside_users(rows: &[Row]) -> anyhow::Result<Beside> {
    let (mut xp, mut texts) = (Vec::new(), Vec::new());
    for row in rows {
        let user = rows::user(&Cells(row))?;
        if user.deleted.is_none() {
            xp.extend(xp_of(user.uid, user.fields.xp.as_ref()));
            texts.push((user.uid, texts_of_user(&user)));
        }
    }
    Ok(Beside { rows: vec![(&USER_XP, xp)], texts })
}

fn links_of(owner: i64, communities: &Communities) -> impl Iterator<Item = Row> {
    communities.iter().map(move |community| vec![Value::Text(community.to_string()), Value::Integer(owner)])
}

fn xp_of(owner: i64, document: Option<&Xp>) -> impl Iterator<Item = Row> {
    let row = move |row: xp::XpRow| {
        vec![
            Value::Integer(owner),
            Value::Text(row.path),
            Value::Integer(row.kind),
            Value::Text(row.text),
            Value::Text(row.rest),
            row.number.map_or(Value::Null, Value::Real),
            row.instant.map_or(Value::Null, Value::Integer),
            Value::Integer(row.least.into()),
        ]
    };
    xp::rows(document.map(Xp::entries).unwrap_or_default()).into_iter().map(row)
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
struct Cells<'a>(&'a Row);

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
