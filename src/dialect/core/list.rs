//! The page settings of `list`, and the headers that lead from page to page (docs/core.md, section 2).

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::community::Visibility;
use crate::domain::error::{Error, ListError, Result};
use crate::domain::query::{Field, Filter, GroupField, GroupQuery, Page, Sort};

/// How many groups there are on all pages.
pub const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// Reads the page settings, whose names are matched without regard to case; other parameters are ignored.
/// Fails with `List` for a setting out of range or sent twice.
pub fn read_page(query: &[(String, String)]) -> Result<Page> {
    Page::read(setting(query, "page")?, setting(query, "pageSize")?).map_err(Error::List)
}

fn setting<'a>(query: &'a [(String, String)], name: &'static str) -> Result<Option<&'a str>> {
    let mut values = query.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Error::List(ListError::Repeated(name))),
        (value, None) => Ok(value),
    }
}

/// One page of all groups, in order of their numbers.
pub fn by_number(page: Page) -> GroupQuery {
    GroupQuery {
        // The service puts the caller's own limit in the place of this one.
        visibility: Visibility::Within([].into()),
        filter: Filter::default(),
        sort: vec![Sort { field: Field::Own(GroupField::Uid), descending: false }],
        page,
    }
}

/// The headers of a page: the total, and links to its neighbours and to both ends (RFC 8288), each a path with a
/// query. An empty list has one page.
pub fn headers(path: &str, page: Page, total: u64) -> HeaderMap {
    let last = page.count(total).max(1);
    let number = u64::from(page.number);
    let links = [
        ("next", (number < last).then_some(number + 1)),
        ("prev", (number > 1).then(|| (number - 1).min(last))),
        ("first", Some(1)),
        ("last", Some(last)),
    ];
    let link = |(relation, number): (&str, Option<u64>)| {
        number.map(|number| format!("<{path}?page={number}&pageSize={}>; rel=\"{relation}\"", page.size))
    };
    let links: Vec<_> = links.into_iter().filter_map(link).collect();
    let mut headers = HeaderMap::from_iter([(TOTAL, HeaderValue::from(total))]);
    headers.extend(HeaderValue::try_from(links.join(", ")).ok().map(|links| (LINK, links)));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(number: u32, total: u64) -> String {
        let headers = headers("/list", Page { number, size: 20 }, total);
        assert_eq!(headers[TOTAL], total.to_string());
        headers[LINK].to_str().unwrap().replace("&pageSize=20", "")
    }

    #[test]
    fn links_lead_to_pages_that_exist() {
        let both = r#"</list?page=3>; rel="next", </list?page=1>; rel="prev", </list?page=1>; rel="first", </list?page=3>; rel="last""#;
        assert_eq!(links(2, 45), both);
        assert_eq!(links(1, 0), r#"</list?page=1>; rel="first", </list?page=1>; rel="last""#);
        assert!(links(9, 45).starts_with(r#"</list?page=3>; rel="prev", "#));
        assert!(!links(3, 45).contains("next"));
    }

    #[test]
    fn settings_are_found_in_any_case_and_only_once() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let page = read_page(&[pair("PageSize", "5"), pair("other", "x"), pair("PAGE", "2")]).unwrap();
        assert_eq!(page, Page { number: 2, size: 5 });
        let twice = read_page(&[pair("page", "1"), pair("Page", "1")]);
        assert!(matches!(twice, Err(Error::List(ListError::Repeated("page")))));
        assert!(matches!(read_page(&[pair("pageSize", "101")]), Err(Error::List(ListError::PageSize))));
    }
}
