//! Query parameters (docs/rollbook.md, section 1). An unknown parameter, a repeated one, and one without a value are
//! errors, so that a typo never widens what is done.

use std::str::FromStr;

use crate::domain::time::Timestamp;
use crate::http::request::error::{ListError, Result};

/// Fails if a parameter has none of these names.
pub(super) fn check_names(parameters: &[(String, String)], names: &[&str]) -> Result<()> {
    match parameters.iter().find(|(name, _)| !names.contains(&&**name)) {
        Some((name, _)) => Err(ListError::Unknown(name.clone()).into()),
        None => Ok(()),
    }
}

/// The value of a parameter that may occur once; `None` if it is absent. Fails if it occurs twice or has no value.
pub(super) fn value<'a>(parameters: &'a [(String, String)], name: &'static str) -> Result<Option<&'a str>> {
    let mut values = parameters.iter().filter(|(own, _)| own == name).map(|(_, value)| &**value);
    match (values.next(), values.next()) {
        (Some(""), _) => Err(ListError::Empty(name).into()),
        (_, Some(_)) => Err(ListError::Repeated(name).into()),
        (value, None) => Ok(value),
    }
}

/// Whether the parameter is `true`; false if it is absent. Fails for any value other than `true` and `false`.
pub(super) fn flag(parameters: &[(String, String)], name: &'static str) -> Result<bool> {
    match value(parameters, name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ListError::Type(name.to_owned()).into()),
    }
}

/// The moment that the parameter names; `None` if it is absent. Fails if its value is no time.
pub(super) fn moment(parameters: &[(String, String)], name: &'static str) -> Result<Option<Timestamp>> {
    let moment = |text| Timestamp::parse_iso(text).ok_or_else(|| ListError::Type(name.to_owned()).into());
    value(parameters, name)?.map(moment).transpose()
}

/// Whether the parameter is there, with the value `true`. Fails for any other value: a list without the condition would
/// have more entities than one with the condition or its opposite.
pub(super) fn is_set(parameters: &[(String, String)], name: &'static str) -> Result<bool> {
    match value(parameters, name)? {
        None => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ListError::Type(name.to_owned()).into()),
    }
}

/// The whole number from 0 to the highest value of its type, or `None` if the parameter is absent. Fails for any other
/// value.
pub(super) fn number<T: FromStr>(parameters: &[(String, String)], name: &'static str) -> Result<Option<T>> {
    let Some(text) = value(parameters, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.map(Some).ok_or_else(|| ListError::Type(name.to_owned()).into())
}

#[cfg(test)]
mod tests {
    use crate::http::request::error::{Error, RequestError};

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
