//! Requests that are safe to repeat: the answer to a change is recorded in the transaction of the change, under a key
//! that the client chose. A repetition of the request gets the recorded answer and changes nothing.

use std::fmt;
use std::sync::Arc;

use super::answer::Answer;
use super::client::Client;
use super::erasure::Erased;
use super::error::Result;
use super::group::Group;
use super::long_lived_token::LongLivedToken;
use super::membership::{MembersOutcome, MembershipOutcome};
use super::restore::Restored;
use super::signing_key::PublishedKey;
use super::time::Timestamp;
use super::undo::UndoOutcome;
use super::user::User;

/// How long an answer is recorded, in seconds.
pub(crate) const KEPT_SECONDS: i64 = 24 * 60 * 60;
/// The maximum length of a recorded body, in bytes.
const BODY_MAX: usize = 64 * 1024;
/// What is replayed instead of a longer body.
const LONG_BODY: &str = "{}";

/// The key of a request, unique for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller: the user, the client, or both.
    pub scope: String,
    /// The key that the client chose.
    pub key: String,
}

/// How to record the answer to a change.
#[derive(Clone)]
pub(crate) struct Recording {
    /// The key of the request.
    pub key: RequestKey,
    /// The digest of the request, to tell a repetition from another request.
    pub fingerprint: String,
    /// The time of the request.
    pub at: Timestamp,
    /// Renders the answer.
    pub render: Render,
}

/// Renders the answer to record from what was written.
pub(crate) type Render = Arc<dyn Fn(Written<'_>) -> Result<Answer> + Send + Sync>;

impl Recording {
    /// When the key becomes free again.
    pub(crate) fn expires(&self) -> Timestamp {
        self.at.plus_seconds(KEPT_SECONDS)
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("key", &self.key)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// What a change wrote, as its answer shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written<'a> {
    /// A group.
    Group(&'a Group),
    /// A user.
    User(&'a User),
    /// A restored group.
    RestoredGroup(&'a Restored<Group>),
    /// A restored user.
    RestoredUser(&'a Restored<User>),
    /// An erased user.
    Erased(&'a Erased),
    /// A change of a group's members.
    Members(&'a MembersOutcome),
    /// A client.
    Client(&'a Client),
    /// A long-lived token.
    Token(&'a LongLivedToken),
    /// A new signing key.
    Key(&'a PublishedKey),
    /// Undone changes.
    Undone(&'a UndoOutcome),
    /// Something that the answer does not show.
    Unshown,
}

/// The result of a write of the store.
pub(crate) trait Outcome {
    /// Returns what was written. `None` if the change was refused, so that its key stays free.
    fn written(&self) -> Option<Written<'_>>;
}

impl Outcome for Group {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::Group(self))
    }
}

impl Outcome for User {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::User(self))
    }
}

impl Outcome for Restored<Group> {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::RestoredGroup(self))
    }
}

impl Outcome for Restored<User> {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::RestoredUser(self))
    }
}

impl Outcome for Erased {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::Erased(self))
    }
}

impl Outcome for MembershipOutcome {
    fn written(&self) -> Option<Written<'_>> {
        matches!(self, Self::Done | Self::Unchanged).then_some(Written::Unshown)
    }
}

impl Outcome for UndoOutcome {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::Undone(self))
    }
}

impl Outcome for MembersOutcome {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::Members(self))
    }
}

impl Outcome for Client {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::Client(self))
    }
}

impl Outcome for LongLivedToken {
    fn written(&self) -> Option<Written<'_>> {
        Some(Written::Token(self))
    }
}

/// The key, unless the store refused it.
impl Outcome for Option<PublishedKey> {
    fn written(&self) -> Option<Written<'_>> {
        self.as_ref().map(Written::Key)
    }
}

/// Whether the entity to change exists.
impl Outcome for bool {
    fn written(&self) -> Option<Written<'_>> {
        self.then_some(Written::Unshown)
    }
}

/// What an answer is rendered from.
pub(crate) trait Shown: 'static {
    /// Returns the value in what was written, if it has this type.
    fn of(written: Written<'_>) -> Option<&Self>;
}

impl Shown for Group {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Group(group) = written { Some(group) } else { None }
    }
}

impl Shown for User {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::User(user) = written { Some(user) } else { None }
    }
}

impl Shown for Restored<Group> {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::RestoredGroup(restored) = written { Some(restored) } else { None }
    }
}

impl Shown for Restored<User> {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::RestoredUser(restored) = written { Some(restored) } else { None }
    }
}

impl Shown for UndoOutcome {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Undone(outcome) = written { Some(outcome) } else { None }
    }
}

impl Shown for Erased {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Erased(erased) = written { Some(erased) } else { None }
    }
}

impl Shown for MembersOutcome {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Members(outcome) = written { Some(outcome) } else { None }
    }
}

impl Shown for Client {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Client(client) = written { Some(client) } else { None }
    }
}

impl Shown for LongLivedToken {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Token(token) = written { Some(token) } else { None }
    }
}

impl Shown for PublishedKey {
    fn of(written: Written<'_>) -> Option<&Self> {
        if let Written::Key(key) = written { Some(key) } else { None }
    }
}

impl Shown for () {
    fn of(written: Written<'_>) -> Option<&Self> {
        matches!(written, Written::Unshown).then_some(&())
    }
}

/// A recorded answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The key of the request.
    pub key: RequestKey,
    /// The digest of the request.
    pub fingerprint: String,
    /// The ID of the operation that made the change.
    pub operation: String,
    /// When the key becomes free again.
    pub expires: Timestamp,
    /// The HTTP status.
    pub status: i64,
    /// The path of what was created.
    pub location: Option<String>,
    /// The entity tag.
    pub tag: Option<String>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The body; `None` if it was too long to be recorded.
    pub body: Option<String>,
}

impl RecordedAnswer {
    /// Renders the answer to what the operation wrote. Fails with the error of the renderer.
    pub(crate) fn new(recording: &Recording, operation: &str, written: Written<'_>) -> Result<Self> {
        let Answer { status, location, tag, content_type, body } = (recording.render)(written)?;
        Ok(Self {
            key: recording.key.clone(),
            fingerprint: recording.fingerprint.clone(),
            operation: operation.to_owned(),
            expires: recording.expires(),
            status: status.into(),
            location,
            tag,
            content_type,
            body: (body.len() <= BODY_MAX).then_some(body),
        })
    }

    /// The answer to send again.
    pub(crate) fn replayed(self) -> Answer {
        let Self { location, tag, content_type, .. } = self;
        let body = self.body.unwrap_or_else(|| LONG_BODY.to_owned());
        Answer { status: u16::try_from(self.status).unwrap_or_default(), location, tag, content_type, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_not_recorded() {
        for (length, replayed) in [(0, 0), (BODY_MAX, BODY_MAX), (BODY_MAX + 1, 2)] {
            let answer = Answer {
                status: 201,
                location: Some("/a".to_owned()),
                tag: None,
                content_type: Some("application/json".to_owned()),
                body: "x".repeat(length),
            };
            let rendered = answer.clone();
            let recording = Recording {
                key: RequestKey { scope: "1/1".to_owned(), key: "k".to_owned() },
                fingerprint: "f".to_owned(),
                at: Timestamp::from_micros(0),
                render: Arc::new(move |_| Ok(rendered.clone())),
            };
            let recorded = RecordedAnswer::new(&recording, "operation", Written::Unshown).unwrap().replayed();
            assert_eq!(recorded.body.len(), replayed);
            assert_eq!(Answer { body: answer.body.clone(), ..recorded }, answer);
        }
    }
}
