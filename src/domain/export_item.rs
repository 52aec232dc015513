//! The items of an export.

use super::group::Group;
use super::membership::Membership;
use super::user::User;

/// One item of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportItem {
    /// A live group.
    Group(Group),
    /// A live user.
    User(User),
    /// A live user in a live group.
    Membership(Membership),
}
