//! The one error type of the program. It says what is wrong in terms of the directory; each dialect turns it
//! into a status and a body in one exhaustive match, and what `Internal`, `Unavailable` and
//! `OutcomeUnknown` carry for the log never leaves the process.

use std::sync::Arc;

use super::role::Roles;

/// Short for a result that fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A thing of the directory that can be missing or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Group,
    User,
    Membership,
    Client,
    /// A public signing key, by its `kid`.
    Certificate,
}

/// One member of a request body that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The member's name as the dialect spells it, e.g. `Name` or `xp`.
    pub field: &'static str,
    /// The rule in a few words, e.g. `is required`.
    pub reason: String,
}

impl Violation {
    /// `field` breaks the rule told by `reason`.
    pub fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// What is wrong with the parameters of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListError {
    /// `page` is no whole number from 1 to 2^31-1.
    Page,
    /// `pageSize` is no whole number from 1 to 100.
    PageSize,
    /// No such property to filter or sort by.
    Property(String),
    /// The property cannot be searched.
    SearchProperty(String),
    /// The property cannot be sorted by.
    SortProperty(String),
    /// The filter's value is not of the property's type.
    Type(String),
    /// A list parameter stands in the URL twice.
    Repeated(&'static str),
    /// A parameter's text is not acceptable: not UTF-8, or with a NUL.
    Text(String),
    /// Answering would cost more than the server spends on one list.
    TooCostly,
}

/// Everything a request can fail with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error("no such route: {0}")]
    RouteNotFound(String),
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("the request body is over the limit")]
    TooLarge,
    #[error("the URL is over the limit")]
    UriTooLong,
    #[error("the content type is not supported")]
    UnsupportedMediaType,
    /// The body is no acceptable JSON object (or form); the text says why, for the caller.
    #[error("invalid body: {0}")]
    InvalidBody(String),
    /// A path segment is not of the form that the route takes.
    #[error("invalid path: {0}")]
    InvalidPath(String),
    /// The body was understood, and these members break a rule. Never empty.
    #[error("invalid data: {0:?}")]
    Invalid(Vec<Violation>),
    #[error("the password is too weak")]
    InsecurePassword,
    #[error("invalid list: {0:?}")]
    List(ListError),

    #[error("{0:?} {1} was not found")]
    NotFound(Kind, String),
    /// The group was deleted before.
    #[error("already deleted")]
    AlreadyDeleted,
    /// The group has this many live members.
    #[error("the group has {0} users")]
    HasUsers(i64),
    #[error("{0:?} {1} already exists")]
    AlreadyExists(Kind, String),
    #[error("the username is taken")]
    UsernameTaken,

    /// No token, or one that is malformed, forged or expired.
    #[error("no valid token")]
    Unauthenticated,
    /// A genuine, unexpired token that was ended.
    #[error("the token was revoked")]
    TokenRevoked,
    /// The caller holds `assigned` and needs one of `sufficient`.
    #[error("needs one of {sufficient:?}, has {assigned:?}")]
    Forbidden { sufficient: Roles, assigned: Roles },
    /// A caller limited to communities may not do this.
    #[error("not for a caller limited to communities")]
    NotAuthorizedToAdmin,

    /// Unknown user, wrong password, locked or inactive: deliberately one answer.
    #[error("sign-in refused")]
    InvalidCredentials,
    #[error("username and password are required")]
    CredentialsRequired,
    /// Unknown or disabled client, wrong secret, or a secret that is missing.
    #[error("client refused")]
    InvalidClient,
    /// The refresh token is unknown, expired, used or ended.
    #[error("refresh token refused")]
    InvalidRefreshToken,
    #[error("grant type not supported")]
    UnsupportedGrantType,
    /// No role is left of those asked for.
    #[error("no role left of those asked for")]
    InvalidScope,

    /// The server cannot answer now; nothing was changed. The text is for the log alone.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The server lost sight of a change at its very end, or it took too long, and the server does not know whether it
    /// was made. The text is for the log alone.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// A defect. The source is for the log alone.
    #[error("internal: {0}")]
    Internal(Arc<anyhow::Error>),
}

impl Error {
    /// A defect or a broken environment, with its cause kept for the log.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::Internal(Arc::new(source.into()))
    }

    /// Whether it is said of what was asked for, rather than of the server that was asked.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::Internal(_))
    }

    /// One member of the body breaks a rule.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, reason)])
    }
}
