//! The text indexes behind substring search: what is written to them, and what they are asked.
//!
//! SQLite's trigram index finds any substring of three characters or more. Shorter ones go to an index of grams. A token
//! of it is a gram with all the fields in which a thing has it, so that a thing is in the list of one token of a gram:
//! what has the gram anywhere is then the sum of short lists, however many fields it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rusqlite::{Connection, params_from_iter};

use crate::store::sql::grams::{Gram, grams};
use crate::store::sql::tables::{Groups, Listing as _, Users};

const TRIGRAM: usize = 3;
/// The shortest term that has more than one part.
const SHORTEST_PROBED: usize = 5;
/// How many characters of a term are probed: the last, as texts that begin alike may well end otherwise.
const PROBED: usize = 15;

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
    let mut within = BTreeMap::new();
    for Gram { field, first, second } in grams(fields) {
        *within.entry((first, second)).or_default() |= 1 << field;
    }
    let mut tokens = String::new();
    for ((first, second), fields) in within {
        write_token(&mut tokens, fields, Gram { field: 0, first, second });
        tokens.push(' ');
    }
    tokens
}

/// The gram of things that have it in just these fields: a bit for each field's place in the index, then the code points of
/// its characters, all in hex.
fn write_token(to: &mut String, fields: u32, gram: Gram) {
    let _infallible = match gram.second {
        Some(second) => write!(to, "{fields:x}x{:x}x{:x}", u32::from(gram.first), u32::from(second)),
        None => write!(to, "{fields:x}x{:x}", u32::from(gram.first)),
    };
}

/// Which index answers, and the expression it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextQuestion {
    Trigrams(String),
    Grams(String),
}

/// How to ask for things that have `term` (folded, not empty) as a substring of one of the columns at these places among
/// the columns of the index.
pub fn question(term: &str, places: &[usize], columns: &[&str]) -> TextQuestion {
    if let Some(gram) = Gram::of(0, term) {
        let asked = places.iter().fold(0, |asked, place| asked | 1 << place);
        let mut tokens = String::new();
        for fields in (1..1 << columns.len()).filter(|fields| fields & asked != 0) {
            tokens.push_str(if tokens.is_empty() { "" } else { " OR " });
            write_token(&mut tokens, fields, gram);
        }
        return TextQuestion::Grams(tokens);
    }
    TextQuestion::Trigrams(format!("{}{}", in_columns(places, columns), quoted(term)))
}

/// Asks for things that have some parts of a long `term` in the columns, wherever they are: of a term that few things have,
/// that is soon answered, as no places in texts are compared. `None` where the term has no parts.
pub fn probe(term: &str, places: &[usize], columns: &[&str]) -> Option<String> {
    let characters: Vec<char> = term.chars().collect();
    let end = &characters[characters.len().saturating_sub(PROBED)..];
    if end.len() < SHORTEST_PROBED {
        return None;
    }
    let parts = end.chunks_exact(TRIGRAM).chain([&end[end.len() - TRIGRAM..]]);
    let parts: BTreeSet<_> = parts.map(|part| quoted(&part.iter().collect::<String>())).collect();
    let all = parts.into_iter().collect::<Vec<_>>().join(" AND ");
    Some(format!("{}({all})", in_columns(places, columns)))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The expression's limit to some of the columns, if these are not all.
fn in_columns(places: &[usize], columns: &[&str]) -> String {
    if places.len() == columns.len() {
        return String::new();
    }
    let names: Vec<_> = places.iter().map(|place| columns[*place]).collect();
    format!("{{{}}} : ", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_terms_are_asked_as_grams() {
        let columns = ["id_key", "name_key", "description_key"];
        let of_name = "2x62 OR 3x62 OR 6x62 OR 7x62";
        assert_eq!(question("b", &[1], &columns), TextQuestion::Grams(of_name.into()));
        assert_eq!(
            question("b", &[0, 1], &columns),
            TextQuestion::Grams("1x62 OR 2x62 OR 3x62 OR 5x62 OR 6x62 OR 7x62".into())
        );
        let expression = "{name_key} : \"a\"\"b\"";
        assert_eq!(question("a\"b", &[1], &columns), TextQuestion::Trigrams(expression.into()));
    }

    #[test]
    fn long_terms_are_probed_by_their_last_parts() {
        let columns = ["id_key", "name_key"];
        assert_eq!(probe("abcd", &[1], &columns), None);
        assert_eq!(probe("abcde", &[1], &columns).as_deref(), Some("{name_key} : (\"abc\" AND \"cde\")"));
        assert_eq!(probe("aa\"aa\"", &[0, 1], &columns).as_deref(), Some("(\"aa\"\"\")"));
        assert_eq!(probe(&"x".repeat(1_000), &[0, 1], &columns).as_deref(), Some("(\"xxx\")"));
    }

    #[test]
    fn a_gram_of_a_thing_has_one_token() {
        assert_eq!(tokens(&["ab".into(), "b".into(), "a".into()]), "5x61 1x61x62 3x62 ");
    }
}
