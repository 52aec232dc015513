//! `X-Request-ID`: the thread from an answer to the log.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header's name, in requests and answers.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const MAX: usize = 64;

/// The request's own ID where it is 1 to 64 of `A-Z a-z 0-9 - _`, else a new one of 16 hexadecimal digits.
pub fn of(headers: &HeaderMap) -> HeaderValue {
    match headers.get(X_REQUEST_ID) {
        Some(own) if is_acceptable(own.as_bytes()) => own.clone(),
        _ => generated(rand::random()),
    }
}

fn is_acceptable(id: &[u8]) -> bool {
    (1..=MAX).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn generated(random: u64) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits: [u8; 16] = std::array::from_fn(|at| DIGITS[(random >> (60 - 4 * at) & 15) as usize]);
    HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_taken_if_it_is_harmless() {
        let of_header = |own: &str| {
            let value = HeaderValue::from_bytes(own.as_bytes()).unwrap();
            of(&HeaderMap::from_iter([(X_REQUEST_ID, value)]))
        };
        for good in ["a", "A-b_9", &"x".repeat(64)] {
            assert_eq!(of_header(good), good);
        }
        for bad in ["", "a b", "a.b", "é", &"x".repeat(65)] {
            assert!(is_acceptable(of_header(bad).as_bytes()) && of_header(bad) != bad, "{bad}");
        }
    }

    #[test]
    fn generated_ids_are_hexadecimal() {
        assert_eq!(generated(0x0123_4567_89ab_cdef), "0123456789abcdef");
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
