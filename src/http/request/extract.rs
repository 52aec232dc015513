//! Extractors of the path, query and body of a request. Every extractor rejects with a [`Failure`], so that the client
//! gets the error in the format of its API. `clippy.toml` bans the extractors of axum for that reason.
//!
//! axum runs the extractors in the order of a handler's arguments, and that order is the order of checks
//! (docs/ordercloud.md, section 9): the permit, the path, then the query or the body.

#![allow(clippy::disallowed_types, reason = "the one place that wraps axum's own extractors")]

use std::borrow::Cow;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::Bytes;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;

use crate::domain::text::without_bom;
use crate::http::request::error::{Error, ListError, RequestError};
use crate::http::request::fields::Fields;
use crate::json::Json;

use crate::http::Failure;

/// The decoded parameters of the path. Rejects with `InvalidPath` if they are not a valid `T` or not UTF-8.
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure::from(RequestError::InvalidPath(rejection.body_text()))),
        }
    }
}

/// The decoded parameters of the query in their order, with repeated ones; `+` and `%20` are spaces.
/// Rejects with `ListError::Text` if a name or value is not UTF-8 or contains a NUL.
pub(crate) struct Query(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(pairs(query.as_bytes()).map_err(|name| Error::Request(RequestError::List(ListError::Text(name))))?))
    }
}

/// Like [`Query`], but never rejects, for operations that ignore unknown parameters. Invalid UTF-8 is replaced with
/// U+FFFD.
pub(crate) struct LooseQuery(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for LooseQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let read = |text: &[u8]| decode(text).unwrap_or_else(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        Ok(Self(raw_pairs(query).map(|(name, value)| (read(name), read(value))).collect()))
    }
}

/// The fields of a JSON body, or `None` if the body is empty, white space or `null`. A leading byte order mark is
/// ignored. `Content-Type` is optional. Rejects with `UnsupportedMediaType` if it is not `application/json` and the
/// body is not empty, and with `InvalidBody` if the body is not a JSON object (docs/ordercloud.md, section 1).
pub(crate) struct Body(pub Option<Fields>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let JsonText(Some(text)) = JsonText::from_request(request, state).await? else { return Ok(Self(None)) };
        match Json::parse(&text).map_err(RequestError::InvalidBody)? {
            Json::Null => Ok(Self(None)),
            Json::Object(fields) => Ok(Self(Some(Fields::new(fields)?))),
            _ => Err(Failure::from(RequestError::InvalidBody("the body must be a JSON object".to_owned()))),
        }
    }
}

/// The text of a JSON body, for a reader of large bodies; `None` if it is empty or white space. Content type and byte
/// order mark are as for [`Body`]. The text may be no JSON.
pub(crate) struct JsonText(pub Option<Bytes>);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        Self::read(request, &["application/json"]).await
    }
}

impl JsonText {
    /// Reads a body that may have one of these media types.
    pub(crate) async fn read(request: Request, media_types: &[&str]) -> Result<Self, Failure> {
        let is_one = |content_type: &str| media_types.iter().any(|own| content_type.eq_ignore_ascii_case(own));
        let accepted = essence(request.headers()).is_none_or(is_one);
        let body = read(request).await?;
        let text = body.slice_ref(without_bom(&body));
        if text.iter().all(|byte| b" \t\r\n".contains(byte)) {
            return Ok(Self(None));
        }
        if accepted { Ok(Self(Some(text))) } else { Err(Failure::from(RequestError::UnsupportedMediaType)) }
    }
}

/// The maximum number of fields of a form: as values they take many times the space that they take in the body.
const FIELDS_MAX: usize = 10_000;

/// The decoded fields of a form in their order. Rejects with `UnsupportedMediaType` if the content type is not
/// `application/x-www-form-urlencoded`, and with `InvalidBody` if a name or value is not UTF-8 or contains a NUL.
pub(crate) struct Form(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let form = "application/x-www-form-urlencoded";
        if !essence(request.headers()).is_some_and(|content_type| content_type.eq_ignore_ascii_case(form)) {
            return Err(Failure::from(RequestError::UnsupportedMediaType));
        }
        let body = read(request).await?;
        let unreadable =
            |name| Error::Request(RequestError::InvalidBody(format!("the field '{name}' is not readable text")));
        if raw_pairs(&body).nth(FIELDS_MAX).is_some() {
            return Err(Failure::from(RequestError::TooLarge));
        }
        Ok(Self(pairs(&body).map_err(unreadable)?))
    }
}

/// Returns the bytes of the body, which [`WholeBody`](super::bodies::WholeBody) has read within the limits. Rejects with `UnsupportedEncoding` if the body has a content coding, which the server
/// does not decode.
async fn read(request: Request) -> Result<Bytes, Failure> {
    let is_encoded = is_encoded(request.headers());
    let body = to_bytes(request.into_body(), usize::MAX).await;
    let body = body.map_err(|error| Failure::from(RequestError::InvalidBody(error.to_string())))?;
    if is_encoded && !body.is_empty() { Err(Failure::from(RequestError::UnsupportedEncoding)) } else { Ok(body) }
}

/// Whether the body has a content coding other than `identity` (RFC 9110, section 8.4).
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings =
        headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.to_str().unwrap_or("?").split(','));
    codings.any(|coding| !["", "identity"].contains(&&*coding.trim().to_ascii_lowercase()))
}

/// The content type without its parameters, or `None` if the request has none.
fn essence(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?;
    let text = value.to_str().unwrap_or("?");
    Some(text.split(';').next().unwrap_or(text).trim()).filter(|text| !text.is_empty())
}

/// Decodes the pairs of a query or form. Fails with the name of the first pair that is not valid text.
fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, String> {
    raw_pairs(text).map(decoded_pair).collect()
}

/// Splits a query or form into its encoded names and values.
fn raw_pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let separator = pair.iter().position(|byte| *byte == b'=');
        separator.map_or((pair, &[][..]), |index| (&pair[..index], &pair[index + 1..]))
    })
}

fn decoded_pair((name, value): (&[u8], &[u8])) -> Result<(String, String), String> {
    let name = decode(name).map_err(|bytes| String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}"))?;
    match decode(value) {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(name),
    }
}

/// Decodes one name or value. Fails with the decoded bytes if they are not UTF-8 or contain a NUL.
pub(crate) fn decode(text: &[u8]) -> Result<String, Vec<u8>> {
    let spaced: Cow<'_, [u8]> = if text.contains(&b'+') {
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<_>>().into()
    } else {
        text.into()
    };
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    if bytes.contains(&0) {
        return Err(bytes);
    }
    String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(content_type: Option<&str>, text: &str) -> Result<Option<Fields>, Error> {
        let request = Request::builder();
        let request = content_type.into_iter().fold(request, |request, own| request.header(CONTENT_TYPE, own));
        let request = request.body(text.to_owned().into()).unwrap();
        Body::from_request(request, &()).await.map(|Body(fields)| fields).map_err(|Failure(error)| error)
    }

    #[tokio::test]
    async fn a_body_has_the_type_json_or_none() {
        for content_type in [None, Some("application/json"), Some("Application/JSON; charset=utf-8"), Some("")] {
            assert!(body(content_type, "{}").await.unwrap().is_some(), "{content_type:?}");
        }
        for content_type in ["text/plain", "application/merge-patch+json", "application/jsonx", "é"] {
            let refused = body(Some(content_type), "{}").await;
            assert!(matches!(refused, Err(Error::Request(RequestError::UnsupportedMediaType))), "{content_type}");
            assert!(body(Some(content_type), "").await.unwrap().is_none(), "{content_type}");
        }
    }

    #[tokio::test]
    async fn a_body_is_an_object_or_empty() {
        for empty in ["", "null", " null ", " ", "\r\n\t ", "\u{feff}", "\u{feff}null"] {
            assert!(body(None, empty).await.unwrap().is_none(), "{empty:?}");
        }
        assert!(body(None, "\u{feff} {}").await.unwrap().is_some());
        for bad in ["[]", "1", "\"x\"", "{", "\u{a0}", "\u{c}", r#"{"a":1,"A":2}"#, "\u{feff}\u{feff}{}"] {
            assert!(matches!(body(None, bad).await, Err(Error::Request(RequestError::InvalidBody(_)))), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn an_encoded_body_is_refused() {
        let read = async |codings: &[&str], text: &'static str| {
            let request = codings.iter().fold(Request::builder(), |own, coding| own.header(CONTENT_ENCODING, *coding));
            Body::from_request(request.body(text.into()).unwrap(), &()).await.map_err(|Failure(error)| error)
        };
        for plain in [&[][..], &["identity"], &["Identity", ""]] {
            assert!(read(plain, "{}").await.is_ok(), "{plain:?}");
        }
        for coded in [&["gzip"][..], &["br"], &["identity, gzip"], &["identity", "zstd"], &["x"]] {
            assert!(
                matches!(read(coded, "{}").await, Err(Error::Request(RequestError::UnsupportedEncoding))),
                "{coded:?}"
            );
            assert!(read(coded, "").await.is_ok(), "{coded:?}");
        }
    }

    #[tokio::test]
    async fn a_form_has_its_content_type() {
        let form = async |content_type: &str, text: &str| {
            let request = Request::builder().header(CONTENT_TYPE, content_type).body(text.to_owned().into()).unwrap();
            Form::from_request(request, &()).await.map(|Form(pairs)| pairs).map_err(|Failure(error)| error)
        };
        let pairs =
            form("application/x-www-form-urlencoded; charset=UTF-8", "a=1+2&b=p%26ss+w%C3%B6rd%2B").await.unwrap();
        assert_eq!(pairs, [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), "p&ss wörd+".to_owned())]);
        assert!(matches!(
            form("application/json", "a=1").await,
            Err(Error::Request(RequestError::UnsupportedMediaType))
        ));
        assert!(matches!(
            form("application/x-www-form-urlencoded", "a=%FF").await,
            Err(Error::Request(RequestError::InvalidBody(_)))
        ));
    }

    #[test]
    fn queries_keep_order_and_repetitions() {
        let owned = |own: &[(&str, &str)]| Ok(own.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
        let read = |text: &str| pairs(text.as_bytes());
        assert_eq!(read(""), owned(&[]));
        assert_eq!(
            read("Name=!*&Name=%21%2A&x=a+b%20c%2B&&key=>v=w&flag&=e&p=100%"),
            owned(&[
                ("Name", "!*"),
                ("Name", "!*"),
                ("x", "a b c+"),
                ("key", ">v=w"),
                ("flag", ""),
                ("", "e"),
                ("p", "100%")
            ])
        );
        assert_eq!(read("a=1&b=%00"), Err("b".to_owned()));
        assert_eq!(read("b=%ff"), Err("b".to_owned()));
        assert_eq!(read("%00=b"), Err("\u{fffd}".to_owned()));
    }
}
