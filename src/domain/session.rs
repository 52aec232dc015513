//! Sessions of people who signed in to the console. A session has a secret, which only the browser keeps; the directory
//! stores its hash.

use super::time::Timestamp;
use super::user::UserUid;

/// For how many minutes a session lives without being used.
pub const IDLE_MINUTES: i64 = 60;
/// For how many hours a session lives at most.
pub const SESSION_HOURS: i64 = 12;
/// The maximum number of sessions of a user. The oldest ends when another one begins.
pub const SESSIONS_MAX: u32 = 100;

/// A session as the directory stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the secret, in lower-case hex.
    pub hash: String,
    /// The ID by which the user ends the session. It is not the secret.
    pub id: String,
    /// The user who signed in.
    pub user: UserUid,
    /// The user's token generation at the sign-in. A later one ends the session.
    pub generation: i64,
    /// The time of the sign-in.
    pub created: Timestamp,
    /// The time of the last use, at most a minute late.
    pub seen: Timestamp,
    /// The moment at which the session ends in any case.
    pub expires: Timestamp,
}

impl Session {
    /// The moment at which the session ends if it is not used again.
    pub fn ends(&self) -> Timestamp {
        self.seen.plus_seconds(IDLE_MINUTES * 60).min(self.expires)
    }
}
