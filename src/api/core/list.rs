//! The paging parameters of `list`, and the headers that link its pages (docs/core.md, section 2).

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::community::Visibility;
use crate::domain::query::{Field, Filter, GroupField, GroupQuery, Page, Sort};
use crate::http::request::error::{ListError, Result};
use crate::http::request::page;

/// The header with the number of groups on all pages.
pub(super) const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Reads `page` and `pageSize`. Their names match in any case; other parameters are ignored. Fails with `List` if a
/// value is out of range or a parameter is repeated.
pub(super) fn read_page(query: &[(String, String)]) -> Result<Page> {
    Ok(page::read_page(parameter(query, "page")?, parameter(query, "pageSize")?)?)
}

/// The value of a parameter that may occur only once.
fn parameter<'a>(query: &'a [(String, String)], name: &'static str) -> Result<Option<&'a str>> {
    let mut values = query.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(ListError::Repeated(name).into()),
        (value, None) => Ok(value),
    }
}

/// The query for one page of all groups, ordered by number.
pub(super) fn by_number(page: Page) -> GroupQuery {
    GroupQuery {
        // The service replaces this with the caller's own visibility.
        visibility: Visibility::Within([].into()),
        filter: Filter::default(),
        sort: vec![Sort { field: Field::Own(GroupField::Uid), descending: false }],
        page,
    }
}

/// The headers of a page: the total count, and links to the next, previous, first and last page (RFC 8288), each a path
/// with a query. An empty list has one page.
pub(super) fn headers(path: &str, page: Page, total: u64) -> HeaderMap {
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
    let mut headers = HeaderMap::from_iter([(TOTAL_COUNT, HeaderValue::from(total))]);
    headers.extend(HeaderValue::try_from(links.join(", ")).ok().map(|links| (LINK, links)));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::error::{Error, RequestError};

    fn links(number: u32, total: u64) -> String {
        let headers = headers("/list", Page { number, size: 20 }, total);
        assert_eq!(headers[TOTAL_COUNT], total.to_string());
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
    fn parameters_match_in_any_case_and_occur_once() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let page = read_page(&[pair("PageSize", "5"), pair("other", "x"), pair("PAGE", "2")]).unwrap();
        assert_eq!(page, Page { number: 2, size: 5 });
        let twice = read_page(&[pair("page", "1"), pair("Page", "1")]);
        assert!(matches!(twice, Err(Error::Request(RequestError::List(ListError::Repeated("page"))))));
        assert!(matches!(
            read_page(&[pair("pageSize", "101")]),
            Err(Error::Request(RequestError::List(ListError::PageSize)))
        ));
    }
}
