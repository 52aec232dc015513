//! What SQLite spells its own way.

use sea_query::{Expr, ExprTrait as _, Func, JoinType, Query, SelectStatement};

use crate::store::sql::lists::OWNER;
use crate::store::sql::render::Engine;
use crate::store::sql::tables::Listing;

use super::search::{TextQuestion, question};

/// SQLite, as the statements' engine.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Engine for Sqlite {
    fn contains(&self, text: Expr, term: &str) -> Expr {
        Expr::expr(Func::cust("instr").arg(text).arg(term)).gt(0)
    }

    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement {
        let columns: Vec<_> = L::TEXT_FIELDS
            .iter()
            .enumerate()
            .filter(|(_, field)| fields.contains(field))
            .map(|(at, field)| (at, L::column(*field).name))
            .collect();
        let (table, expression) = match question(term, &columns) {
            TextQuestion::Trigrams(expression) => (L::TEXT_TABLE, expression),
            TextQuestion::Grams(expression) => (L::GRAMS_TABLE, expression),
        };
        let matches = Expr::cust_with_values(format!("{table} MATCH ?"), [expression]);
        Query::select().expr_as(Expr::col("rowid"), OWNER).from(table).and_where(matches).take()
    }

    fn nested(&self) -> JoinType {
        // The word by which SQLite keeps the loops in the order they are written in.
        JoinType::CrossJoin
    }

    fn these(&self, uids: &[i64]) -> SelectStatement {
        let array = serde_json::Value::from(uids).to_string();
        Query::select()
            .expr_as(Expr::col("value"), OWNER)
            .from_function(Func::cust("json_each").arg(array), "uids")
            .take()
    }
}
