//! The page of a list that a request asks for (RFC 7644, section 3.4.2.4; docs/scim.md, section 6).

use crate::domain::community::Visibility;
use crate::domain::cursor::CursorQuery;
use crate::domain::query::{Condition, Filter};
use crate::http::request::error::Result;

use super::error::{ScimType, bad_request};

/// The number of resources on a page if the request does not say.
pub(super) const DEFAULT_COUNT: u32 = 100;
/// The maximum number of resources on a page.
pub(super) const MAX_COUNT: u32 = 1_000;

/// Which part of a list a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The number of the first resource, from 1.
    pub start: u64,
    /// The maximum number of resources; 0 = only how many match.
    pub count: u32,
}

impl Page {
    /// Reads `startIndex` and `count`. A start below 1 is 1, a count below 0 is 0, and a higher count than
    /// [`MAX_COUNT`] is that (RFC 7644, section 3.4.2.4). Fails for what is no whole number.
    pub(super) fn read(parameters: &[(String, String)]) -> Result<Self> {
        let start = number(parameters, "startIndex")?.unwrap_or(1).max(1);
        let count = number(parameters, "count")?.unwrap_or(DEFAULT_COUNT.into()).clamp(0, MAX_COUNT.into());
        Ok(Self { start: start.try_into().unwrap_or(1), count: count.try_into().unwrap_or(MAX_COUNT) })
    }

    /// The query for the page, in the order of numbers, which is stable: what is created meanwhile comes last.
    pub(super) fn query<F>(self, conditions: Vec<Condition<F>>) -> CursorQuery<F> {
        CursorQuery {
            visibility: Visibility::All,
            filter: Filter { search: None, conditions },
            sort: Vec::new(),
            after: None,
            skip: self.start - 1,
            limit: self.count.max(1),
        }
    }
}

/// The whole number that the parameter names, whose name is matched in any case; `None` if it is absent or empty.
fn number(parameters: &[(String, String)], name: &'static str) -> Result<Option<i64>> {
    let text = parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map_or("", |(_, text)| text.trim());
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if text.is_empty() {
        return Ok(None);
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad_request(ScimType::InvalidValue, format!("{name} must be a whole number.")));
    }
    // What is too long for the type is as good as the highest or lowest number.
    Ok(Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::from(i32::MAX) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Page> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Page::read(&pairs)
    }

    #[test]
    fn pages_are_numbered_from_one_and_bounded() {
        for (pairs, start, count) in [
            (&[][..], 1, 100),
            (&[("startIndex", ""), ("count", "")], 1, 100),
            (&[("startIndex", "11"), ("count", "5")], 11, 5),
            (&[("startindex", "0"), ("COUNT", "-3")], 1, 0),
            (&[("startIndex", "-99999999999999999999"), ("count", "100000")], 1, 1_000),
            (&[("startIndex", "99999999999999999999"), ("count", "0")], i32::MAX as u64, 0),
        ] {
            assert_eq!(read(pairs).unwrap(), Page { start, count }, "{pairs:?}");
        }
        for bad in ["x", "1.0", "1e3", "-", "0x1"] {
            assert!(read(&[("startIndex", bad)]).is_err() && read(&[("count", bad)]).is_err(), "{bad}");
        }
    }
}
