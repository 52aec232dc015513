//! Groups.

use super::community::Communities;
use super::id::Id;
use super::labels::Labels;
use super::time::Timestamp;
use super::xp::Xp;

/// The longest a description may be, in characters.
pub const DESCRIPTION_MAX: usize = 2_000;

/// A group's number: counted from 1, never changed, never reused. Core's `ID`.
pub type GroupUid = i64;

/// What the list of all groups tells of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub uid: GroupUid,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// The labels as [`Labels`] are printed.
    pub labels: String,
}

/// How a group is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// The live group with this ID, compared without regard to case.
    Id(Id),
    /// The group with this number, live or deleted.
    Uid(GroupUid),
    /// No group yet.
    New,
}

/// What callers write of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFields {
    pub id: Id,
    pub labels: Labels,
    pub description: Option<String>,
    pub xp: Option<Xp>,
    pub communities: Communities,
}

/// A group as the directory holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub uid: GroupUid,
    /// The label in the directory's default language, else the first.
    pub name: String,
    pub fields: GroupFields,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Set once the group is deleted: it is a tombstone then.
    pub deleted: Option<Timestamp>,
    /// Grows by one with each change.
    pub version: i64,
    /// How many live users are in the group.
    pub members: i64,
}
