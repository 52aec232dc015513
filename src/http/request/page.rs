//! The page parameters of a list. All APIs have the same rules for them.

use crate::domain::query::Page;

use super::error::ListError;

/// Reads the page number and the page size as the client sent them. An absent parameter gets its default (1 and
/// [`Page::DEFAULT_SIZE`]). Fails with [`ListError::Page`] or [`ListError::PageSize`] if a value is out of range.
pub(crate) fn read_page(number: Option<&str>, size: Option<&str>) -> Result<Page, ListError> {
    Ok(Page {
        number: number.map_or(Some(1), |text| from_1_to(Page::MAX_NUMBER, text)).ok_or(ListError::Page)?,
        size: size
            .map_or(Some(Page::DEFAULT_SIZE), |text| from_1_to(Page::MAX_SIZE, text))
            .ok_or(ListError::PageSize)?,
    })
}

/// Parses an integer from 1 to `max`; digits only, without a sign or fraction.
pub(super) fn from_1_to(max: u32, text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (1..=max).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_parameters_are_whole_numbers_in_range() {
        let page = |number, size| Ok(Page { number, size });
        assert_eq!(read_page(None, None), page(1, 20));
        assert_eq!(read_page(Some("2147483647"), Some("100")), page(2_147_483_647, 100));
        for bad in ["0", "-1", "+1", "1.0", "1.1", "", " 1", "x", "2147483648", "99999999999"] {
            assert_eq!(read_page(Some(bad), None), Err(ListError::Page), "{bad}");
        }
        for bad in ["0", "101", "-1", "ten"] {
            assert_eq!(read_page(None, Some(bad)), Err(ListError::PageSize), "{bad}");
        }
    }
}
