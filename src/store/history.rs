//! The interface of a store to the past: what changed, and what was.

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::group::{Group, GroupUid};
use crate::domain::history::{
    FeedPage, FeedPosition, FeedQuery, HistoryPage, HistoryQuery, JoinedGroupsAt, JoinedGroupsAtQuery, JournaledPage,
    MembersAt, MembersAtQuery, Spell,
};
use crate::domain::sign_in::{SignInPage, SignInQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};

/// Reads from the journal, each in one snapshot. All fail with `ListTooCostly` if that exceeds the time limit of a list.
#[async_trait]
pub trait Past {
    /// Returns a page of the changes of one entity.
    async fn history(&self, query: HistoryQuery) -> Result<HistoryPage>;
    /// Returns each uninterrupted membership of the user in the group, the latest first.
    async fn spells(&self, group: GroupUid, user: UserUid) -> Result<Vec<Spell>>;
    /// Returns a part of the feed of all changes. Fails with `NoLongerKept` if the change of the position is gone, or is
    /// another one.
    async fn changes(&self, query: FeedQuery) -> Result<FeedPage>;
    /// Returns the same part of the feed, with numbers instead of names.
    async fn journaled_changes(&self, query: FeedQuery) -> Result<JournaledPage>;
    /// Returns a part of the recorded sign-ins. Fails with `NoLongerKept` if the sign-in of the position is gone, or is
    /// another one.
    async fn sign_ins(&self, query: SignInQuery) -> Result<SignInPage>;
    /// Returns the last position of the feed, behind which nothing can be read yet; `None` in an empty feed.
    async fn feed_end(&self) -> Result<Option<FeedPosition>>;
    /// Waits until the feed may have grown since the call before: SQLite knows that of its own commits at once and of
    /// those of other processes within half a second; PostgreSQL only lets the time between two looks pass. `seen` is
    /// 0 before the first call. The wait can be broken off.
    async fn wait_for_feed(&self, seen: &mut u64);
    /// Returns the group as it was at the moment, with the number of its members then; `None` if it did not exist yet.
    async fn group_at(&self, group: GroupUid, at: Timestamp) -> Result<Option<Group>>;
    /// Returns the user as they were at the moment; `None` if they did not exist yet.
    async fn user_at(&self, user: UserUid, at: Timestamp) -> Result<Option<User>>;
    /// Returns a page of the members that the group had at the moment. A group that did not exist, or was deleted, had
    /// none.
    async fn members_at(&self, query: MembersAtQuery) -> Result<MembersAt>;
    /// Returns a page of the groups that the user was in at the moment, of those that the caller may see now. A user who
    /// did not exist, or was deleted, was in none.
    async fn joined_groups_at(&self, query: JoinedGroupsAtQuery) -> Result<JoinedGroupsAt>;
}
