//! The interface for reading rows of every engine, and the decoding of column types.

use crate::domain::id::Id;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;

/// The columns of one row, by their index. Each method fails if the column has another type, or if it is NULL and the
/// method is not for optional values.
pub(crate) trait Columns {
    /// The error type of the engine.
    type Error;

    /// Reads an integer: a number, a version, a count or microseconds.
    fn integer(&self, at: usize) -> Result<i64, Self::Error>;
    /// Reads a nullable integer.
    fn optional_integer(&self, at: usize) -> Result<Option<i64>, Self::Error>;
    /// Reads a small integer: a flag, a kind or a set of roles.
    fn small(&self, at: usize) -> Result<i64, Self::Error>;
    /// Reads a nullable small integer.
    fn optional_small(&self, at: usize) -> Result<Option<i64>, Self::Error>;
    /// Reads text, borrowed from the row.
    fn text(&self, at: usize) -> Result<&str, Self::Error>;
    /// Reads nullable text, borrowed from the row.
    fn optional_text(&self, at: usize) -> Result<Option<&str>, Self::Error>;
    /// Returns the error for a column whose value cannot be decoded, for `reason`.
    fn unreadable(at: usize, reason: String) -> Self::Error;
}

/// Reads an ID from the column.
pub(crate) fn id<R: Columns>(row: &R, at: usize) -> Result<Id, R::Error> {
    decoded(row, at, |text| Id::new(text))
}

/// Reads a time from the column.
pub(crate) fn time<R: Columns>(row: &R, at: usize) -> Result<Timestamp, R::Error> {
    row.integer(at).map(Timestamp::from_micros)
}

/// Reads a nullable time from the column.
pub(crate) fn optional_time<R: Columns>(row: &R, at: usize) -> Result<Option<Timestamp>, R::Error> {
    Ok(row.optional_integer(at)?.map(Timestamp::from_micros))
}

/// Reads a boolean from the column.
pub(crate) fn flag<R: Columns>(row: &R, at: usize) -> Result<bool, R::Error> {
    Ok(row.small(at)? != 0)
}

/// Reads a set of roles from the column.
pub(crate) fn roles<R: Columns>(row: &R, at: usize) -> Result<Roles, R::Error> {
    bits::<R>(row.small(at)?, at).map(Roles::from_bits)
}

/// Reads a nullable set of bits from the column.
pub(crate) fn optional_bits<R: Columns>(row: &R, at: usize) -> Result<Option<u8>, R::Error> {
    row.optional_small(at)?.map(|bits| self::bits::<R>(bits, at)).transpose()
}

fn bits<R: Columns>(bits: i64, at: usize) -> Result<u8, R::Error> {
    u8::try_from(bits).map_err(|_| R::unreadable(at, format!("{bits} is no set of roles")))
}

/// Reads a string from the column.
pub(crate) fn string<R: Columns>(row: &R, at: usize) -> Result<String, R::Error> {
    row.text(at).map(str::to_owned)
}

/// Reads a nullable string from the column.
pub(crate) fn optional_string<R: Columns>(row: &R, at: usize) -> Result<Option<String>, R::Error> {
    Ok(row.optional_text(at)?.map(str::to_owned))
}

/// Reads text from the column and decodes it. Fails if `decode` returns `None`.
pub(crate) fn decoded<R: Columns, T>(
    row: &R,
    at: usize,
    decode: impl FnOnce(&str) -> Option<T>,
) -> Result<T, R::Error> {
    let text = row.text(at)?;
    decode(text).ok_or_else(|| R::unreadable(at, format!("cannot be read: {text:.100}")))
}
