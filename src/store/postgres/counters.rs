//! Counters in PostgreSQL. Each is the sum of several rows, so that transactions that change it do not wait for each
//! other.

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use crate::store::sql::counters::Counter;

use super::pipeline::parameters;
use super::transaction::Writing;

/// How many rows make a counter; the schema has as many.
const SLOTS: u16 = 64;

/// The statement that gives the value of the counter.
pub fn value(counter: Counter) -> SelectStatement {
    let sum = Expr::col("value").sum().cast_as("bigint");
    Query::select().expr(sum).from("counters").and_where(Expr::col("name").eq(counter.name())).take()
}

/// Adds to the counter. Where a transaction changes several, it does so in their order here.
pub fn add(writing: &mut Writing<'_>, counter: Counter, change: i64) {
    if change != 0 {
        let slot = writing.slot(SLOTS);
        let sql = "UPDATE counters SET value = value + $3 WHERE name = $1 AND slot = $2";
        writing.queue(sql, parameters![counter.name(), slot, change]);
    }
}
