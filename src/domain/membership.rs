//! Memberships: which user is in which group.

use super::community::Visibility;
use super::id::Id;
use super::query::Page;

/// A live user in a live group, by the IDs they have now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub group: Id,
    pub user: Id,
}

/// A page of the memberships a caller may see, ordered by group ID, then user ID.
#[derive(Clone, Debug)]
pub struct MembershipQuery {
    pub visibility: Visibility,
    /// Only those of this group.
    pub group: Option<Id>,
    /// Only those of this user.
    pub user: Option<Id>,
    pub page: Page,
}

/// What became of adding or removing a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// It was added or removed.
    Done,
    /// It was there, or was not there, already: nothing changed.
    Unchanged,
    /// No live group with that ID that the caller may see.
    NoGroup,
    /// No live user with that ID.
    NoUser,
}
