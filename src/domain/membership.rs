//! Memberships of users in groups.

use super::change::Precondition;
use super::community::Visibility;
use super::cursor::Position;
use super::error::{Error, Result};
use super::group::{Group, GroupKey, GroupUid};
use super::id::Id;
use super::query::{Page, Search, UserField};
use super::time::Timestamp;
use super::user::{User, UserKey};

/// A live user in a live group, by their current IDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group's ID.
    pub group: Id,
    /// The user's ID.
    pub user: Id,
}

/// A query for the memberships that a caller may see, ordered by group ID, then user ID.
#[derive(Clone, Debug)]
pub struct MembershipQuery {
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// Only memberships in this group.
    pub group: Option<Id>,
    /// Only memberships of this user.
    pub user: Option<Id>,
    /// The page to return.
    pub page: Page,
}

/// The outcome of adding or removing a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipOutcome {
    /// The membership was added or removed.
    Done,
    /// Nothing changed: the membership already existed, or did not exist.
    Unchanged,
    /// The caller may see no live group with that ID.
    NoGroup,
    /// No live user has that ID.
    NoUser,
}

/// The maximum number of users that one change of members names, and of members that it removes.
pub(crate) const MEMBERS_MAX: usize = 100_000;

/// A change of the members of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembersChange {
    /// These users are added, those removed. Nobody is both.
    Delta {
        /// The users who are members afterwards.
        add: Vec<UserKey>,
        /// The users who are no members afterwards.
        remove: Vec<UserKey>,
    },
    /// Exactly these users are members afterwards.
    Exactly(Vec<UserKey>),
}

impl MembersChange {
    /// The users who are members afterwards, and those who are not.
    pub fn named(&self) -> (&[UserKey], &[UserKey]) {
        match self {
            Self::Delta { add, remove } => (add, remove),
            Self::Exactly(members) => (members, &[]),
        }
    }

    /// Whether nobody else is a member afterwards.
    pub fn is_exact(&self) -> bool {
        matches!(self, Self::Exactly(_))
    }
}

/// What happens with keys that no live user has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownUsers {
    /// The change is refused.
    #[default]
    Refuse,
    /// They are left out and reported.
    Ignore,
}

/// How a change of members is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembersOptions {
    /// What happens with unknown users.
    pub unknown: UnknownUsers,
    /// Whether only the outcome is computed, and nothing is changed.
    pub dry_run: bool,
    /// The maximum number of members that may be removed.
    pub max_removals: Option<u64>,
    /// The maximum share of the present members that may be removed, in percent.
    pub max_removal_percent: Option<u8>,
    /// The condition on the list of the group's members: on the group's number and the version of its memberships.
    pub precondition: Option<Precondition>,
}

impl MembersOptions {
    /// Checks that so many of the group's members may be removed.
    pub fn check_removals(&self, removals: u64, members: u64) -> Result<()> {
        let share = self.max_removal_percent.map(|percent| members.saturating_mul(percent.into()) / 100);
        let limits = [Some(MEMBERS_MAX as u64), self.max_removals, share];
        match limits.into_iter().flatten().min() {
            Some(allowed) if removals > allowed => Err(Error::TooManyRemovals { removals, allowed, members }),
            _ => Ok(()),
        }
    }
}

/// The outcome of a change of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembersOutcome {
    /// The number of the group.
    pub group: GroupUid,
    /// The number of users who were added.
    pub added: u64,
    /// The number of members who were removed.
    pub removed: u64,
    /// The number of named users who were already what the change makes them.
    pub unchanged: u64,
    /// The keys that no live user has.
    pub unknown: Vec<UserKey>,
    /// The version of the group's memberships afterwards.
    pub members_version: i64,
}

/// By what the members of a group are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKey {
    /// When the user was added.
    Since,
    /// A field of the user. Groups of any size are sorted by the ID, others up to [`SORTED_MEMBERS_MAX`] members.
    Own(UserField),
}

/// The maximum size of a group whose members are sorted by what no index of memberships has.
pub(crate) const SORTED_MEMBERS_MAX: u64 = 10_000;

/// By what the groups of a user are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinedGroupKey {
    /// The group's number.
    Uid,
    /// The group's Name.
    Name,
}

/// A query on the members of one group.
#[derive(Clone, Debug)]
pub struct MemberQuery {
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// The group.
    pub group: GroupKey,
    /// The search, if there is one.
    pub search: Option<Search<UserField>>,
    /// The order.
    pub key: MemberKey,
    /// Whether the order is reversed.
    pub descending: bool,
    /// The position after which the page begins, the sort key and the number; `None` = at the beginning.
    pub after: Option<Position>,
    /// The maximum number of members to return, at least 1.
    pub limit: u32,
}

/// A query on the groups of one user.
#[derive(Clone, Debug)]
pub struct JoinedGroupQuery {
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// The user.
    pub user: UserKey,
    /// The order.
    pub key: JoinedGroupKey,
    /// Whether the order is reversed.
    pub descending: bool,
    /// The position after which the page begins, the sort key and the number; `None` = at the beginning.
    pub after: Option<Position>,
    /// The maximum number of groups to return, at least 1.
    pub limit: u32,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// When the user was added.
    pub since: Timestamp,
    /// The number of the journal entry that gave the membership; `None` = unknown.
    pub change: Option<i64>,
}

/// A group that a user is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedGroup {
    /// The group.
    pub group: Group,
    /// When the user was added.
    pub since: Timestamp,
    /// The number of the journal entry that gave the membership; `None` = unknown.
    pub change: Option<i64>,
}
