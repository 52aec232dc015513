//! The size of the directory.

use super::time::Timestamp;

/// The numbers of what the directory has, from one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Live groups that the caller may see; `None` if counting them costs too much.
    pub groups: Option<u64>,
    /// Live users.
    pub users: u64,
    /// Memberships of live users in these groups; `None` if counting them costs too much.
    pub memberships: Option<u64>,
    /// The changes that the journal ever got, each of a batch by itself.
    pub changes: u64,
    /// The time of the first change that the journal has; `None` in a new directory.
    pub oldest_change: Option<Timestamp>,
}
