//! How PostgreSQL finds what lists ask for, in a directory of 100,000 groups and users: by an index wherever one serves.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use sea_query::{PostgresQueryBuilder, SelectStatement};
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::*;
use crate::store::postgres::bind::typed;
use crate::store::postgres::copy::drop_indexes;
use crate::store::sql::asked;
use crate::store::sql::grams::Gram;
use crate::store::sql::lists::FEW;
use crate::store::suite::plans::{COMMON, RARE, filling, groups, memberships, unexpected, users};

/// The lists for which most of the directory is gone through in vain, or more than a few things are sorted, by the
/// beginnings of their names.
const WALKS: &[&str] = &[
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
    "users: Active absent",
    "users: TermsAccepted",
    "users: FailedAttempts",
];

/// From how many of the things on a list may as well go through all of them.
const MOST: f64 = 20_000.0;

/// The indexes that lists need.
const INDEXES: &[&str] = &[
    "counters_pkey",
    "group_communities_pkey",
    "group_grams_grams",
    "group_grams_pkey",
    "group_xp_instant",
    "group_xp_number",
    "group_xp_owner",
    "group_xp_text",
    "groups_id",
    "groups_live",
    "groups_name",
    "groups_text",
    "memberships_group",
    "memberships_pkey",
    "memberships_user",
    "user_grams_grams",
    "user_grams_pkey",
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
    "users_password_set",
    "users_pkey",
    "users_text",
    "users_username",
];

/// What was seen of the plans.
#[derive(Default)]
struct Seen {
    indexes: BTreeSet<String>,
    walks: Vec<String>,
}

/// A plan as the server tells it.
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
async fn lists_go_by_indexes() {
    let (store, scratch) = open().await;
    let client = scratch.connect().await;
    fill(&client).await;
    let mut seen = Seen::default();
    for shape in groups() {
        store.list_groups(shape.query).await.unwrap();
        seen.look(&client, &shape.name).await;
    }
    for shape in users() {
        store.list_users(shape.query).await.unwrap();
        seen.look(&client, &shape.name).await;
    }
    for shape in memberships() {
        store.list_memberships(shape.query).await.unwrap();
        seen.look(&client, &shape.name).await;
    }
    assert_eq!(
        (unexpected(&seen.walks, WALKS), seen.indexes.iter().map(|index| &**index).collect()),
        (vec![], INDEXES.to_vec())
    );
}

#[tokio::test]
async fn things_are_taken_for_live_before_anybody_has_looked() {
    let (_store, scratch) = open().await;
    let client = scratch.connect().await;
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

/// Fills the directory, and makes the session plan as those of the store do.
async fn fill(client: &Client) {
    let numbers = "SET enable_seqscan = off; SET jit = off; SET synchronous_commit = off; \
                   CREATE TEMP TABLE numbers AS SELECT n FROM generate_series(1, 100000::BIGINT) AS n";
    client.batch_execute(numbers).await.unwrap();
    // They are slow to fill row by row.
    let text_indexes = drop_indexes(client, "indexdef LIKE '% USING gin %'").await.unwrap();
    assert_eq!(text_indexes.len(), 4);
    for sql in filling() {
        client.batch_execute(&sql).await.unwrap();
    }
    let grams = |terms: &[&str]| {
        let numbers = terms.iter().filter_map(|term| Gram::of(1, term)).map(|gram| gram.number().to_string());
        format!("ARRAY[{}]::BIGINT[]", numbers.collect::<Vec<_>>().join(", "))
    };
    let (groups, users, few) = (grams(&COMMON), grams(&["u", "us"]), grams(&RARE));
    let grams = format!(
        "INSERT INTO group_grams SELECT n, {groups} || CASE WHEN n % 1000 = 0 THEN {few} END FROM numbers; \
         INSERT INTO user_grams SELECT n, {users} || CASE WHEN n % 1000 = 0 THEN {few} END FROM numbers; \
         UPDATE counters SET value = 100000 WHERE slot = 0"
    );
    client.batch_execute(&grams).await.unwrap();
    for index in &text_indexes {
        client.batch_execute(index).await.unwrap();
    }
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}

impl Seen {
    /// Looks at the plans of what a list has just asked.
    async fn look(&mut self, client: &Client, name: &str) {
        let asked = asked::take();
        assert!(!asked.is_empty(), "{name}");
        let before = self.walks.len();
        for statement in &asked {
            let Plan(plan) = explained(client, statement).await;
            self.look_at(&plan[0]["Plan"], false, name);
        }
        if self.walks.len() > before {
            self.walks.truncate(before);
            self.walks.push(name.to_owned());
        }
    }

    /// Looks at a node of a plan and those below it. `in_order`: whether a page is taken from it as it comes.
    fn look_at(&mut self, node: &Value, in_order: bool, name: &str) {
        let kind = node["Node Type"].as_str().unwrap();
        let rows = node["Plan Rows"].as_f64().unwrap();
        self.indexes.extend(node["Index Name"].as_str().map(str::to_owned));
        let in_vain = match kind {
            "Seq Scan" => true,
            "Index Scan" | "Index Only Scan" => is_whole(node) && !in_order && rows < MOST,
            "Bitmap Heap Scan" => is_whole(&node["Plans"][0]) && rows < MOST,
            "Sort" => rows > FEW as f64,
            _ => false,
        };
        if in_vain {
            self.walks.push(name.to_owned());
        }
        for below in node["Plans"].as_array().into_iter().flatten() {
            let inherits = ["Nested Loop", "Subquery Scan", "Incremental Sort", "Unique", "Append", "Merge Append"];
            let is_inner = below["Parent Relationship"] == "Inner";
            self.look_at(below, !is_inner && (kind == "Limit" || in_order && inherits.contains(&kind)), name);
        }
    }
}

/// Whether the node goes through all of an index.
fn is_whole(node: &Value) -> bool {
    node["Index Name"].is_string() && node["Index Cond"].is_null()
}

async fn explained(client: &Client, statement: &SelectStatement) -> Plan {
    let (sql, values) = statement.build(PostgresQueryBuilder);
    let values = typed(values).unwrap();
    let values: Vec<(&(dyn ToSql + Sync), Type)> =
        values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
    client.query_typed_one(&format!("EXPLAIN (FORMAT JSON) {sql}"), &values).await.unwrap().get(0)
}
