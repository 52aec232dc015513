//! Parameters of statements that sea-query built. Each is sent with its type, so that the server does not have to infer
//! it.

use std::ops::Deref;

use sea_query::{ArrayType, Value, Values};
use tokio_postgres::types::Type;

use crate::domain::{Error, Result};

use crate::store::postgres::write::pipeline::Parameter;

/// A parameter with its type.
pub(crate) type Typed = (Parameter, Type);

/// Converts the values of a statement to parameters. Fails if one has a type that no statement of this store uses.
pub(crate) fn typed(values: Values) -> Result<Vec<Typed>> {
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
        Value::String(value) => (Box::new(value), Type::TEXT),
        Value::Array(ArrayType::String, values) => (Box::new(elements::<String>(values)?), Type::TEXT_ARRAY),
        Value::Array(ArrayType::BigInt, values) => (Box::new(elements::<i64>(values)?), Type::INT8_ARRAY),
        other => return Err(Error::internal(anyhow::anyhow!("no statement of this store binds {other:?}"))),
    })
}

fn elements<T: sea_query::ValueType>(array: Option<impl Deref<Target = Vec<Value>>>) -> Result<Vec<T>> {
    let values = array.iter().flat_map(|values| values.iter().cloned());
    values.map(|value| sea_query::ValueType::try_from(value).map_err(Error::internal)).collect()
}
