//! User groups.

use std::fmt;

use super::community::Communities;
use super::id::Id;
use super::labels::Labels;
use super::time::Timestamp;
use super::xp::Xp;

/// The maximum length of a description, in characters.
pub const DESCRIPTION_MAX: usize = 2_000;

/// A group's number, Core's `ID`: from 1, never changed, never reused.
pub type GroupUid = i64;

/// A group in the list of all groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSummary {
    /// The group's number.
    pub uid: GroupUid,
    /// The time of creation.
    pub created: Timestamp,
    /// The time of the last change.
    pub updated: Timestamp,
    /// The labels as a JSON object, in the format in which [`Labels`] are displayed.
    pub labels: String,
}

/// A key to look up a group by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// The live group with this ID, compared without regard to case.
    Id(Id),
    /// The group with this number, live or deleted.
    Uid(GroupUid),
}

impl fmt::Display for GroupKey {
    /// Writes the ID or the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Uid(uid) => uid.fmt(f),
        }
    }
}

/// The fields of a group that callers set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFields {
    /// The text key, unique among live groups without regard to case.
    pub id: Id,
    /// The group's names by language.
    pub labels: Labels,
    /// The description, at most [`DESCRIPTION_MAX`] characters.
    pub description: Option<String>,
    /// The extended properties.
    pub xp: Option<Xp>,
    /// The communities that the group is linked to.
    pub communities: Communities,
}

/// A group as the directory stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's number.
    pub uid: GroupUid,
    /// The label in the directory's default language; the first label if there is none.
    pub name: String,
    /// The fields that callers set.
    pub fields: GroupFields,
    /// The time of creation.
    pub created: Timestamp,
    /// The time of the last change. Changes of memberships do not count.
    pub updated: Timestamp,
    /// The time of deletion; `None` = the group is live. A deleted group stays stored as a tombstone.
    pub deleted: Option<Timestamp>,
    /// The version, which grows by one with each change. Changes of memberships do not count.
    pub version: i64,
    /// The number of live users in the group.
    pub members: i64,
    /// The version of the group's memberships, which grows by one with each change that moves `members`.
    pub members_version: i64,
}
