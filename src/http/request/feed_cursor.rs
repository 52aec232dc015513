//! Cursors of the feed of changes (docs/rollbook.md, section 11).

use uuid::Uuid;

use crate::domain::cursor::{Position, SortValue};
use crate::domain::history::{ChangeId, FeedPosition};

use super::cursor::Binding;

/// The cursors of the feed of one directory. They are bound to nothing else, so that a reader can change its filter.
#[derive(Clone, Debug)]
pub(crate) struct FeedCursors(Binding);

impl FeedCursors {
    /// The cursors of the directory with this identity.
    pub(crate) fn of(directory: Uuid) -> Self {
        Self(Binding::new("changes", [("directory", &*directory.to_string())]))
    }

    /// The cursor of the position.
    pub(crate) fn encode(&self, FeedPosition { transaction, change, operation }: &FeedPosition) -> String {
        self.0.encode(&Position(vec![
            SortValue::Integer(*transaction),
            SortValue::Integer(change.seq),
            SortValue::Integer(change.index.into()),
            SortValue::Text(operation.clone()),
        ]))
    }

    /// The position of the cursor; `None` if it is none of this feed, or of another directory's.
    pub(crate) fn decode(&self, cursor: &str) -> Option<FeedPosition> {
        match &self.0.decode(cursor)?.0[..] {
            [
                SortValue::Integer(transaction),
                SortValue::Integer(seq),
                SortValue::Integer(index),
                SortValue::Text(operation),
            ] => Some(FeedPosition {
                transaction: *transaction,
                change: ChangeId { seq: *seq, index: u32::try_from(*index).ok()? },
                operation: operation.clone(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_directory() {
        let change = ChangeId { seq: 7, index: u32::MAX };
        let position = FeedPosition { transaction: 0, change, operation: "o".to_owned() };
        let cursor = FeedCursors::of(Uuid::from_u128(1)).encode(&position);
        assert_eq!(FeedCursors::of(Uuid::from_u128(1)).decode(&cursor), Some(position));
        assert_eq!(FeedCursors::of(Uuid::from_u128(2)).decode(&cursor), None);
    }
}
