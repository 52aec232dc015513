//! Memberships: OrderCloud's user group assignments.

use crate::domain::error::{Error, Kind, Result};
use crate::domain::journal::Operation;
use crate::domain::membership::{Membership, MembershipChange, MembershipQuery};
use crate::domain::query::Listed;
use crate::domain::role::{Permit, ReadGroups, WriteGroups};

use super::Service;

impl Service {
    /// One page of the memberships that match, of groups the caller may see.
    pub async fn list_memberships(
        &self,
        permit: &Permit<ReadGroups>,
        mut query: MembershipQuery,
    ) -> Result<Listed<Membership>> {
        query.visibility = permit.caller().visibility.clone();
        self.store.list_memberships(query).await
    }

    /// Puts a user into a group; a user who is in it stays in it.
    pub async fn add_member(&self, permit: &Permit<WriteGroups>, member: Membership) -> Result<()> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let operation = self.operation(caller);
        match self.store.add_member(operation.clone(), visibility, member.clone()).await? {
            MembershipChange::Done => {
                log_membership(&operation, &member, "added");
                Ok(())
            }
            MembershipChange::Unchanged => Ok(()),
            MembershipChange::NoGroup => Err(Error::NotFound(Kind::Group, member.group.to_string())),
            MembershipChange::NoUser => Err(Error::NotFound(Kind::User, member.user.to_string())),
        }
    }

    /// Takes a user out of a group. A pair that is not there is `NotFound`, named by its user, who is what the
    /// caller's last path segment asks for.
    pub async fn remove_member(&self, permit: &Permit<WriteGroups>, member: Membership) -> Result<()> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let operation = self.operation(caller);
        match self.store.remove_member(operation.clone(), visibility, member.clone()).await? {
            MembershipChange::Done => {
                log_membership(&operation, &member, "removed");
                Ok(())
            }
            MembershipChange::Unchanged => Err(Error::NotFound(Kind::Membership, member.user.to_string())),
            MembershipChange::NoGroup => Err(Error::NotFound(Kind::Group, member.group.to_string())),
            MembershipChange::NoUser => Err(Error::NotFound(Kind::User, member.user.to_string())),
        }
    }
}

fn log_membership(operation: &Operation, member: &Membership, change: &str) {
    let (door, user, client) = (operation.door.name(), operation.actor.user, operation.actor.client);
    let Membership { group, user: added } = member;
    tracing::info!(operation = operation.id, door, user, client, kind = "membership", %group, member = %added, change, "written");
}
