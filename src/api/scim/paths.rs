//! Paths of PATCH for [`super::patch`], from the tree of [`super::filter`].

use crate::json::Json;

use super::filter::{self, Attribute, Filter, Operator, Value};
use super::patch::{Alternative, Equality, Path, PathError};

/// Parses a path without a URN (RFC 7644, section 3.5.2, figure 7). Fails with `Malformed` if it is none, and with
/// `UnsupportedFilter` if its value filter is more than comparisons by `eq`, joined by `and`, these joined by `or`.
pub(super) fn parse_path(text: &str) -> Result<Path, PathError> {
    let (attribute, filter) = match filter::path(text) {
        Ok(filter::Path::Attribute { attribute: Attribute { schema: None, name, sub }, filter }) => {
            ((name, sub), filter)
        }
        Ok(_) => return Err(PathError::Malformed("a URN is not expected here".to_owned())),
        Err(error) => return Err(PathError::Malformed(error.to_string().trim_end_matches('.').to_owned())),
    };
    let filter = filter.map(alternatives).transpose()?;
    let (attribute, sub_attribute) = attribute;
    Ok(Path { attribute, filter, sub_attribute })
}

fn alternatives(filter: Filter) -> Result<Vec<Alternative>, PathError> {
    match filter {
        Filter::Or(all) => all.into_iter().map(alternative).collect(),
        one => Ok(vec![alternative(one)?]),
    }
}

fn alternative(filter: Filter) -> Result<Alternative, PathError> {
    match filter {
        Filter::And(all) => all.into_iter().map(equality).collect::<Result<_, _>>().map(Alternative),
        one => Ok(Alternative(vec![equality(one)?])),
    }
}

fn equality(filter: Filter) -> Result<Equality, PathError> {
    match filter {
        Filter::Compare(Attribute { schema: None, name, sub: None }, Operator::Equal, value) => {
            let value = match value {
                // A number is a bare word where the attribute holds text, and no attribute here holds numbers.
                Value::Text(text) | Value::Number(text) => Json::String(text),
                Value::Boolean(flag) => Json::Bool(flag),
                Value::Null => Json::Null,
            };
            Ok(Equality { attribute: name, value })
        }
        _ => Err(PathError::UnsupportedFilter("only eq is, with and, and then or, between comparisons".to_owned())),
    }
}
