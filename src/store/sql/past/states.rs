//! Entities as journal entries contain them.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::domain::client::Client;
use crate::domain::error::{Error, Result};
use crate::domain::group::Group;
use crate::domain::history::{State, Subject};
use crate::domain::labels::Tag;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::role::Roles;
use crate::domain::user::User;
use crate::store::copy::{Row, Value};
use crate::store::sql::columns::{Column, Field, Record, read_columns};
use crate::store::sql::copy::Cells;

/// An entity that journal entries contain.
pub(crate) trait Journaled: Record {
    /// Returns the entity as a state, after what the journal leaves out was derived again.
    fn into_state(self, language: &Tag) -> State;
}

impl Journaled for Group {
    fn into_state(mut self, language: &Tag) -> State {
        self.fields.labels.name(language).clone_into(&mut self.name);
        State::Group(Box::new(self))
    }
}

impl Journaled for User {
    fn into_state(self, _language: &Tag) -> State {
        State::User(Box::new(self))
    }
}

impl Journaled for Client {
    fn into_state(self, _language: &Tag) -> State {
        State::Client(Box::new(self))
    }
}

impl Journaled for LongLivedToken {
    fn into_state(self, _language: &Tag) -> State {
        State::Token(Box::new(self))
    }
}

/// Returns the entity of a journal entry's `before` or `after`. What the journal does not contain (counts, secrets, the
/// data of sign-ins) is empty. Fails if the text is none.
pub(crate) fn state<E: Journaled>(json: &str, language: &Tag) -> Result<State> {
    decode::<E>(json).map(|entity| entity.into_state(language))
}

/// Returns the state of the subject of a change; `None` for a membership or key, which have none.
pub(crate) fn state_of(subject: &Subject, json: &str, language: &Tag) -> Result<Option<State>> {
    Ok(match subject {
        Subject::Group(_) => Some(state::<Group>(json, language)?),
        Subject::User(_) => Some(state::<User>(json, language)?),
        Subject::Client(_) => Some(state::<Client>(json, language)?),
        Subject::Token(_) => Some(state::<LongLivedToken>(json, language)?),
        Subject::Membership { .. } | Subject::Key(_) => None,
    })
}

/// Reads an entity from a row. Fails if the row is none of its table.
pub(crate) fn record<E: Record>(row: &Row) -> Result<E> {
    E::read(&Cells(row)).map_err(Error::internal)
}

/// Returns the entity of a journal entry's `before` or `after`. Fails if the text is none.
pub(crate) fn decode<E: Record>(json: &str) -> Result<E> {
    let fields: HashMap<String, Box<RawValue>> = serde_json::from_str(json).map_err(Error::internal)?;
    let value = |column: &Column<E>| {
        let raw = column.journaled_as.and_then(|name| fields.get(name));
        raw.filter(|raw| raw.get() != "null")
            .map_or_else(|| Ok(absent(&column.field)), |raw| column_value(&column.field, raw))
    };
    let values: Row = E::COLUMNS[..read_columns(E::COLUMNS)].iter().map(value).collect::<Result<_>>()?;
    record(&values)
}

/// The value of a column that the journal does not contain.
fn absent<E>(field: &Field<E>) -> Value {
    match field {
        Field::Integer(_) | Field::Time(_) | Field::Flag(_) | Field::Roles(_) => Value::Integer(0),
        Field::Text(_) | Field::Communities(_) => Value::Text(String::new()),
        Field::Labels(_) => Value::Text("{}".to_owned()),
        _ => Value::Null,
    }
}

/// The value of a column, from the form in which [`Field::serialize`] writes it.
fn column_value<E>(field: &Field<E>, raw: &RawValue) -> Result<Value> {
    fn parsed<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue) -> Result<T> {
        serde_json::from_str(raw.get()).map_err(Error::internal)
    }
    Ok(match field {
        Field::Integer(_)
        | Field::OptionalInteger(_)
        | Field::OptionalBits(_)
        | Field::Time(_)
        | Field::OptionalTime(_) => Value::Integer(parsed(raw)?),
        Field::Flag(_) => Value::Integer(parsed::<bool>(raw)?.into()),
        Field::Roles(_) => {
            let names: Vec<String> = parsed(raw)?;
            Value::Integer(Roles::from_names(names.iter().map(String::as_str)).bits().into())
        }
        Field::Communities(_) => Value::Text(parsed::<Vec<String>>(raw)?.join(" ")),
        Field::Labels(_) | Field::Xp(_) => Value::Text(raw.get().to_owned()),
        Field::Text(_) | Field::OptionalText(_) | Field::Folded(_) | Field::OptionalFolded(_) | Field::Unmapped(_) => {
            Value::Text(parsed(raw)?)
        }
    })
}
