//! The query plans of SQLite's lists, in a directory of 100,000 groups and users: they use an index if one serves.

use std::collections::BTreeSet;

use rusqlite::params_from_iter;
use sea_query::{SelectStatement, SqliteQueryBuilder};

use super::*;
use crate::store::sql::list::statement_log;
use crate::store::sqlite::list::bind::Bound;
use crate::store::sqlite::list::sets::result_cache::ResultCache;
use crate::store::sqlite::list::text_index::{TextQuery, text_query};
use crate::store::sqlite::list::{cursor, entities, members, memberships, tombstones};
use crate::store::suite::lists::plans::{COMMON, RARE, filling, groups, members, memberships, unexpected, users};
use crate::store::suite::lists::walk_plans;

/// The lists that scan a whole table, by the prefixes of their names: no index has the sort order or the tested column.
/// (For columns that are never NULL, a test for absence reads nothing in practice, and a test for presence lets all
/// rows through.)
const TABLE_SCANS: &[&str] = &[
    "groups: all, by Description",
    "groups: Id present",
    "groups: Id absent",
    "groups: Name present",
    "groups: Name absent",
    "groups: Description not equal",
    "groups: Description one of many",
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
    "walk of groups: Created present",
    "walk of groups: Created absent",
    "walk of groups: Updated present",
    "walk of groups: Updated absent",
    "walk of groups: Members present",
    "walk of groups: Members absent",
    "walk of groups: communities present",
    "walk of groups: communities absent",
    "walk of users: communities present",
    "walk of users: communities absent",
];

/// The indexes that lists use.
const INDEXES: &[&str] = &[
    "group_communities_owner",
    "group_labels_text",
    "group_xp_instant",
    "group_xp_number",
    "group_xp_text",
    "groups_created",
    "groups_deleted",
    "groups_id",
    "groups_live",
    "groups_members",
    "groups_name",
    "groups_tombstones",
    "groups_updated",
    "memberships_added",
    "memberships_group",
    "memberships_user",
    "user_communities_owner",
    "user_xp_instant",
    "user_xp_number",
    "user_xp_text",
    "users_created",
    "users_email",
    "users_first_name",
    "users_id",
    "users_last_active",
    "users_last_name",
    "users_live",
    "users_locked",
    "users_password_set",
    "users_tombstones",
    "users_username",
];

/// The indexes used and the lists that scan, collected over all plans.
#[derive(Default)]
struct TestStatements {
    indexes: BTreeSet<String>,
    table_scans: Vec<String>,
}

#[tokio::test]
async fn lists_use_indexes() {
    assert_plans(false).await;
}

/// With the statistics that an administrator's ANALYZE leaves in the file.
#[tokio::test]
async fn lists_use_indexes_when_analysed() {
    assert_plans(true).await;
}

async fn assert_plans(analysed: bool) {
    let (store, _folder) = open().await;
    store.close().await;
    let connection = filled(&store.path, analysed);
    let mut seen = TestStatements::default();
    for shape in groups() {
        entities::of_groups(&connection, &ResultCache::default(), &shape.query).unwrap();
        seen.record(&connection, &shape.name);
    }
    for shape in users() {
        entities::of_users(&connection, &ResultCache::default(), &shape.query).unwrap();
        seen.record(&connection, &shape.name);
    }
    for shape in walk_plans::groups() {
        cursor::of_groups(&connection, &ResultCache::default(), &shape.query).unwrap();
        seen.record(&connection, &format!("walk of {}", shape.name));
    }
    for shape in walk_plans::users() {
        cursor::of_users(&connection, &ResultCache::default(), &shape.query).unwrap();
        seen.record(&connection, &format!("walk of {}", shape.name));
    }
    let (groups, users) = (walk_plans::tombstones("groups"), walk_plans::tombstones("users"));
    tombstones::of_groups(&connection, &groups.query).unwrap();
    seen.record(&connection, &groups.name);
    tombstones::of_users(&connection, &users.query).unwrap();
    seen.record(&connection, &users.name);
    for shape in memberships() {
        memberships::of_memberships(&connection, &ResultCache::default(), &shape.query).unwrap();
        seen.record(&connection, &shape.name);
    }
    for shape in members() {
        members::of_group(&connection, &shape.query).unwrap();
        seen.record(&connection, &shape.name);
    }
    assert_eq!(
        (unexpected(&seen.table_scans, TABLE_SCANS), seen.indexes.iter().map(|index| &**index).collect()),
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
    let ngrams = |terms: &[&str]| {
        let tokens = terms.iter().filter_map(|term| match text_query(term, &[1], &["id_key", "name_key"]) {
            TextQuery::NGrams(tokens) => tokens.split(' ').next().map(str::to_owned),
            TextQuery::Trigrams(_) => None,
        });
        tokens.collect::<Vec<_>>().join(" ")
    };
    let fill_text = format!(
        "INSERT INTO group_text (rowid, id_key, name_key, description_key) \
         SELECT uid, id_key, name_key, description_key FROM groups; \
         INSERT INTO user_text (rowid, id_key, username_key, first_name_key, last_name_key, email_key) \
         SELECT uid, id_key, username_key, first_name_key, last_name_key, email_key FROM users; \
         INSERT INTO group_ngrams (rowid, ngrams) \
         SELECT uid, '{}' || CASE WHEN uid % 1000 = 0 THEN ' {}' ELSE '' END FROM groups; \
         INSERT INTO user_ngrams (rowid, ngrams) \
         SELECT uid, '{}' || CASE WHEN uid % 1000 = 0 THEN ' {}' ELSE '' END FROM users; \
         UPDATE counters SET value = 100000; COMMIT",
        ngrams(&COMMON),
        ngrams(&RARE),
        ngrams(&["u", "us"]),
        ngrams(&RARE),
    );
    connection.execute_batch(&fill_text).unwrap();
    if analysed {
        connection.execute_batch("ANALYZE").unwrap();
    }
    statement_log::take();
    connection
}

impl TestStatements {
    /// Records the plans of the statements that the last list executed.
    fn record(&mut self, connection: &Connection, name: &str) {
        let statements = statement_log::take();
        assert!(!statements.is_empty(), "{name}");
        if statements.iter().filter(|statement| self.scans_a_table(connection, statement)).count() > 0 {
            self.table_scans.push(name.to_owned());
        }
    }

    fn scans_a_table(&mut self, connection: &Connection, statement: &SelectStatement) -> bool {
        let (sql, values) = statement.build(SqliteQueryBuilder);
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = params_from_iter(values.into_iter().map(Bound));
        let steps = explained.query_map(values, |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        for step in &steps {
            let index = step.split_once("INDEX ").map(|(_, rest)| rest.split([' ', ':']).next().unwrap_or_default());
            self.indexes.extend(index.filter(|_| !step.contains("VIRTUAL")).map(str::to_owned));
        }
        // A scan of the index that has the sort order ends when the page is full.
        let is_sorted = steps.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
        let in_order = sql.contains("ORDER BY") && !is_sorted;
        !in_order && steps.iter().any(|step| is_full_scan(step, &steps))
    }
}

/// Whether the step scans a whole table or a whole index.
fn is_full_scan(step: &str, steps: &[String]) -> bool {
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
