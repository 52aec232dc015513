//! Users: OrderCloud's AdminUsers.

use secrecy::SecretString;

use super::community::Communities;
use super::id::Id;
use super::role::Roles;
use super::time::Timestamp;
use super::xp::Xp;

/// The longest a username, a name or a phone number may be, in characters.
pub const TEXT_MAX: usize = 100;
/// The longest an email address may be, in characters.
pub const EMAIL_MAX: usize = 200;
/// The shortest and longest a password may be, in characters.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 10..=128;
/// How many failed sign-ins lock a user out, through whatever door.
pub const MAX_FAILURES: i64 = 10;
/// For how long they do, in seconds.
pub const LOCK_SECONDS: i64 = 600;

/// A user's number, never reused.
pub type UserUid = i64;

/// How a user is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// The live user with this ID, compared without regard to case.
    Id(Id),
    /// The user with this number, live or deleted.
    Uid(UserUid),
    /// The live user with this username, compared folded.
    Username(String),
    /// No user yet.
    New,
}

/// What is written of a user and told in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFields {
    pub id: Id,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: Option<String>,
    pub terms_accepted: Option<Timestamp>,
    /// An inactive user cannot sign in.
    pub active: bool,
    pub xp: Option<Xp>,
    pub roles: Roles,
    /// The communities the user is limited to; none = not limited.
    pub communities: Communities,
    /// Tokens made under an earlier generation are revoked.
    pub generation: i64,
    /// When the password was set last; none = no password, no password grant.
    pub password_set: Option<Timestamp>,
}

/// A user as the directory holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: UserUid,
    pub fields: UserFields,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub deleted: Option<Timestamp>,
    pub version: i64,
    /// The last successful sign-in.
    pub last_active: Option<Timestamp>,
    /// Failed sign-ins since the last success.
    pub failed_attempts: i64,
}

/// What a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: User,
    /// None = the user has no password.
    pub password_hash: Option<String>,
    pub locked_until: Option<Timestamp>,
}

/// The rule a new password breaks is not told apart: at least 10 characters and at most 128, no NUL, and three of
/// upper-case letters, lower-case letters, digits and others (docs/ordercloud.md, section 3).
pub fn is_secure_password(password: &str) -> bool {
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

/// A password or secret on its way to being hashed; never printed.
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
}
