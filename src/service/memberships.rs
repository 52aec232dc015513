//! Memberships: OrderCloud's user group assignments.

use crate::domain::error::{Error, Kind, Result};
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
        match self.store.add_member(self.operation(caller), visibility, member.clone()).await? {
            MembershipChange::Done | MembershipChange::Unchanged => Ok(()),
            MembershipChange::NoGroup => Err(Error::NotFound(Kind::Group, member.group.to_string())),
            MembershipChange::NoUser => Err(Error::NotFound(Kind::User, member.user.to_string())),
        }
    }

    /// Takes a user out of a group. A pair that is not there is `NotFound`, named by its user, who is what the
    /// caller's last path segment asks for.
    pub async fn remove_member(&self, permit: &Permit<WriteGroups>, member: Membership) -> Result<()> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        match self.store.remove_member(self.operation(caller), visibility, member.clone()).await? {
            MembershipChange::Done => Ok(()),
            MembershipChange::Unchanged => Err(Error::NotFound(Kind::Membership, member.user.to_string())),
            MembershipChange::NoGroup => Err(Error::NotFound(Kind::Group, member.group.to_string())),
            MembershipChange::NoUser => Err(Error::NotFound(Kind::User, member.user.to_string())),
        }
    }
}
