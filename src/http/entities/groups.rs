//! The bodies of groups (docs/rollbook.md, section 3).

use crate::domain::group::DESCRIPTION_MAX;
use crate::domain::labels::{Labels, Tag};
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;
use crate::service::complete_groups::{CompleteGroup, GroupChange, Naming};

use super::{communities, identity, skip, xp};

/// The fields of a group that only responses set.
const READ_ONLY_OF_GROUPS: [&str; 4] = ["memberCount", "created", "updated", "deleted"];

/// Reads a complete group, for POST and PUT. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn group(fields: Fields) -> Result<CompleteGroup> {
    let mut reader = FieldReader::new(fields);
    skip(&mut reader, &READ_ONLY_OF_GROUPS);
    let labels = reader.take("labels").and_then(|json| labels(&mut reader, &json));
    let name = reader.patched_text("name", Labels::MAX_CHARS);
    if labels.is_none() && name.is_none() {
        reader.violate("labels", "is required, or name");
    }
    let group = CompleteGroup {
        identity: identity(&mut reader),
        id: reader.id("id"),
        naming: Naming { labels, name },
        description: reader.text("description", DESCRIPTION_MAX).flatten(),
        xp: xp(&mut reader).flatten().filter(|xp| !xp.is_empty()),
        communities: communities(&mut reader),
    };
    reader.finish_known(group)
}

/// Reads a merge patch of a group (RFC 7396). Fails with `Invalid` or `InvalidBody`.
pub(crate) fn group_change(fields: Fields) -> Result<GroupChange> {
    let mut reader = FieldReader::new(fields);
    skip(&mut reader, &READ_ONLY_OF_GROUPS);
    let change = GroupChange {
        identity: identity(&mut reader),
        id: reader.id("id"),
        name: reader.patched_text("name", Labels::MAX_CHARS),
        labels: reader.take("labels").map(|json| label_changes(&mut reader, json)).unwrap_or_default(),
        description: reader.text("description", DESCRIPTION_MAX),
        xp: xp(&mut reader),
        communities: communities(&mut reader),
    };
    reader.finish_known(change)
}

/// Reads a complete set of labels.
fn labels(reader: &mut FieldReader, json: &Json) -> Option<Labels> {
    let pairs = label_pairs(json, |label| match label {
        Json::String(text) => Some(text.clone()),
        _ => None,
    });
    match pairs.and_then(Labels::new) {
        Ok(labels) => Some(labels),
        Err(rule) => {
            reader.violate("labels", rule);
            None
        }
    }
}

/// Reads changes of labels; null removes one.
fn label_changes(reader: &mut FieldReader, json: Json) -> Vec<(Tag, Option<String>)> {
    let pairs = label_pairs(&json, |label| match label {
        Json::Null => Some(None),
        Json::String(text) => Some(Some(text.clone())),
        _ => None,
    });
    pairs.unwrap_or_else(|rule| {
        reader.violate("labels", rule);
        Vec::new()
    })
}

fn label_pairs<T>(json: &Json, label: impl Fn(&Json) -> Option<T>) -> Result<Vec<(Tag, T)>, String> {
    let Json::Object(fields) = json else { return Err("must be an object of language tags and labels".to_owned()) };
    let pair = |(tag, json): &(String, Json)| {
        let parsed = Tag::parse(tag).ok_or_else(|| format!("'{tag:.40}' is not a language tag (BCP 47)"))?;
        let label = label(json).ok_or_else(|| format!("is wrong in '{tag:.40}': the label must be a string"))?;
        Ok((parsed, label))
    };
    fields.iter().map(pair).collect()
}
