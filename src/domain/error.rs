//! The errors of the directory. Each API maps them to a status and a body. The text in `Unavailable`, `Damaged`,
//! `OutcomeUnknown` and `Internal` is for the log only and never leaves the process.
//!
//! Errors in a request that never reaches the directory are `http::request::error::RequestError`.

use std::sync::Arc;

use super::role::Roles;
use super::signing_key::PublishedKey;
use super::time::Timestamp;
use super::undo::UndoOutcome;
use super::user::UserKey;

/// A result that fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a resource that does not exist or that already exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A group, by its ID or number.
    Group,
    /// A user, by their ID or username.
    User,
    /// The membership of a user in a group, by the user's ID.
    Membership,
    /// A client, by its `client_id`.
    Client,
    /// A long-lived token, by its ID.
    LongLivedToken,
    /// A public signing key, by its `kid`.
    Certificate,
    /// An operation, by its ID.
    Operation,
    /// A session of the caller, by its ID.
    Session,
    /// The page that a setup code opens, and nothing else about the code.
    SetupPage,
}

/// One field of an entity that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's name in the API or command, e.g. `Name` or `xp`.
    pub field: &'static str,
    /// The broken rule, e.g. `is required`.
    pub reason: String,
}

impl Violation {
    /// The violation of the rule `reason` by the field `field`.
    pub fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// The reason for which a token, or the credentials to get one, are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The token is missing, malformed, forged or expired.
    #[error("no valid token")]
    Unauthenticated,
    /// The token is genuine and has not expired, but was revoked.
    #[error("the token was revoked")]
    TokenRevoked,
    /// The user is unknown, locked out or inactive, or the password is wrong. One error for all, so that it does not
    /// reveal which.
    #[error("sign-in refused")]
    InvalidCredentials,
    /// The username or the password is missing.
    #[error("username and password are required")]
    CredentialsRequired,
    /// The client is unknown or disabled, or its secret is wrong or missing.
    #[error("client refused")]
    InvalidClient,
    /// The refresh token is unknown, expired, used or revoked.
    #[error("refresh token refused")]
    InvalidRefreshToken,
    /// The server does not support the grant type.
    #[error("grant type not supported")]
    UnsupportedGrantType,
    /// The caller has none of the roles in the scope.
    #[error("none of the roles in the scope is available")]
    InvalidScope,
}

/// An error of the directory: a refused request, or a request that it could not process.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// These fields break a rule; at least one.
    #[error("invalid data: {0:?}")]
    Invalid(Vec<Violation>),
    /// The password is too short or too long, or its characters are of too few classes.
    #[error("the password is too weak")]
    InsecurePassword,
    /// The change is to a part of the entity that is not there. The sentence says which, and is sent to the client.
    #[error("{0}")]
    NoTarget(String),
    /// Evaluating the list exceeds the cost limit of one list.
    #[error("the list is too costly")]
    ListTooCostly,

    /// The caller may see no live entity with this key.
    #[error("{0:?} {1} was not found")]
    NotFound(ResourceKind, String),
    /// The entity is already deleted.
    #[error("already deleted")]
    AlreadyDeleted,
    /// The moment or change that the request names is before what the journal keeps, or is another directory's.
    #[error("no longer kept")]
    NoLongerKept,
    /// The moment that the request names is before this one, from which on the journal is kept.
    #[error("the journal begins at {0:?}")]
    BeforeHorizon(Timestamp),
    /// The user is erased: nothing of them is left to be changed or restored.
    #[error("erased")]
    AlreadyErased,
    /// The entity to restore is not deleted.
    #[error("not deleted")]
    NotDeleted,
    /// Another live entity has the ID that the restored entity would have.
    #[error("{kind:?} {id} already exists, {proposed} does not")]
    RestoredIdTaken {
        /// The kind of the entity.
        kind: ResourceKind,
        /// The ID.
        id: String,
        /// A similar ID that no live entity has.
        proposed: String,
    },
    /// The live users with these keys do not exist. Nothing was changed.
    #[error("unknown users: {0:?}")]
    UnknownUsers(Vec<UserKey>),
    /// The change would remove more members than it may. Nothing was changed.
    #[error("would remove {removals} members of {members}, at most {allowed}")]
    TooManyRemovals {
        /// The number of members that the change would remove.
        removals: u64,
        /// The number of members that the change may remove.
        allowed: u64,
        /// The number of present members.
        members: u64,
    },
    /// Some of the changes cannot be undone. Nothing was changed.
    #[error("{} changes cannot be undone", .0.conflicts)]
    UndoConflicts(Box<UndoOutcome>),
    /// The undo has more changes than one undo takes back, or larger ones. Nothing was changed.
    #[error("too many changes to undo")]
    UndoTooLarge,
    /// The group still has this number of live members.
    #[error("the group has {0} users")]
    HasUsers(i64),
    /// Another live entity has this key.
    #[error("{0:?} {1} already exists")]
    AlreadyExists(ResourceKind, String),
    /// Another live user has the username.
    #[error("the username is taken")]
    UsernameTaken,
    /// The client with this `client_id` is public: it has no secret and gets no tokens of its own.
    #[error("the client {0} is public")]
    PublicClient(String),
    /// The new signing key would sign before this one, which is announced, or from the same time.
    #[error("the key {} is announced to sign from {}", .0.kid, .0.signs_from.to_civil())]
    KeyAnnounced(PublishedKey),

    /// The entity is not, or no longer, as the request requires (`If-Match`, `If-None-Match`).
    #[error("the precondition does not hold")]
    PreconditionFailed,
    /// The key of the request was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A request with the same key is still being processed.
    #[error("a request with the same idempotency key is being processed")]
    KeyInUse,

    /// The caller is not signed in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The caller has the roles `assigned` and needs one of `sufficient`.
    #[error("needs one of {sufficient:?}, has {assigned:?}")]
    Forbidden {
        /// The roles of which one is enough.
        sufficient: Roles,
        /// The caller's roles.
        assigned: Roles,
    },
    /// The operation is not allowed for callers limited to communities.
    #[error("not for a caller limited to communities")]
    NotAuthorizedToAdmin,

    /// The server cannot process the request now, and nothing was changed. The text is for the log only.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The database is damaged and its operator must repair it; nothing was changed. The text is for the log only.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The commit of a change failed or took too long, and the server does not know whether the change was committed.
    /// The text is for the log only.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// A defect of the server or its environment. The source is for the log only.
    #[error("internal: {0}")]
    Internal(Arc<anyhow::Error>),
}

impl Error {
    /// An `Internal` error with its cause.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::Internal(Arc::new(source.into()))
    }

    /// Whether the request is at fault and not the server or its database.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unavailable(_) | Self::Damaged(_) | Self::OutcomeUnknown(_) | Self::Internal(_))
    }

    /// An `Invalid` error with one violation: `field` breaks the rule `reason`.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, reason)])
    }
}
