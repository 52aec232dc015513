//! The body that selects changes to undo (docs/rollbook.md, section 15).

use utoipa::ToSchema;

use crate::http::request::error::{DirectoryError, Error, ListError, RequestError, Result};
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;

/// The changes to undo: those for which all of these hold. Of the texts of one array, one must hold; a single text needs no
/// array. At least one field is required.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "channel": "import", "since": "2026-03-01T10:00:00Z" }))]
pub(in crate::api::rollbook) struct UndoFilter {
    /// The type, e.g. `membership.added`.
    #[schema(rename = "type", required = false)]
    kind: Vec<String>,
    /// The group concerned: an address.
    #[schema(required = false)]
    group: Vec<String>,
    /// The user concerned: an address.
    #[schema(required = false)]
    user: Vec<String>,
    /// The user who made the changes: an address.
    #[schema(required = false)]
    actor: Vec<String>,
    /// The client with whose token they were made.
    #[schema(required = false)]
    client: Vec<String>,
    /// The way by which they came.
    #[schema(required = false)]
    channel: Vec<String>,
    /// The operation that made them.
    #[schema(required = false)]
    operation: Vec<String>,
    /// The first time.
    #[schema(nullable = false, format = DateTime)]
    since: Option<String>,
    /// The last time.
    #[schema(nullable = false, format = DateTime)]
    until: Option<String>,
}

impl UndoFilter {
    /// The names of the fields, which are those of the parameters of the feed.
    const NAMES: [&str; 9] = ["type", "group", "user", "actor", "client", "channel", "operation", "since", "until"];

    /// Reads the body as parameters of the feed. Fails with `Invalid` or `InvalidBody`.
    pub(in crate::api::rollbook) fn read(fields: Option<Fields>) -> Result<Vec<(String, String)>> {
        let mut reader = FieldReader::new(Fields::required(fields)?);
        let filter = Self {
            kind: texts(&mut reader, "type"),
            group: texts(&mut reader, "group"),
            user: texts(&mut reader, "user"),
            actor: texts(&mut reader, "actor"),
            client: texts(&mut reader, "client"),
            channel: texts(&mut reader, "channel"),
            operation: texts(&mut reader, "operation"),
            since: reader.patched_text("since", usize::MAX),
            until: reader.patched_text("until", usize::MAX),
        };
        let pairs = filter.parameters();
        if pairs.is_empty() {
            reader.violate("since", "is required, or another field that selects changes");
        }
        reader.finish_known(pairs)
    }

    fn parameters(self) -> Vec<(String, String)> {
        let Self { kind, group, user, actor, client, channel, operation, since, until } = self;
        let (since, until) = (Vec::from_iter(since), Vec::from_iter(until));
        let values = [kind, group, user, actor, client, channel, operation, since, until];
        let pairs = Self::NAMES.into_iter().zip(values);
        pairs.flat_map(|(name, texts)| texts.into_iter().map(move |text| (name.to_owned(), text))).collect()
    }

    /// The error for a field whose value is wrong.
    pub(in crate::api::rollbook) fn violation(error: Error) -> Error {
        let field = match &error {
            Error::Request(RequestError::List(ListError::Type(name))) => {
                Self::NAMES.into_iter().find(|own| own == name)
            }
            Error::Request(RequestError::List(ListError::Empty(name))) => Some(*name),
            _ => None,
        };
        match field {
            Some(field) => Error::Directory(DirectoryError::invalid(field, "names nothing that there is")),
            None => error,
        }
    }
}

/// Reads a text or an array of texts; none if it is absent.
fn texts(reader: &mut FieldReader, field: &'static str) -> Vec<String> {
    let texts = match reader.take(field) {
        None => return Vec::new(),
        Some(Json::String(text)) => Some(vec![text]),
        Some(Json::Array(items)) if !items.is_empty() => {
            let text = |item| if let Json::String(text) = item { Some(text) } else { None };
            items.into_iter().map(text).collect()
        }
        Some(_) => None,
    };
    texts.unwrap_or_else(|| {
        reader.violate(field, "must be a text or an array of texts");
        Vec::new()
    })
}
