//! The labels of a group as rows, for filters and sorting.

use crate::domain::labels::Labels;
use crate::domain::text::fold;
use crate::store::copy::Row;

use super::xp::{path_key, split};

/// One row of the table of labels. The view `group_label_entries` shows it as the table of xp entries has its rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LabelRow {
    /// The lower-case tag of the language, as [`path_key`] stores it.
    pub tag: String,
    /// The beginning of the folded label.
    pub text: String,
    /// The remaining characters.
    pub rest: String,
}

impl LabelRow {
    /// Returns the row of the owner, with the columns of [`GROUP_LABELS`](super::derived::GROUP_LABELS).
    pub(crate) fn into_row(self, owner: i64) -> Row {
        vec![owner.into(), self.tag.into(), self.text.into(), self.rest.into()]
    }
}

/// Returns the rows of the labels.
pub(crate) fn rows(labels: &Labels) -> impl Iterator<Item = LabelRow> {
    labels.iter().map(|(tag, label)| {
        let folded = fold(label);
        let (text, rest) = split(&folded);
        LabelRow { tag: path_key(&tag.to_ascii_lowercase()), text: text.to_owned(), rest: rest.to_owned() }
    })
}
