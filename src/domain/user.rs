//! Users: OrderCloud's AdminUsers.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use super::community::Communities;
use super::id::Id;
use super::role::Roles;
use super::time::Timestamp;
use super::xp::Xp;

/// The maximum length of a username, a name or a phone number, in characters.
pub const TEXT_MAX: usize = 100;
/// The maximum length of an email address, in characters.
pub const EMAIL_MAX: usize = 200;
/// The minimum and maximum length of a password, in characters.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 10..=128;

/// A user's number, never reused.
pub type UserUid = i64;

/// A key to look up a user by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// The live user with this ID, compared without regard to case.
    Id(Id),
    /// The user with this number, live or deleted.
    Uid(UserUid),
    /// The live user with this username, compared after case folding.
    Username(String),
}

impl fmt::Display for UserKey {
    /// Writes the ID, the number or the username.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Uid(uid) => uid.fmt(f),
            Self::Username(username) => username.fmt(f),
        }
    }
}

/// The fields of a user that callers set and the journal records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFields {
    /// The text key, unique among live users without regard to case.
    pub id: Id,
    /// The name to sign in with, unique among live users after case folding; at most [`TEXT_MAX`] characters.
    pub username: String,
    /// The first name, at most [`TEXT_MAX`] characters.
    pub first_name: String,
    /// The last name, at most [`TEXT_MAX`] characters.
    pub last_name: String,
    /// The email address, at most [`EMAIL_MAX`] characters.
    pub email: String,
    /// The phone number, at most [`TEXT_MAX`] characters.
    pub phone: Option<String>,
    /// The time at which the user accepted the terms.
    pub terms_accepted: Option<Timestamp>,
    /// Whether the user may sign in.
    pub active: bool,
    /// The extended properties.
    pub xp: Option<Xp>,
    /// The user's roles.
    pub roles: Roles,
    /// The communities that the user is limited to; empty = not limited.
    pub communities: Communities,
    /// The generation of the user's tokens: tokens of an earlier one are revoked.
    pub generation: i64,
    /// The time of the last change of the password; `None` = the user has none and cannot use the password grant.
    pub password_set: Option<Timestamp>,
}

impl UserFields {
    /// Returns the fields of the user with the number without what is personal (docs/rollbook.md, section 13). What
    /// says nothing about the person stays: whether they were active, their roles, communities and generation.
    pub fn emptied(&self, uid: UserUid) -> Self {
        Self {
            id: Id::of_erased(uid),
            username: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            phone: None,
            terms_accepted: None,
            active: self.active,
            xp: None,
            roles: self.roles,
            communities: self.communities.clone(),
            generation: self.generation,
            password_set: None,
        }
    }
}

/// A user as the directory stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: UserUid,
    /// The fields that callers set.
    pub fields: UserFields,
    /// The time of creation.
    pub created: Timestamp,
    /// The time of the last change. Sign-ins do not count.
    pub updated: Timestamp,
    /// The time of deletion; `None` = the user is live.
    pub deleted: Option<Timestamp>,
    /// The version, which grows by one with each change. Sign-ins do not count.
    pub version: i64,
    /// The time at which the personal fields were emptied for good; `None` = they were not.
    pub erased: Option<Timestamp>,
    /// The time of the last successful sign-in.
    pub last_active: Option<Timestamp>,
    /// The number of failed sign-ins since the last successful one.
    pub failed_attempts: i64,
    /// The end of the lockout after too many failed sign-ins.
    pub locked_until: Option<Timestamp>,
}

impl User {
    /// Whether the user is locked out at the time `now`.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }
}

/// A user with the hash that a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The hash of the password, as a PHC string; `None` = the user has no password.
    pub password_hash: Option<String>,
}

/// Returns the form of a password or secret that is measured, hashed and compared: Unicode's NFKC, because keyboards
/// send the same character in several encodings (NIST SP 800-63B, section 5.1.1.2). If it has more than 128 characters,
/// it is cut to 129, which is enough to see that it is too long.
pub fn normalize_secret(secret: &str) -> Secret {
    secret.nfkc().take(PASSWORD_CHARS.end() + 1).collect::<String>().into()
}

/// Whether the text may be a new password: after normalization 10 to 128 characters, no NUL, and at least three of
/// these classes: upper-case letters, lower-case letters, digits, others (docs/ordercloud.md, section 3). One result
/// for all rules, because the error does not say which one the password breaks.
pub fn is_secure_password(password: &str) -> bool {
    let password = normalize_secret(password);
    let password = password.expose_secret();
    let classes: [fn(char) -> bool; 4] = [
        char::is_uppercase,
        char::is_lowercase,
        |c| c.is_ascii_digit(),
        |c| !c.is_uppercase() && !c.is_lowercase() && !c.is_ascii_digit(),
    ];
    PASSWORD_CHARS.contains(&password.chars().count())
        && !password.contains('\0')
        && classes.iter().filter(|class| password.chars().any(**class)).count() >= 3
}

/// A password or secret in plain text, which is never printed.
pub type Secret = SecretString;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_need_three_classes_and_ten_characters() {
        for good in ["Passw0rd!!x", "abcdefgh1!", "ABCDEFGHi1", &format!("aA1{}", "x".repeat(125))] {
            assert!(is_secure_password(good), "{good}");
        }
        for bad in ["Passw0rd!", "abcdefghij", "abcdefghi1", "", "aA1bcdefg\0h", &format!("aA1{}", "x".repeat(126))] {
            assert!(!is_secure_password(bad), "{bad}");
        }
    }

    #[test]
    fn passwords_are_measured_after_normalization() {
        let composed = "é".repeat(125);
        assert!(is_secure_password(&format!("aA1{composed}").replace('é', "e\u{301}")));
        assert!(!is_secure_password("aA1e\u{301}e\u{301}e\u{301}e\u{301}"), "seven characters");
        assert!(!is_secure_password(&format!("aA1{}", "\u{fdfa}".repeat(100))), "1,803 characters");
    }

    #[test]
    fn a_secret_has_one_normal_form() {
        let form = |text: &str| normalize_secret(text).expose_secret().to_owned();
        assert_eq!(form("cafe\u{301}"), form("caf\u{e9}"));
        assert_eq!(form("ｃａｆé"), form("café"), "full width");
        assert_ne!(form("cafe"), form("café"));
        assert_eq!(form(&"x".repeat(1_000_000)).len(), 129);
    }
}
