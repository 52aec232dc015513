//! The interface of a store to the sign-ins of people in a browser: sessions, and the codes of the first start. Neither is
//! journaled, nor part of a copy of the directory.

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};

/// Sessions and setup codes.
#[async_trait]
pub trait Sessions {
    /// Stores a session. Deletes expired ones, and the oldest of the user beyond the maximum number.
    async fn start_session(&self, session: Session) -> Result<()>;
    /// Returns the session with this hash and its user, live or deleted, in one snapshot.
    async fn session(&self, hash: &str) -> Result<Option<(Session, User)>>;
    /// Records that the session was used at `at`, unless a later use is recorded.
    async fn note_session_use(&self, hash: &str, at: Timestamp) -> Result<()>;
    /// Returns the stored sessions of the user, the newest first. They may have ended.
    async fn sessions_of(&self, user: UserUid) -> Result<Vec<Session>>;
    /// Deletes the session of the user with this ID. Returns whether there was one.
    async fn end_session(&self, user: UserUid, id: &str) -> Result<bool>;
    /// Deletes all sessions of the user.
    async fn end_sessions(&self, user: UserUid) -> Result<()>;

    /// Stores the hash of a setup code, and deletes those that have expired by `now`.
    async fn keep_setup_code(&self, hash: &str, expires: Timestamp, now: Timestamp) -> Result<()>;
    /// Returns when the setup code with this hash expires; `None` if there is none, or if it has expired by `now`.
    async fn setup_code(&self, hash: &str, now: Timestamp) -> Result<Option<Timestamp>>;
    /// Deletes all setup codes if one has this hash and has not expired by `now`. Returns whether that is so: of several
    /// uses of codes, one succeeds.
    async fn use_setup_code(&self, hash: &str, now: Timestamp) -> Result<bool>;
    /// Whether a live user has every role.
    async fn has_administrator(&self) -> Result<bool>;
}
