//! What PostgreSQL spells its own way.

use sea_query::{Expr, ExprTrait as _, Func, JoinType, Query, SelectStatement};

use crate::domain::query::Pattern;
use crate::store::sql::grams::{Gram, grams};
use crate::store::sql::lists::OWNER;
use crate::store::sql::render::{Engine, any, constant, like, live, own};
use crate::store::sql::tables::{Column, Listing, THING};

/// PostgreSQL, as the statements' engine.
#[derive(Clone, Copy, Debug)]
pub struct Postgres;

/// The alias of a table of grams.
const GRAMS: &str = "g";

impl Engine for Postgres {
    fn contains(&self, text: Expr, term: &str) -> Expr {
        Expr::expr(Func::cust("strpos").arg(text).arg(term)).gt(constant(0))
    }

    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement {
        let places = L::TEXT_FIELDS.iter().enumerate().filter(|(_, field)| fields.contains(field));
        let columns: Vec<(usize, Column)> = places.map(|(at, field)| (at, L::column(*field))).collect();
        let short: Option<Vec<Gram>> = columns.iter().map(|(at, _)| Gram::of(*at, term)).collect();
        match short {
            Some(grams) => with_any::<L>(&grams),
            None if has_trigrams(term) => with_trigrams::<L>(term, &columns),
            None => self.with_all_pairs::<L>(term, &columns),
        }
    }

    fn nested(&self) -> JoinType {
        JoinType::InnerJoin
    }

    fn these(&self, uids: &[i64]) -> SelectStatement {
        let array = Expr::cust_with_values("unnest(CAST($1 AS BIGINT[]))", [array(uids.iter())]);
        Query::select().expr_as(array, OWNER).take()
    }
}

impl Postgres {
    /// The things that have all pairs of the term's characters in one of the fields, and the term itself.
    fn with_all_pairs<L: Listing>(&self, term: &str, columns: &[(usize, Column)]) -> SelectStatement {
        let alternatives = columns.iter().map(|(at, column)| {
            let pairs: Vec<i64> = pairs(*at, term);
            let has_pairs = Expr::cust_with_values("g.grams @> CAST($1 AS BIGINT[])", [array(pairs.iter())]);
            has_pairs.and(self.contains(own(column.name), term))
        });
        Query::select()
            .expr_as(own("uid"), OWNER)
            .from_as(L::GRAMS_TABLE, GRAMS)
            .join_as(JoinType::InnerJoin, L::TABLE, THING, own("uid").equals((GRAMS, "owner")))
            .and_where(any(alternatives))
            .take()
    }
}

/// The things that have one of the grams: all there is to know of a term of one or two characters.
fn with_any<L: Listing>(grams: &[Gram]) -> SelectStatement {
    let numbers: Vec<i64> = grams.iter().map(Gram::number).collect();
    let has_one = Expr::cust_with_values("grams && CAST($1 AS BIGINT[])", [array(numbers.iter())]);
    Query::select().column(OWNER).from(L::GRAMS_TABLE).and_where(has_one).take()
}

fn with_trigrams<L: Listing>(term: &str, columns: &[(usize, Column)]) -> SelectStatement {
    let pattern = Pattern(vec![String::new(), term.to_owned(), String::new()]);
    let alternatives = columns.iter().map(|(_, column)| like(own(column.name), &pattern));
    Query::select()
        .expr_as(own("uid"), OWNER)
        .from_as(L::TABLE, THING)
        .and_where(live())
        .and_where(any(alternatives))
        .take()
}

/// Whether pg_trgm finds a trigram in the term: it takes letters and digits alone for words.
fn has_trigrams(term: &str) -> bool {
    term.split(|character: char| !character.is_alphanumeric()).any(|word| word.chars().nth(2).is_some())
}

fn pairs(field: usize, term: &str) -> Vec<i64> {
    let mut texts = vec![String::new(); field];
    texts.push(term.to_owned());
    grams(&texts).iter().filter(|gram| gram.second.is_some()).map(Gram::number).collect()
}

/// Numbers as PostgreSQL spells an array.
fn array<'a>(numbers: impl Iterator<Item = &'a i64>) -> String {
    format!("{{{}}}", numbers.map(ToString::to_string).collect::<Vec<_>>().join(","))
}
