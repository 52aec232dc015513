//! Use cases of the past: histories, the feed of changes, and the directory at any moment (docs/rollbook.md,
//! section 11).

use crate::domain::caller::{Permit, ReadChanges, ReadGroups, ReadUsers, SelectChanges};
use crate::domain::change_type::ChangeType;
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
    /// Returns the number of the group, and a page of its history and that of its memberships. The query's subject and visibility do not
    /// count. Fails with `NotFound` if the caller may not see the group.
    pub(crate) async fn group_history(
        &self,
        permit: &Permit<ReadGroups>,
        group: &GroupKey,
        query: HistoryQuery,
    ) -> Result<(GroupUid, HistoryPage)> {
        let uid = self.group_by_key(permit, group).await?.uid;
        let (of, visibility) = (HistoryOf::Group(uid), permit.caller().visibility.clone());
        Ok((uid, self.store.history(HistoryQuery { of, visibility, ..query }).await?))
    }

    /// Returns the number of the user, and a page of their history and that of their memberships of groups that the caller
    /// may see; without a role that reads groups, of no groups. The query's subject and visibility do not count. Fails with
    /// `NotFound`.
    pub(crate) async fn user_history(
        &self,
        permit: &Permit<ReadUsers>,
        user: &UserKey,
        query: HistoryQuery,
    ) -> Result<(UserUid, HistoryPage)> {
        let uid = self.existing_user(user).await?.uid;
        let (of, visibility) = (HistoryOf::User(uid), permit.caller().visibility.clone());
        let is_shown = |kind: &ChangeType| ChangeType::OF_USERS.contains(kind);
        let types =
            match permit.caller().permit::<ReadGroups>() {
                Ok(_) => query.types,
                Err(_) => Some(query.types.map_or_else(
                    || ChangeType::OF_USERS.to_vec(),
                    |types| types.into_iter().filter(is_shown).collect(),
                )),
            };
        Ok((uid, self.store.history(HistoryQuery { of, visibility, types, ..query }).await?))
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
    pub(crate) async fn named_group(
        &self,
        permit: &Permit<impl SelectChanges>,
        key: &GroupKey,
    ) -> Result<Option<GroupUid>> {
        let visibility = &permit.caller().visibility;
        let group = self.store.group(key).await?.filter(|group| visibility.sees(&group.fields.communities));
        Ok(group.map(|group| group.uid))
    }

    /// Returns the number of the user; `None` if there is none.
    pub(crate) async fn named_user(
        &self,
        _permit: &Permit<impl SelectChanges>,
        key: &UserKey,
    ) -> Result<Option<UserUid>> {
        Ok(self.store.user(key).await?.map(|user| user.uid))
    }

    /// Returns the number of the client with this `client_id`; `None` if there is none, or if the caller is limited to
    /// communities and may know of no clients.
    pub(crate) async fn named_client(
        &self,
        permit: &Permit<impl SelectChanges>,
        id: &str,
    ) -> Result<Option<ClientUid>> {
        match self.store.client(&ClientKey::Id(id.to_owned())).await? {
            Some(client) if permit.caller().visibility.limit().is_none() => Ok(Some(client.uid)),
            _ => Ok(None),
        }
    }

    /// Returns the group as it was at the moment. Fails with `NotFound` if the caller may not see the group now or if it
    /// did not exist yet, and with `Invalid` for a moment in the future.
    pub(crate) async fn group_at(&self, permit: &Permit<ReadGroups>, key: &GroupKey, at: Timestamp) -> Result<Group> {
        let group = self.group_by_key(permit, key).await?.uid;
        let then = self.store.group_at(group, self.past_moment(at)?).await?;
        then.ok_or_else(|| complete_groups::not_found(key))
    }

    /// Returns the number of the group, and the members that it had at the moment. The query's group does not count. Fails as
    /// [`Self::group_at`] does.
    pub(crate) async fn members_at(
        &self,
        permit: &Permit<ReadGroups>,
        key: &GroupKey,
        query: MembersAtQuery,
    ) -> Result<(GroupUid, MembersAt)> {
        let (group, at) = (self.group_by_key(permit, key).await?, self.past_moment(query.at)?);
        if group.created > at {
            return Err(complete_groups::not_found(key));
        }
        Ok((group.uid, self.store.members_at(MembersAtQuery { group: group.uid, ..query }).await?))
    }

    /// Returns the number of the user, and the groups that they were in at the moment, of those that the caller may see now. The query's user and
    /// visibility do not count. Fails with `NotFound` if there is no such user or if they did not exist yet, and with `Invalid` for a moment in the future.
    pub(crate) async fn joined_groups_at(
        &self,
        permit: &Permit<ReadGroups>,
        key: &UserKey,
        query: JoinedGroupsAtQuery,
    ) -> Result<(UserUid, JoinedGroupsAt)> {
        let (present, at) = (self.existing_user(key).await?, self.past_moment(query.at)?);
        if present.created > at {
            return Err(users::not_found(key));
        }
        let user = present.uid;
        let visibility = permit.caller().visibility.clone();
        Ok((user, self.store.joined_groups_at(JoinedGroupsAtQuery { user, visibility, ..query }).await?))
    }

    /// Returns the user with the key, live or, by the number, deleted. Fails with `NotFound`.
    pub(super) async fn existing_user(&self, key: &UserKey) -> Result<User> {
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
