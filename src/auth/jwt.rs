//! Access tokens: JWTs (RFC 7519) signed with RS256. No other algorithm is accepted, whatever the header of a token
//! says.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::keys::Key;
use crate::domain::error::{Error, Result, SignInError};
use crate::domain::time::Timestamp;

/// The claims of a token (docs/ordercloud.md, section 8). Times are in whole seconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The username of the user who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usr: Option<String>,
    /// The `client_id` of the client that requested the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// The ID of the user who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<String>,
    /// Always `admin`.
    pub usrtype: String,
    /// The names of the token's roles.
    pub role: Vec<String>,
    /// The issuer of the token.
    pub iss: String,
    /// The audience of the token, which is the issuer itself.
    pub aud: String,
    /// The time at which the token expires.
    pub exp: i64,
    /// The time from which the token is valid.
    pub nbf: i64,
    /// The time of issue.
    pub iat: i64,
    /// The token's unique ID, by which it is revoked.
    pub jti: String,
    /// The ID of the token family, if the client also got a refresh token. The end of the family revokes all its tokens.
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The user whose status decides whether the token is valid. Unlike `usr` and `u`, it does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<SubjectGeneration>,
    /// The client whose status decides whether the token is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<SubjectGeneration>,
}

/// A user or client, with its generation at the time of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubjectGeneration {
    /// The number of the user or client.
    pub uid: i64,
    /// The generation of its tokens. A higher one in the directory revokes this token.
    #[serde(rename = "gen")]
    pub generation: i64,
}

/// Returns a token with these claims, signed with `key`.
pub(crate) fn sign(key: &Key, claims: &Claims) -> Result<String> {
    let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &key.signing).map_err(Error::internal)
}

/// Returns the ID of the key in the header of a token. `None` if the text is not a token, or if its algorithm is not
/// RS256.
pub(crate) fn kid(token: &str) -> Option<String> {
    let header = decode_header(token).ok()?;
    header.kid.filter(|_| header.alg == Algorithm::RS256)
}

/// The number of seconds by which a token is accepted before its `nbf`, because the clock of the node that issued it
/// may be ahead (RFC 7519, section 4.1.5).
const LEEWAY_SECONDS: i64 = 60;

/// Returns the claims of a token. Fails with `Unauthenticated` if `key` did not sign it, if `issuer` is not its issuer
/// and audience, or if it is not valid at the time `now`. Expiry has no leeway.
pub(crate) fn verify(token: &str, key: &Key, issuer: &str, now: Timestamp) -> Result<Claims> {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[issuer]);
    // The library would read the system clock. Here the time is a parameter.
    (rules.validate_exp, rules.validate_nbf) = (false, false);
    let claims: Claims =
        decode(token, &key.verifying, &rules).map_err(|_| Error::SignIn(SignInError::Unauthenticated))?.claims;
    let valid = (claims.nbf - LEEWAY_SECONDS..claims.exp).contains(&now.as_seconds());
    if valid { Ok(claims) } else { Err(Error::SignIn(SignInError::Unauthenticated)) }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;

    use super::super::test_keys;
    use super::*;

    const NOW: i64 = 1_800_000_000;
    static KEY: LazyLock<Key> = LazyLock::new(|| Key::from_pem("k1".to_owned(), test_keys::KEY).unwrap());

    fn claims() -> Claims {
        Claims {
            usr: Some("ann".to_owned()),
            cid: None,
            u: Some("U1".to_owned()),
            usrtype: "admin".to_owned(),
            role: vec!["FullAccess".to_owned()],
            iss: "rollbook".to_owned(),
            aud: "rollbook".to_owned(),
            exp: NOW + 60,
            nbf: NOW,
            iat: NOW,
            jti: "t1".to_owned(),
            family: Some("s1".to_owned()),
            user: Some(SubjectGeneration { uid: 7, generation: 2 }),
            client: None,
        }
    }

    fn verify_at(token: &str, seconds: i64) -> Result<Claims> {
        verify(token, &KEY, "rollbook", Timestamp::from_micros(0).plus_seconds(seconds))
    }

    fn refused(token: &str) -> bool {
        matches!(verify_at(token, NOW), Err(Error::SignIn(SignInError::Unauthenticated)))
    }

    fn unsigned_token(header: &str, claims: &str) -> String {
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_signed_token_verifies() {
        let token = sign(&KEY, &claims()).unwrap();
        assert_eq!(kid(&token).as_deref(), Some("k1"));
        assert_eq!(verify_at(&token, NOW).unwrap(), claims());
    }

    #[test]
    fn only_the_start_of_validity_has_leeway() {
        let token = sign(&KEY, &claims()).unwrap();
        assert!(verify_at(&token, NOW - LEEWAY_SECONDS).is_ok());
        assert!(verify_at(&token, NOW - LEEWAY_SECONDS - 1).is_err());
        assert!(verify_at(&token, NOW + 59).is_ok());
        assert!(verify_at(&token, NOW + 60).is_err());
    }

    #[test]
    fn another_issuer_or_audience_is_refused() {
        for foreign in [Claims { iss: "x".to_owned(), ..claims() }, Claims { aud: "x".to_owned(), ..claims() }] {
            assert!(refused(&sign(&KEY, &foreign).unwrap()));
        }
    }

    #[test]
    fn a_changed_token_is_refused() {
        let token = sign(&KEY, &claims()).unwrap();
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = head.split_once('.').unwrap();
        let forged = serde_json::to_string(&Claims { jti: "t2".to_owned(), ..claims() }).unwrap();
        assert!(refused(&format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(forged))));
        assert!(refused(head) && refused("") && refused("a.b.c") && refused(&token[..token.len() - 4]));
    }

    #[test]
    fn another_key_is_refused() {
        let other = Key::from_pem("k1".to_owned(), test_keys::OTHER_KEY).unwrap();
        assert!(refused(&sign(&other, &claims()).unwrap()));
    }

    #[test]
    fn a_token_does_not_choose_its_algorithm() {
        let text = serde_json::to_string(&claims()).unwrap();
        for algorithm in ["none", "None", "NONE"] {
            let unsigned = unsigned_token(&format!(r#"{{"alg":"{algorithm}","kid":"k1"}}"#), &text);
            assert!(refused(&unsigned) && kid(&unsigned).is_none());
        }
        let public = serde_json::to_string(KEY.jwk()).unwrap();
        for secret in [test_keys::KEY.as_bytes(), public.as_bytes(), KEY.jwk().n.as_bytes()] {
            let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
            let confused = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
            assert!(refused(&confused) && kid(&confused).is_none());
        }
        let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::RS512) };
        assert!(refused(&encode(&header, &claims(), &KEY.signing).unwrap()));
    }
}
