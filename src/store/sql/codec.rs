//! Sets and labels as the one text column each of them is kept in.

use crate::domain::community::{Communities, Community};
use crate::domain::json::Json;
use crate::domain::labels::Labels;

/// Labels as a JSON object, ordered by tag.
pub fn labels_to_text(labels: &Labels) -> String {
    let member = |(tag, label): (&str, &str)| (tag.to_owned(), Json::String(label.to_owned()));
    Json::Object(labels.iter().map(member).collect()).to_string()
}

/// Labels from what [`labels_to_text`] wrote; `None` for anything else.
pub fn labels_from_text(text: &str) -> Option<Labels> {
    let Ok(Json::Object(members)) = Json::parse(text.as_bytes()) else { return None };
    let label = |(tag, label)| match label {
        Json::String(label) => Some((tag, label)),
        _ => None,
    };
    Some(Labels::from_stored(members.into_iter().map(label).collect::<Option<Vec<_>>>()?))
}

/// Communities in ascending order, separated by spaces.
pub fn communities_to_text(communities: &Communities) -> String {
    communities.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Communities from what [`communities_to_text`] wrote; `None` for anything else.
pub fn communities_from_text(text: &str) -> Option<Communities> {
    text.split_ascii_whitespace().map(Community::parse).collect()
}
