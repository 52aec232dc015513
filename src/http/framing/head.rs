//! The head of a request: its length, the target to percent-encode, the framing of the body, and whether hyper will
//! accept it. The parser is `httparse`, which hyper also uses, so that both get the same result.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::ops::Range;

use axum::http::Uri;
use httparse::{ParserConfig, Request, Status};

use crate::http::request::error::RequestError;

use super::body::BodyFraming;

/// The maximum length of a head, in bytes. It is well above the maximum length of a URL, so that a URL over its limit
/// gets the error response of the API.
pub(crate) const HEAD_BYTES: usize = 128 * 1024;
/// The maximum length of a target that hyper accepts, in bytes.
const MAX_TARGET_BYTES: usize = 65_534;
/// The maximum number of header fields that hyper accepts.
const MAX_FIELDS: usize = 100;

const NO_REQUEST: RequestError = RequestError::Malformed("This is not an HTTP request.");
const NO_TARGET: RequestError = RequestError::Malformed("The target of the request is not valid.");

/// A complete head that hyper accepts after its target is encoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The length of the head in bytes, including the empty line at its end.
    pub length: usize,
    /// The position of the target, if it must be encoded.
    pub to_encode: Option<Range<usize>>,
    /// The framing of the body that follows.
    pub body: BodyFraming,
}

/// A head that the server refuses.
#[derive(Debug)]
pub(super) struct RefusedHead {
    /// The reason for the refusal.
    pub error: RequestError,
    method: String,
    path: String,
}

impl Head {
    /// Reads the head at the start of `bytes`. Returns `None` if the head is incomplete.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, RefusedHead> {
        let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut request = Request::new(&mut []);
        let read = ParserConfig::default().parse_request_with_uninit_headers(&mut request, bytes, &mut fields);
        let length = match read {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() < HEAD_BYTES => return Ok(None),
            Ok(Status::Partial) if request.path.is_some() => {
                return Err(RefusedHead::new(&request, bytes, RequestError::HeadTooLarge));
            }
            Ok(Status::Partial) => return Err(RefusedHead::new(&request, bytes, RequestError::UriTooLong)),
            Err(error) => return Err(RefusedHead::new(&request, bytes, classify(error, &request, bytes))),
        };
        Self::from_request(&request, bytes, length).map(Some).map_err(|error| RefusedHead::new(&request, bytes, error))
    }

    fn from_request(request: &Request<'_, '_>, bytes: &[u8], length: usize) -> Result<Self, RequestError> {
        let Some(target) = request.path else { return Err(NO_REQUEST) };
        let added = 2 * target.bytes().filter(|byte| must_be_encoded(*byte)).count();
        if target.len() + added > MAX_TARGET_BYTES {
            return Err(RequestError::UriTooLong);
        }
        if length + added > HEAD_BYTES {
            return Err(RequestError::HeadTooLarge);
        }
        // Every target that begins with a slash is valid after encoding.
        if !target.starts_with('/') && Uri::try_from(encoded(target)).is_err() {
            return Err(NO_TARGET);
        }
        let start = target.as_ptr() as usize - bytes.as_ptr() as usize;
        let to_encode = (added > 0).then_some(start..start + target.len());
        Ok(Self { length, to_encode, body: body_framing(request)? })
    }
}

/// Returns the framing of the body (RFC 9112, section 6.3). Fails if the framing is ambiguous, which would allow
/// request smuggling.
fn body_framing(request: &Request<'_, '_>) -> Result<BodyFraming, RequestError> {
    let (mut length, mut chunked) = (None, false);
    for field in &*request.headers {
        if field.name.eq_ignore_ascii_case("content-length") {
            let value = number(field.value).ok_or(RequestError::Malformed("Content-Length is not a number."))?;
            if length.replace(value).is_some() {
                return Err(RequestError::Malformed("Content-Length must not be repeated."));
            }
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || !field.value.eq_ignore_ascii_case(b"chunked") {
                return Err(RequestError::Malformed("Transfer-Encoding must be chunked."));
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(RequestError::Malformed("Content-Length and Transfer-Encoding must not come together.")),
        (None, true) if request.version == Some(0) => {
            Err(RequestError::Malformed("HTTP/1.0 has no Transfer-Encoding."))
        }
        (None, true) => Ok(BodyFraming::CHUNKED),
        (length, false) => Ok(BodyFraming::Length(length.unwrap_or(0))),
    }
}

/// Parses a number up to the maximum that hyper accepts.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok().filter(|number| *number < u64::MAX - 2)
}

/// Returns the error for a head that the parser refused.
fn classify(error: httparse::Error, request: &Request<'_, '_>, bytes: &[u8]) -> RequestError {
    /// The first bytes of a TLS handshake of any version (RFC 8446, section 5.1).
    const TLS: &[u8] = &[22, 3];
    /// The start of a connection of HTTP/2 (RFC 9113, section 3.4).
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";
    match error {
        _ if bytes.starts_with(TLS) => RequestError::Malformed("This port speaks HTTP without TLS."),
        _ if bytes.starts_with(HTTP2) => RequestError::Malformed("This server speaks HTTP/1.1, not HTTP/2."),
        httparse::Error::TooManyHeaders => RequestError::HeadTooLarge,
        httparse::Error::Version => RequestError::Malformed("The version of HTTP must be 1.1 or 1.0."),
        httparse::Error::HeaderName | httparse::Error::HeaderValue => RequestError::Malformed("A header is not valid."),
        _ if request.path.is_none() && path_after(request.method, bytes).is_some() => NO_TARGET,
        _ => NO_REQUEST,
    }
}

/// Whether the byte must be percent-encoded, because the parser refuses it in all or in some targets.
fn must_be_encoded(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`' | 0x80..)
}

/// Percent-encodes the bytes of the target that the parser would refuse.
pub(super) fn encoded(target: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| char::from(HEX[usize::from(value)]);
    let mut text = String::with_capacity(target.len() + 16);
    for byte in target.bytes() {
        match must_be_encoded(byte) {
            true => text.extend(['%', digit(byte >> 4), digit(byte & 15)]),
            false => text.push(byte.into()),
        }
    }
    text
}

/// Returns the path after the method, up to the first byte that a path cannot contain.
fn path_after<'a>(method: Option<&str>, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    let target = bytes.trim_ascii_start().strip_prefix(method?.as_bytes())?.strip_prefix(b" ")?;
    let in_path = |byte: &u8| (byte.is_ascii_graphic() || *byte >= 0x80) && !matches!(byte, b'?' | b'#');
    let end = target.iter().position(|byte| !in_path(byte)).unwrap_or(target.len());
    target.starts_with(b"/").then(|| String::from_utf8_lossy(&target[..end]))
}

impl RefusedHead {
    /// The maximum length of the path in the replacement, which must only identify the API.
    const MAX_PATH_BYTES: usize = 1024;

    fn new(request: &Request<'_, '_>, bytes: &[u8], error: RequestError) -> Self {
        let parsed = request.path.and_then(|target| target.split(['?', '#']).next()).map(Cow::from);
        // The parser returns no target if it refuses any byte of it, even if the path is valid.
        let path = parsed.or_else(|| path_after(request.method, bytes));
        let path = encoded(path.as_deref().unwrap_or("*"));
        let path = path.get(..Self::MAX_PATH_BYTES).unwrap_or(&path);
        let path = if Uri::try_from(path).is_ok() { path } else { "*" };
        Self { error, method: request.method.unwrap_or("GET").to_owned(), path: path.to_owned() }
    }

    /// Returns a valid head that replaces the refused one. It has the same method and path if they are known.
    pub(super) fn replacement(&self) -> String {
        format!("{} {} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Head {
        Head::read(text.as_bytes()).unwrap().unwrap()
    }

    fn refused(text: impl AsRef<[u8]>) -> (RequestError, String) {
        let refused = Head::read(text.as_ref()).unwrap_err();
        (refused.error.clone(), refused.replacement().lines().next().unwrap().to_owned())
    }

    #[test]
    fn ordinary_heads_stay_as_they_are() {
        let text = "GET /v1/usergroups?Name=%3C{a}|b^'~ HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(
            read(&format!("{text}GET")),
            Head { length: text.len(), to_encode: None, body: BodyFraming::Length(0) }
        );
        for target in ["*", "http://host/path?a=b", "host:80"] {
            assert_eq!(read(&format!("OPTIONS {target} HTTP/1.1\r\n\r\n")).to_encode, None);
        }
        for partial in ["", "G", "GET /<", "GET / HTTP/1.1\r\nHost: x\r\n"] {
            assert_eq!(Head::read(partial.as_bytes()).unwrap(), None, "{partial}");
        }
    }

    #[test]
    fn targets_are_encoded_if_the_parser_would_refuse_them() {
        let text = "\r\nGET /a`?Name=<\"é\"> HTTP/1.1\r\n\r\n";
        let target = read(text).to_encode.unwrap();
        assert_eq!(&text[target.clone()], "/a`?Name=<\"é\">");
        assert_eq!(encoded(&text[target]), "/a%60?Name=%3C%22%C3%A9%22%3E");
        for byte in 0x21..0x7f_u8 {
            let target = encoded(&format!("/{0}?{0}", char::from(byte)));
            assert!(Uri::try_from(&target).is_ok(), "{target}");
        }
    }

    #[test]
    fn bodies_are_framed() {
        let body = |fields: &str| read(&format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n")).body;
        assert_eq!(body("Host: x"), BodyFraming::Length(0));
        assert_eq!(body("CONTENT-length:  12 "), BodyFraming::Length(12));
        assert_eq!(body("Transfer-Encoding: Chunked"), BodyFraming::CHUNKED);
        for fields in [
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length:",
            "Content-Length: 18446744073709551615",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding : chunked",
        ] {
            let (error, replacement) = refused(format!("POST /v1/x?q HTTP/1.1\r\n{fields}\r\n\r\n"));
            assert!(matches!(error, RequestError::Malformed(_)), "{fields}");
            assert_eq!(replacement, "POST /v1/x HTTP/1.1");
        }
        assert!(matches!(
            refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").0,
            RequestError::Malformed(_)
        ));
    }

    #[test]
    fn refused_heads_are_classified() {
        let message = |text: &[u8]| match refused(text).0 {
            RequestError::Malformed(message) => message,
            other => panic!("{other}"),
        };
        assert!(message(b"\x16\x03\x01\x02\x00\x01").contains("TLS"));
        assert!(message(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").contains("HTTP/2"));
        assert!(message(b"GET / HTTP/9.9\r\n\r\n").contains("version"));
        assert!(message(b"GET / HTTP/1.1\r\na b: c\r\n\r\n").contains("header"));
        assert!(message(b"GET \0 HTTP/1.1\r\n\r\n").contains("not an HTTP request"));
        for (target, path) in [
            (&b"/v1/usergroups?search=\xe9"[..], "/v1/usergroups"),
            (b"/v1/caf\xe9", "/v1/caf%EF%BF%BD"),
            (b"/v1/a\x01b", "/v1/a"),
            (b"/v1/a\tb", "/v1/a"),
            (b"v1\xe9", "*"),
            (b"\0", "*"),
        ] {
            let replacement = refused([b"\r\nGET ", target, b" HTTP/1.1\r\n\r\n"].concat()).1;
            assert_eq!(replacement, format!("GET {path} HTTP/1.1"));
        }
        let fields = "a: b\r\n".repeat(MAX_FIELDS + 1);
        assert!(matches!(refused(format!("GET / HTTP/1.1\r\n{fields}\r\n")).0, RequestError::HeadTooLarge));
        let large = "x".repeat(HEAD_BYTES);
        assert!(matches!(refused(format!("GET /v1 HTTP/1.1\r\na: {large}")).0, RequestError::HeadTooLarge));
        assert!(matches!(refused(format!("GET /{large}")).0, RequestError::UriTooLong));
        let (error, replacement) = refused(format!("PUT /v1/<{} HTTP/1.1\r\n\r\n", "x".repeat(MAX_TARGET_BYTES)));
        assert!(
            matches!(error, RequestError::UriTooLong) && replacement.starts_with("PUT /v1/%3Cxxx"),
            "{replacement}"
        );
    }
}
