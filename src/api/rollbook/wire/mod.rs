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

pub(super) use crate::http::response::json::date;

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
