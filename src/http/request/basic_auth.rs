//! Client credentials by HTTP Basic for the token endpoint (RFC 6749, section 2.3.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::error::SignInError;
use crate::domain::user::Secret;
use crate::http::request::error::{DirectoryError, Error, Result};

use super::extract::decode;

/// The credentials of a client.
pub(crate) struct BasicCredentials {
    /// The `client_id`, decoded.
    pub id: String,
    /// The secret, decoded. Empty if the client sent none.
    pub secret: Secret,
}

/// Returns the credentials in the `Authorization` header, or `None` if no such header has the scheme Basic. ID and
/// secret are form-encoded inside the Base64 text. Fails with `InvalidClient` if the credentials are malformed or
/// repeated.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Option<BasicCredentials>> {
    let mut sent = headers.get_all(AUTHORIZATION).iter().filter_map(|value| basic_payload(value.as_bytes()));
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(encoded), None) => {
            parse(encoded).map(Some).ok_or(Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)))
        }
        (Some(_), Some(_)) => Err(SignInError::InvalidClient.into()),
    }
}

/// Returns the text after the scheme if the scheme is Basic.
fn basic_payload(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.split_at_checked(5)?;
    let is_basic = scheme.eq_ignore_ascii_case(b"basic") && rest.first().is_none_or(|byte| *byte == b' ');
    is_basic.then_some(rest.trim_ascii())
}

fn parse(encoded: &[u8]) -> Option<BasicCredentials> {
    let pair = STANDARD.decode(encoded).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (id, secret) = (decode(&pair[..colon]).ok()?, decode(&pair[colon + 1..]).ok()?);
    Some(BasicCredentials { id, secret: secret.into() })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn sent(headers: &[&str]) -> Result<Option<(String, String)>> {
        let headers = headers.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect();
        Ok(credentials(&headers)?.map(|basic| (basic.id, basic.secret.expose_secret().to_owned())))
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn id_and_secret_are_form_decoded() {
        for (pair, id, secret) in [
            ("my-client:its-secret", "my-client", "its-secret"),
            ("a%3Ab+c:d%3A%25+%C3%A9", "a:b c", "d:% é"),
            ("c:a:b", "c", "a:b"),
            ("c:", "c", ""),
            (":s", "", "s"),
        ] {
            assert_eq!(sent(&[&basic(pair)]).unwrap(), Some((id.to_owned(), secret.to_owned())), "{pair}");
        }
        assert!(sent(&[&basic("c:s").replace("Basic ", "bASIC   ")]).unwrap().is_some());
    }

    #[test]
    fn other_schemes_are_ignored() {
        for header in ["Bearer x", "Basically x", "B", ""] {
            assert_eq!(sent(&[header]).unwrap(), None, "{header}");
        }
        assert_eq!(sent(&[]).unwrap(), None);
    }

    #[test]
    fn malformed_credentials_are_refused() {
        for header in ["Basic", "Basic ", "Basic !", &basic("no colon"), &basic("c:%00"), &basic("c:%ff")] {
            assert!(
                matches!(sent(&[header]), Err(Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)))),
                "{header}"
            );
        }
        assert!(matches!(
            sent(&[&basic("c:s"), &basic("c:s")]),
            Err(Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)))
        ));
    }
}
