//! Responses of Rollbook's own API (docs/rollbook.md, section 3). Every property is always present; it is null if
//! it is not set.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::community::{Communities, Visibility};
use crate::domain::error::{Error, Result};
use crate::domain::group;
use crate::domain::time::Timestamp;
use crate::http::response::json::StoredXp;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "uid": 7, "id": "support", "name": "Support team", "labels": { "en": "Support team", "it": "Assistenza" },
    "description": null, "xp": { "Dept": "IT" }, "communities": ["a6dfbbee-4866-422a-8f83-6b8533375e7d"],
    "memberCount": 42, "version": 3, "created": "2026-06-04T20:35:36.38Z", "updated": "2026-06-04T20:35:36.38Z",
    "deleted": null,
}))]
pub(super) struct Group {
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
    pub(super) fn new(group: &group::Group, visibility: &Visibility) -> Result<Self> {
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

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListPage<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// The number of items on all pages; null if counting would cost too much.
    #[schema(example = 25)]
    pub total: Option<u64>,
    /// The value of `after` for the next page; null on the last page.
    #[schema(example = "AVY4pxSHAQ4")]
    pub next: Option<String>,
}

/// The communities that the caller may see.
fn visible(communities: &Communities, visibility: &Visibility) -> Vec<String> {
    let is_visible = |community: &&_| visibility.limit().is_none_or(|own| own.contains(community));
    communities.iter().filter(is_visible).map(ToString::to_string).collect()
}

/// RFC 3339 in UTC, with all digits of the second: `2019-06-04T20:35:36.38Z`.
pub(super) fn date(moment: Timestamp) -> String {
    format!("{}Z", moment.to_civil())
}

#[cfg(test)]
mod tests {
    use crate::domain::community::Community;

    use super::*;

    #[test]
    fn dates_are_utc_with_all_digits() {
        for text in ["2019-06-04T20:35:36.38Z", "2019-06-04T20:35:36Z", "2019-06-04T00:00:00.000001Z"] {
            assert_eq!(date(Timestamp::parse_iso(text).unwrap()), text);
        }
    }

    #[test]
    fn a_limited_caller_sees_only_their_own_communities() {
        let own = Community::parse("a6dfbbee-4866-422a-8f83-6b8533375e7d").unwrap();
        let other = Community::parse("b6dfbbee-4866-422a-8f83-6b8533375e7d").unwrap();
        let both = Communities::from([own, other]);
        assert_eq!(visible(&both, &Visibility::All).len(), 2);
        assert_eq!(visible(&both, &Visibility::Within([own].into())), [own.to_string()]);
    }
}
