//! The IDs and URLs of resources (RFC 7643, section 3.1; docs/scim.md, section 4). An ID is the number of the user or group
//! behind a letter: IDs in the other APIs can change and be given to somebody else, numbers cannot.

use std::fmt::Display;

use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::user::UserUid;

use super::BASE;

/// What the ID of a group begins with.
const GROUP: char = 'g';
/// What the ID of a user begins with.
const USER: char = 'u';

/// The ID of the group with the number.
pub(super) fn group_id(uid: impl Display) -> String {
    format!("{GROUP}{uid}")
}

/// The ID of the user with the number.
pub(super) fn user_id(uid: impl Display) -> String {
    format!("{USER}{uid}")
}

/// The number of the user with the ID; `None` if no user can have it. Upper and lower case are different.
pub(super) fn user_uid(id: &str) -> Option<UserUid> {
    number(id.strip_prefix(USER)?)
}

/// The number of the user with the ID in a path. Fails with `NotFound` if no user can have it.
pub(super) fn expect_user_uid(id: &str) -> Result<UserUid> {
    user_uid(id).ok_or_else(|| Error::NotFound(ResourceKind::User, id.to_owned()))
}

/// Parses the number of an entity: from 1, without a sign or leading zeros, so that an entity has one ID.
fn number(digits: &str) -> Option<i64> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| is_plain)
}

/// The URL of what is at the path below `/scim/v2`, e.g. `/Users/u12`. Without a configured public URL it is relative to
/// the server (RFC 7643, section 2.3.7, allows both).
pub(super) fn location(base_url: Option<&str>, path: &str) -> String {
    format!("{}{BASE}{path}", base_url.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_letter_and_a_number() {
        assert_eq!((user_id(12), user_uid("u12")), ("u12".to_owned(), Some(12)));
        for other in ["", "u", "12", "U12", "g12", "u012", "u0", "u-1", "u+1", "u 1", "u1.0", "u99999999999999999999"] {
            assert_eq!(user_uid(other), None, "{other}");
        }
    }

    #[test]
    fn a_location_begins_with_the_public_url() {
        assert_eq!(location(None, "/Users/u12"), "/scim/v2/Users/u12");
        assert_eq!(location(Some("https://x.example"), "/Users/u12"), "https://x.example/scim/v2/Users/u12");
    }
}
