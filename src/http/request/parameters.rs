//! Query parameters (docs/rollbook.md, section 1). An unknown parameter, a repeated one, and one without a value are
//! errors, so that a typo never widens what is done.

use std::str::FromStr;

use crate::domain::history::{FeedPosition, Order, Span};
use crate::domain::time::Timestamp;
use crate::http::request::error::{Error, ListError, Result};

use super::cursor::read_limit;
use super::feed_cursor::FeedCursors;

/// The maximum number of values of one parameter that can be repeated.
const VALUES_MAX: usize = 100;

/// Fails if a parameter has none of these names.
pub(crate) fn check_names(parameters: &[(String, String)], names: &[&str]) -> Result<()> {
    match parameters.iter().find(|(name, _)| !names.contains(&&**name)) {
        Some((name, _)) => Err(ListError::Unknown(name.clone()).into()),
        None => Ok(()),
    }
}

/// The value of a parameter that may occur once; `None` if it is absent. Fails if it occurs twice or has no value.
pub(crate) fn value<'a>(parameters: &'a [(String, String)], name: &'static str) -> Result<Option<&'a str>> {
    let mut values = parameters.iter().filter(|(own, _)| own == name).map(|(_, value)| &**value);
    match (values.next(), values.next()) {
        (Some(""), _) => Err(ListError::Empty(name).into()),
        (_, Some(_)) => Err(ListError::Repeated(name).into()),
        (value, None) => Ok(value),
    }
}

/// Whether the parameter is `true`; false if it is absent. Fails for any value other than `true` and `false`.
pub(crate) fn flag(parameters: &[(String, String)], name: &'static str) -> Result<bool> {
    match value(parameters, name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ListError::Type(name.to_owned()).into()),
    }
}

/// The moment that the parameter names; `None` if it is absent. Fails if its value is no time.
pub(crate) fn moment(parameters: &[(String, String)], name: &'static str) -> Result<Option<Timestamp>> {
    let moment = |text| Timestamp::parse_iso(text).ok_or_else(|| ListError::Type(name.to_owned()).into());
    value(parameters, name)?.map(moment).transpose()
}

/// Whether the parameter is there, with the value `true`. Fails for any other value: a list without the condition would
/// have more entities than one with the condition or its opposite.
pub(crate) fn is_set(parameters: &[(String, String)], name: &'static str) -> Result<bool> {
    match value(parameters, name)? {
        None => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ListError::Type(name.to_owned()).into()),
    }
}

/// The whole number from 0 to the highest value of its type, or `None` if the parameter is absent. Fails for any other
/// value.
pub(crate) fn number<T: FromStr>(parameters: &[(String, String)], name: &'static str) -> Result<Option<T>> {
    let Some(text) = value(parameters, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.map(Some).ok_or_else(|| ListError::Type(name.to_owned()).into())
}

/// The times that the parameters `since` and `until` name.
pub(crate) fn span(parameters: &[(String, String)]) -> Result<Span> {
    Ok(Span { since: moment(parameters, "since")?, until: moment(parameters, "until")? })
}

/// The order that the parameter `order` names; `None` if it is absent.
pub(crate) fn order(parameters: &[(String, String)]) -> Result<Option<Order>> {
    match value(parameters, "order")? {
        None => Ok(None),
        Some("asc") => Ok(Some(Order::Ascending)),
        Some("desc") => Ok(Some(Order::Descending)),
        Some(_) => Err(wrong("order")),
    }
}

/// The position in the feed that the parameter `after` names; `None` if it is absent.
pub(crate) fn position(parameters: &[(String, String)], cursors: &FeedCursors) -> Result<Option<FeedPosition>> {
    let position = |text| cursors.decode(text).ok_or_else(|| wrong("after"));
    value(parameters, "after")?.map(position).transpose()
}

/// The number of rows of a page that the parameter `limit` names, or the default.
pub(crate) fn limit(parameters: &[(String, String)]) -> Result<u32> {
    Ok(read_limit(value(parameters, "limit")?).ok_or(ListError::PageSize)?)
}

/// The values of a parameter that can be repeated. Fails if one cannot be parsed, and if there are too many.
pub(crate) fn values<T>(
    parameters: &[(String, String)],
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    let own = parameters.iter().filter(|(own, _)| own == name);
    let parsed = own.map(|(_, text)| match &**text {
        "" => Err(ListError::Empty(name).into()),
        text => parse(text).ok_or_else(|| wrong(name)),
    });
    let values = parsed.collect::<Result<Vec<_>>>()?;
    if values.len() > VALUES_MAX { Err(ListError::TooCostly.into()) } else { Ok(values) }
}

/// The parameters that may not change from page to page.
pub(crate) fn bound(parameters: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let changing = |name: &str| ["limit", "after"].contains(&name);
    parameters.iter().filter(move |(name, _)| !changing(name)).map(|(name, value)| (&**name, &**value))
}

/// The error for a parameter whose value is not valid.
pub(crate) fn wrong(name: &str) -> Error {
    ListError::Type(name.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use crate::http::request::error::RequestError;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_known_parameters_with_one_value_are_read() {
        let pairs = query(&[("dryRun", "true"), ("limit", "5")]);
        check_names(&pairs, &["limit", "dryRun", "after"]).unwrap();
        assert_eq!((value(&pairs, "limit").unwrap(), value(&pairs, "after").unwrap()), (Some("5"), None));
        assert_eq!((flag(&pairs, "dryRun").unwrap(), flag(&pairs, "after").unwrap()), (true, false));
        assert!(flag(&pairs, "limit").is_err());
        assert_eq!((is_set(&pairs, "dryRun").unwrap(), is_set(&pairs, "after").unwrap()), (true, false));
        assert!(is_set(&query(&[("deleted", "false")]), "deleted").is_err());
        assert_eq!((number(&pairs, "limit").unwrap(), number::<u8>(&pairs, "after").unwrap()), (Some(5_u8), None));
        for bad in ["256", "-1", "+1", "1.0", "x"] {
            assert!(number::<u8>(&query(&[("limit", bad)]), "limit").is_err(), "{bad}");
        }
        for (bad, error) in [
            (&[("dryrun", "true")][..], ListError::Unknown("dryrun".to_owned())),
            (&[("dryRun", "")], ListError::Empty("dryRun")),
            (&[("dryRun", "true"), ("dryRun", "true")], ListError::Repeated("dryRun")),
        ] {
            let bad = query(bad);
            let refused = check_names(&bad, &["dryRun"]).and_then(|()| flag(&bad, "dryRun").map(drop)).unwrap_err();
            assert!(matches!(refused, Error::Request(RequestError::List(own)) if own == error), "{bad:?}");
        }
    }
}
