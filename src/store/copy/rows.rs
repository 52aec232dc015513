//! Tables and their rows, as every store reads and writes them.

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// A 64-bit integer.
    Integer,
    /// A small integer: a flag, a kind or a set of roles. A store without small integers uses `Integer`.
    Small,
    /// UTF-8 text.
    Text,
}

/// A column of a copied table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The name of the column.
    pub name: &'static str,
    /// The type of its values; every column may also hold NULL.
    pub kind: ColumnType,
}

/// A copied table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The name of the table, or a subquery with an alias.
    pub name: &'static str,
    /// The columns, those of the key first.
    pub columns: &'static [Column],
    /// The number of leading columns that form the key. Rows are ordered by the key: integers by value, text by bytes.
    pub key: usize,
}

/// The value of one column of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// NULL.
    Null,
    /// An integer of either type.
    Integer(i64),
    /// Text.
    Text(String),
}

impl Value {
    /// The approximate size of the value.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => 8 + text.len(),
            _ => 8,
        }
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a row, in the order of the table's columns.
pub(crate) type Row = Vec<Value>;
