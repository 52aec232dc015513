//! Tests of the query plans of lists, in a directory of 100,000 groups and users: PostgreSQL uses an index if one
//! serves.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use sea_query::{PostgresQueryBuilder, SelectStatement};
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::*;
use crate::store::postgres::copy::drop_indexes;
use crate::store::postgres::read::bind::typed;
use crate::store::sql::list::entities::LOOK_UP_THRESHOLD;
use crate::store::sql::list::ngrams::NGram;
use crate::store::sql::list::statement_log;
use crate::store::suite::lists::plans::{COMMON, RARE, filling, groups, members, memberships, unexpected, users};
use crate::store::suite::lists::walk_plans;

/// The lists that scan most of the directory, or sort more entities than the threshold: prefixes of their names.
const FULL_SCANS: &[&str] = &[
    "groups: all, by Description",
    "groups: all, by xp.",
    "groups: search name, by Description",
    "groups: search name, by xp.",
    "groups: linked to many, by Description",
    "groups: linked to many, by xp.",
    "users: all, by Phone",
    "users: all, by Active",
    "users: all, by TermsAccepted",
    "users: all, by FailedAttempts",
    "users: all, by xp.",
    "users: Phone",
    "users: TermsAccepted",
    "users: FailedAttempts",
    // They are counted.
    "deleted groups",
    "deleted users",
];

/// One more of them before PostgreSQL 17, which derives from NOT NULL that a column has no nulls.
const FULL_SCAN_BEFORE_17: &str = "users: Active absent";

/// What the names of walks contain that the planner reads in order or sorts, depending on its sample of the directory.
const EITHER: &str = "xp.many equal, by xp.";

/// The number of matches from which on a list may scan the whole directory.
const MOST: f64 = 20_000.0;

/// The indexes that lists must use.
const INDEXES: &[&str] = &[
    "counters_pkey",
    "group_communities_owner",
    "group_communities_pkey",
    "group_labels_pkey",
    "group_labels_text",
    "group_ngrams_ngrams",
    "group_ngrams_pkey",
    "group_sizes_members",
    "group_sizes_pkey",
    "group_xp_instant",
    "group_xp_number",
    "group_xp_owner",
    "group_xp_text",
    "groups_created",
    "groups_id",
    "groups_live",
    "groups_name",
    "groups_text",
    "groups_tombstones",
    "groups_updated",
    "memberships_added",
    "memberships_group",
    "memberships_pkey",
    "memberships_user",
    "user_communities_owner",
    "user_communities_pkey",
    "user_ngrams_ngrams",
    "user_ngrams_pkey",
    "user_xp_instant",
    "user_xp_number",
    "user_xp_owner",
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
    "users_text",
    "users_tombstones",
    "users_username",
];

/// What the plans contain.
#[derive(Default)]
struct PlanSummary {
    /// The names of the indexes.
    indexes: BTreeSet<String>,
    /// The names of the lists with a full scan or a large sort.
    full_scans: Vec<String>,
}

/// A plan, as EXPLAIN returns it.
struct Plan(Value);

impl<'a> FromSql<'a> for Plan {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(serde_json::from_slice(raw)?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSON
    }
}

#[tokio::test]
async fn lists_use_indexes() {
    let (store, test_database) = open().await;
    let client = test_database.connect().await;
    fill(&client).await;
    let mut summary = PlanSummary::default();
    for shape in groups() {
        store.list_groups(shape.query).await.unwrap();
        summary.add(&client, &shape.name).await;
    }
    for shape in users() {
        store.list_users(shape.query).await.unwrap();
        summary.add(&client, &shape.name).await;
    }
    for shape in memberships() {
        store.list_memberships(shape.query).await.unwrap();
        summary.add(&client, &shape.name).await;
    }
    assert!(!summary.indexes.contains("memberships_added"), "a user in a group is found by the key");
    for shape in walk_plans::groups() {
        store.walk_groups(shape.query).await.unwrap();
        summary.add(&client, &format!("walk of {}", shape.name)).await;
    }
    for shape in walk_plans::users() {
        store.walk_users(shape.query).await.unwrap();
        summary.add(&client, &format!("walk of {}", shape.name)).await;
    }
    let (groups, users) = (walk_plans::tombstones("groups"), walk_plans::tombstones("users"));
    store.walk_deleted_groups(groups.query).await.unwrap();
    summary.add(&client, &groups.name).await;
    store.walk_deleted_users(users.query).await.unwrap();
    summary.add(&client, &users.name).await;
    for shape in members() {
        store.list_members(shape.query).await.unwrap();
        summary.add(&client, &shape.name).await;
    }
    let version = "SELECT current_setting('server_version_num')::INT";
    let knows_nulls = client.query_one_scalar::<i32, _>(version, &[]).await.unwrap() >= 170_000;
    summary.full_scans.retain(|name| !(name.starts_with("walk") && name.contains(EITHER)));
    let full_scans = [FULL_SCANS, if knows_nulls { &[] } else { &[FULL_SCAN_BEFORE_17] }].concat();
    assert_eq!(
        (unexpected(&summary.full_scans, &full_scans), summary.indexes.iter().map(|index| &**index).collect()),
        (vec![], INDEXES.to_vec())
    );
}

#[tokio::test]
async fn most_entities_are_estimated_as_live_before_the_first_analyze() {
    let (_store, test_database) = open().await;
    let client = test_database.connect().await;
    client
        .batch_execute("CREATE TEMP TABLE numbers AS SELECT n FROM generate_series(1, 1000::BIGINT) AS n")
        .await
        .unwrap();
    let [groups, users] = [0, 1].map(|at| filling().nth(at).unwrap());
    client.batch_execute(&format!("{groups}; {users}")).await.unwrap();
    for table in ["groups", "users"] {
        let explain = format!("EXPLAIN (FORMAT JSON) SELECT uid FROM {table} WHERE deleted IS NULL");
        let Plan(plan) = client.query_one(&explain, &[]).await.unwrap().get(0);
        assert!(plan[0]["Plan"]["Plan Rows"].as_f64().unwrap() > 200.0, "{plan}");
    }
}

/// Fills the directory, and sets the planner options that the sessions of the store have.
async fn fill(client: &Client) {
    let numbers = "SET enable_seqscan = off; SET jit = off; SET synchronous_commit = off; \
                   CREATE TEMP TABLE numbers AS SELECT n FROM generate_series(1, 100000::BIGINT) AS n";
    client.batch_execute(numbers).await.unwrap();
    // GIN indexes are slow to update row by row.
    let text_indexes = drop_indexes(client, "indexdef LIKE '% USING gin %'").await.unwrap();
    assert_eq!(text_indexes.len(), 4);
    for sql in filling() {
        client.batch_execute(&sql).await.unwrap();
    }
    let ngrams = |terms: &[&str]| {
        let numbers = terms.iter().filter_map(|term| NGram::of(1, term)).map(|ngram| ngram.number().to_string());
        format!("ARRAY[{}]::BIGINT[]", numbers.collect::<Vec<_>>().join(", "))
    };
    let (groups, users, rare) = (ngrams(&COMMON), ngrams(&["u", "us"]), ngrams(&RARE));
    let ngrams = format!(
        "INSERT INTO group_ngrams SELECT n, {groups} || CASE WHEN n % 1000 = 0 THEN {rare} END FROM numbers; \
         INSERT INTO user_ngrams SELECT n, {users} || CASE WHEN n % 1000 = 0 THEN {rare} END FROM numbers; \
         INSERT INTO group_sizes SELECT uid, members FROM groups; \
         UPDATE counters SET value = 100000 WHERE slot = 0"
    );
    client.batch_execute(&ngrams).await.unwrap();
    for index in &text_indexes {
        client.batch_execute(index).await.unwrap();
    }
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}

impl PlanSummary {
    /// Adds the plans of the statements that a list has just run.
    async fn add(&mut self, client: &Client, name: &str) {
        let statements = statement_log::take();
        assert!(!statements.is_empty(), "{name}");
        let before = self.full_scans.len();
        for statement in &statements {
            let Plan(plan) = explained(client, statement).await;
            self.add_node(&plan[0]["Plan"], false, name);
        }
        if self.full_scans.len() > before {
            self.full_scans.truncate(before);
            self.full_scans.push(name.to_owned());
        }
    }

    /// Adds a node of a plan and those below it. `in_order`: whether the page is read from the node in its order, up to
    /// a limit.
    fn add_node(&mut self, node: &Value, in_order: bool, name: &str) {
        let kind = node["Node Type"].as_str().unwrap();
        let rows = node["Plan Rows"].as_f64().unwrap();
        self.indexes.extend(node["Index Name"].as_str().map(str::to_owned));
        let is_full_scan = match kind {
            "Seq Scan" => true,
            "Index Scan" | "Index Only Scan" => is_whole(node) && !in_order && rows < MOST,
            "Bitmap Heap Scan" => is_whole(&node["Plans"][0]) && rows < MOST,
            "Sort" => rows > LOOK_UP_THRESHOLD as f64,
            _ => false,
        };
        if is_full_scan {
            self.full_scans.push(name.to_owned());
        }
        for below in node["Plans"].as_array().into_iter().flatten() {
            let inherits = ["Nested Loop", "Subquery Scan", "Incremental Sort", "Unique", "Append", "Merge Append"];
            let is_inner = below["Parent Relationship"] == "Inner";
            self.add_node(below, !is_inner && (kind == "Limit" || in_order && inherits.contains(&kind)), name);
        }
    }
}

/// Whether the node scans a whole index.
fn is_whole(node: &Value) -> bool {
    node["Index Name"].is_string() && node["Index Cond"].is_null()
}

/// The plan of the statement.
async fn explained(client: &Client, statement: &SelectStatement) -> Plan {
    let (sql, values) = statement.build(PostgresQueryBuilder);
    let values = typed(values).unwrap();
    let values: Vec<(&(dyn ToSql + Sync), Type)> =
        values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
    client.query_typed_one(&format!("EXPLAIN (FORMAT JSON) {sql}"), &values).await.unwrap().get(0)
}
