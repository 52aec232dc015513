//! The text form of a position in a walk: opaque to clients, and bound to what the walk is through. A garbled cursor, or
//! one of another list, order or filter, is refused.
//!
//! A cursor is the base64url form of: the version of the format, eight bytes of a SHA-256 over the binding and the
//! values, and the values. A value is its kind and its content; integers and lengths are varints.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::domain::cursor::{DEFAULT_LIMIT, MAX_LIMIT, Position, SortValue};

use super::page::from_1_to;

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;

const ABSENT: u8 = 0;
const INTEGER: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;

/// What the cursors of a walk are bound to.
#[derive(Clone, Debug)]
pub(crate) struct Binding(Sha256);

impl Binding {
    /// The binding to the list of this name with these parameters. Their order does not matter. `limit` and `after` must
    /// not be among them, because they may change from page to page.
    pub(crate) fn new<'a>(list: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut parameters: Vec<_> = parameters.into_iter().collect();
        parameters.sort_unstable();
        let mut hash = Sha256::new();
        for text in std::iter::once(list).chain(parameters.into_iter().flat_map(|(name, value)| [name, value])) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        Self(hash)
    }

    fn check(&self, values: &[u8]) -> [u8; CHECK_BYTES] {
        let digest = self.0.clone().chain_update(values).finalize();
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&digest[..CHECK_BYTES]);
        check
    }

    /// The cursor of the position.
    pub(crate) fn encode(&self, position: &Position) -> String {
        let mut values = Vec::new();
        for value in &position.0 {
            match value {
                SortValue::Absent => values.push(ABSENT),
                SortValue::Integer(integer) => {
                    values.push(INTEGER);
                    // Zigzag, so that small negative numbers are short too.
                    write_varint(&mut values, ((integer << 1) ^ (integer >> 63)) as u64);
                }
                SortValue::Number(text) => write_text(&mut values, NUMBER, text),
                SortValue::Text(text) => write_text(&mut values, TEXT, text),
            }
        }
        URL_SAFE_NO_PAD.encode([&[VERSION], &self.check(&values)[..], &values].concat())
    }

    /// The position of the cursor; `None` if it is none of this walk.
    pub(crate) fn decode(&self, cursor: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (check, mut values) = rest.split_at_checked(CHECK_BYTES)?;
        if *version != VERSION || check != self.check(values) {
            return None;
        }
        let mut position = Vec::new();
        while let Some(kind) = read(&mut values, 1) {
            position.push(match kind[0] {
                ABSENT => SortValue::Absent,
                INTEGER => {
                    let zigzag = read_varint(&mut values)?;
                    SortValue::Integer((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
                }
                NUMBER => SortValue::Number(read_text(&mut values)?),
                TEXT => SortValue::Text(read_text(&mut values)?),
                _ => return None,
            });
        }
        Some(Position(position))
    }
}

fn write_varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn write_text(to: &mut Vec<u8>, kind: u8, text: &str) {
    to.push(kind);
    write_varint(to, text.len() as u64);
    to.extend(text.as_bytes());
}

fn read<'a>(from: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (read, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(read)
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = read(from, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read_text(from: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(read_varint(from)?).ok()?;
    String::from_utf8(read(from, length)?.to_vec()).ok()
}

/// Reads the number of rows of a page as the client sent it; an absent one gets its default. `None` if it is no integer
/// from 1 to [`MAX_LIMIT`].
pub(crate) fn read_limit(text: Option<&str>) -> Option<u32> {
    text.map_or(Some(DEFAULT_LIMIT), |text| from_1_to(MAX_LIMIT, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn binding() -> Binding {
        Binding::new("groups", [("sort", "name"), ("xp.a", "x")])
    }

    fn values() -> impl Strategy<Value = Vec<SortValue>> {
        let value = prop_oneof![
            Just(SortValue::Absent),
            any::<i64>().prop_map(SortValue::Integer),
            "[-01][A-Z0-9~]{0,9}".prop_map(SortValue::Number),
            ".{0,20}".prop_map(SortValue::Text),
        ];
        proptest::collection::vec(value, 0..5)
    }

    #[test]
    fn a_cursor_belongs_to_one_list_order_and_filter() {
        let position = Position(vec![SortValue::Text("a".to_owned()), SortValue::Integer(7)]);
        let cursor = binding().encode(&position);
        let reordered = Binding::new("groups", [("xp.a", "x"), ("sort", "name")]);
        assert_eq!(reordered.decode(&cursor), Some(position));
        for foreign in [
            Binding::new("users", [("sort", "name"), ("xp.a", "x")]),
            Binding::new("groups", [("sort", "-name"), ("xp.a", "x")]),
            Binding::new("groups", [("sort", "name")]),
            Binding::new("groups", [("sort", "namexp.a"), ("", "x")]),
        ] {
            assert_eq!(foreign.decode(&cursor), None);
        }
    }

    #[test]
    fn limits_are_integers_in_range() {
        assert_eq!([None, Some("1"), Some("1000")].map(read_limit), [Some(50), Some(1), Some(1_000)]);
        for wrong in ["", "0", "1001", "+1", "-1", "1.0", " 1", "x", "99999999999"] {
            assert_eq!(read_limit(Some(wrong)), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn positions_survive(values in values()) {
            let position = Position(values);
            prop_assert_eq!(binding().decode(&binding().encode(&position)), Some(position));
        }

        #[test]
        fn garbled_cursors_are_refused(values in values(), at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let cursor = binding().encode(&Position(values));
            let at = at.index(cursor.len());
            let garbled = [&cursor[..at], &to, &cursor[at + 1..]].concat();
            prop_assert_eq!(binding().decode(&garbled).is_some(), garbled == cursor);
            prop_assert_eq!(binding().decode(&cursor[..at]), None);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[A-Za-z0-9_-]{0,60}") {
            prop_assert_eq!(binding().decode(&text), None);
        }
    }
}
