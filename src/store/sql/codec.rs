//! The encoding of labels and communities: each is stored in one text column.

use crate::domain::community::{Communities, Community};
use crate::domain::labels::Labels;
use crate::json::string_fields;

/// Encodes labels as a JSON object, ordered by tag.
pub(crate) fn labels_to_text(labels: &Labels) -> String {
    labels.to_string()
}

/// Decodes the text of [`labels_to_text`]; `None` for any other text.
pub(crate) fn labels_from_text(text: &str) -> Option<Labels> {
    string_fields(text).map(Labels::from_stored)
}

/// The communities as columns store them.
pub(crate) fn community_names<'a>(communities: impl Iterator<Item = &'a Community>) -> Vec<String> {
    communities.map(ToString::to_string).collect()
}

/// Encodes communities in ascending order, separated by spaces.
pub(crate) fn communities_to_text(communities: &Communities) -> String {
    community_names(communities.iter()).join(" ")
}

/// Decodes the text of [`communities_to_text`]; `None` for any other text.
pub(crate) fn communities_from_text(text: &str) -> Option<Communities> {
    text.split_ascii_whitespace().map(Community::parse).collect()
}
