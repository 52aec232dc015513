//! The methods of the store, each handed to the reader or writer that does it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::domain::actor::NamedActor;
use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::counts::Counts;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::error::{Error, Result};
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
use crate::store::{
    BatchItem, CachedEntity, ClientUpdate, ItemOutcome, LongLivedTokenUpdate, RefreshToken, SigningKey, Store,
    TokenStatus, UndoFn, UndoScope, UpdateFn, UserUpdateFn,
};

use super::storage::open::failed;
use super::write::writer::WriteContext;
use super::{SqliteStore, entities, entity, list, retention, storage, write};

#[async_trait]
impl Store for SqliteStore {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn default_language(&self) -> &Tag {
        &self.default_language
    }

    fn directory(&self) -> Uuid {
        self.directory
    }

    async fn group(&self, key: &GroupKey) -> Result<Option<Arc<CachedEntity<Group>>>> {
        let read = |connection: &_| entity::find::<Group>(connection, key);
        match key {
            GroupKey::Id(id) => self.readers.cached_group(id, read),
            GroupKey::Uid(_) => Ok(self.readers.group(read)?.map(|group| Arc::new(group.into()))),
        }
    }

    async fn list_groups(&self, query: GroupQuery) -> Result<ListResult<Group>> {
        let result_cache = Arc::clone(&self.result_cache);
        self.readers.list(move |connection| list::entities::of_groups(connection, &result_cache, &query)).await
    }

    async fn walk_groups(&self, query: CursorQuery<GroupField>) -> Result<CursorPage<Group>> {
        let result_cache = Arc::clone(&self.result_cache);
        self.readers.list(move |connection| list::cursor::of_groups(connection, &result_cache, &query)).await
    }

    async fn walk_deleted_groups(&self, query: CursorQuery<GroupField>) -> Result<CursorPage<Group>> {
        self.readers.list(move |connection| list::tombstones::of_groups(connection, &query)).await
    }

    async fn groups_after(&self, after: GroupUid, limit: u32, visibility: &Visibility) -> Result<Vec<GroupSummary>> {
        let visibility = visibility.clone();
        let read = move |connection: &_| entities::groups::after(connection, after, limit, &visibility).map_err(failed);
        self.readers.list(read).await
    }

    async fn write_group(
        &self,
        operation: Operation,
        target: Target<GroupKey>,
        update: UpdateFn<Group, GroupFields>,
    ) -> Result<Group> {
        let language = self.default_language.clone();
        self.write_recorded(operation, move |context, operation| {
            entity::write(context, &language, operation, &target, &update)
        })
        .await
    }

    async fn restore_group(
        &self,
        operation: Operation,
        group: GroupKey,
        update: UpdateFn<Group, GroupFields>,
    ) -> Result<Restored<Group>> {
        let (language, target) = (self.default_language.clone(), group.into());
        self.write_recorded(operation, move |context, operation| {
            entity::restore(context, &language, operation, &target, &update)
        })
        .await
    }

    async fn user(&self, key: &UserKey) -> Result<Option<User>> {
        self.readers.point(|connection| entity::find(connection, key))
    }

    async fn list_users(&self, query: UserQuery) -> Result<ListResult<User>> {
        let result_cache = Arc::clone(&self.result_cache);
        self.readers.list(move |connection| list::entities::of_users(connection, &result_cache, &query)).await
    }

    async fn walk_users(&self, query: CursorQuery<UserField>) -> Result<CursorPage<User>> {
        let result_cache = Arc::clone(&self.result_cache);
        self.readers.list(move |connection| list::cursor::of_users(connection, &result_cache, &query)).await
    }

    async fn walk_deleted_users(&self, query: CursorQuery<UserField>) -> Result<CursorPage<User>> {
        self.readers.list(move |connection| list::tombstones::of_users(connection, &query)).await
    }

    async fn write_user(&self, operation: Operation, target: Target<UserKey>, update: UserUpdateFn) -> Result<User> {
        let language = self.default_language.clone();
        self.write_recorded(operation, move |context, operation| {
            entity::write(context, &language, operation, &target, &update)
        })
        .await
    }

    async fn restore_user(&self, operation: Operation, user: UserKey, update: UserUpdateFn) -> Result<Restored<User>> {
        let (language, target) = (self.default_language.clone(), user.into());
        self.write_recorded(operation, move |context, operation| {
            entity::restore(context, &language, operation, &target, &update)
        })
        .await
    }

    async fn list_memberships(&self, query: MembershipQuery) -> Result<ListResult<Membership>> {
        let result_cache = Arc::clone(&self.result_cache);
        self.readers.list(move |connection| list::memberships::of_memberships(connection, &result_cache, &query)).await
    }

    async fn list_members(&self, query: MemberQuery) -> Result<(Group, CursorPage<Member>)> {
        self.readers.list(move |connection| list::members::of_group(connection, &query)).await
    }

    async fn list_joined_groups(&self, query: JoinedGroupQuery) -> Result<(User, CursorPage<JoinedGroup>)> {
        self.readers.list(move |connection| list::members::of_user(connection, &query)).await
    }

    async fn member(&self, visibility: &Visibility, group: &GroupKey, user: &UserKey) -> Result<Member> {
        let (visibility, group, user) = (visibility.clone(), group.clone(), user.clone());
        self.readers.list(move |connection| list::members::of_pair(connection, &visibility, &group, &user)).await
    }

    async fn actors(&self, entries: &[i64]) -> Result<HashMap<i64, NamedActor>> {
        let entries = entries.to_vec();
        self.readers.list(move |connection| entities::journal::actors(connection, &entries).map_err(failed)).await
    }

    async fn add_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipOutcome> {
        self.write_recorded(operation, move |context, operation| {
            entities::memberships::change(context, operation, &visibility, &member, true)
        })
        .await
    }

    async fn remove_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipOutcome> {
        self.write_recorded(operation, move |context, operation| {
            entities::memberships::change(context, operation, &visibility, &member, false)
        })
        .await
    }

    async fn change_members(
        &self,
        operation: Operation,
        visibility: Visibility,
        group: GroupKey,
        change: MembersChange,
        options: MembersOptions,
    ) -> Result<MembersOutcome> {
        self.write_recorded(operation, move |context, operation| {
            entities::member_changes::change(context, operation, &visibility, &group, &change, &options)
        })
        .await
    }

    async fn undo(&self, operation: Operation, scope: UndoScope, rule: UndoFn) -> Result<UndoOutcome> {
        let language = self.default_language.clone();
        self.write_recorded(operation, move |context, operation| {
            write::undo::undo(context, &language, operation, &scope, &rule)
        })
        .await
    }

    async fn write_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>> {
        let language = self.default_language.clone();
        self.writer.write(move |context| write::batch::write(context, &language, &operation, &items)).await
    }

    async fn preview_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>> {
        let language = self.default_language.clone();
        self.writer.write(move |context| write::batch::preview(context, &language, &operation, &items)).await
    }

    async fn client(&self, key: &ClientKey) -> Result<Option<Client>> {
        self.readers.point(|connection| entity::find(connection, key))
    }

    async fn clients_after(&self, after: ClientUid, limit: u32) -> Result<Vec<Client>> {
        self.readers.list(move |connection| entities::clients::after(connection, after, limit).map_err(failed)).await
    }

    async fn write_client(
        &self,
        operation: Operation,
        target: Target<ClientKey>,
        update: UpdateFn<Client, ClientUpdate>,
    ) -> Result<Client> {
        let language = self.default_language.clone();
        self.write_recorded(operation, move |context, operation| {
            entity::write(context, &language, operation, &target, &update)
        })
        .await
    }

    async fn credentials(&self, username: &str) -> Result<Option<Credentials>> {
        self.readers.point(|connection| entities::users::credentials(connection, username))
    }

    async fn count_sign_in(&self, attempt: PasswordAttempt) -> Result<Option<Attempt>> {
        let count = move |context: &mut WriteContext<'_>| {
            entities::users::count_sign_in(context.connection, attempt).map_err(failed)
        };
        self.writer.write(count).await
    }

    async fn record_sign_ins(&self, sign_ins: Vec<SignIn>) -> Result<()> {
        let record = move |context: &mut WriteContext<'_>| {
            sign_ins
                .iter()
                .try_for_each(|sign_in| entities::sign_ins::record(context.connection, sign_in))
                .map_err(failed)
        };
        self.writer.write(record).await
    }

    async fn clear_sign_ins(&self, before: Timestamp) -> Result<bool> {
        self.writer.write(move |context| entities::sign_ins::clear(context.connection, before).map_err(failed)).await
    }

    async fn unlock(&self, operation: Operation, user: UserUid) -> Result<bool> {
        self.write_recorded(operation, move |context, operation| {
            entities::users::unlock(context.connection, operation, user)
        })
        .await
    }

    async fn recorded_answer(&self, key: &RequestKey, now: Timestamp) -> Result<Option<RecordedAnswer>> {
        self.readers.point(|connection| entities::answers::find(connection, key, now))
    }

    async fn clear_recorded_answers(&self, now: Timestamp) -> Result<bool> {
        self.writer.write(move |context| entities::answers::clear(context.connection, now).map_err(failed)).await
    }

    async fn drop_changes(&self, before: Timestamp) -> Result<bool> {
        if !self.readers.list(move |connection| retention::is_due(connection, before)).await? {
            return Ok(false);
        }
        self.writer.write(move |context| retention::drop_changes(context.connection, before)).await
    }

    async fn token_status(
        &self,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        names: &[&str],
    ) -> Result<TokenStatus> {
        self.readers.point(|connection| entities::tokens::status(connection, user, client, names))
    }

    async fn end_token(&self, name: &str, expires: Timestamp, now: Timestamp) -> Result<()> {
        let name = name.to_owned();
        self.writer
            .write(move |context| entities::tokens::end(context.connection, &name, expires, now).map_err(failed))
            .await
    }

    async fn keep_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<()> {
        self.writer.write(move |context| entities::tokens::keep(context.connection, &token, now).map_err(failed)).await
    }

    async fn refresh_token(&self, hash: &str, now: Timestamp) -> Result<Option<RefreshToken>> {
        self.readers.point(|connection| entities::tokens::refresh_token(connection, hash, now))
    }

    async fn rotate_refresh_token(
        &self,
        hash: &str,
        successor: RefreshToken,
        family_ends: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let hash = hash.to_owned();
        let rotate = move |context: &mut WriteContext<'_>| {
            entities::tokens::rotate(context.connection, &hash, &successor, family_ends, now).map_err(failed)
        };
        self.writer.write(rotate).await
    }

    async fn long_lived_token(&self, hash: &str) -> Result<Option<(LongLivedToken, TokenStatus)>> {
        self.readers.point(|connection| entities::long_lived_tokens::with_status(connection, hash))
    }

    async fn long_lived_tokens_after(
        &self,
        client: Option<ClientUid>,
        after: LongLivedTokenUid,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>> {
        let read =
            move |connection: &_| entities::long_lived_tokens::after(connection, client, after, limit).map_err(failed);
        self.readers.list(read).await
    }

    async fn long_lived_tokens_expiring(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>> {
        let read =
            move |connection: &_| entities::long_lived_tokens::expiring(connection, from, until, limit).map_err(failed);
        self.readers.list(read).await
    }

    async fn write_long_lived_token(
        &self,
        operation: Operation,
        target: Target<LongLivedTokenKey>,
        update: UpdateFn<LongLivedToken, LongLivedTokenUpdate>,
    ) -> Result<LongLivedToken> {
        let language = self.default_language.clone();
        self.write_recorded(operation, move |context, operation| {
            entity::write(context, &language, operation, &target, &update)
        })
        .await
    }

    async fn note_token_use(&self, token: LongLivedTokenUid, at: Timestamp) -> Result<()> {
        let note = move |context: &mut WriteContext<'_>| {
            entities::long_lived_tokens::note_use(context.connection, token, at).map_err(failed)
        };
        self.writer.write(note).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        self.readers.point(entities::tokens::keys)
    }

    async fn add_signing_key(
        &self,
        operation: Operation,
        key: SigningKey,
        only_first: bool,
    ) -> Result<Option<PublishedKey>> {
        self.write_recorded(operation, move |context, operation| {
            entities::tokens::add_key(context.connection, operation, &key, only_first)
        })
        .await
    }

    async fn counts(&self, visibility: &Visibility) -> Result<Counts> {
        let visibility = visibility.clone();
        self.readers.list(move |connection| list::counts::of(connection, &visibility).map_err(failed)).await
    }

    async fn latest_operation(&self) -> Result<Option<String>> {
        self.readers.point(entities::journal::latest)
    }

    async fn has_clients(&self) -> Result<bool> {
        self.readers.point(entities::clients::exist)
    }

    async fn ready(&self) -> Result<()> {
        let readiness = Arc::clone(&self.readiness);
        tokio::task::spawn_blocking(move || readiness.read()).await.map_err(Error::internal)??;
        self.writer.write(|context| storage::readiness::write(context.connection).map_err(failed)).await
    }

    async fn wait_for_loss(&self) -> String {
        self.integrity.wait_for_loss().await
    }

    async fn backup(&self, to: &Path) -> anyhow::Result<()> {
        let (from, to) = (self.path.clone(), to.to_owned());
        tokio::task::spawn_blocking(move || storage::backup::backup(&from, &to)).await?
    }

    async fn close(&self) {
        let writer = Arc::clone(&self.writer);
        if let Err(error) = tokio::task::spawn_blocking(move || writer.close()).await {
            tracing::error!(%error, "the writer thread did not stop cleanly");
        }
        self.integrity.file.release();
    }
}
