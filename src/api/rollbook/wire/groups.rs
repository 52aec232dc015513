//! A group in responses.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::community::Visibility;
use crate::domain::error::{Error, Result};
use crate::domain::group;
use crate::http::response::json::StoredXp;

use super::{date, visible};

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "uid": 7, "id": "support", "name": "Support team", "labels": { "en": "Support team", "it": "Assistenza" },
    "description": null, "xp": { "Dept": "IT" }, "communities": ["a6dfbbee-4866-422a-8f83-6b8533375e7d"],
    "memberCount": 42, "version": 3, "created": "2026-06-04T20:35:36.38Z", "updated": "2026-06-04T20:35:36.38Z",
    "deleted": null,
}))]
pub(in crate::api::rollbook) struct Group {
    /// The number, which is never changed and never given again: Core's `ID`.
    #[schema(minimum = 1, read_only)]
    uid: i64,
    /// Unique among the groups that are not deleted, without regard to case.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    id: String,
    /// The label in the default language of the directory, or else the first label.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The names by language tag (BCP 47), at least one.
    #[schema(value_type = Object)]
    labels: Box<RawValue>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Extended properties: any JSON object of at most 8000 bytes and 500 values.
    #[schema(value_type = Object)]
    xp: StoredXp,
    /// GUIDs of the communities that the group is linked to. A caller limited to communities sees only their own.
    communities: Vec<String>,
    /// The number of users in the group.
    #[schema(read_only)]
    member_count: i64,
    /// Grows by one with each change of the group itself.
    #[schema(minimum = 1)]
    version: i64,
    #[schema(format = DateTime, read_only)]
    created: String,
    /// The last change of the group itself; members do not count.
    #[schema(format = DateTime, read_only)]
    updated: String,
    #[schema(format = DateTime, read_only)]
    deleted: Option<String>,
}

impl Group {
    /// The group as a caller sees it. Fails if the stored labels are not JSON.
    pub(in crate::api::rollbook) fn new(group: &group::Group, visibility: &Visibility) -> Result<Self> {
        let fields = &group.fields;
        Ok(Self {
            uid: group.uid,
            id: fields.id.to_string(),
            name: group.name.clone(),
            labels: RawValue::from_string(fields.labels.to_string()).map_err(Error::internal)?,
            description: fields.description.clone(),
            xp: StoredXp::or_empty(fields.xp.as_ref()),
            communities: visible(&fields.communities, visibility),
            member_count: if group.deleted.is_some() { 0 } else { group.members },
            version: group.version,
            created: date(group.created),
            updated: date(group.updated),
            deleted: group.deleted.map(date),
        })
    }
}
