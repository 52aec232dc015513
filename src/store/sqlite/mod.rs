//! The embedded store: SQLite in one file.
//!
//! One thread writes ([`write::writer`]); readers read in parallel ([`read::readers`]). Another process (the command
//! line) may open the same file at the same time; a second server may not.

mod entities;
mod entity;
mod list;
mod read;
mod storage;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::wal::CheckpointMode;

use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupSummary, GroupUid};
use crate::domain::idempotency::{Outcome, RecordedAnswer, RequestKey};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenKey, LongLivedTokenUid};
use crate::domain::membership::{
    JoinedGroup, JoinedGroupQuery, Member, MemberQuery, MembersChange, MembersOptions, MembersOutcome, Membership,
    MembershipOutcome, MembershipPage, MembershipQuery,
};
use crate::domain::query::{GroupField, GroupQuery, ListResult, UserField, UserQuery};
use crate::domain::target::Target;
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, User, UserKey, UserUid};
use crate::store::CachedEntity;

use super::{
    BatchItem, ClientUpdate, ItemOutcome, LongLivedTokenUpdate, RefreshToken, SigningKey, Store, TokenStatus, UpdateFn,
    UserUpdateFn,
};
use list::sets::result_cache::ResultCache;
use read::readers::Readers;
use storage::database_file::DatabaseFile;
use storage::integrity::Integrity;
use storage::open::{failed, is_damage};
use storage::readiness::Readiness;
use write::writer::{WriteContext, Writer};

pub(crate) use storage::copy::{NewFile, Snapshot};
pub(crate) use storage::open::create_folders_of;

/// The options with which a database file is opened.
#[derive(Clone, Debug)]
pub(crate) struct SqliteOptions {
    /// The path of the file; it may be a symbolic link.
    pub path: PathBuf,
    /// The default language of a new database; an existing database must have the same one. `None` accepts the language
    /// of an existing database and gives a new one `en`.
    pub default_language: Option<Tag>,
    /// Whether a missing or empty file becomes a new database.
    pub create: bool,
    /// Whether this process serves the file. A second server is refused.
    pub serve: bool,
    /// The time limit of a list.
    pub list_limit: Duration,
}

/// A directory in a SQLite file.
pub(crate) struct SqliteStore {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    result_cache: Arc<ResultCache>,
    readiness: Arc<Readiness>,
    path: PathBuf,
    default_language: Tag,
    /// The last field, so that it is dropped last: it keeps the file open until SQLite has closed it.
    integrity: Arc<Integrity>,
}

impl SqliteStore {
    /// Opens the file. If required, creates it and its folders, migrates its schema and, to serve it, folds its keys
    /// again. Fails with a sentence that says what to do.
    pub(crate) async fn open(options: SqliteOptions) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || Self::open_blocking(&options)).await?
    }

    fn open_blocking(options: &SqliteOptions) -> anyhow::Result<Self> {
        let file = DatabaseFile::open(&options.path, options.create, options.serve)?;
        Self::open_file(file, options).map_err(|error| open_error(&options.path.display().to_string(), error))
    }

    fn open_file(file: DatabaseFile, options: &SqliteOptions) -> anyhow::Result<Self> {
        let shown = options.path.display().to_string();
        storage::migrate::refuse_foreign(&storage::open::open_reader(&options.path)?, &shown, options.create)?;
        let mut connection = storage::open::open_writer(&options.path)?;
        storage::migrate::migrate(&mut connection, &shown)?;
        storage::readiness::check_root_pages(&connection)?;
        storage::folding::refold_file(&mut connection, &shown, options.serve)?;
        let default_language = storage::migrate::init_language(&connection, options.default_language.as_ref())?;
        file.record_state(&connection)?;
        if options.serve
            && file.may_be_partly_copied()
            && let Err(error) = write::checkpoint::checkpoint(&connection, CheckpointMode::PASSIVE)
        {
            tracing::debug!(%error, "the write-ahead log of the last process could not be copied; the next checkpoint copies it");
        }
        if let Err(loss) = file.check_files() {
            anyhow::bail!("the database {shown} {loss}");
        }
        let integrity = Arc::new(Integrity::new(file));
        let readers = Arc::new(Readers::start(Arc::clone(&integrity), options.list_limit)?);
        let writer = Writer::start(connection, Arc::clone(&readers), Arc::clone(&integrity), !options.serve)?;
        let readiness = Arc::new(Readiness::new(Arc::clone(&integrity)));
        let (writer, result_cache, path) = (Arc::new(writer), Arc::default(), options.path.clone());
        Ok(Self { writer, readers, result_cache, readiness, path, default_language, integrity })
    }

    /// Queues the write and waits for it, and records its answer if the operation says so.
    async fn write_recorded<T: Outcome + Send + 'static>(
        &self,
        operation: Operation,
        write: impl FnOnce(&mut WriteContext<'_>, &Operation) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let recorded = move |context: &mut WriteContext<'_>| {
            entities::answers::recorded(context, &operation, |context| write(context, &operation))
        };
        self.writer.write(recorded).await
    }
}

/// Turns the error of an open into a sentence that says what to do.
fn open_error(path: &str, error: anyhow::Error) -> anyhow::Error {
    use rusqlite::ErrorCode::NotADatabase;
    let sqlite_error = error.downcast_ref::<rusqlite::Error>();
    if sqlite_error.and_then(rusqlite::Error::sqlite_error_code) == Some(NotADatabase) {
        return anyhow::anyhow!(
            "{path} is not a SQLite database: name another file with --database, or restore a backup if it was one"
        );
    }
    let damage = sqlite_error.is_some_and(is_damage) || matches!(error.downcast_ref(), Some(Error::Damaged(_)));
    match sqlite_error {
        _ if damage => {
            anyhow::anyhow!(
                "the database {path} is damaged ({error}): restore a backup (docs/operations.md, section 6)"
            )
        }
        Some(error) => anyhow::anyhow!("the database {path} cannot be opened: {error}"),
        None => error,
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn default_language(&self) -> &Tag {
        &self.default_language
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

    async fn list_memberships(&self, query: MembershipQuery) -> Result<ListResult<Membership>> {
        let result_cache = Arc::clone(&self.result_cache);
        self.readers.list(move |connection| list::memberships::of_memberships(connection, &result_cache, &query)).await
    }

    async fn list_members(&self, query: MemberQuery) -> Result<(Group, MembershipPage<Member>)> {
        self.readers.list(move |connection| list::members::of_group(connection, &query)).await
    }

    async fn list_joined_groups(&self, query: JoinedGroupQuery) -> Result<(User, MembershipPage<JoinedGroup>)> {
        self.readers.list(move |connection| list::members::of_user(connection, &query)).await
    }

    async fn member(&self, visibility: &Visibility, group: &GroupKey, user: &UserKey) -> Result<Member> {
        let (visibility, group, user) = (visibility.clone(), group.clone(), user.clone());
        self.readers.list(move |connection| list::members::of_pair(connection, &visibility, &group, &user)).await
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

    async fn write_batch(&self, operation: Operation, items: Vec<BatchItem>) -> Result<Vec<Result<ItemOutcome>>> {
        let language = self.default_language.clone();
        self.writer.write(move |context| write::batch::write(context, &language, &operation, &items)).await
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
        self.writer.write(move |context| entity::write(context, &language, &operation, &target, &update)).await
    }

    async fn credentials(&self, username: &str) -> Result<Option<Credentials>> {
        self.readers.point(|connection| entities::users::credentials(connection, username))
    }

    async fn count_sign_in(&self, user: UserUid, at: Timestamp, succeeded: bool) -> Result<bool> {
        let count = move |context: &mut WriteContext<'_>| {
            entities::users::count_sign_in(context.connection, user, at, succeeded).map_err(failed)
        };
        self.writer.write(count).await
    }

    async fn unlock(&self, operation: Operation, user: UserUid) -> Result<bool> {
        self.write_recorded(operation, move |context, _| {
            entities::users::unlock(context.connection, user).map_err(failed)
        })
        .await
    }

    async fn recorded_answer(&self, key: &RequestKey, now: Timestamp) -> Result<Option<RecordedAnswer>> {
        self.readers.point(|connection| entities::answers::find(connection, key, now))
    }

    async fn clear_recorded_answers(&self, now: Timestamp) -> Result<bool> {
        self.writer.write(move |context| entities::answers::clear(context.connection, now).map_err(failed)).await
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
        self.writer.write(move |context| entity::write(context, &language, &operation, &target, &update)).await
    }

    async fn note_token_use(&self, token: LongLivedTokenUid, at: Timestamp) -> Result<()> {
        let note = move |context: &mut write::writer::WriteContext<'_>| {
            entities::long_lived_tokens::note_use(context.connection, token, at).map_err(failed)
        };
        self.writer.write(note).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        self.readers.point(entities::tokens::keys)
    }

    async fn add_signing_key(&self, key: SigningKey, only_first: bool) -> Result<bool> {
        self.writer
            .write(move |context| entities::tokens::add_key(context.connection, &key, only_first).map_err(failed))
            .await
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
