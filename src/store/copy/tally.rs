//! The digest by which two directories are found the same.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Row, Table, Value};

/// A SHA-256, shown in lower-case hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A table's rows, as far as they must be the same on both sides.
#[derive(Debug, PartialEq, Eq)]
pub struct Tally {
    pub rows: u64,
    pub digest: Digest,
}

/// A tally that rows are still added to, in the order of their keys.
pub struct Tallying {
    rows: u64,
    digest: Sha256,
}

impl Tallying {
    /// Begins with no row.
    pub fn of(table: &Table) -> Self {
        Self { rows: 0, digest: Sha256::new_with_prefix(table.name) }
    }

    /// Adds a row. Every value begins with its kind, and text with its length, so that no two rows read alike.
    pub fn add(&mut self, row: &Row) {
        let mut bytes = Vec::new();
        for value in row {
            match value {
                Value::Null => bytes.push(0),
                Value::Integer(integer) => {
                    bytes.push(1);
                    bytes.extend(integer.to_be_bytes());
                }
                Value::Real(real) => {
                    bytes.push(2);
                    bytes.extend(real.to_bits().to_be_bytes());
                }
                Value::Text(text) => {
                    bytes.push(3);
                    bytes.extend((text.len() as u64).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        self.rows += 1;
        self.digest.update(&bytes);
    }

    /// The tally of all that was added.
    pub fn end(self) -> Tally {
        Tally { rows: self.rows, digest: Digest(self.digest.finalize().into()) }
    }
}

/// One digest over several tables, in their order.
pub fn of_all(tallies: &[Tally]) -> Digest {
    let mut digest = Sha256::new();
    tallies.iter().for_each(|tally| digest.update(tally.digest.0));
    Digest(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOTES: Table = Table { name: "notes", columns: &[], key: 1 };

    #[test]
    fn no_two_rows_read_alike() {
        let text = |text: &str| Value::Text(text.to_owned());
        let rows: [Row; 5] = [
            vec![text("a"), text("b")],
            vec![text("ab"), text("")],
            vec![text("ab"), Value::Null],
            vec![Value::Integer(0), Value::Integer(1)],
            vec![Value::Real(0.0), Value::Integer(1)],
        ];
        let digest = |row: &Row| {
            let mut tally = Tallying::of(&NOTES);
            tally.add(row);
            tally.end().digest.to_string()
        };
        let digests: std::collections::BTreeSet<_> = rows.iter().map(digest).collect();
        assert_eq!(digests.len(), rows.len());
        assert!(digests.iter().all(|digest| digest.len() == 64));
    }
}
