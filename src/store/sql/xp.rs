//! Entries of xp as rows: text is split, so that every index entry stays short and every comparison stays exact.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::domain::xp::{XpEntry, XpValue, parse_instant, parse_number};

/// How many characters of a text its indexed column holds.
pub const TEXT_CHARS: usize = 200;
/// A path of more bytes than this is kept as its beginning and its digest.
const PATH_BYTES: usize = 300;

/// The row is an array or object.
pub const KIND_CONTAINER: i64 = 0;
/// The row is a JSON number.
pub const KIND_NUMBER: i64 = 1;
/// The row is a JSON string or boolean.
pub const KIND_TEXT: i64 = 2;

/// One row of a table of xp entries.
#[derive(Clone, Debug, PartialEq)]
pub struct XpRow {
    pub path: String,
    pub kind: i64,
    pub text: String,
    pub rest: String,
    pub number: Option<f64>,
    pub instant: Option<i64>,
    /// Whether the owner is sorted by this value at this path.
    pub least: bool,
}

/// The rows of a document's entries, which come ordered by path and value.
pub fn rows(entries: Vec<XpEntry>) -> Vec<XpRow> {
    let mut sorted_by = HashSet::new();
    entries
        .into_iter()
        .map(|XpEntry { path, value }| {
            let path = path_key(&path);
            let (kind, text, number) = match value {
                XpValue::Container => (KIND_CONTAINER, String::new(), None),
                XpValue::Number(number, spelling) => (KIND_NUMBER, spelling, Some(number)),
                XpValue::Text(text) => {
                    let number = parse_number(&text);
                    (KIND_TEXT, text, number)
                }
            };
            let instant =
                if kind == KIND_TEXT { parse_instant(&text).map(|instant| instant.as_micros()) } else { None };
            let (text, rest) = split(&text);
            let least = kind != KIND_CONTAINER && sorted_by.insert(path.clone());
            XpRow { kind, text: text.to_owned(), rest: rest.to_owned(), number, instant, least, path }
        })
        .collect()
}

/// The first [`TEXT_CHARS`] characters of a text, and those after them.
pub fn split(text: &str) -> (&str, &str) {
    let at = text.char_indices().nth(TEXT_CHARS).map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

/// A path as it is kept: itself, or if it is too long for an index, its beginning and its SHA-256.
pub fn path_key(path: &str) -> String {
    if path.len() <= PATH_BYTES {
        return path.to_owned();
    }
    let beginning: String = path.chars().take(50).collect();
    let digest: String = Sha256::digest(path).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{beginning}…{digest}")
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
    fn long_paths_stay_apart() {
        let (a, b) = (path_key(&format!("{}a", "x".repeat(400))), path_key(&format!("{}b", "x".repeat(400))));
        assert!(a != b && a.len() < PATH_BYTES);
    }
}
