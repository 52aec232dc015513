//! The description of a table's columns. Everything that names columns is derived from it: the column lists of
//! `SELECT`, `INSERT`, `UPDATE` and `COPY`, the indexes at which a row is read, the written values, the copy between
//! stores and the journal entries.

use serde::ser::SerializeMap;
use serde_json::value::RawValue;

use crate::domain::community::Communities;
use crate::domain::labels::Labels;
use crate::domain::role::Roles;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::xp::Xp;
use crate::store::copy::{self, ColumnType, Value};

use super::codec::{communities_to_text, community_names, labels_to_text};
use super::rows::Columns;

/// A value that is stored as one row of a table.
pub(crate) trait Record: Sized + 'static {
    /// The name of the table.
    const TABLE: &'static str;
    /// The number of leading columns that form the key.
    const KEY: usize = 1;
    /// All columns of the table: first the key, then the other columns that [`Record::read`] reads, then the rest.
    const COLUMNS: &'static [Column<Self>];

    /// Reads the value from a row with the columns of [`select_list`].
    fn read<R: Columns>(row: &R) -> Result<Self, R::Error>;
}

/// A column of a table and how its value is taken from a record.
pub(crate) struct Column<E: 'static> {
    /// The name of the column.
    pub name: &'static str,
    /// The type, and how the value is taken from a record.
    pub field: Field<E>,
    /// Whether the column is written only with a new row, by no later update of the entity.
    pub insert_only: bool,
    /// The field's name in journal entries; `None` if the journal does not contain it.
    pub journaled_as: Option<&'static str>,
}

/// The type of a column, and the function that takes its value from a record.
pub(crate) enum Field<E: 'static> {
    /// An integer: a number, a version or a count.
    Integer(fn(&E) -> i64),
    /// A nullable [`Field::Integer`].
    OptionalInteger(fn(&E) -> Option<i64>),
    /// A nullable set of bits.
    OptionalBits(fn(&E) -> Option<u8>),
    /// A time, stored as microseconds since 1970-01-01 UTC.
    Time(fn(&E) -> Timestamp),
    /// A nullable [`Field::Time`].
    OptionalTime(fn(&E) -> Option<Timestamp>),
    /// A boolean, stored as 1 or 0.
    Flag(fn(&E) -> bool),
    /// Roles, stored as bits.
    Roles(fn(&E) -> Roles),
    /// Text.
    Text(fn(&E) -> &str),
    /// A nullable [`Field::Text`].
    OptionalText(fn(&E) -> Option<&str>),
    /// Communities, stored as text.
    Communities(fn(&E) -> &Communities),
    /// Labels, stored as a JSON object.
    Labels(fn(&E) -> &Labels),
    /// A nullable xp document, stored as it was sent.
    Xp(fn(&E) -> Option<&Xp>),
    /// The folded text of another column. Comparisons use it; it is written and never read.
    Folded(fn(&E) -> &str),
    /// A nullable [`Field::Folded`].
    OptionalFolded(fn(&E) -> Option<&str>),
    /// A column outside the record: NULL in a new row. Other statements read and write it.
    Unmapped(ColumnType),
}

impl<E> Column<E> {
    /// A column that is read (if its field is), written with every change and journaled.
    pub(crate) const fn new(name: &'static str, field: Field<E>) -> Self {
        let journaled_as = if field.is_read() { Some(name) } else { None };
        Self { name, field, insert_only: false, journaled_as }
    }

    /// As [`Column::new`], but written only with a new row.
    pub(crate) const fn insert_only(name: &'static str, field: Field<E>) -> Self {
        Self { insert_only: true, ..Self::new(name, field) }
    }

    /// As [`Column::new`], but not journaled.
    pub(crate) const fn unjournaled(name: &'static str, field: Field<E>) -> Self {
        Self { journaled_as: None, ..Self::new(name, field) }
    }

    /// As [`Column::new`], but written only with a new row and not journaled.
    pub(crate) const fn untracked(name: &'static str, field: Field<E>) -> Self {
        Self { insert_only: true, ..Self::unjournaled(name, field) }
    }

    /// As [`Column::new`], but journaled under another name.
    pub(crate) const fn journaled_as(journaled: &'static str, name: &'static str, field: Field<E>) -> Self {
        Self { journaled_as: Some(journaled), ..Self::new(name, field) }
    }

    const fn copied(&self) -> copy::Column {
        copy::Column { name: self.name, kind: self.field.kind() }
    }
}

impl<E> Field<E> {
    /// Whether [`Record::read`] reads the column.
    pub(crate) const fn is_read(&self) -> bool {
        !self.is_folded() && !matches!(self, Self::Unmapped(_))
    }

    /// Whether the column contains the folded text of another column.
    pub(crate) const fn is_folded(&self) -> bool {
        matches!(self, Self::Folded(_) | Self::OptionalFolded(_))
    }

    /// Whether the column is written with the record.
    pub(crate) const fn is_written(&self) -> bool {
        !matches!(self, Self::Unmapped(_))
    }

    /// The type of the column.
    const fn kind(&self) -> ColumnType {
        match self {
            Self::Unmapped(kind) => *kind,
            Self::Integer(_) | Self::OptionalInteger(_) | Self::Time(_) | Self::OptionalTime(_) => ColumnType::Integer,
            Self::OptionalBits(_) | Self::Flag(_) | Self::Roles(_) => ColumnType::Small,
            Self::Text(_)
            | Self::OptionalText(_)
            | Self::Communities(_)
            | Self::Labels(_)
            | Self::Xp(_)
            | Self::Folded(_)
            | Self::OptionalFolded(_) => ColumnType::Text,
        }
    }

    /// Returns the value to write to the column.
    pub(crate) fn value(&self, record: &E) -> Value {
        match self {
            Self::Integer(get) => get(record).into(),
            Self::OptionalInteger(get) => get(record).into(),
            Self::OptionalBits(get) => get(record).map(i64::from).into(),
            Self::Time(get) => get(record).as_micros().into(),
            Self::OptionalTime(get) => get(record).map(Timestamp::as_micros).into(),
            Self::Flag(get) => i64::from(get(record)).into(),
            Self::Roles(get) => i64::from(get(record).bits()).into(),
            Self::Text(get) => get(record).to_owned().into(),
            Self::OptionalText(get) => get(record).map(str::to_owned).into(),
            Self::Communities(get) => communities_to_text(get(record)).into(),
            Self::Labels(get) => labels_to_text(get(record)).into(),
            Self::Xp(get) => get(record).map(|xp| xp.as_str().to_owned()).into(),
            Self::Folded(get) => fold(get(record)).into(),
            Self::OptionalFolded(get) => get(record).map(fold).into(),
            Self::Unmapped(_) => Value::Null,
        }
    }

    /// Adds the value to a JSON object under `name`, as the journal stores it.
    pub(crate) fn serialize<M: SerializeMap>(&self, record: &E, name: &str, object: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Integer(get) => object.serialize_entry(name, &get(record)),
            Self::OptionalInteger(get) => object.serialize_entry(name, &get(record)),
            Self::OptionalBits(get) => object.serialize_entry(name, &get(record)),
            Self::Time(get) => object.serialize_entry(name, &get(record).as_micros()),
            Self::OptionalTime(get) => object.serialize_entry(name, &get(record).map(Timestamp::as_micros)),
            Self::Flag(get) => object.serialize_entry(name, &get(record)),
            Self::Roles(get) => object.serialize_entry(name, &get(record).names().collect::<Vec<_>>()),
            Self::Text(get) => object.serialize_entry(name, get(record)),
            Self::OptionalText(get) => object.serialize_entry(name, &get(record)),
            Self::Communities(get) => object.serialize_entry(name, &community_names(get(record).iter())),
            Self::Labels(get) => object.serialize_entry(name, &raw(labels_to_text(get(record)))?),
            Self::Xp(get) => {
                let xp = get(record).map(|xp| raw(xp.as_str().to_owned())).transpose()?;
                object.serialize_entry(name, &xp)
            }
            // The journal does not need them: they follow from another column or are secret.
            Self::Folded(_) | Self::OptionalFolded(_) | Self::Unmapped(_) => Ok(()),
        }
    }
}

fn raw<E: serde::ser::Error>(json: String) -> Result<Box<RawValue>, E> {
    RawValue::from_string(json).map_err(E::custom)
}

/// Returns the index of the column in a row. It is evaluated when the program is compiled, which fails if no column has
/// the name or if the column is not read.
pub(crate) const fn column_index<E>(columns: &[Column<E>], name: &str) -> usize {
    let mut at = 0;
    while at < columns.len() {
        if is_same(columns[at].name, name) {
            assert!(at < read_columns(columns), "the column is not read");
            return at;
        }
        at += 1;
    }
    panic!("no column has this name")
}

/// The index of a column of the record that is being read.
macro_rules! index {
    ($name:literal) => {
        const { $crate::store::sql::columns::column_index(Self::COLUMNS, $name) }
    };
}
pub(crate) use index;

/// The columns of a table that has no [`Record`].
macro_rules! columns {
    ($($kind:ident: $($name:literal)+;)+) => {
        &[$($($crate::store::copy::Column { name: $name, kind: $crate::store::copy::ColumnType::$kind }),+),+]
    };
}
pub(crate) use columns;

/// Returns the number of columns that are read. They come first.
pub(crate) const fn read_columns<E>(columns: &[Column<E>]) -> usize {
    let (mut read, mut at) = (0, 0);
    while at < columns.len() {
        if columns[at].field.is_read() {
            assert!(read == at, "a column that is read follows one that is not");
            read += 1;
        }
        at += 1;
    }
    read
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Returns the columns as the copy between stores describes them.
pub(crate) const fn copied<E, const N: usize>(columns: &[Column<E>]) -> [copy::Column; N] {
    let mut copied = [copy::Column { name: "", kind: ColumnType::Text }; N];
    let mut at = 0;
    while at < N {
        copied[at] = columns[at].copied();
        at += 1;
    }
    copied
}

/// Returns the record as a row of its table, with all columns in order.
pub(crate) fn row<E: Record>(record: &E) -> copy::Row {
    E::COLUMNS.iter().map(|column| column.field.value(record)).collect()
}

/// Returns the names as a comma-separated list.
pub(crate) fn names<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    columns.into_iter().collect::<Vec<_>>().join(", ")
}

/// Returns `count` parameters, comma-separated: `$1, $2, ...`. Both engines accept this form. (SQLite treats them as
/// names and numbers them in order of appearance.)
pub(crate) fn parameters(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Returns the columns that [`Record::read`] reads, in order.
pub(crate) fn select_list<E: Record>() -> String {
    names(E::COLUMNS[..read_columns(E::COLUMNS)].iter().map(|column| column.name))
}

/// Returns a `SELECT` of the records. `rest` follows the name of the table.
pub(crate) fn select<E: Record>(rest: &str) -> String {
    format!("SELECT {} FROM {} {rest}", select_list::<E>(), E::TABLE)
}

/// Returns an `INSERT` of one row, with the parameters of [`inserted`].
pub(crate) fn insert<E: Record>() -> String {
    let columns: Vec<_> = written::<E>().map(|column| column.name).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", E::TABLE, columns.join(", "), parameters(columns.len()))
}

/// Returns an `INSERT` of one row that updates the row with the key if it exists, with the parameters of [`inserted`].
pub(crate) fn upsert<E: Record>() -> String {
    let changes: Vec<_> = updated_columns::<E>().map(|column| format!("{0} = excluded.{0}", column.name)).collect();
    let key = names(E::COLUMNS[..E::KEY].iter().map(|column| column.name));
    format!("{} ON CONFLICT ({key}) DO UPDATE SET {}", insert::<E>(), changes.join(", "))
}

/// Returns an `UPDATE` of the row with the key, with the parameters of [`updated`].
pub(crate) fn update<E: Record>() -> String {
    let change = |(at, column): (usize, &Column<E>)| format!("{} = ${}", column.name, at + 1);
    let changes: Vec<_> =
        updated_columns::<E>().enumerate().map(|(at, column)| change((E::KEY + at, column))).collect();
    let key: Vec<_> = E::COLUMNS[..E::KEY].iter().enumerate().map(change).collect();
    format!("UPDATE {} SET {} WHERE {}", E::TABLE, changes.join(", "), key.join(" AND "))
}

/// Returns the parameters of [`insert`] and [`upsert`].
pub(crate) fn inserted<E: Record>(record: &E) -> impl Iterator<Item = Value> {
    written::<E>().map(move |column| column.field.value(record))
}

/// Returns the parameters of [`update`].
pub(crate) fn updated<E: Record>(record: &E) -> impl Iterator<Item = Value> {
    E::COLUMNS[..E::KEY].iter().chain(updated_columns::<E>()).map(move |column| column.field.value(record))
}

fn written<E: Record>() -> impl Iterator<Item = &'static Column<E>> {
    E::COLUMNS.iter().filter(|column| column.field.is_written())
}

fn updated_columns<E: Record>() -> impl Iterator<Item = &'static Column<E>> {
    E::COLUMNS[E::KEY..].iter().filter(|column| column.field.is_written() && !column.insert_only)
}

#[cfg(test)]
mod tests;
