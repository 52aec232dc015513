//! What differs between the SQL of the two databases.

use sea_query::{Expr, JoinType, SelectStatement};

use crate::store::sql::tables::{FieldColumn, Listing};

/// A database, as the builder of those parts of a statement that the databases spell differently.
pub(crate) trait Engine: Send + Sync {
    /// The condition that `text` contains `term` as a substring.
    fn contains(&self, text: Expr, term: &str) -> Expr;
    /// Selects the `uid`s of the live entities that contain `term` (folded, not empty) as a substring of one of
    /// `fields`, from the text index. All the fields must be in the text index. Each `uid` comes once.
    fn with_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> SelectStatement;
    /// Selects a superset of the `uid`s of [`Engine::with_text`], faster if there are few of them. `None` if no faster
    /// statement exists.
    fn probe_text<L: Listing>(&self, term: &str, fields: &[L::Field]) -> Option<SelectStatement> {
        let _ = (term, fields);
        None
    }
    /// The join of a nested loop with the left table outside, as far as the database lets a statement fix the order of
    /// loops. The statement must give it the condition [`always`](super::expressions::always) and test the keys in its
    /// `WHERE`.
    fn nested_loop(&self) -> JoinType;
    /// The number of a member, spelled as in the index of memberships by time.
    fn member_number(&self, uid: Expr) -> Expr {
        uid
    }
    /// Selects these `uid`s.
    fn uids(&self, uids: &[i64]) -> SelectStatement;
    /// The table in which the column is indexed, if that is not the table of the entities.
    fn side_table(&self, column: FieldColumn) -> Option<&'static str> {
        let _ = column;
        None
    }
    /// The condition that `column` equals one of the values. They are one parameter, however many they are, and each is
    /// looked up in an index of the column.
    fn is_one_of(&self, column: Expr, values: &Values<'_>) -> Expr;
}

/// Values of one type.
pub(crate) enum Values<'a> {
    /// Texts.
    Texts(Vec<&'a str>),
    /// Integers.
    Integers(Vec<i64>),
}
