//! Request bodies of Rollbook's own API (docs/rollbook.md): those of whole entities, which the console reads too, and its
//! own.

mod restore;
mod undo;

pub(super) use crate::http::entities::{
    all_members, client, client_change, group, group_change, members_delta, new_user, nothing, password,
    publish_seconds, token, user, user_change,
};
pub(super) use restore::{GroupRestore, UserRestore};
pub(super) use undo::UndoFilter;
