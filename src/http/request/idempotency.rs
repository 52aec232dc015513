//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07; docs/ordercloud.md, section 12).

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::domain::idempotency::RequestKey;
use crate::domain::journal::Actor;
use crate::domain::text::without_bom;
use crate::http::request::error::RequestError;
use crate::json::Json;

/// The header with the key of a request.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The maximum length of a key, in characters.
const KEY_MAX: usize = 255;

/// The whole body of a request with a key. It is an extension of the request, so that an extractor can read it in front
/// of the handler.
#[derive(Clone)]
pub(crate) struct RawBody {
    /// The bytes as they were sent.
    pub bytes: Bytes,
    /// Whether the path takes large bodies, which are lists without passwords.
    pub is_list: bool,
}

/// A request that its client may repeat.
#[derive(Debug)]
pub(crate) struct Repeatable {
    /// The key, with the caller as its scope.
    pub key: RequestKey,
    /// The digest of the request.
    pub fingerprint: String,
}

impl Repeatable {
    /// Returns the key and the fingerprint of a request of this caller. `None` if it has no key, or if its method is
    /// idempotent by itself. Fails with `Malformed` if the key is not valid.
    pub(crate) fn read(parts: &Parts, actor: Actor) -> Result<Option<Self>, RequestError> {
        if ![Method::POST, Method::PATCH].contains(&parts.method) {
            return Ok(None);
        }
        let Some(key) = key(&parts.headers)? else { return Ok(None) };
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        let fingerprint = match parts.extensions.get() {
            None => fingerprint(&parts.method, path, b""),
            Some(RawBody { bytes, is_list: false }) => fingerprint(&parts.method, path, &without_passwords(bytes)),
            Some(RawBody { bytes, is_list: true }) => fingerprint(&parts.method, path, bytes),
        };
        Ok(Some(Self { key: RequestKey { scope: scope(actor), key }, fingerprint }))
    }
}

/// Reads the key: 1 to 255 visible characters, in quotes or not.
fn key(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if !is_visible || text.len() > KEY_MAX || values.next().is_some() {
        let rule = "Idempotency-Key must be one key of 1 to 255 visible ASCII characters, in quotes or without any.";
        return Err(RequestError::Malformed(rule));
    }
    Ok(Some(text.to_owned()))
}

/// The scope of a caller's keys: its user and its client.
fn scope(actor: Actor) -> String {
    let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    format!("{}/{}", number(actor.user), number(actor.client))
}

/// The SHA-256 of the request, in lower-case hex.
fn fingerprint(method: &Method, path: &str, body: &[u8]) -> String {
    let head = format!("{method}\n{path}\n");
    let digest = Sha256::new().chain_update(head).chain_update(body).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The JSON body without passwords and white space, so that no fast hash of a password is stored. A body that is not JSON
/// counts as none: what reads it refuses it.
fn without_passwords(body: &[u8]) -> Vec<u8> {
    let text = match Json::parse(without_bom(body)) {
        Ok(Json::Object(mut fields)) => {
            fields.retain(|(name, _)| !name.eq_ignore_ascii_case("password"));
            Json::Object(fields).to_string()
        }
        Ok(json) => json.to_string(),
        Err(_) => String::new(),
    };
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, RequestError> {
        let values = values.iter().map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        key(&values.collect())
    }

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        assert_eq!(read(&[]).unwrap(), None);
        let longest = "x".repeat(255);
        for (sent, meant) in [("a-1", "a-1"), (r#""a-1""#, "a-1"), ("~!,;", "~!,;"), (&longest, &longest)] {
            assert_eq!(read(&[sent]).unwrap().as_deref(), Some(meant));
        }
        for bad in [&[""][..], &[r#""""#], &["a b"], &["é"], &[r#""a"#], &[r#"a"b"#], &["a", "a"], &[&"x".repeat(256)]]
        {
            assert!(matches!(read(bad), Err(RequestError::Malformed(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_fingerprint_leaves_passwords_out() {
        let of = |body: &str| fingerprint(&Method::POST, "/v1/adminusers?a=1", &without_passwords(body.as_bytes()));
        let own = of(r#"{"ID":"a","Password":"one"}"#);
        assert_eq!(own.len(), 64);
        for equal in [r#"{"ID":"a","Password":"two"}"#, r#"{ "password": "x", "ID":"a" }"#, "\u{feff}{\"ID\":\"a\"}"] {
            assert_eq!(of(equal), own, "{equal}");
        }
        for other in [r#"{"ID":"b"}"#, r#"{"ID":"a","xp":{"Password":1}}"#, "", "x"] {
            assert_ne!(of(other), own, "{other}");
        }
        assert_ne!(fingerprint(&Method::PATCH, "/v1/adminusers?a=1", b"{}"), of("{}"));
        assert_ne!(fingerprint(&Method::POST, "/v1/adminusers?a=2", b"{}"), of("{}"));
    }

    #[test]
    fn keys_belong_to_a_user_and_a_client() {
        let scopes = [(Some(1), Some(2)), (Some(1), None), (None, Some(1))];
        let scopes = scopes.map(|(user, client)| scope(Actor { user, client }));
        assert_eq!(scopes, ["1/2", "1/-", "-/1"]);
    }
}
