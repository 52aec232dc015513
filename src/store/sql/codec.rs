//! Sets and labels as the one text column each of them is kept in.

use crate::domain::community::{Communities, Community};
use crate::domain::json::string_members;
use crate::domain::labels::Labels;

/// Labels as a JSON object, ordered by tag.
pub fn labels_to_text(labels: &Labels) -> String {
    labels.to_string()
}

/// Labels from what [`labels_to_text`] wrote; `None` for anything else.
pub fn labels_from_text(text: &str) -> Option<Labels> {
    string_members(text).map(Labels::from_stored)
}

/// Communities in ascending order, separated by spaces.
pub fn communities_to_text(communities: &Communities) -> String {
    communities.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Communities from what [`communities_to_text`] wrote; `None` for anything else.
pub fn communities_from_text(text: &str) -> Option<Communities> {
    text.split_ascii_whitespace().map(Community::parse).collect()
}
