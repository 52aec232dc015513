//! The text indexes for substring search: what is written to them, and the expressions of searches.
//!
//! The trigram index of SQLite finds any substring of three or more characters. An index of n-grams finds shorter ones.
//! Its tokens are n-grams, each together with the set of all fields in which the entity has it. So an entity has one
//! token for each n-gram, and the entities that have an n-gram in any field are a union of disjoint posting lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::store::sql::columns::{names, parameters};
use crate::store::sql::list::ngrams::{NGram, ngrams};
use crate::store::sql::tables::{Groups, Listing, Users};

/// The number of characters of a trigram.
const TRIGRAM: usize = 3;
/// The minimum number of characters of a term that is probed. A shorter one has too few trigrams.
const MIN_PROBED: usize = 5;
/// The maximum number of characters of a term that are probed. They are the last ones, because texts that start alike
/// often end differently.
const MAX_PROBED: usize = 15;

/// The text index of one kind of entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextIndex {
    Groups,
    Users,
}

/// The statements that change the text index of one kind of entity.
struct Statements {
    delete_text: String,
    delete_ngrams: String,
    insert_text: String,
    insert_ngrams: String,
}

impl Statements {
    fn of<L: Listing>() -> Self {
        let (text, ngrams) = (L::TEXT_TABLE, L::NGRAMS_TABLE);
        let columns = names(L::TEXT_FIELDS.iter().map(|field| L::column(*field).name));
        let values = parameters(1 + L::TEXT_FIELDS.len());
        Self {
            delete_text: format!("DELETE FROM {text} WHERE rowid = ?1"),
            delete_ngrams: format!("DELETE FROM {ngrams} WHERE rowid = ?1"),
            insert_text: format!("INSERT INTO {text} (rowid, {columns}) VALUES ({values})"),
            insert_ngrams: format!("INSERT INTO {ngrams} (rowid, ngrams) VALUES (?1, ?2)"),
        }
    }
}

impl TextIndex {
    /// The text index for the entities of the table; `None` if they cannot be searched.
    pub(crate) fn in_table(table: &str) -> Option<Self> {
        match table {
            Groups::TABLE => Some(Self::Groups),
            Users::TABLE => Some(Self::Users),
            _ => None,
        }
    }

    fn statements(self) -> &'static Statements {
        static GROUPS: LazyLock<Statements> = LazyLock::new(Statements::of::<Groups>);
        static USERS: LazyLock<Statements> = LazyLock::new(Statements::of::<Users>);
        match self {
            Self::Groups => &GROUPS,
            Self::Users => &USERS,
        }
    }
}

/// A change of the text index for one entity.
#[derive(Clone, Debug)]
pub(crate) struct TextChange {
    /// The index.
    pub of: TextIndex,
    /// The number of the entity.
    pub uid: i64,
    /// Whether the index has the entity before the change.
    pub was_indexed: bool,
    /// The folded fields after the change, in the order of the index's columns; `None` removes the entity.
    pub fields: Option<Vec<String>>,
}

impl TextChange {
    /// The change for an entity whose fields change from `before` to `after`, where `None` means that it is not indexed.
    /// Returns `None` if the fields are equal.
    pub(crate) fn between(
        of: TextIndex,
        uid: i64,
        before: Option<Vec<String>>,
        after: Option<Vec<String>>,
    ) -> Option<Self> {
        (before != after).then(|| Self { of, uid, was_indexed: before.is_some(), fields: after })
    }
}

/// Applies the changes in order.
pub(crate) fn apply(connection: &Connection, changes: &[TextChange]) -> rusqlite::Result<()> {
    for change in changes {
        let statements = change.of.statements();
        if change.was_indexed {
            connection.prepare_cached(&statements.delete_text)?.execute([change.uid])?;
            connection.prepare_cached(&statements.delete_ngrams)?.execute([change.uid])?;
        }
        if let Some(fields) = &change.fields {
            let row = std::iter::once(Value::Integer(change.uid)).chain(fields.iter().cloned().map(Value::Text));
            connection.prepare_cached(&statements.insert_text)?.execute(params_from_iter(row))?;
            connection.prepare_cached(&statements.insert_ngrams)?.execute((change.uid, tokens(fields)))?;
        }
    }
    Ok(())
}

/// Returns the tokens of all n-grams of the fields, as the text of the n-gram index's only column.
fn tokens(fields: &[String]) -> String {
    let mut fields_of = BTreeMap::new();
    for NGram { field, first, second } in ngrams(fields) {
        *fields_of.entry((first, second)).or_default() |= 1 << field;
    }
    let mut tokens = String::new();
    for ((first, second), fields) in fields_of {
        write_token(&mut tokens, fields, NGram { field: 0, first, second });
        tokens.push(' ');
    }
    tokens
}

/// Writes the token for entities that have the n-gram in exactly these fields. The token has a bit for each field, then
/// the code points of the characters, all in hexadecimal.
fn write_token(to: &mut String, fields: u32, ngram: NGram) {
    let _infallible = match ngram.second {
        Some(second) => write!(to, "{fields:x}x{:x}x{:x}", u32::from(ngram.first), u32::from(second)),
        None => write!(to, "{fields:x}x{:x}", u32::from(ngram.first)),
    };
}

/// The index that finds a term, with the `MATCH` expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextQuery {
    /// The trigram index.
    Trigrams(String),
    /// The n-gram index.
    NGrams(String),
}

/// Returns the query for the entities that contain `term` (folded, not empty) in one of the columns with these
/// positions among `columns`, which are all columns of the index.
pub(crate) fn text_query(term: &str, positions: &[usize], columns: &[&str]) -> TextQuery {
    if let Some(ngram) = NGram::of(0, term) {
        let wanted = positions.iter().fold(0, |wanted, position| wanted | 1 << position);
        let mut tokens = String::new();
        for fields in (1..1 << columns.len()).filter(|fields| fields & wanted != 0) {
            tokens.push_str(if tokens.is_empty() { "" } else { " OR " });
            write_token(&mut tokens, fields, ngram);
        }
        return TextQuery::NGrams(tokens);
    }
    TextQuery::Trigrams(format!("{}{}", in_columns(positions, columns), quoted(term)))
}

/// Returns the expression for the entities that contain some trigrams of a long `term` anywhere in the columns: a
/// superset of those that contain the term. It is faster for a rare term, because the positions of trigrams are not
/// compared. `None` if the term is too short.
pub(crate) fn probe(term: &str, positions: &[usize], columns: &[&str]) -> Option<String> {
    let characters: Vec<char> = term.chars().collect();
    let end = &characters[characters.len().saturating_sub(MAX_PROBED)..];
    if end.len() < MIN_PROBED {
        return None;
    }
    let trigrams = end.chunks_exact(TRIGRAM).chain([&end[end.len() - TRIGRAM..]]);
    let trigrams: BTreeSet<_> = trigrams.map(|trigram| quoted(&trigram.iter().collect::<String>())).collect();
    let all = trigrams.into_iter().collect::<Vec<_>>().join(" AND ");
    Some(format!("{}({all})", in_columns(positions, columns)))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Returns the prefix that limits an expression to some columns; empty if these are all columns.
fn in_columns(positions: &[usize], columns: &[&str]) -> String {
    if positions.len() == columns.len() {
        return String::new();
    }
    let names: Vec<_> = positions.iter().map(|position| columns[*position]).collect();
    format!("{{{}}} : ", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_terms_are_searched_as_ngrams() {
        let columns = ["id_key", "name_key", "description_key"];
        let in_name = "2x62 OR 3x62 OR 6x62 OR 7x62";
        assert_eq!(text_query("b", &[1], &columns), TextQuery::NGrams(in_name.into()));
        assert_eq!(
            text_query("b", &[0, 1], &columns),
            TextQuery::NGrams("1x62 OR 2x62 OR 3x62 OR 5x62 OR 6x62 OR 7x62".into())
        );
        let expression = "{name_key} : \"a\"\"b\"";
        assert_eq!(text_query("a\"b", &[1], &columns), TextQuery::Trigrams(expression.into()));
    }

    #[test]
    fn long_terms_are_probed_by_their_last_trigrams() {
        let columns = ["id_key", "name_key"];
        assert_eq!(probe("abcd", &[1], &columns), None);
        assert_eq!(probe("abcde", &[1], &columns).as_deref(), Some("{name_key} : (\"abc\" AND \"cde\")"));
        assert_eq!(probe("aa\"aa\"", &[0, 1], &columns).as_deref(), Some("(\"aa\"\"\")"));
        assert_eq!(probe(&"x".repeat(1_000), &[0, 1], &columns).as_deref(), Some("(\"xxx\")"));
    }

    #[test]
    fn an_ngram_of_an_entity_has_one_token() {
        assert_eq!(tokens(&["ab".into(), "b".into(), "a".into()]), "5x61 1x61x62 3x62 ");
    }
}
