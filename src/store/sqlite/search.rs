//! The text indexes behind substring search: what is written to them, and what they are asked.
//!
//! SQLite's trigram index finds any substring of three characters or more. Shorter ones go to an index of grams:
//! each is one token of it.

use rusqlite::{Connection, params_from_iter};

use crate::store::sql::grams::{Gram, grams};
use crate::store::sql::tables::{Groups, Listing as _, Users};

/// A kind of thing that can be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    Groups,
    Users,
}

impl Searched {
    /// The things of the table; `None` where they cannot be searched.
    pub fn in_table(table: &str) -> Option<Self> {
        match table {
            Groups::TABLE => Some(Self::Groups),
            Users::TABLE => Some(Self::Users),
            _ => None,
        }
    }

    const fn statements(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Groups => (
                "DELETE FROM group_text WHERE rowid = ?1",
                "DELETE FROM group_grams WHERE rowid = ?1",
                "INSERT INTO group_text (rowid, id_key, name_key, description_key) VALUES (?1, ?2, ?3, ?4)",
                "INSERT INTO group_grams (rowid, grams) VALUES (?1, ?2)",
            ),
            Self::Users => (
                "DELETE FROM user_text WHERE rowid = ?1",
                "DELETE FROM user_grams WHERE rowid = ?1",
                "INSERT INTO user_text (rowid, id_key, username_key, first_name_key, last_name_key, email_key) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                "INSERT INTO user_grams (rowid, grams) VALUES (?1, ?2)",
            ),
        }
    }
}

/// What the text indexes are to know of one thing from now on.
#[derive(Clone, Debug)]
pub struct TextChange {
    pub of: Searched,
    pub uid: i64,
    /// Whether they knew something of it before.
    pub known: bool,
    /// The folded fields, in the order of the index's columns; `None` = forget it.
    pub fields: Option<Vec<String>>,
}

impl TextChange {
    /// What brings the indexes from the fields that were to those that are; `None` where they are the same.
    pub fn between(of: Searched, uid: i64, were: Option<Vec<String>>, are: Option<Vec<String>>) -> Option<Self> {
        (were != are).then(|| Self { of, uid, known: were.is_some(), fields: are })
    }
}

/// Writes the changes, in their order.
pub fn apply(connection: &Connection, changes: &[TextChange]) -> rusqlite::Result<()> {
    for change in changes {
        let (forget_text, forget_grams, add_text, add_grams) = change.of.statements();
        if change.known {
            connection.prepare_cached(forget_text)?.execute([change.uid])?;
            connection.prepare_cached(forget_grams)?.execute([change.uid])?;
        }
        if let Some(fields) = &change.fields {
            let uid = rusqlite::types::Value::Integer(change.uid);
            let texts = fields.iter().cloned().map(rusqlite::types::Value::Text);
            connection.prepare_cached(add_text)?.execute(params_from_iter(std::iter::once(uid).chain(texts)))?;
            connection.prepare_cached(add_grams)?.execute((change.uid, tokens(fields)))?;
        }
    }
    Ok(())
}

/// All grams of the fields, as the text of the index's one column.
fn tokens(fields: &[String]) -> String {
    grams(fields).iter().map(Gram::token).collect::<Vec<_>>().join(" ")
}

/// Which index answers, and the expression it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextQuestion {
    Trigrams(String),
    Grams(String),
}

/// How to ask for things that have `term` (folded, not empty) as a substring of one of the columns, each given by
/// its name and its place in the index.
pub fn question(term: &str, columns: &[(usize, &str)]) -> TextQuestion {
    let grams: Option<Vec<_>> = columns.iter().map(|(column, _)| Gram::of(*column, term)).collect();
    if let Some(grams) = grams {
        return TextQuestion::Grams(grams.iter().map(Gram::token).collect::<Vec<_>>().join(" OR "));
    }
    let names: Vec<_> = columns.iter().map(|(_, name)| *name).collect();
    TextQuestion::Trigrams(format!("{{{}}} : \"{}\"", names.join(" "), term.replace('"', "\"\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_terms_are_asked_as_grams() {
        assert_eq!(question("b", &[(0, "id_key"), (1, "name_key")]), TextQuestion::Grams("0x62 OR 1x62".into()));
        let expression = "{name_key} : \"a\"\"b\"";
        assert_eq!(question("a\"b", &[(1, "name_key")]), TextQuestion::Trigrams(expression.into()));
    }
}
