//! Digests that show whether two directories are equal.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::rows::{Row, Table, Value};

/// A SHA-256, shown in lower-case hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The row count and the digest of a table, for comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TableDigest {
    /// The number of rows.
    pub rows: u64,
    /// The digest of all values, in the order of the keys.
    pub digest: Digest,
}

/// Builds a [`TableDigest`] from rows in the order of their keys.
pub(super) struct TableHasher {
    rows: u64,
    digest: Sha256,
}

impl TableHasher {
    /// Starts with no rows.
    pub(super) fn of(table: &Table) -> Self {
        Self { rows: 0, digest: Sha256::new_with_prefix(table.name) }
    }

    /// Adds a row. Each value starts with its type, and text with its length, so that different rows have different
    /// bytes.
    pub(super) fn add(&mut self, row: &Row) {
        let mut bytes = Vec::new();
        for value in row {
            match value {
                Value::Null => bytes.push(0),
                Value::Integer(integer) => {
                    bytes.push(1);
                    bytes.extend(integer.to_be_bytes());
                }
                Value::Text(text) => {
                    bytes.push(2);
                    bytes.extend((text.len() as u64).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        self.rows += 1;
        self.digest.update(&bytes);
    }

    /// Returns the digest of all rows added.
    pub(super) fn finish(self) -> TableDigest {
        TableDigest { rows: self.rows, digest: Digest(self.digest.finalize().into()) }
    }
}

/// Combines the digests of several tables into one, in order.
pub(super) fn combined(digests: &[TableDigest]) -> Digest {
    let mut digest = Sha256::new();
    digests.iter().for_each(|table| digest.update(table.digest.0));
    Digest(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOTES: Table = Table { name: "notes", columns: &[], key: 1 };

    #[test]
    fn different_rows_have_different_digests() {
        let text = |text: &str| Value::Text(text.to_owned());
        let rows: [Row; 4] = [
            vec![text("a"), text("b")],
            vec![text("ab"), text("")],
            vec![text("ab"), Value::Null],
            vec![Value::Integer(0), Value::Integer(1)],
        ];
        let digest = |row: &Row| {
            let mut hasher = TableHasher::of(&NOTES);
            hasher.add(row);
            hasher.finish().digest.to_string()
        };
        let digests: std::collections::BTreeSet<_> = rows.iter().map(digest).collect();
        assert_eq!(digests.len(), rows.len());
        assert!(digests.iter().all(|digest| digest.len() == 64));
    }
}
