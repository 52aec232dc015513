//! Use cases of memberships, which are OrderCloud's user group assignments.

use std::collections::{BTreeSet, HashMap};

use crate::domain::actor::NamedActor;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::cursor::CursorPage;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupKey};
use crate::domain::journal::Operation;
use crate::domain::membership::{
    JoinedGroup, JoinedGroupQuery, Member, MemberQuery, MembersChange, MembersOptions, MembersOutcome, Membership,
    MembershipOutcome, MembershipQuery,
};
use crate::domain::query::ListResult;
use crate::domain::user::{User, UserKey};

use super::Service;

impl Service {
    /// Returns one page of the memberships that match the query, of groups that the caller may see.
    pub async fn list_memberships(
        &self,
        permit: &Permit<ReadGroups>,
        mut query: MembershipQuery,
    ) -> Result<ListResult<Membership>> {
        query.visibility = permit.caller().visibility.clone();
        self.store.list_memberships(query).await
    }

    /// Returns a page of the members of a group that the caller may see, and the group.
    pub async fn list_members(
        &self,
        permit: &Permit<ReadGroups>,
        mut query: MemberQuery,
    ) -> Result<(Group, CursorPage<Member>)> {
        query.visibility = permit.caller().visibility.clone();
        self.store.list_members(query).await
    }

    /// Returns a page of a user's groups that the caller may see, and the user.
    pub async fn list_joined_groups(
        &self,
        permit: &Permit<ReadGroups>,
        mut query: JoinedGroupQuery,
    ) -> Result<(User, CursorPage<JoinedGroup>)> {
        query.visibility = permit.caller().visibility.clone();
        self.store.list_joined_groups(query).await
    }

    /// Returns the membership of the user in a group that the caller may see. Fails with `NotFound` if the group, the
    /// user or the membership does not exist.
    pub async fn member(&self, permit: &Permit<ReadGroups>, group: &GroupKey, user: &UserKey) -> Result<Member> {
        self.store.member(&permit.caller().visibility, group, user).await
    }

    /// Returns who gave memberships, by the numbers of the journal entries that gave them, which a list of memberships
    /// returned. Those of whom nothing is known are left out.
    pub async fn actors_of(
        &self,
        _permit: &Permit<ReadGroups>,
        changes: impl IntoIterator<Item = Option<i64>>,
    ) -> Result<HashMap<i64, NamedActor>> {
        let entries: BTreeSet<i64> = changes.into_iter().flatten().collect();
        if entries.is_empty() {
            return Ok(HashMap::new());
        }
        self.store.actors(&Vec::from_iter(entries)).await
    }

    /// Adds a user to a group. Does nothing if the user is a member already. Fails with `NotFound` if there is no such
    /// live group or user, or if the caller may not see the group, and with `PreconditionFailed` for a
    /// conditional request.
    pub async fn add_member(&self, permit: &Permit<WriteGroups>, member: Membership) -> Result<()> {
        permit.refuse_condition()?;
        let (operation, visibility) = (self.operation(permit), permit.caller().visibility.clone());
        match self.store.add_member(operation.clone(), visibility, member.clone()).await? {
            MembershipOutcome::Done => {
                log_membership(&operation, &member, "added");
                Ok(())
            }
            MembershipOutcome::Unchanged => Ok(()),
            MembershipOutcome::NoGroup => Err(Error::NotFound(ResourceKind::Group, member.group.to_string())),
            MembershipOutcome::NoUser => Err(Error::NotFound(ResourceKind::User, member.user.to_string())),
        }
    }

    /// Removes a user from a group. Fails with `NotFound` if there is no such live group, user or membership, or if the
    /// caller may not see the group. The error for a missing membership names the user, who is the last segment of the
    /// path.
    pub async fn remove_member(&self, permit: &Permit<WriteGroups>, member: Membership) -> Result<()> {
        permit.refuse_condition()?;
        let (operation, visibility) = (self.operation(permit), permit.caller().visibility.clone());
        match self.store.remove_member(operation.clone(), visibility, member.clone()).await? {
            MembershipOutcome::Done => {
                log_membership(&operation, &member, "removed");
                Ok(())
            }
            MembershipOutcome::Unchanged => Err(Error::NotFound(ResourceKind::Membership, member.user.to_string())),
            MembershipOutcome::NoGroup => Err(Error::NotFound(ResourceKind::Group, member.group.to_string())),
            MembershipOutcome::NoUser => Err(Error::NotFound(ResourceKind::User, member.user.to_string())),
        }
    }

    /// Changes the members of the group: adds and removes users, or makes exactly these users its members. Fails with
    /// `NotFound` if there is no such group or the caller may not see it, with `AlreadyDeleted` for the number of a
    /// deleted group, and as the options demand; then nothing is changed. A condition of the permit fails with
    /// `PreconditionFailed`, because the condition on the memberships is in the options. The answer of a dry run is not
    /// recorded.
    pub async fn change_members(
        &self,
        permit: &Permit<WriteGroups>,
        group: GroupKey,
        change: MembersChange,
        options: MembersOptions,
    ) -> Result<MembersOutcome> {
        permit.refuse_condition()?;
        let (mut operation, visibility) = (self.operation(permit), permit.caller().visibility.clone());
        let is_dry_run = options.dry_run;
        if is_dry_run {
            operation.recording = None;
        }
        let outcome = self.store.change_members(operation.clone(), visibility, group, change, options).await?;
        let MembersOutcome { group, added, removed, .. } = outcome;
        if !is_dry_run && added + removed > 0 {
            let (channel, user, client) = (operation.channel.name(), operation.actor.user, operation.actor.client);
            let operation = &operation.id;
            tracing::info!(operation, channel, user, client, kind = "members", group, added, removed, "written");
        }
        Ok(outcome)
    }

    /// Makes the user a member of the group; does nothing if the user is one already. Fails as [`Self::change_members`]
    /// does, and with `NotFound` if there is no such live user.
    pub async fn put_member(&self, permit: &Permit<WriteGroups>, group: GroupKey, user: UserKey) -> Result<()> {
        self.change_member(permit, group, MembersChange::Delta { add: vec![user], remove: Vec::new() }).await
    }

    /// Removes the user from the group; does nothing if the user is no member. Fails as [`Self::change_members`] does, and
    /// with `NotFound` if there is no such live user.
    pub async fn delete_member(&self, permit: &Permit<WriteGroups>, group: GroupKey, user: UserKey) -> Result<()> {
        self.change_member(permit, group, MembersChange::Delta { add: Vec::new(), remove: vec![user] }).await
    }

    async fn change_member(&self, permit: &Permit<WriteGroups>, group: GroupKey, change: MembersChange) -> Result<()> {
        match self.change_members(permit, group, change, MembersOptions::default()).await {
            Ok(_) => Ok(()),
            Err(Error::UnknownUsers(users)) => {
                let user = users.first().map(ToString::to_string).unwrap_or_default();
                Err(Error::NotFound(ResourceKind::User, user))
            }
            Err(error) => Err(error),
        }
    }
}

fn log_membership(operation: &Operation, member: &Membership, change: &str) {
    let (channel, user, client) = (operation.channel.name(), operation.actor.user, operation.actor.client);
    let Membership { group, user: added } = member;
    let operation = &operation.id;
    tracing::info!(operation, channel, user, client, kind = "membership", %group, member = %added, change, "written");
}
