//! Filters of lists as conditions (RFC 7644, section 3.4.2.2; docs/scim.md, section 6): comparisons by `eq`, joined by
//! `and`. A filter that is not understood is an error and never widens a list.

use crate::domain::query::{Condition, Field, Test, UserField};
use crate::http::request::error::{Error, ListError, Result};
use crate::http::request::filter::{Type, operand_of};

use super::error::{ScimType, bad_request};
use super::filter::{self, Attribute, Filter, Operator, Value};
use super::ids::user_uid;
use super::schemas::{ROLLBOOK_USER, USER};

/// The maximum number of comparisons, a measure of the cost.
const TERMS_MAX: usize = 200;

/// The attributes of users that are columns: the name, the part, the column and its type.
const USER_COLUMNS: [(&str, Option<&str>, UserField, Type); 7] = [
    ("userName", None, UserField::Username, Type::Text),
    ("name", Some("givenName"), UserField::FirstName, Type::Text),
    ("name", Some("familyName"), UserField::LastName, Type::Text),
    ("emails", Some("value"), UserField::Email, Type::Text),
    ("emails", None, UserField::Email, Type::Text),
    ("phoneNumbers", Some("value"), UserField::Phone, Type::Text),
    ("active", None, UserField::Active, Type::Boolean),
];

/// The lists of values of users, of which the directory finds one: `type` and `primary` of it are known beforehand.
const USER_LISTS: [(&str, UserField); 2] = [("emails", UserField::Email), ("phoneNumbers", UserField::Phone)];

/// Returns the conditions of a list of users that the parameter `filter` states; none if it is absent. Fails with
/// `invalidFilter`, or with `tooMany` for too many comparisons.
pub(super) fn users(parameters: &[(String, String)]) -> Result<Vec<Condition<UserField>>> {
    let mut filters = parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case("filter"));
    let Some((_, text)) = filters.next() else { return Ok(Vec::new()) };
    if filters.next().is_some() {
        return Err(invalid("filter must not stand in the URL twice."));
    }
    let parsed = filter::filter(text).map_err(|error| invalid(error.to_string()))?;
    let terms = match parsed {
        Filter::And(terms) => terms,
        one => vec![one],
    };
    if terms.len() > TERMS_MAX {
        return Err(ListError::TooCostly.into());
    }
    terms.into_iter().map(user).collect::<Result<Vec<_>>>().map(|all| all.into_iter().flatten().collect())
}

/// The conditions of one part of the filter.
fn user(term: Filter) -> Result<Vec<Condition<UserField>>> {
    match term {
        Filter::And(terms) => Ok(terms.into_iter().map(user).collect::<Result<Vec<_>>>()?.concat()),
        Filter::Compare(attribute, Operator::Equal, value) => Ok(vec![equal(&attribute, &value)?]),
        Filter::Elements(attribute, inner) => {
            let list = USER_LISTS.iter().find(|(name, _)| attribute.is(name, None) && attribute.is_of(USER));
            let (_, field) = list.ok_or_else(|| unknown(&attribute))?;
            let parts = if let Filter::And(parts) = *inner { parts } else { vec![*inner] };
            Ok(parts.into_iter().map(|part| element(*field, part)).collect::<Result<Vec<_>>>()?.concat())
        }
        _ => Err(invalid("A filter has comparisons by eq, joined by and.")),
    }
}

/// The condition that the attribute has the value.
fn equal(attribute: &Attribute, value: &Value) -> Result<Condition<UserField>> {
    if attribute.is("id", None) && attribute.schema.is_none() {
        let number = text_of(value).and_then(user_uid);
        return Ok(number.map_or(Condition::Never, |uid| with_value(UserField::Uid, &uid.to_string(), Type::Integer)));
    }
    if attribute.is("key", None) && attribute.schema.as_deref().is_some_and(|own| filter::same_name(own, ROLLBOOK_USER))
    {
        return text_of(value).map(|text| with_value(UserField::Id, text, Type::Text)).ok_or_else(|| wrong(attribute));
    }
    let is_own = |(name, part, ..): &&(&str, Option<&str>, UserField, Type)| attribute.is(name, *part);
    let column = USER_COLUMNS.iter().find(is_own).filter(|_| attribute.is_of(USER));
    let (.., field, of) = column.ok_or_else(|| unknown(attribute))?;
    column_equal(*field, *of, value).ok_or_else(|| wrong(attribute))
}

/// The conditions on the one address or number that the directory has: on its value, and none if the rest is so anyhow.
fn element(field: UserField, part: Filter) -> Result<Vec<Condition<UserField>>> {
    let Filter::Compare(attribute, Operator::Equal, value) = part else {
        return Err(invalid("A filter in brackets has comparisons by eq, joined by and."));
    };
    let known = |holds| if holds { Vec::new() } else { vec![Condition::Never] };
    match (&attribute, text_of(&value)) {
        (own, _) if own.is("value", None) => {
            Ok(vec![column_equal(field, Type::Text, &value).ok_or_else(|| wrong(own))?])
        }
        (own, Some(kind)) if own.is("type", None) => Ok(known(kind.eq_ignore_ascii_case("work"))),
        (own, _) if own.is("primary", None) => Ok(known(flag(&value) == Some(true))),
        (own, _) => Err(unknown(own)),
    }
}

/// The condition that the column has the value; `None` if the value is not of its type.
fn column_equal(field: UserField, of: Type, value: &Value) -> Option<Condition<UserField>> {
    let text = match of {
        Type::Boolean => {
            if flag(value)? {
                "true"
            } else {
                "false"
            }
        }
        _ => text_of(value)?,
    };
    Some(with_value(field, text, of))
}

fn with_value(field: UserField, text: &str, of: Type) -> Condition<UserField> {
    let tests = operand_of(text, of).map(|operand| vec![Test::equal(operand)]);
    tests.map_or(Condition::Never, |tests| Condition::any(Field::Own(field), tests))
}

/// The text of a value. A bare number is text for an attribute that holds text.
fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(text),
        Value::Boolean(true) => Some("true"),
        Value::Boolean(false) => Some("false"),
        Value::Null => None,
    }
}

/// The boolean that the value is, also as text in any case, which Entra sends.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(flag) => Some(*flag),
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn invalid(detail: impl Into<String>) -> Error {
    bad_request(ScimType::InvalidFilter, detail)
}

fn unknown(attribute: &Attribute) -> Error {
    invalid(format!("There is no filter on {:.200}.", attribute.to_string()))
}

fn wrong(attribute: &Attribute) -> Error {
    invalid(format!("{:.200} is compared with a value of another type.", attribute.to_string()))
}
