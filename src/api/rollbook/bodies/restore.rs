//! The bodies of restores (docs/rollbook.md, section 10). Each may be left out.

use utoipa::ToSchema;

use crate::domain::id::Id;
use crate::domain::user::TEXT_MAX;
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};
use crate::service::restore::NewIdentity;

/// What a restored group gets instead of what it had.
#[derive(Debug, Default, ToSchema)]
#[schema(example = json!({ "id": "support-2" }))]
pub(in crate::api::rollbook) struct GroupRestore {
    /// The new ID; left out, the group gets the ID that it had.
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    pub id: Option<Id>,
}

impl GroupRestore {
    /// Reads the body. Fails with `Invalid` or `InvalidBody`.
    pub(in crate::api::rollbook) fn read(fields: Option<Fields>) -> Result<Self> {
        let mut reader = FieldReader::new(fields.unwrap_or_default());
        let restore = Self { id: reader.id("id") };
        reader.finish_known(restore)
    }
}

/// What a restored user gets instead of what they had.
#[derive(Debug, Default, ToSchema)]
#[schema(example = json!({ "username": "ada.lovelace" }))]
pub(in crate::api::rollbook) struct UserRestore {
    /// The new ID; left out, the user gets the ID that they had.
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    id: Option<Id>,
    /// The new username; left out, the user gets the username that they had.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    username: Option<String>,
}

impl UserRestore {
    /// Reads the body. Fails with `Invalid` or `InvalidBody`.
    pub(in crate::api::rollbook) fn read(fields: Option<Fields>) -> Result<NewIdentity> {
        let mut reader = FieldReader::new(fields.unwrap_or_default());
        let Self { id, username } = Self { id: reader.id("id"), username: reader.patched_text("username", TEXT_MAX) };
        reader.finish_known(NewIdentity { id, username })
    }
}
