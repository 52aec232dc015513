//! The interface of a store: what the directory keeps in a database. Every method is one transaction; `Ok(None)` means
//! that the entity does not exist. A store keeps, finds and sorts entities. The caller decides what may be written: it
//! passes its rule into the transaction as an [`UpdateFn`].

mod batch;
mod cached_entity;
pub(crate) mod copy;
pub(crate) mod erasure;
pub(crate) mod history;
pub(crate) mod migrate;
pub(crate) mod postgres;
pub(crate) mod sessions;
pub(crate) mod sql;
pub(crate) mod sqlite;
pub(crate) mod statistics;
#[cfg(test)]
pub(crate) mod suite;
mod tokens;
mod undo;
mod update;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::domain::Result;
use crate::domain::actor::NamedActor;
use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::counts::Counts;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupSummary, GroupUid};
use crate::domain::idempotency::{RecordedAnswer, RequestKey};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::lockout::Attempt;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenKey, LongLivedTokenUid};
use crate::domain::membership::{
    JoinedGroup, JoinedGroupQuery, Member, MemberQuery, MembersChange, MembersOptions, MembersOutcome, Membership,
    MembershipOutcome, MembershipQuery,
};
use crate::domain::query::{GroupField, GroupQuery, ListResult, UserField, UserQuery};
use crate::domain::restore::Restored;
use crate::domain::sign_in::{PasswordAttempt, SignIn};
use crate::domain::signing_key::PublishedKey;
use crate::domain::target::Target;
use crate::domain::time::Timestamp;
use crate::domain::undo::UndoOutcome;
use crate::domain::user::{Credentials, User, UserKey, UserUid};

pub(crate) use batch::{BATCH_MAX, BatchItem, FieldsFn, ItemOutcome, UserFieldsFn};
pub use cached_entity::CachedEntity;
pub(crate) use tokens::{RefreshToken, SigningKey, TokenStatus};
pub(crate) use undo::{StoredMembership, UndoFn, UndoMembers, UndoPlan, UndoScope, UndoState, UndoWrite, Yielding};
pub(crate) use update::{
    ClientUpdate, CurrentUser, LongLivedTokenUpdate, Mutation, UpdateFn, UserUpdate, UserUpdateFn,
};

/// The durable directory.
#[async_trait]
pub trait Store: history::Past + erasure::Erasure + sessions::Sessions + statistics::Statistics + Send + Sync {
    /// The name of the database: `sqlite` or `postgres`.
    fn name(&self) -> &'static str;
    /// The language whose label is a group's Name. It is fixed when the database is created.
    fn default_language(&self) -> &Tag;
    /// The random identity of the directory. It is made with the directory; backups and copies keep it.
    fn directory(&self) -> Uuid;

    /// Returns the group with the key. [`GroupKey::Uid`] also finds a deleted group.
    async fn group(&self, key: &GroupKey) -> Result<Option<Arc<CachedEntity<Group>>>>;
    /// Returns one page of the groups that match, and the total.
    async fn list_groups(&self, query: GroupQuery) -> Result<ListResult<Group>>;
    /// Returns one page of a walk by cursor through the groups that match.
    async fn walk_groups(&self, query: CursorQuery<GroupField>) -> Result<CursorPage<Group>>;
    /// Returns one page of a walk through the deleted groups that match, the last deleted first. The query's sort keys and
    /// search do not count. Derived values of deleted groups are gone, so filters by xp, labels and communities find none.
    async fn walk_deleted_groups(&self, query: CursorQuery<GroupField>) -> Result<CursorPage<Group>>;
    /// Returns the first `limit` live, visible groups with a number above `after`, ordered by number.
    async fn groups_after(&self, after: GroupUid, limit: u32, visibility: &Visibility) -> Result<Vec<GroupSummary>>;
    /// Creates, changes or deletes one group as `update` decides, and returns the group after the write. Fails with
    /// `AlreadyExists` if another live group has the new ID.
    async fn write_group(
        &self,
        operation: Operation,
        target: Target<GroupKey>,
        update: UpdateFn<Group, GroupFields>,
    ) -> Result<Group>;

    /// As [`Store::write_group`], for an `update` that restores the group with the key. Also returns what became of its
    /// memberships. The cost does not depend on how many members the group has.
    async fn restore_group(
        &self,
        operation: Operation,
        group: GroupKey,
        update: UpdateFn<Group, GroupFields>,
    ) -> Result<Restored<Group>>;

    /// Returns the user with the key. [`UserKey::Uid`] also finds a deleted user.
    async fn user(&self, key: &UserKey) -> Result<Option<User>>;
    /// Returns one page of the users that match, and the total.
    async fn list_users(&self, query: UserQuery) -> Result<ListResult<User>>;
    /// Returns one page of a walk by cursor through the users that match.
    async fn walk_users(&self, query: CursorQuery<UserField>) -> Result<CursorPage<User>>;
    /// Returns one page of a walk through the deleted users that match, the last deleted first. The query's sort keys and
    /// search do not count. Derived values of deleted users are gone, so filters by xp, labels and communities find none.
    async fn walk_deleted_users(&self, query: CursorQuery<UserField>) -> Result<CursorPage<User>>;
    /// Creates, changes or deletes one user as `update` decides, and returns the user after the write. Fails with
    /// `AlreadyExists` or `UsernameTaken` if another live user has the ID or username.
    async fn write_user(&self, operation: Operation, target: Target<UserKey>, update: UserUpdateFn) -> Result<User>;
    /// As [`Store::write_user`], for an `update` that restores the user with the key. Also returns what became of the
    /// user's memberships.
    async fn restore_user(&self, operation: Operation, user: UserKey, update: UserUpdateFn) -> Result<Restored<User>>;

    /// Returns one page of the memberships that match, and the total.
    async fn list_memberships(&self, query: MembershipQuery) -> Result<ListResult<Membership>>;
    /// Returns a page of the members of a group, and the group. Fails with `NotFound` if there is no such visible group,
    /// with `ListTooCostly` if the group is too large for the order, and with `Invalid` for a position in another order.
    /// The number of a deleted group finds no members.
    async fn list_members(&self, query: MemberQuery) -> Result<(Group, CursorPage<Member>)>;
    /// Returns a page of the visible live groups of a user, and the user. Fails with `NotFound` if there is no such user,
    /// and with `Invalid` for a position in another order. The number of a deleted user finds no groups.
    async fn list_joined_groups(&self, query: JoinedGroupQuery) -> Result<(User, CursorPage<JoinedGroup>)>;
    /// Returns the membership of the user in the group. Fails with `NotFound` if there is no such visible group, user or
    /// membership.
    async fn member(&self, visibility: &Visibility, group: &GroupKey, user: &UserKey) -> Result<Member>;
    /// Returns who made the changes of the journal entries with these numbers, by number, with the present names. Entries
    /// that do not exist are left out.
    async fn actors(&self, entries: &[i64]) -> Result<HashMap<i64, NamedActor>>;
    /// Adds the user to the group. A group outside `visibility` counts as missing.
    async fn add_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipOutcome>;
    /// Removes the user from the group. A group outside `visibility` counts as missing.
    async fn remove_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipOutcome>;

    /// Changes the members of the live group with the key, with one journal entry if anything changes. A group outside
    /// `visibility` counts as missing. Fails with `NotFound`, `AlreadyDeleted` for the number of a deleted group,
    /// `Invalid`, `UnknownUsers`, `TooManyRemovals` or `PreconditionFailed`; then nothing is changed.
    async fn change_members(
        &self,
        operation: Operation,
        visibility: Visibility,
        group: GroupKey,
        change: MembersChange,
        options: MembersOptions,
    ) -> Result<MembersOutcome>;

    /// Reads the present state of what is in the scope, decides by `rule` what to write, writes it, and returns the outcome
    /// with the ID of the operation, if anything was written. Fails as `rule` does; then nothing is changed.
    async fn undo(&self, operation: Operation, scope: UndoScope, rule: UndoFn) -> Result<UndoOutcome>;

    /// Writes at most [`BATCH_MAX`] items in order and returns the outcome of each item. A few journal entries record what
    /// changed, and an entry of its own each restored entity. A refused item leaves nothing behind and does not affect the
    /// others. An item is refused if its rule returns an error, with `AlreadyExists` or `UsernameTaken` as in single writes, with `Invalid` if
    /// another entity has or had the number, and with `NotFound` if an end of a membership does not exist. Each item
    /// sees the changes of the items before it.
    async fn write_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>>;

    /// Returns the outcomes that [`Self::write_batch`] would return now, and writes nothing.
    async fn preview_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>>;

    /// Returns the client with the key. [`ClientKey::Uid`] also finds a deleted client.
    async fn client(&self, key: &ClientKey) -> Result<Option<Client>>;
    /// Returns the first `limit` live clients with a number above `after`, ordered by number.
    async fn clients_after(&self, after: ClientUid, limit: u32) -> Result<Vec<Client>>;
    /// Creates, changes or deletes one client as `update` decides, and returns the client after the write. Fails with
    /// `AlreadyExists` if another live client has the `client_id`, and with `NotFound` if the client begins to act for a
    /// user who does not exist.
    async fn write_client(
        &self,
        operation: Operation,
        target: Target<ClientKey>,
        update: UpdateFn<Client, ClientUpdate>,
    ) -> Result<Client>;

    /// Returns the live user with this username and the password hash.
    async fn credentials(&self, username: &str) -> Result<Option<Credentials>>;
    /// Counts an attempt to sign in by the rules of `domain::lockout`, and records it if it is refused. Returns the
    /// outcome; `None` for an inactive or deleted user, whose attempts are not counted and are refused.
    async fn count_sign_in(&self, attempt: PasswordAttempt) -> Result<Option<Attempt>>;
    /// Records sign-ins, in the order of the list. If the outcome is unknown and the call is repeated, they may be
    /// recorded twice.
    async fn record_sign_ins(&self, sign_ins: Vec<SignIn>) -> Result<()>;
    /// Deletes some sign-ins from before `before`. Returns whether there may be more.
    async fn clear_sign_ins(&self, before: Timestamp) -> Result<bool>;
    /// Clears the user's failures and lock. Returns false if no live user has the number. The journal keeps that it was
    /// done, as an update of the user that changes no field.
    async fn unlock(&self, operation: Operation, user: UserUid) -> Result<bool>;

    /// Returns the answer that is recorded under the key at `now`.
    ///
    /// The writes of entities, memberships and signing keys and [`Self::unlock`] record their answer if their operation
    /// says so, in the same transaction, and only if they succeed. They fail with `KeyInUse` if an answer is recorded
    /// under the key, or if another write with the key takes more than five seconds.
    async fn recorded_answer(&self, key: &RequestKey, now: Timestamp) -> Result<Option<RecordedAnswer>>;
    /// Deletes some answers that have expired by `now`. Returns whether there may be more.
    async fn clear_recorded_answers(&self, now: Timestamp) -> Result<bool>;

    /// Drops some of the oldest changes, of those made before `before`, and remembers the horizon: the latest moment before
    /// which questions about the past cannot be answered any more. The last change is always kept. Returns whether there
    /// may be more to drop.
    async fn drop_changes(&self, before: Timestamp) -> Result<bool>;

    /// Returns the facts that decide the status of a token. The token is ended if one of `names` is: its own name or
    /// its family's.
    async fn token_status(
        &self,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        names: &[&str],
    ) -> Result<TokenStatus>;
    /// Ends one token, or all tokens of a family, by name. The store keeps this until `expires`, when the tokens expire
    /// by themselves. Deletes rows that have expired by `now`.
    async fn end_token(&self, name: &str, expires: Timestamp, now: Timestamp) -> Result<()>;
    /// Stores a refresh token. Deletes tokens that have expired by `now`.
    async fn keep_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<()>;
    /// Returns the refresh token with this hash, used or not, unless it has expired by `now`.
    async fn refresh_token(&self, hash: &str, now: Timestamp) -> Result<Option<RefreshToken>>;
    /// Uses a refresh token by the rules of `domain::rotation`: stores its successor, of the same family, or ends the
    /// family until `family_ends`. Returns whether the successor is valid: false also if the token is unknown or expired.
    async fn rotate_refresh_token(
        &self,
        hash: &str,
        successor: RefreshToken,
        family_ends: Timestamp,
        now: Timestamp,
    ) -> Result<bool>;

    /// Returns the long-lived token with this hash, live or revoked, and the facts that decide its status, in one
    /// snapshot.
    async fn long_lived_token(&self, hash: &str) -> Result<Option<(LongLivedToken, TokenStatus)>>;
    /// Returns the first `limit` long-lived tokens with a number above `after` that have not ended, ordered by number:
    /// all, or those of one client. Expired ones are included.
    async fn long_lived_tokens_after(
        &self,
        client: Option<ClientUid>,
        after: LongLivedTokenUid,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>>;
    /// Returns the first `limit` long-lived tokens that have not ended and expire after `from`, and at `until` or
    /// earlier, ordered by that time.
    async fn long_lived_tokens_expiring(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>>;
    /// Creates, changes or revokes one long-lived token as `update` decides, and returns the token after the write.
    async fn write_long_lived_token(
        &self,
        operation: Operation,
        target: Target<LongLivedTokenKey>,
        update: UpdateFn<LongLivedToken, LongLivedTokenUpdate>,
    ) -> Result<LongLivedToken>;
    /// Records that the long-lived token was used at `at`, unless a later use is recorded.
    async fn note_token_use(&self, token: LongLivedTokenUid, at: Timestamp) -> Result<()>;

    /// Returns the signing keys, the newest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>>;
    /// Stores a signing key, with a journal entry. Returns `None` and stores nothing if another key starts to sign at the
    /// same time or later, or if `only_first` is set and a key exists.
    async fn add_signing_key(
        &self,
        operation: Operation,
        key: SigningKey,
        only_first: bool,
    ) -> Result<Option<PublishedKey>>;

    /// Counts what a caller with this visibility may see, in bounded time.
    async fn counts(&self, visibility: &Visibility) -> Result<Counts>;
    /// Returns the ID of the last operation in the journal; `None` in a new store.
    async fn latest_operation(&self) -> Result<Option<String>>;
    /// Returns whether a client, live or deleted, exists. A database without one is new.
    async fn has_clients(&self) -> Result<bool>;
    /// Checks that the store can be read and written now, with a small durable write. Fails if it cannot.
    async fn ready(&self) -> Result<()>;
    /// Waits until the store has lost its database permanently, and returns a sentence that says why and what to do.
    /// Never returns if that cannot happen.
    async fn wait_for_loss(&self) -> String {
        std::future::pending().await
    }
    /// Writes a consistent copy of the whole store to a new file, and creates missing folders. Fails with a sentence
    /// that says what to do.
    async fn backup(&self, to: &Path) -> anyhow::Result<()>;
    /// Finishes queued writes and closes the database. Later calls fail.
    async fn close(&self);
}
