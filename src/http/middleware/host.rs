//! The check of a request's `Host` header.

use std::net::Ipv6Addr;

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// Whether there is exactly one `Host` header, with a valid value (RFC 9112, section 3.2).
pub(super) fn has_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    hosts.next().is_some_and(|host| is_host(host.as_bytes())) && hosts.next().is_none()
}

/// Whether the text is a host, which may be empty, with an optional port (RFC 3986, section 3.2).
fn is_host(text: &[u8]) -> bool {
    let (host_is_valid, rest) = match text.strip_prefix(b"[") {
        Some(address) => {
            let end = address.iter().position(|byte| *byte == b']').unwrap_or(0);
            (is_address(&address[..end]), address.get(end + 1..).unwrap_or_default())
        }
        None => {
            let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            (is_name(&text[..end]), &text[end..])
        }
    };
    let port_is_valid =
        rest.is_empty() || rest.strip_prefix(b":").is_some_and(|port| port.iter().all(u8::is_ascii_digit));
    host_is_valid && port_is_valid
}

/// Whether the text is a valid address inside brackets: IPv6, or a later version (`IPvFuture`).
fn is_address(text: &[u8]) -> bool {
    let is_future_version = || {
        let rest = text.strip_prefix(b"v").or_else(|| text.strip_prefix(b"V"))?;
        let (version, address) = rest.split_at(rest.iter().position(|byte| *byte == b'.')?);
        let is_complete = !version.is_empty() && address.len() > 1;
        let in_address = |byte: &u8| *byte == b':' || is_plain(*byte);
        Some(is_complete && version.iter().all(u8::is_ascii_hexdigit) && address.iter().all(in_address))
    };
    let is_ipv6 = std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    is_ipv6 || is_future_version().unwrap_or(false)
}

/// Whether the text is a registered name or an IPv4 address.
fn is_name(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let encoded = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        let is_valid = if *byte == b'%' { encoded(bytes.next()) && encoded(bytes.next()) } else { is_plain(*byte) };
        if !is_valid {
            return false;
        }
    }
    true
}

/// Whether the byte may occur in a host without percent-encoding: `unreserved` and `sub-delims` of RFC 3986.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&'..=b',' | b';' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port_or_without() {
        for good in [
            "",
            "a",
            "a.b-c_d:80",
            "a:",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "[::ffff:10.0.0.1]",
            "[v1.a:b]",
            "xn--bcher-kva.example",
            "a%20b",
            "%c3%A9:1",
        ] {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in [
            "a b",
            "a/b",
            "u@a",
            "a:b",
            "a:80:90",
            "[::1",
            "[]",
            "[::1]x",
            "::1",
            "a,b c",
            "http://a",
            "\u{e9}",
            "a?b",
            "<a>",
            "%zz",
            "a%4",
            "a%",
            "%4x",
            "[::g]",
            "[:]",
            "[1]",
            "[::1%25eth0]",
            "[v.a]",
            "[v1.]",
            "[vg.a]",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }
}
