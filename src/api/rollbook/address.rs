//! The addresses of groups and users (docs/rollbook.md, section 1): an ID, `uid:` and a number, or for users `username:`
//! and a username.

use crate::domain::error::ResourceKind;
use crate::domain::group::GroupKey;
use crate::domain::id::Id;
use crate::domain::user::UserKey;
use crate::http::request::error::{DirectoryError, Error, Result};

/// The prefix of a number.
const UID: &str = "uid:";
/// The prefix of a username.
const USERNAME: &str = "username:";

/// Returns the key of the group with this address. Fails with `NotFound` if no group can have it.
pub(super) fn group(address: &str) -> Result<GroupKey> {
    group_key(address)
        .ok_or_else(|| Error::Directory(DirectoryError::NotFound(ResourceKind::Group, address.to_owned())))
}

/// Returns the key of the group with this address; `None` if no group can have it.
pub(super) fn group_key(address: &str) -> Option<GroupKey> {
    match address.strip_prefix(UID) {
        Some(uid) => number(uid).map(GroupKey::Uid),
        None => Id::new(address).map(GroupKey::Id),
    }
}

/// Returns the key of the user with this address. Fails with `NotFound` if no user can have it.
pub(super) fn user(address: &str) -> Result<UserKey> {
    user_key(address).ok_or_else(|| Error::Directory(DirectoryError::NotFound(ResourceKind::User, address.to_owned())))
}

/// Returns the key of the user with this address; `None` if no user can have it.
pub(super) fn user_key(address: &str) -> Option<UserKey> {
    match (address.strip_prefix(UID), address.strip_prefix(USERNAME)) {
        (Some(uid), _) => number(uid).map(UserKey::Uid),
        (None, Some(username)) => (!username.is_empty()).then(|| UserKey::Username(username.to_owned())),
        (None, None) => Id::new(address).map(UserKey::Id),
    }
}

/// The address of the entity with the number.
pub(super) fn of_number(uid: i64) -> String {
    format!("{UID}{uid}")
}

/// Parses the number of an entity: from 1, without a sign or leading zeros, so that an entity has one address by number.
fn number(digits: &str) -> Option<i64> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_ids_numbers_or_usernames() {
        assert_eq!(group_key("Support"), Id::new("Support").map(GroupKey::Id));
        assert_eq!(group_key("7"), Id::new("7").map(GroupKey::Id));
        assert_eq!(group_key("uid:7"), Some(GroupKey::Uid(7)));
        assert_eq!(user_key("uid:12"), Some(UserKey::Uid(12)));
        assert_eq!(user_key("username:ada@example.org"), Some(UserKey::Username("ada@example.org".to_owned())));
        for none in ["", "a b", "uid:", "uid:0", "uid:-1", "uid:+1", "uid:07", "uid:9223372036854775808", "username:x"]
        {
            assert_eq!(group_key(none), None, "{none}");
        }
        for none in ["", "username:", "uid:x", "name:x"] {
            assert_eq!(user_key(none), None, "{none}");
        }
    }
}
