//! Use cases of the past: histories, the feed of changes, and the directory at any moment (docs/rollbook.md,
//! section 11).

use crate::domain::caller::{Permit, ReadChanges, ReadGroups, ReadUsers};
use crate::domain::client::{ClientKey, ClientUid};
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::history::{
    FeedPage, FeedQuery, HistoryOf, HistoryPage, HistoryQuery, JoinedGroupsAt, JoinedGroupsAtQuery, MembersAt,
    MembersAtQuery, Spell,
};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};

use super::{Service, complete_groups, users};

/// By how many seconds a moment may be ahead of this server's clock and still count as now.
const CLOCK_DIFFERENCE: i64 = 5;

impl Service {
    /// Returns a page of the history of the group and of its memberships. The query's subject and visibility do not
    /// count. Fails with `NotFound` if the caller may not see the group.
    pub(crate) async fn group_history(
        &self,
        permit: &Permit<ReadGroups>,
        group: &GroupKey,
        query: HistoryQuery,
    ) -> Result<HistoryPage> {
        let of = HistoryOf::Group(self.group_by_key(permit, group).await?.uid);
        self.store.history(HistoryQuery { of, visibility: permit.caller().visibility.clone(), ..query }).await
    }

    /// Returns a page of the history of the user and of their memberships of groups that the caller may see. The query's
    /// subject and visibility do not count. Fails with `NotFound`.
    pub(crate) async fn user_history(
        &self,
        permit: &Permit<ReadUsers>,
        user: &UserKey,
        query: HistoryQuery,
    ) -> Result<HistoryPage> {
        let of = HistoryOf::User(self.existing_user(user).await?.uid);
        self.store.history(HistoryQuery { of, visibility: permit.caller().visibility.clone(), ..query }).await
    }

    /// Returns each uninterrupted membership of the user in the group, the latest first. Fails with `NotFound` if the
    /// caller may not see the group, or if there is no such user.
    pub(crate) async fn membership_spells(
        &self,
        permit: &Permit<ReadGroups>,
        group: &GroupKey,
        user: &UserKey,
    ) -> Result<Vec<Spell>> {
        let group = self.group_by_key(permit, group).await?.uid;
        self.store.spells(group, self.existing_user(user).await?.uid).await
    }

    /// Returns a part of the feed, of what the caller may see. The query's visibility does not count. Fails with
    /// `NoLongerKept` for a position that is gone.
    pub(crate) async fn changes(&self, permit: &Permit<ReadChanges>, query: FeedQuery) -> Result<FeedPage> {
        self.store.changes(FeedQuery { visibility: permit.caller().visibility.clone(), ..query }).await
    }

    /// Returns the number of the group; `None` if there is none or the caller may not see it.
    pub(crate) async fn named_group(&self, permit: &Permit<ReadChanges>, key: &GroupKey) -> Result<Option<GroupUid>> {
        let visibility = &permit.caller().visibility;
        let group = self.store.group(key).await?.filter(|group| visibility.sees(&group.fields.communities));
        Ok(group.map(|group| group.uid))
    }

    /// Returns the number of the user; `None` if there is none.
    pub(crate) async fn named_user(&self, _permit: &Permit<ReadChanges>, key: &UserKey) -> Result<Option<UserUid>> {
        Ok(self.store.user(key).await?.map(|user| user.uid))
    }

    /// Returns the number of the client with this `client_id`; `None` if there is none.
    pub(crate) async fn named_client(&self, _permit: &Permit<ReadChanges>, id: &str) -> Result<Option<ClientUid>> {
        Ok(self.store.client(&ClientKey::Id(id.to_owned())).await?.map(|client| client.uid))
    }

    /// Returns the group as it was at the moment. Fails with `NotFound` if the caller may not see the group now or if it
    /// did not exist yet, and with `Invalid` for a moment in the future.
    pub(crate) async fn group_at(&self, permit: &Permit<ReadGroups>, key: &GroupKey, at: Timestamp) -> Result<Group> {
        let group = self.group_by_key(permit, key).await?.uid;
        let then = self.store.group_at(group, self.past_moment(at)?).await?;
        then.ok_or_else(|| complete_groups::not_found(key))
    }

    /// Returns the members that the group had at the moment. The query's group does not count. Fails as
    /// [`Self::group_at`] does.
    pub(crate) async fn members_at(
        &self,
        permit: &Permit<ReadGroups>,
        key: &GroupKey,
        query: MembersAtQuery,
    ) -> Result<MembersAt> {
        let (group, at) = (self.group_by_key(permit, key).await?, self.past_moment(query.at)?);
        if group.created > at {
            return Err(complete_groups::not_found(key));
        }
        self.store.members_at(MembersAtQuery { group: group.uid, ..query }).await
    }

    /// Returns the groups that the user was in at the moment, of those that the caller may see now. The query's user and
    /// visibility do not count. Fails with `NotFound` if there is no such user or if they did not exist yet, and with `Invalid` for a moment in the future.
    pub(crate) async fn joined_groups_at(
        &self,
        permit: &Permit<ReadGroups>,
        key: &UserKey,
        query: JoinedGroupsAtQuery,
    ) -> Result<JoinedGroupsAt> {
        let (present, at) = (self.existing_user(key).await?, self.past_moment(query.at)?);
        if present.created > at {
            return Err(users::not_found(key));
        }
        let user = present.uid;
        let visibility = permit.caller().visibility.clone();
        self.store.joined_groups_at(JoinedGroupsAtQuery { user, visibility, ..query }).await
    }

    async fn existing_user(&self, key: &UserKey) -> Result<User> {
        let user = self.store.user(key).await?;
        user.ok_or_else(|| users::not_found(key))
    }

    /// Returns the moment unless it is in the future.
    fn past_moment(&self, at: Timestamp) -> Result<Timestamp> {
        match at > self.clock.now().plus_seconds(CLOCK_DIFFERENCE) {
            true => Err(Error::invalid("at", "must not be in the future")),
            false => Ok(at),
        }
    }
}
