//! The methods of the store, each handed to the read or the unit of work that does it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::domain::actor::NamedActor;
use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::counts::Counts;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::error::Result;
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

use super::{PostgresStore, entities, entity, read, retention, write};

#[async_trait]
impl Store for PostgresStore {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn default_language(&self) -> &Tag {
        &self.default_language
    }

    fn directory(&self) -> Uuid {
        self.directory
    }

    async fn group(&self, key: &GroupKey) -> Result<Option<Arc<CachedEntity<Group>>>> {
        match key {
            GroupKey::Id(id) => self.batched_reads.find(id).await,
            key => Ok(entity::find::<Group>(&self.point_reads, key).await?.map(|group| Arc::new(group.into()))),
        }
    }

    async fn list_groups(&self, query: GroupQuery) -> Result<ListResult<Group>> {
        self.list(|transaction| read::lists::groups(transaction, &query).boxed()).await
    }

    async fn walk_groups(&self, query: CursorQuery<GroupField>) -> Result<CursorPage<Group>> {
        self.list(|transaction| read::cursor::groups(transaction, &query).boxed()).await
    }

    async fn walk_deleted_groups(&self, query: CursorQuery<GroupField>) -> Result<CursorPage<Group>> {
        self.list(|transaction| read::tombstones::groups(transaction, &query).boxed()).await
    }

    async fn groups_after(&self, after: GroupUid, limit: u32, visibility: &Visibility) -> Result<Vec<GroupSummary>> {
        self.list(|transaction| entities::groups::after(transaction, after, limit, visibility).boxed()).await
    }

    async fn write_group(
        &self,
        operation: Operation,
        target: Target<GroupKey>,
        update: UpdateFn<Group, GroupFields>,
    ) -> Result<Group> {
        let language = self.default_language.clone();
        self.record(&operation.clone(), entity::WriteEntity { operation, target, update, language }).await
    }

    async fn restore_group(
        &self,
        operation: Operation,
        group: GroupKey,
        update: UpdateFn<Group, GroupFields>,
    ) -> Result<Restored<Group>> {
        let (language, target) = (self.default_language.clone(), group.into());
        let work = entity::WriteEntity { operation: operation.clone(), target, update, language };
        self.record(&operation, entity::RestoreEntity(work)).await
    }

    async fn user(&self, key: &UserKey) -> Result<Option<User>> {
        entity::find(&self.point_reads, key).await
    }

    async fn list_users(&self, query: UserQuery) -> Result<ListResult<User>> {
        self.list(|transaction| read::lists::users(transaction, &query).boxed()).await
    }

    async fn walk_users(&self, query: CursorQuery<UserField>) -> Result<CursorPage<User>> {
        self.list(|transaction| read::cursor::users(transaction, &query).boxed()).await
    }

    async fn walk_deleted_users(&self, query: CursorQuery<UserField>) -> Result<CursorPage<User>> {
        self.list(|transaction| read::tombstones::users(transaction, &query).boxed()).await
    }

    async fn write_user(&self, operation: Operation, target: Target<UserKey>, update: UserUpdateFn) -> Result<User> {
        let language = self.default_language.clone();
        self.record(&operation.clone(), entity::WriteEntity { operation, target, update, language }).await
    }

    async fn restore_user(&self, operation: Operation, user: UserKey, update: UserUpdateFn) -> Result<Restored<User>> {
        let (language, target) = (self.default_language.clone(), user.into());
        let work = entity::WriteEntity { operation: operation.clone(), target, update, language };
        self.record(&operation, entity::RestoreEntity(work)).await
    }

    async fn list_memberships(&self, query: MembershipQuery) -> Result<ListResult<Membership>> {
        self.list(|transaction| read::lists::memberships(transaction, &query).boxed()).await
    }

    async fn list_members(&self, query: MemberQuery) -> Result<(Group, CursorPage<Member>)> {
        self.list(|transaction| read::members::of_group(transaction, &query).boxed()).await
    }

    async fn list_joined_groups(&self, query: JoinedGroupQuery) -> Result<(User, CursorPage<JoinedGroup>)> {
        self.list(|transaction| read::members::of_user(transaction, &query).boxed()).await
    }

    async fn member(&self, visibility: &Visibility, group: &GroupKey, user: &UserKey) -> Result<Member> {
        self.list(|transaction| read::members::of_pair(transaction, visibility, group, user).boxed()).await
    }

    async fn actors(&self, entries: &[i64]) -> Result<HashMap<i64, NamedActor>> {
        entities::journal::actors(&self.point_reads, entries).await
    }

    async fn add_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipOutcome> {
        self.record(
            &operation.clone(),
            entities::memberships::ChangeMember { operation, visibility, member, is_in: true },
        )
        .await
    }

    async fn remove_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipOutcome> {
        self.record(
            &operation.clone(),
            entities::memberships::ChangeMember { operation, visibility, member, is_in: false },
        )
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
        self.record(
            &operation.clone(),
            entities::member_changes::ChangeMembers { operation, visibility, group, change, options },
        )
        .await
    }

    async fn undo(&self, operation: Operation, scope: UndoScope, rule: UndoFn) -> Result<UndoOutcome> {
        let language = self.default_language.clone();
        self.record(&operation.clone(), write::undo::Undo { operation, scope, rule, language }).await
    }

    async fn write_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>> {
        let language = self.default_language.clone();
        self.execute(write::batch::WriteBatch { operation, items, language }).await
    }

    async fn preview_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>> {
        let language = self.default_language.clone();
        self.execute(write::batch::PreviewBatch(write::batch::WriteBatch { operation, items, language })).await
    }

    async fn client(&self, key: &ClientKey) -> Result<Option<Client>> {
        entity::find(&self.point_reads, key).await
    }

    async fn clients_after(&self, after: ClientUid, limit: u32) -> Result<Vec<Client>> {
        entities::clients::after(&self.point_reads, after, limit).await
    }

    async fn write_client(
        &self,
        operation: Operation,
        target: Target<ClientKey>,
        update: UpdateFn<Client, ClientUpdate>,
    ) -> Result<Client> {
        let language = self.default_language.clone();
        self.record(&operation.clone(), entity::WriteEntity { operation, target, update, language }).await
    }

    async fn credentials(&self, username: &str) -> Result<Option<Credentials>> {
        entities::sign_ins::credentials(&self.point_reads, username).await
    }

    async fn count_sign_in(&self, attempt: PasswordAttempt) -> Result<Option<Attempt>> {
        self.execute(entities::sign_ins::CountSignIn(attempt)).await
    }

    async fn record_sign_ins(&self, sign_ins: Vec<SignIn>) -> Result<()> {
        self.execute(entities::sign_ins::RecordSignIns(sign_ins)).await
    }

    async fn clear_sign_ins(&self, before: Timestamp) -> Result<bool> {
        self.execute(entities::sign_ins::ClearSignIns(before)).await
    }

    async fn unlock(&self, operation: Operation, user: UserUid) -> Result<bool> {
        self.record(&operation.clone(), entities::sign_ins::Unlock { operation, user }).await
    }

    async fn recorded_answer(&self, key: &RequestKey, now: Timestamp) -> Result<Option<RecordedAnswer>> {
        write::recorded::find(&self.point_reads, key, now).await
    }

    async fn clear_recorded_answers(&self, now: Timestamp) -> Result<bool> {
        self.execute(write::recorded::ClearAnswers(now)).await
    }

    async fn drop_changes(&self, before: Timestamp) -> Result<bool> {
        self.execute(retention::DropChanges(before)).await
    }

    async fn token_status(
        &self,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        names: &[&str],
    ) -> Result<TokenStatus> {
        entities::tokens::status(&self.point_reads, user, client, names).await
    }

    async fn end_token(&self, name: &str, expires: Timestamp, now: Timestamp) -> Result<()> {
        self.execute(entities::tokens::EndToken { name: name.to_owned(), expires, now }).await
    }

    async fn keep_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<()> {
        self.execute(entities::tokens::KeepRefreshToken { token, now }).await
    }

    async fn refresh_token(&self, hash: &str, now: Timestamp) -> Result<Option<RefreshToken>> {
        entities::tokens::refresh_token(&self.point_reads, hash, now).await
    }

    async fn rotate_refresh_token(
        &self,
        hash: &str,
        successor: RefreshToken,
        family_ends: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        self.execute(entities::tokens::RotateRefreshToken { hash: hash.to_owned(), successor, family_ends, now }).await
    }

    async fn long_lived_token(&self, hash: &str) -> Result<Option<(LongLivedToken, TokenStatus)>> {
        entities::long_lived_tokens::with_status(&self.point_reads, hash).await
    }

    async fn long_lived_tokens_after(
        &self,
        client: Option<ClientUid>,
        after: LongLivedTokenUid,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>> {
        entities::long_lived_tokens::after(&self.point_reads, client, after, limit).await
    }

    async fn long_lived_tokens_expiring(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<LongLivedToken>> {
        entities::long_lived_tokens::expiring(&self.point_reads, from, until, limit).await
    }

    async fn write_long_lived_token(
        &self,
        operation: Operation,
        target: Target<LongLivedTokenKey>,
        update: UpdateFn<LongLivedToken, LongLivedTokenUpdate>,
    ) -> Result<LongLivedToken> {
        let language = self.default_language.clone();
        self.record(&operation.clone(), entity::WriteEntity { operation, target, update, language }).await
    }

    async fn note_token_use(&self, token: LongLivedTokenUid, at: Timestamp) -> Result<()> {
        self.execute(entities::long_lived_tokens::NoteUse { token, at }).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        entities::tokens::keys(&self.point_reads).await
    }

    async fn add_signing_key(
        &self,
        operation: Operation,
        key: SigningKey,
        only_first: bool,
    ) -> Result<Option<PublishedKey>> {
        self.record(&operation.clone(), entities::tokens::AddSigningKey { operation, key, only_first }).await
    }

    async fn counts(&self, visibility: &Visibility) -> Result<Counts> {
        self.list(|transaction| read::counts::of(transaction, visibility).boxed()).await
    }

    async fn latest_operation(&self) -> Result<Option<String>> {
        entities::journal::latest(&self.point_reads).await
    }

    async fn has_clients(&self) -> Result<bool> {
        entities::clients::any(&self.point_reads).await
    }

    async fn ready(&self) -> Result<()> {
        self.readiness.check(&self.pool).await
    }

    async fn backup(&self, _: &Path) -> anyhow::Result<()> {
        bail!("back up PostgreSQL by its own tools: use pg_dump or pg_basebackup, or 'rollbook copy' into a file")
    }

    async fn close(&self) {
        self.watch.stop();
        self.pool.close();
        self.point_reads.close();
    }
}
