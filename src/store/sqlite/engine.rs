//! What SQLite spells its own way.

use sea_query::{Expr, ExprTrait as _, Func, JoinType, Query, SelectStatement};

use crate::store::sql::lists::OWNER;
use crate::store::sql::render::Engine;
use crate::store::sql::tables::Listing;

use super::search::{TextQuestion, probe, question};

/// SQLite, as the statements' engine.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Engine for Sqlite {
    fn contains(&self, text: Expr, term: &str) -> Expr {
        Expr::expr(Func::cust("instr").arg(text).arg(term)).gt(0)
    }

    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement {
        let (columns, places) = text_columns::<L>(fields);
        match question(term, &places, &columns) {
            TextQuestion::Trigrams(expression) => matching(L::TEXT_TABLE, expression),
            TextQuestion::Grams(expression) => matching(L::GRAMS_TABLE, expression),
        }
    }

    fn probe_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> Option<SelectStatement> {
        let (columns, places) = text_columns::<L>(fields);
        Some(matching(L::TEXT_TABLE, probe(term, &places, &columns)?))
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

/// The columns of the text index, and the places among them of the fields.
fn text_columns<L: Listing>(fields: &[L::Field]) -> (Vec<&'static str>, Vec<usize>) {
    let columns: Vec<_> = L::TEXT_FIELDS.iter().map(|field| L::column(*field).name).collect();
    let asked = |place: &usize| fields.contains(&L::TEXT_FIELDS[*place]);
    let places = (0..columns.len()).filter(asked).collect();
    (columns, places)
}

fn matching(table: &'static str, expression: String) -> SelectStatement {
    let matches = Expr::cust_with_values(format!("{table} MATCH ?"), [expression]);
    Query::select().expr_as(Expr::col("rowid"), OWNER).from(table).and_where(matches).take()
}
