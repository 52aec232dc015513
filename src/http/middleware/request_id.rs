//! `X-Request-ID`, which connects a response with its log lines.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The name of the header, in requests and responses.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The maximum length of an ID that a client sends.
const MAX_LENGTH: usize = 64;

/// Returns the ID that the client sent if it consists of 1 to 64 characters of `A-Z a-z 0-9 - _`, otherwise a new ID of
/// 16 hexadecimal digits.
pub(super) fn request_id(headers: &HeaderMap) -> HeaderValue {
    match headers.get(X_REQUEST_ID) {
        Some(sent) if is_acceptable(sent.as_bytes()) => sent.clone(),
        _ => generated(rand::random()),
    }
}

fn is_acceptable(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn generated(random: u64) -> HeaderValue {
    HeaderValue::try_from(format!("{random:016x}")).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_client_is_used_if_it_is_valid() {
        let for_header = |id: &str| {
            let value = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            request_id(&HeaderMap::from_iter([(X_REQUEST_ID, value)]))
        };
        for good in ["a", "A-b_9", &"x".repeat(64)] {
            assert_eq!(for_header(good), good);
        }
        for bad in ["", "a b", "a.b", "é", &"x".repeat(65)] {
            assert!(is_acceptable(for_header(bad).as_bytes()) && for_header(bad) != bad, "{bad}");
        }
    }

    #[test]
    fn generated_ids_are_hexadecimal() {
        assert_eq!(generated(0x0123_4567_89ab_cdef), "0123456789abcdef");
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
