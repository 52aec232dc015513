//! Anything that the directory lists.

use super::group::Group;
use super::membership::Membership;
use super::user::User;

/// A group, a user, or a user in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Group(Group),
    User(User),
    Membership(Membership),
}
