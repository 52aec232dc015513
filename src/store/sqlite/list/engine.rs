//! The SQL of list statements that is specific to SQLite.

use sea_query::{Expr, ExprTrait as _, Func, JoinType, Query, SelectStatement};

use crate::store::sql::list::engine::{Engine, Values};
use crate::store::sql::list::expressions::OWNER;
use crate::store::sql::tables::Listing;

use super::text_index::{TextQuery, probe, text_query};

/// The engine of list statements for SQLite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sqlite;

impl Engine for Sqlite {
    fn contains(&self, text: Expr, term: &str) -> Expr {
        Expr::expr(Func::cust("instr").arg(text).arg(term)).gt(0)
    }

    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement {
        let (columns, positions) = text_columns::<L>(fields);
        match text_query(term, &positions, &columns) {
            TextQuery::Trigrams(expression) => matching(L::TEXT_TABLE, expression),
            TextQuery::NGrams(expression) => matching(L::NGRAMS_TABLE, expression),
        }
    }

    fn probe_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> Option<SelectStatement> {
        let (columns, positions) = text_columns::<L>(fields);
        Some(matching(L::TEXT_TABLE, probe(term, &positions, &columns)?))
    }

    fn nested_loop(&self) -> JoinType {
        // SQLite does not reorder the tables of a CROSS JOIN.
        JoinType::CrossJoin
    }

    fn uids(&self, uids: &[i64]) -> SelectStatement {
        elements(uids.into())
    }

    fn is_one_of(&self, column: Expr, values: &Values<'_>) -> Expr {
        column.in_subquery(elements(match values {
            Values::Texts(texts) => texts.as_slice().into(),
            Values::Integers(integers) => integers.as_slice().into(),
        }))
    }
}

/// Selects the elements of a JSON array, which is one parameter.
fn elements(array: serde_json::Value) -> SelectStatement {
    let each = Func::cust("json_each").arg(array.to_string());
    Query::select().expr_as(Expr::col("value"), OWNER).from_function(each, "elements").take()
}

/// The names of the text index's columns, and the positions of the fields among them.
fn text_columns<L: Listing>(fields: &[L::Field]) -> (Vec<&'static str>, Vec<usize>) {
    let columns: Vec<_> = L::TEXT_FIELDS.iter().map(|field| L::column(*field).name).collect();
    let is_wanted = |position: &usize| fields.contains(&L::TEXT_FIELDS[*position]);
    let positions = (0..columns.len()).filter(is_wanted).collect();
    (columns, positions)
}

/// Selects the rows of the FTS5 table that match the expression.
fn matching(table: &'static str, expression: String) -> SelectStatement {
    let matches = Expr::cust_with_values(format!("{table} MATCH ?"), [expression]);
    Query::select().expr_as(Expr::col("rowid"), OWNER).from(table).and_where(matches).take()
}
