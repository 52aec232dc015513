//! The addresses of groups and users (docs/rollbook.md, section 1): an ID, `uid:` and a number, or for users `username:`
//! and a username.

use super::error::{Error, ResourceKind, Result};
use super::group::GroupKey;
use super::id::Id;
use super::text::broken_required_rule;
use super::user::{TEXT_MAX, UserKey};

/// The prefix of a number.
const UID: &str = "uid:";
/// The prefix of a username.
const USERNAME: &str = "username:";

/// Returns the key of the group with this address. Fails with `NotFound` if no group can have it.
pub(crate) fn group(address: &str) -> Result<GroupKey> {
    group_key(address).ok_or_else(|| Error::NotFound(ResourceKind::Group, address.to_owned()))
}

/// Returns the key of the user with this address. Fails with `NotFound` if no user can have it.
pub(crate) fn user(address: &str) -> Result<UserKey> {
    user_key(address).ok_or_else(|| Error::NotFound(ResourceKind::User, address.to_owned()))
}

/// Returns the key of the group with this address; `None` if no group can have it.
pub(crate) fn group_key(address: &str) -> Option<GroupKey> {
    match address.strip_prefix(UID) {
        Some(uid) => number(uid).map(GroupKey::Uid),
        None => Id::new(address).map(GroupKey::Id),
    }
}

/// Returns the key of the user with this address; `None` if no user can have it.
pub(crate) fn user_key(address: &str) -> Option<UserKey> {
    match (address.strip_prefix(UID), address.strip_prefix(USERNAME)) {
        (Some(uid), _) => number(uid).map(UserKey::Uid),
        (None, Some(username)) => {
            broken_required_rule(username, TEXT_MAX).is_none().then(|| UserKey::Username(username.to_owned()))
        }
        (None, None) => Id::new(address).map(UserKey::Id),
    }
}

/// Returns the address of the entity with the number.
pub(crate) fn of_number(uid: i64) -> String {
    format!("{UID}{uid}")
}

/// Returns the address of the group with this key.
pub(crate) fn of_group(key: &GroupKey) -> String {
    match key {
        GroupKey::Id(id) => id.to_string(),
        GroupKey::Uid(uid) => of_number(*uid),
    }
}

/// Returns the address of the user with this key.
pub(crate) fn of_user(key: &UserKey) -> String {
    match key {
        UserKey::Id(id) => id.to_string(),
        UserKey::Uid(uid) => of_number(*uid),
        UserKey::Username(username) => format!("{USERNAME}{username}"),
    }
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
        let long = format!("username:{}", "x".repeat(TEXT_MAX + 1));
        for none in ["", "username:", "username: ", "username:a\0", &long, "uid:x", "name:x"] {
            assert_eq!(user_key(none), None, "{none}");
        }
        for address in ["ada", "uid:12", "username:ada@example.org"] {
            assert_eq!(user_key(address).as_ref().map(of_user).as_deref(), Some(address));
        }
    }
}
