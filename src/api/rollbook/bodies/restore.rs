//! The bodies of restores (docs/rollbook.md, section 10). Each may be left out.

use utoipa::ToSchema;

use crate::domain::id::Id;
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};

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
