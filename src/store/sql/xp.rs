//! The xp entries of an entity as rows. Long texts and numbers are split over two columns, so that index entries stay
//! short and comparisons stay exact.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::domain::decimal::Decimal;
use crate::domain::query::label_tag;
use crate::domain::xp::{XpEntry, XpValue, parse_instant};
use crate::store::copy::Row;

/// The maximum number of characters in the indexed column of a text, or of a number as a [`Decimal`].
pub(crate) const TEXT_CHARS: usize = 200;
/// A path with more bytes is stored as its prefix and its digest.
const PATH_BYTES: usize = 300;

/// The kind of a row for an array or object.
pub(crate) const KIND_CONTAINER: i64 = 0;
/// The kind of a row for a JSON number.
pub(crate) const KIND_NUMBER: i64 = 1;
/// The kind of a row for a JSON string or boolean.
pub(crate) const KIND_TEXT: i64 = 2;

/// One row of a table of xp entries: a distinct value at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct XpRow {
    /// The path, as [`path_key`] stores it.
    pub path: String,
    /// [`KIND_CONTAINER`], [`KIND_NUMBER`] or [`KIND_TEXT`].
    pub kind: i64,
    /// The first [`TEXT_CHARS`] characters of the text or of the number as sent.
    pub text: String,
    /// The remaining characters.
    pub rest: String,
    /// The first [`TEXT_CHARS`] characters of the number, in a form that compares by bytes; `None` if the value is no
    /// number and does not read as one.
    pub number: Option<String>,
    /// The remaining characters of the number.
    pub number_rest: String,
    /// The time in microseconds, if the text reads as a date.
    pub instant: Option<i64>,
    /// Whether this is the least value at the path. The entity is sorted by it.
    pub least: bool,
}

impl XpRow {
    /// Returns the row of the owner, with the columns of [`GROUP_XP`](super::derived::GROUP_XP).
    pub(crate) fn into_row(self, owner: i64) -> Row {
        vec![
            owner.into(),
            self.path.into(),
            self.kind.into(),
            self.text.into(),
            self.rest.into(),
            self.number.into(),
            self.number_rest.into(),
            self.instant.into(),
            i64::from(self.least).into(),
        ]
    }
}

/// Returns the rows for the entries of a document. The entries must be ordered by path and value.
pub(crate) fn rows(entries: Vec<XpEntry>) -> Vec<XpRow> {
    let mut sorted_by = HashSet::new();
    entries
        .into_iter()
        .map(|XpEntry { path, value }| {
            let path = path_key(&path);
            let (kind, text, number) = match value {
                XpValue::Container => (KIND_CONTAINER, String::new(), None),
                XpValue::Number(number, spelling) => (KIND_NUMBER, spelling, Some(number)),
                XpValue::Text(text) => {
                    let number = Decimal::parse(&text);
                    (KIND_TEXT, text, number)
                }
            };
            let instant =
                if kind == KIND_TEXT { parse_instant(&text).map(|instant| instant.as_micros()) } else { None };
            let (text, rest) = split(&text);
            let (text, rest) = (text.to_owned(), rest.to_owned());
            let split_number = number.as_ref().map(|number| split(number.as_str()));
            let number_rest = split_number.map_or("", |(_, rest)| rest).to_owned();
            let number = split_number.map(|(prefix, _)| prefix.to_owned());
            let least = kind != KIND_CONTAINER && sorted_by.insert(path.clone());
            XpRow { path, kind, text, rest, number, number_rest, instant, least }
        })
        .collect()
}

/// Splits a text after [`TEXT_CHARS`] characters.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let at = text.char_indices().nth(TEXT_CHARS).map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

/// Returns the stored form of a path, or of the tag of a label: itself, or its prefix and SHA-256 if it is too long for
/// an index.
pub(crate) fn path_key(path: &str) -> String {
    let path = label_tag(path).unwrap_or(path);
    if path.len() <= PATH_BYTES {
        return path.to_owned();
    }
    let prefix: String = path.chars().take(50).collect();
    let digest: String = Sha256::digest(path).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}…{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_by_characters() {
        let text = "é".repeat(201);
        assert_eq!(split(&text), (&*"é".repeat(200), "é"));
        assert_eq!(split("short"), ("short", ""));
    }

    #[test]
    fn long_paths_stay_distinct() {
        let (a, b) = (path_key(&format!("{}a", "x".repeat(400))), path_key(&format!("{}b", "x".repeat(400))));
        assert!(a != b && a.len() < PATH_BYTES);
    }
}
