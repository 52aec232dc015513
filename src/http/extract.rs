//! What handlers read of a request beside its caller. Every extractor rejects with an error of the domain, so that
//! the caller sees it in the envelope of its API; `clippy.toml` bans axum's own for that reason.
//!
//! A handler's arguments are read in their order, and that order is the order of checks
//! (docs/ordercloud.md, section 9): the permit, the path, then the query or the body.

#![allow(clippy::disallowed_types, reason = "the one place that wraps axum's own extractors")]

use std::borrow::Cow;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use bytes::Bytes;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;

use crate::domain::error::{Error, ListError};
use crate::domain::json::Json;
use crate::domain::members::Members;

use super::Failure;

/// The parameters of the path, decoded; rejects with `InvalidPath` what is no `T` or no UTF-8.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure(Error::InvalidPath(rejection.body_text()))),
        }
    }
}

/// The parameters of the query in their order, repeated ones included, decoded: `+` and `%20` are spaces.
/// Rejects with `ListError::Text` a name or value that is no UTF-8 or holds a NUL.
pub struct Query(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(pairs(query.as_bytes()).map_err(|name| Error::List(ListError::Text(name)))?))
    }
}

/// A JSON body's members; `None` where the body is empty or `null`. The type may be left out; another type than
/// `application/json` rejects with `UnsupportedMediaType` unless the body is empty, and what is no JSON object
/// with `InvalidBody` (docs/ordercloud.md, section 1).
pub struct Body(pub Option<Members>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let accepted = essence(request.headers()).is_none_or(|own| own.eq_ignore_ascii_case("application/json"));
        let body = read(request, state).await?;
        if body.is_empty() {
            return Ok(Self(None));
        }
        if !accepted {
            return Err(Failure(Error::UnsupportedMediaType));
        }
        match Json::parse(&body).map_err(Error::InvalidBody)? {
            Json::Null => Ok(Self(None)),
            Json::Object(members) => Ok(Self(Some(Members::new(members)?))),
            _ => Err(Failure(Error::InvalidBody("the body must be a JSON object".to_owned()))),
        }
    }
}

/// The fields of a form in their order. Rejects with `UnsupportedMediaType` anything not declared as
/// `application/x-www-form-urlencoded`, and with `InvalidBody` text that is no UTF-8 or holds a NUL.
pub struct Form(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let form = "application/x-www-form-urlencoded";
        if !essence(request.headers()).is_some_and(|own| own.eq_ignore_ascii_case(form)) {
            return Err(Failure(Error::UnsupportedMediaType));
        }
        let body = read(request, state).await?;
        let unreadable = |name| Error::InvalidBody(format!("the field '{name}' is not readable text"));
        Ok(Self(pairs(&body).map_err(unreadable)?))
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    let body = Bytes::from_request(request, state).await;
    body.map_err(|rejection| Failure(Error::InvalidBody(rejection.body_text())))
}

/// The content type without its parameters; `None` where there is no type.
fn essence(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?;
    let text = value.to_str().unwrap_or("?");
    Some(text.split(';').next().unwrap_or(text).trim()).filter(|text| !text.is_empty())
}

/// The decoded pairs of a query or form; fails with the name of the first that is no acceptable text.
fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, String> {
    let parts = text.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts.map(pair).collect()
}

fn pair(part: &[u8]) -> Result<(String, String), String> {
    let at = part.iter().position(|byte| *byte == b'=');
    let (name, value) = at.map_or((part, &[][..]), |at| (&part[..at], &part[at + 1..]));
    let name = decode(name).map_err(|bytes| String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}"))?;
    match decode(value) {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(name),
    }
}

/// Decodes one name or value; fails with the decoded bytes where they are no UTF-8 or hold a NUL.
fn decode(text: &[u8]) -> Result<String, Vec<u8>> {
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

    async fn body(content_type: Option<&str>, text: &str) -> Result<Option<Members>, Error> {
        let request = Request::builder();
        let request = content_type.into_iter().fold(request, |request, own| request.header(CONTENT_TYPE, own));
        let request = request.body(text.to_owned().into()).unwrap();
        Body::from_request(request, &()).await.map(|Body(members)| members).map_err(|Failure(error)| error)
    }

    #[tokio::test]
    async fn a_body_is_json_or_of_no_type() {
        for content_type in [None, Some("application/json"), Some("Application/JSON; charset=utf-8"), Some("")] {
            assert!(body(content_type, "{}").await.unwrap().is_some(), "{content_type:?}");
        }
        for content_type in ["text/plain", "application/merge-patch+json", "application/jsonx", "é"] {
            let refused = body(Some(content_type), "{}").await;
            assert!(matches!(refused, Err(Error::UnsupportedMediaType)), "{content_type}");
            assert!(body(Some(content_type), "").await.unwrap().is_none(), "{content_type}");
        }
    }

    #[tokio::test]
    async fn a_body_is_an_object_or_nothing() {
        for nothing in ["", "null", " null "] {
            assert!(body(None, nothing).await.unwrap().is_none(), "{nothing:?}");
        }
        for bad in ["[]", "1", "\"x\"", "{", " ", r#"{"a":1,"A":2}"#, "\u{feff}{}"] {
            assert!(matches!(body(None, bad).await, Err(Error::InvalidBody(_))), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_form_says_that_it_is_one() {
        let form = async |content_type: &str, text: &str| {
            let request = Request::builder().header(CONTENT_TYPE, content_type).body(text.to_owned().into()).unwrap();
            Form::from_request(request, &()).await.map(|Form(pairs)| pairs).map_err(|Failure(error)| error)
        };
        let pairs =
            form("application/x-www-form-urlencoded; charset=UTF-8", "a=1+2&b=p%26ss+w%C3%B6rd%2B").await.unwrap();
        assert_eq!(pairs, [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), "p&ss wörd+".to_owned())]);
        assert!(matches!(form("application/json", "a=1").await, Err(Error::UnsupportedMediaType)));
        assert!(matches!(form("application/x-www-form-urlencoded", "a=%FF").await, Err(Error::InvalidBody(_))));
    }

    #[test]
    fn queries_keep_order_and_repeats() {
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
