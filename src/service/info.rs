//! Use cases that tell callers about themselves and the directory.

use crate::domain::caller::{Caller, Permission as _, ReadGroups, ReadUsers};
use crate::domain::client::{Client, ClientKey};
use crate::domain::counts::Counts;
use crate::domain::error::{Error, Result};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;

use super::Service;

/// What a caller may know about the directory. A number is `None` if the caller may not know it, or if counting costs too
/// much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryInfo {
    /// The name of the database: `sqlite` or `postgres`.
    pub store: &'static str,
    /// Live groups that the caller may see.
    pub groups: Option<u64>,
    /// Live users.
    pub users: Option<u64>,
    /// Memberships of live users in these groups.
    pub memberships: Option<u64>,
    /// The changes that the journal ever got, each of a batch by itself.
    pub changes: Option<u64>,
    /// The time of the first change that the journal has.
    pub oldest_change: Option<Timestamp>,
}

impl Service {
    /// Returns the client of the caller's token, if there is one. Every caller may know this client.
    pub(crate) async fn own_client(&self, caller: &Caller) -> Result<Option<Client>> {
        match caller.actor.client {
            Some(uid) => self.store.client(&ClientKey::Uid(uid)).await,
            None => Ok(None),
        }
    }

    /// Returns what the caller may know about the directory: numbers of what the caller's roles read, and, for callers
    /// with `FullAccess` or `Auditor` that are not limited to communities, of the journal. A caller limited to communities
    /// never learns a number of all groups.
    pub(crate) async fn directory_info(&self, caller: &Caller) -> Result<DirectoryInfo> {
        let counts = match self.store.counts(&caller.visibility).await {
            Err(Error::ListTooCostly) => None,
            counts => Some(counts?),
        };
        let counted = |roles: Roles| counts.filter(|_| caller.roles.intersects(roles));
        let reads_journal = caller.visibility.limit().is_none();
        let journal = counted(Roles::FULL_ACCESS.with(Roles::AUDITOR)).filter(|_| reads_journal);
        let of_groups = |number: fn(Counts) -> Option<u64>| counted(ReadGroups::ROLES).and_then(number);
        Ok(DirectoryInfo {
            store: self.store.name(),
            groups: of_groups(|counts| counts.groups),
            users: counted(ReadUsers::ROLES).map(|counts| counts.users),
            memberships: of_groups(|counts| counts.memberships),
            changes: journal.map(|counts| counts.changes),
            oldest_change: journal.and_then(|counts| counts.oldest_change),
        })
    }
}
