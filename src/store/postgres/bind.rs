//! Values that sea-query collected, as parameters whose types are told with them: the server guesses none.

use sea_query::{Value, Values};
use tokio_postgres::types::Type;

use crate::domain::{Error, Result};

use super::pipeline::Parameter;

/// A parameter and its type.
pub type Typed = (Parameter, Type);

/// The values of a statement as its parameters.
pub fn typed(values: Values) -> Result<Vec<Typed>> {
    values.0.into_iter().map(parameter).collect()
}

fn parameter(value: Value) -> Result<Typed> {
    Ok(match value {
        Value::Bool(value) => (Box::new(value), Type::BOOL),
        Value::Int(value) => (Box::new(value.map(i64::from)), Type::INT8),
        Value::BigInt(value) => (Box::new(value), Type::INT8),
        Value::BigUnsigned(value) => {
            (Box::new(value.map(i64::try_from).transpose().map_err(Error::internal)?), Type::INT8)
        }
        Value::Double(value) => (Box::new(value), Type::FLOAT8),
        Value::String(value) => (Box::new(value), Type::TEXT),
        other => return Err(Error::internal(anyhow::anyhow!("no statement of this store binds {other:?}"))),
    })
}
