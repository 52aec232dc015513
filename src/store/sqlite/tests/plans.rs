//! How SQLite finds what lists ask for, in a directory of 100,000 groups and users: by an index wherever one serves.

use std::collections::BTreeSet;

use rusqlite::params_from_iter;
use sea_query::{SelectStatement, SqliteQueryBuilder};

use super::*;
use crate::store::sql::asked;
use crate::store::sqlite::bind::Bound;
use crate::store::sqlite::memory::Memory;
use crate::store::sqlite::search::{TextQuestion, question};
use crate::store::sqlite::{lists, member_lists};
use crate::store::suite::plans::{COMMON, RARE, filling, groups, memberships, unexpected, users};

/// The lists for which the whole directory is gone through, by the beginnings of their names: no index has the order, or
/// what is tested. (Of columns that are never NULL, absence takes no step in truth, and presence lets all through.)
const WALKS: &[&str] = &[
    "groups: all, by Description",
    "groups: Id present",
    "groups: Id absent",
    "groups: Name present",
    "groups: Name absent",
    "groups: Description not equal",
    "groups: Description not prefix",
    "groups: Description below",
    "groups: Description present",
    "groups: Description absent",
    "users: all, by Phone",
    "users: all, by Active",
    "users: all, by TermsAccepted",
    "users: all, by FailedAttempts",
    "users: Id present",
    "users: Id absent",
    "users: Username present",
    "users: Username absent",
    "users: FirstName present",
    "users: FirstName absent",
    "users: LastName present",
    "users: LastName absent",
    "users: Email present",
    "users: Email absent",
    "users: Phone",
    "users: Active",
    "users: TermsAccepted",
    "users: Created present",
    "users: Created absent",
    "users: FailedAttempts",
    "users: Roles",
];

/// The indexes that lists need.
const INDEXES: &[&str] = &[
    "group_xp_instant",
    "group_xp_number",
    "group_xp_text",
    "groups_deleted",
    "groups_id",
    "groups_live",
    "groups_name",
    "memberships_group",
    "memberships_user",
    "user_xp_instant",
    "user_xp_number",
    "user_xp_text",
    "users_created",
    "users_email",
    "users_first_name",
    "users_id",
    "users_last_active",
    "users_last_name",
    "users_password_set",
    "users_username",
];

/// What was seen of the plans.
#[derive(Default)]
struct Seen {
    indexes: BTreeSet<String>,
    walks: Vec<String>,
}

#[tokio::test]
async fn lists_go_by_indexes() {
    assert_plans(false).await;
}

/// As whoever runs ANALYZE on the file would have it.
#[tokio::test]
async fn lists_go_by_indexes_when_analysed() {
    assert_plans(true).await;
}

async fn assert_plans(analysed: bool) {
    let (store, _folder) = open().await;
    store.close().await;
    let connection = filled(&store.path, analysed);
    let mut seen = Seen::default();
    for shape in groups() {
        lists::of_groups(&connection, &Memory::default(), &shape.query).unwrap();
        seen.look(&connection, &shape.name);
    }
    for shape in users() {
        lists::of_users(&connection, &Memory::default(), &shape.query).unwrap();
        seen.look(&connection, &shape.name);
    }
    for shape in memberships() {
        member_lists::of_memberships(&connection, &Memory::default(), &shape.query).unwrap();
        seen.look(&connection, &shape.name);
    }
    assert_eq!(
        (unexpected(&seen.walks, WALKS), seen.indexes.iter().map(|index| &**index).collect()),
        (vec![], INDEXES.to_vec())
    );
}

fn filled(path: &Path, analysed: bool) -> Connection {
    let connection = Connection::open(path).unwrap();
    let numbers = "BEGIN; CREATE TEMP TABLE numbers AS WITH RECURSIVE some (n) AS \
                   (SELECT 1 UNION ALL SELECT n + 1 FROM some WHERE n < 100000) SELECT n FROM some";
    connection.execute_batch(numbers).unwrap();
    for sql in filling() {
        connection.execute_batch(&sql).unwrap();
    }
    let grams = |terms: &[&str]| {
        let tokens = terms.iter().filter_map(|term| match question(term, &[1], &["id_key", "name_key"]) {
            TextQuestion::Grams(tokens) => tokens.split(' ').next().map(str::to_owned),
            TextQuestion::Trigrams(_) => None,
        });
        tokens.collect::<Vec<_>>().join(" ")
    };
    let fill_text = format!(
        "INSERT INTO group_text (rowid, id_key, name_key, description_key) \
         SELECT uid, id_key, name_key, description_key FROM groups; \
         INSERT INTO user_text (rowid, id_key, username_key, first_name_key, last_name_key, email_key) \
         SELECT uid, id_key, username_key, first_name_key, last_name_key, email_key FROM users; \
         INSERT INTO group_grams (rowid, grams) \
         SELECT uid, '{}' || CASE WHEN uid % 1000 = 0 THEN ' {}' ELSE '' END FROM groups; \
         INSERT INTO user_grams (rowid, grams) \
         SELECT uid, '{}' || CASE WHEN uid % 1000 = 0 THEN ' {}' ELSE '' END FROM users; \
         UPDATE counters SET value = 100000; COMMIT",
        grams(&COMMON),
        grams(&RARE),
        grams(&["u", "us"]),
        grams(&RARE),
    );
    connection.execute_batch(&fill_text).unwrap();
    if analysed {
        connection.execute_batch("ANALYZE").unwrap();
    }
    asked::take();
    connection
}

impl Seen {
    /// Looks at the plans of what a list has just asked.
    fn look(&mut self, connection: &Connection, name: &str) {
        let asked = asked::take();
        assert!(!asked.is_empty(), "{name}");
        if asked.iter().filter(|statement| self.walks_through(connection, statement)).count() > 0 {
            self.walks.push(name.to_owned());
        }
    }

    fn walks_through(&mut self, connection: &Connection, statement: &SelectStatement) -> bool {
        let (sql, values) = statement.build(SqliteQueryBuilder);
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = params_from_iter(values.into_iter().map(Bound));
        let steps = explained.query_map(values, |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        for step in &steps {
            let index = step.split_once("INDEX ").map(|(_, rest)| rest.split([' ', ':']).next().unwrap_or_default());
            self.indexes.extend(index.filter(|_| !step.contains("VIRTUAL")).map(str::to_owned));
        }
        // A walk along the index of an order ends where the page is full.
        let is_sorted = steps.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
        let in_order = sql.contains("ORDER BY") && !is_sorted;
        !in_order && steps.iter().any(|step| is_whole(step, &steps))
    }
}

/// Whether the step goes through all of a table, or of an index.
fn is_whole(step: &str, steps: &[String]) -> bool {
    let Some(scanned) = step.strip_prefix("SCAN ") else { return false };
    let made = |step: &String| {
        let name = step.strip_prefix("CO-ROUTINE ").or_else(|| step.strip_prefix("MATERIALIZE "));
        name.is_some_and(|name| scanned.split(' ').next() == Some(name))
    };
    !scanned.contains("VIRTUAL TABLE")
        && scanned != "CONSTANT ROW"
        && !scanned.starts_with('(')
        && !steps.iter().any(made)
}
