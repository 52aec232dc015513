//! The answer to a change, as a program gets it.

/// The parts of an answer that matter to the program that sent the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The path of what was created.
    pub location: Option<String>,
    /// The entity tag of the group or user that the answer shows.
    pub tag: Option<String>,
    /// The media type of the body; `None` if there is no body.
    pub content_type: Option<String>,
    /// The body.
    pub body: String,
}
