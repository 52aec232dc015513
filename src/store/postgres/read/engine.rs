//! The SQL of list statements that is specific to PostgreSQL.

use sea_query::extension::postgres::PgFunc;
use sea_query::{Expr, ExprTrait as _, Func, JoinType, Query, SelectStatement};

use crate::domain::query::Pattern;
use crate::store::sql::list::engine::{Engine, Values};
use crate::store::sql::list::expressions::{OWNER, any, constant, like, live, own};
use crate::store::sql::list::ngrams::{NGram, ngrams};
use crate::store::sql::tables::{FieldColumn, Listing, TABLE_ALIAS};

/// The engine of list statements for PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Postgres;

/// The alias of an n-gram table.
const NGRAMS: &str = "g";

impl Engine for Postgres {
    fn contains(&self, text: Expr, term: &str) -> Expr {
        Expr::expr(Func::cust("strpos").arg(text).arg(term)).gt(constant(0))
    }

    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement {
        let indexed = L::TEXT_FIELDS.iter().enumerate().filter(|(_, field)| fields.contains(field));
        let columns: Vec<(usize, FieldColumn)> = indexed.map(|(at, field)| (at, L::column(*field))).collect();
        let short: Option<Vec<NGram>> = columns.iter().map(|(at, _)| NGram::of(*at, term)).collect();
        match short {
            Some(ngrams) => with_any::<L>(&ngrams),
            None if has_trigrams(term) => with_trigrams::<L>(term, &columns),
            None => self.with_all_pairs::<L>(term, &columns),
        }
    }

    fn nested_loop(&self) -> JoinType {
        // PostgreSQL has no join that fixes the order. With `enable_seqscan` off it chooses the nested loop by itself.
        JoinType::InnerJoin
    }

    fn member_number(&self, uid: Expr) -> Expr {
        uid.add(constant(0))
    }

    fn uids(&self, uids: &[i64]) -> SelectStatement {
        let array = Expr::cust_with_values("unnest(CAST($1 AS BIGINT[]))", [array(uids.iter())]);
        Query::select().expr_as(array, OWNER).take()
    }

    fn side_table(&self, column: FieldColumn) -> Option<&'static str> {
        column.side_table
    }

    fn is_one_of(&self, column: Expr, values: &Values<'_>) -> Expr {
        // The server treats a parameter of an array type as a constant, and hashes it if no index serves. A text that
        // is cast to an array would be parsed again for every row.
        column.eq(PgFunc::any(match values {
            Values::Texts(texts) => Expr::val(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()),
            Values::Integers(integers) => Expr::val(integers.clone()),
        }))
    }
}

impl Postgres {
    /// Selects the entities of which one field contains the term. The index scan finds those that contain all pairs of
    /// the term's characters, and the check of the text confirms them.
    fn with_all_pairs<L: Listing>(&self, term: &str, columns: &[(usize, FieldColumn)]) -> SelectStatement {
        let alternatives = columns.iter().map(|(at, column)| {
            let pairs: Vec<i64> = pairs(*at, term);
            let has_pairs = Expr::cust_with_values("g.ngrams @> CAST($1 AS BIGINT[])", [array(pairs.iter())]);
            has_pairs.and(self.contains(own(column.name), term))
        });
        Query::select()
            .expr_as(own("uid"), OWNER)
            .from_as(L::NGRAMS_TABLE, NGRAMS)
            .join_as(JoinType::InnerJoin, L::TABLE, TABLE_ALIAS, own("uid").equals((NGRAMS, "owner")))
            .and_where(any(alternatives))
            .take()
    }
}

/// Selects the entities that have one of the n-grams. For a term of one or two characters that is the exact result.
fn with_any<L: Listing>(ngrams: &[NGram]) -> SelectStatement {
    let numbers: Vec<i64> = ngrams.iter().map(NGram::number).collect();
    let has_one = Expr::cust_with_values("ngrams && CAST($1 AS BIGINT[])", [array(numbers.iter())]);
    Query::select().column(OWNER).from(L::NGRAMS_TABLE).and_where(has_one).take()
}

/// Selects the live entities of which one field contains the term, by the trigram indexes.
fn with_trigrams<L: Listing>(term: &str, columns: &[(usize, FieldColumn)]) -> SelectStatement {
    let pattern = Pattern(vec![String::new(), term.to_owned(), String::new()]);
    // The expression that is indexed.
    let indexed = |column: &FieldColumn| Expr::cust(format!("\"{TABLE_ALIAS}\".\"{}\" || ''", column.name));
    let alternatives = columns.iter().map(|(_, column)| like(indexed(column), &pattern));
    Query::select()
        .expr_as(own("uid"), OWNER)
        .from_as(L::TABLE, TABLE_ALIAS)
        .and_where(live())
        .and_where(any(alternatives))
        .take()
}

/// Whether pg_trgm extracts a trigram from the term. It splits text into words of letters and digits, so a word of
/// three characters is needed.
fn has_trigrams(term: &str) -> bool {
    term.split(|character: char| !character.is_alphanumeric()).any(|word| word.chars().nth(2).is_some())
}

/// The n-grams of two characters of the term, as numbers for the field with this index.
fn pairs(field: usize, term: &str) -> Vec<i64> {
    let mut texts = vec![String::new(); field];
    texts.push(term.to_owned());
    ngrams(&texts).iter().filter(|ngram| ngram.second.is_some()).map(NGram::number).collect()
}

/// The numbers as the text of a PostgreSQL array.
fn array<'a>(numbers: impl Iterator<Item = &'a i64>) -> String {
    format!("{{{}}}", numbers.map(ToString::to_string).collect::<Vec<_>>().join(","))
}
