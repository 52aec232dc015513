//! The errors of an HTTP request: errors in the request itself, and errors of the directory. Each API maps [`Error`] to
//! a status and a body in one exhaustive match.

pub(crate) use crate::domain::error::Error as DirectoryError;
use crate::domain::error::SignInError;

/// A result whose default error is [`enum@Error`].
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in the parameters of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListError {
    /// `page` is not an integer from 1 to 2^31-1.
    Page,
    /// `pageSize` is not an integer from 1 to 100.
    PageSize,
    /// The list has no property of this name to filter or sort by.
    Property(String),
    /// The property cannot be searched.
    SearchProperty(String),
    /// The list cannot be sorted by this property.
    SortProperty(String),
    /// The filter's value is not of the property's type.
    Type(String),
    /// The parameter occurs more than once in the query.
    Repeated(&'static str),
    /// The list has no parameter of this name.
    Unknown(String),
    /// The parameter has no value. Ignoring it would return more entities than the client meant.
    Empty(&'static str),
    /// The text of the parameter is not UTF-8 or contains a NUL.
    Text(String),
    /// The query has more conditions or sort keys than a list allows.
    TooCostly,
}

/// An error for which the protocol of one API has a word and a status of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    /// The HTTP status.
    pub status: u16,
    /// The word by which a program decides, e.g. SCIM's `scimType`, if the protocol has one for the error.
    pub keyword: Option<&'static str>,
    /// A sentence for people.
    pub detail: String,
}

/// An error in a request that does not depend on the content of the directory.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError {
    /// No route has this path.
    #[error("no such route: {0}")]
    RouteNotFound(String),
    /// The route does not allow the method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The head of the request violates HTTP. The sentence is sent to the client.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// The head has too many bytes or header fields.
    #[error("the head of the request is over the limit")]
    HeadTooLarge,
    /// The body is longer than the limit.
    #[error("the request body is over the limit")]
    TooLarge,
    /// The URL is longer than the limit.
    #[error("the URL is over the limit")]
    UriTooLong,
    /// The route does not accept the content type of the body.
    #[error("the content type is not supported")]
    UnsupportedMediaType,
    /// The body has a content coding, e.g. gzip.
    #[error("the content encoding is not supported")]
    UnsupportedEncoding,
    /// The body is not a valid JSON object or form. The text gives the reason and is sent to the client.
    #[error("invalid body: {0}")]
    InvalidBody(String),
    /// A path segment does not have the form that the route requires.
    #[error("invalid path: {0}")]
    InvalidPath(String),
    /// The parameters of a list are not valid.
    #[error("invalid list: {0:?}")]
    List(ListError),
    /// The request breaks a rule of the protocol of its API. No other API sends it.
    #[error("{}", .0.detail)]
    Protocol(ProtocolError),
}

/// The reason why a request failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is not valid.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The directory refused the request or could not process it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl Error {
    /// An internal error, i.e. a defect or a broken environment. The source is for the log only.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::Directory(DirectoryError::internal(source))
    }
}

impl From<ListError> for Error {
    fn from(error: ListError) -> Self {
        Self::Request(RequestError::List(error))
    }
}

impl From<SignInError> for Error {
    fn from(error: SignInError) -> Self {
        Self::Directory(DirectoryError::SignIn(error))
    }
}
