//! Counters of live entities. Each counter is the sum of several rows, so that concurrent transactions change different
//! rows and do not wait for each other.

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use crate::store::sql::counters::Counter;

use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;

/// The number of rows per counter. The schema creates the same number.
const SLOTS: u16 = 64;

/// The statement that selects the value of the counter.
pub(crate) fn value(counter: Counter) -> SelectStatement {
    let sum = Expr::col("value").sum().cast_as("bigint");
    Query::select().expr(sum).from("counters").and_where(Expr::col("name").eq(counter.name())).take()
}

/// Queues the addition of `change` to the counter. To avoid deadlocks, a transaction that changes several counters must
/// do so in the order of [`Counter`].
pub(crate) fn add(transaction: &mut Transaction<'_>, counter: Counter, change: i64) {
    if change != 0 {
        let slot = transaction.slot(SLOTS);
        let sql = "UPDATE counters SET value = value + $3 WHERE name = $1 AND slot = $2";
        transaction.queue(sql, parameters![counter.name(), slot, change]);
    }
}
