//! Access tokens: JWTs (RFC 7519) signed with RS256 and no other algorithm, whatever a token says of itself.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::keys::Key;
use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;

/// What a token says (docs/ordercloud.md, section 8). Times are in whole seconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The username of who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usr: Option<String>,
    /// The `client_id` of the client that asked for the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// The ID of the user who acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<String>,
    /// Always `admin`.
    pub usrtype: String,
    /// The names of the token's roles.
    pub role: Vec<String>,
    /// Who made the token.
    pub iss: String,
    /// Whom it is for: the same server.
    pub aud: String,
    /// From when on it is no longer valid.
    pub exp: i64,
    /// From when on it is valid.
    pub nbf: i64,
    /// When it was made.
    pub iat: i64,
    /// Its own name, by which it is ended.
    pub jti: String,
    /// The user the token stands and falls with; names may change, this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Holder>,
    /// The client the token stands and falls with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Holder>,
}

/// A user or client as it was when the token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number.
    pub uid: i64,
    /// Its generation: a later one revokes the token.
    #[serde(rename = "gen")]
    pub generation: i64,
}

/// The token that says `claims`, signed with `key`.
pub fn sign(key: &Key, claims: &Claims) -> Result<String> {
    let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &key.signing).map_err(Error::internal)
}

/// The name of the key that a token says it was signed with; `None` for what is no token of ours.
pub fn kid(token: &str) -> Option<String> {
    let header = decode_header(token).ok()?;
    header.kid.filter(|_| header.alg == Algorithm::RS256)
}

/// By how many seconds a token may come from the future: the clock of the node that made it may be ahead of ours
/// (RFC 7519, section 4.1.5).
const LEEWAY: i64 = 60;

/// What a token says, if `key` signed it for and by `issuer` and it is valid at `now`; else `Unauthenticated`. It ends
/// without leeway.
pub fn verify(token: &str, key: &Key, issuer: &str, now: Timestamp) -> Result<Claims> {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[issuer]);
    // The library would read the machine's clock; ours is a parameter.
    (rules.validate_exp, rules.validate_nbf) = (false, false);
    let claims: Claims = decode(token, &key.verifying, &rules).map_err(|_| Error::Unauthenticated)?.claims;
    let valid = (claims.nbf - LEEWAY..claims.exp).contains(&now.as_seconds());
    if valid { Ok(claims) } else { Err(Error::Unauthenticated) }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;

    use super::super::keys::generate_pem;
    use super::*;

    const NOW: i64 = 1_800_000_000;
    static PEM: LazyLock<String> = LazyLock::new(|| generate_pem().unwrap());
    static KEY: LazyLock<Key> = LazyLock::new(|| Key::from_pem("k1".to_owned(), &PEM).unwrap());

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
            user: Some(Holder { uid: 7, generation: 2 }),
            client: None,
        }
    }

    fn at(token: &str, seconds: i64) -> Result<Claims> {
        verify(token, &KEY, "rollbook", Timestamp::from_micros(0).plus_seconds(seconds))
    }

    fn refused(token: &str) -> bool {
        matches!(at(token, NOW), Err(Error::Unauthenticated))
    }

    fn token_of(header: &str, claims: &str) -> String {
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn what_was_signed_is_read() {
        let token = sign(&KEY, &claims()).unwrap();
        assert_eq!(kid(&token).as_deref(), Some("k1"));
        assert_eq!(at(&token, NOW).unwrap(), claims());
    }

    #[test]
    fn time_has_leeway_at_the_beginning_alone() {
        let token = sign(&KEY, &claims()).unwrap();
        assert!(at(&token, NOW - LEEWAY).is_ok());
        assert!(at(&token, NOW - LEEWAY - 1).is_err());
        assert!(at(&token, NOW + 59).is_ok());
        assert!(at(&token, NOW + 60).is_err());
    }

    #[test]
    fn issuer_and_audience_must_be_ours() {
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
        let other = Key::from_pem("k1".to_owned(), &generate_pem().unwrap()).unwrap();
        assert!(refused(&sign(&other, &claims()).unwrap()));
    }

    #[test]
    fn a_token_does_not_choose_its_algorithm() {
        let text = serde_json::to_string(&claims()).unwrap();
        for algorithm in ["none", "None", "NONE"] {
            let unsigned = token_of(&format!(r#"{{"alg":"{algorithm}","kid":"k1"}}"#), &text);
            assert!(refused(&unsigned) && kid(&unsigned).is_none());
        }
        let public = serde_json::to_string(KEY.jwk()).unwrap();
        for secret in [PEM.as_bytes(), public.as_bytes(), KEY.jwk().n.as_bytes()] {
            let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
            let confused = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
            assert!(refused(&confused) && kid(&confused).is_none());
        }
        let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::RS512) };
        assert!(refused(&encode(&header, &claims(), &KEY.signing).unwrap()));
    }
}
