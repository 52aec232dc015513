//! Responses of Rollbook's own API (docs/rollbook.md, sections 3 and 7). Every property is always present; it is null if
//! it is not set.

mod changes;
mod clients;
mod erasure;
mod groups;
mod members;
mod names;
mod operations;
mod restore;
mod sign_ins;
mod statistics;
mod undo;
mod users;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::community::{Communities, Visibility};
use crate::domain::time::Timestamp;

pub(super) use changes::{Change, Changes, Spell, Spells};
pub(super) use clients::{Client, Key, Keys, Page, Token, WithSecret};
pub(super) use erasure::ErasedUser;
pub(super) use groups::Group;
pub(super) use members::{JoinedGroup, Member, MembersChange, Reader};
pub(super) use operations::Operation;
pub(super) use restore::{RestoredGroup, RestoredUser};
pub(super) use sign_ins::{SignIn, SignIns};
pub(super) use statistics::Statistics;
pub(super) use undo::Undone;
pub(super) use users::User;

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
    visibility.seen(communities).map(ToString::to_string).collect()
}

/// RFC 3339 in UTC, with all digits of the second: `2019-06-04T20:35:36.38Z`.
pub(super) fn date(moment: Timestamp) -> String {
    format!("{}Z", moment.to_civil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc_with_all_digits() {
        for text in ["2019-06-04T20:35:36.38Z", "2019-06-04T20:35:36Z", "2019-06-04T00:00:00.000001Z"] {
            assert_eq!(date(Timestamp::parse_iso(text).unwrap()), text);
        }
    }
}
