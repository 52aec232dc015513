//! The embedded store: SQLite in one file.
//!
//! One thread writes ([`writer`]), readers read beside it ([`readers`]). Another process (the command line) may open
//! the same file at the same time; a second server may not.

mod backup;
mod batch;
mod bind;
mod cache;
mod checkpoint;
mod clients;
mod connection;
mod copy;
mod counters;
mod engine;
mod found;
mod groups;
mod journal;
mod lists;
mod member_lists;
mod memberships;
mod memory;
mod migrate;
mod pages;
mod ranges;
mod readers;
mod rows;
mod scans;
mod search;
mod sets;
mod statements;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
mod writer;
mod xp;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;

use crate::domain::client::{Client, ClientKey, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupUid, Outline};
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::membership::{Membership, MembershipChange, MembershipQuery};
use crate::domain::query::{GroupQuery, Listed, UserQuery};
use crate::domain::shared::Shared;
use crate::domain::time::Timestamp;
use crate::domain::user::{Credentials, User, UserKey, UserUid};

use super::{
    ClientWrite, Edit, Item, ItemChange, RefreshToken, SigningKey, Store, Successor, TokenStanding, UserWrite,
};
use connection::failed;
use memory::Memory;
use readers::Readers;
use writer::Writer;

pub use copy::{NewFile, Snapshot};

/// How the file is opened.
#[derive(Clone, Debug)]
pub struct Options {
    pub path: PathBuf,
    /// Kept in a new database; an old one must have the same. `None` = whatever it has (`en` for a new one).
    pub default_language: Option<Tag>,
    /// Whether a missing file is made.
    pub create: bool,
    /// Whether this is the one server of the file; a second one is refused.
    pub serve: bool,
    /// How long a list may take before it is given up.
    pub list_limit: Duration,
}

/// A directory in a SQLite file.
pub struct SqliteStore {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    memory: Arc<Memory>,
    path: PathBuf,
    default_language: Tag,
    /// Held for as long as this is the file's server.
    lock: Mutex<Option<File>>,
}

impl SqliteStore {
    /// Opens the file, making it and its folders and bringing its schema up to date where that is due. Fails with a
    /// sentence that says what to do.
    pub async fn open(options: Options) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || Self::open_blocking(&options)).await?
    }

    fn open_blocking(options: &Options) -> anyhow::Result<Self> {
        let shown = options.path.display().to_string();
        if !options.create && !options.path.exists() {
            bail!("there is no database {shown}: start 'rollbook serve' first, or name another with --database");
        }
        connection::create_file(&options.path)?;
        let lock = options.serve.then(|| lock(&options.path)).transpose()?;
        let mut connection = connection::open_writer(&options.path).map_err(|error| unusable(&shown, &error))?;
        migrate::migrate(&mut connection, &shown)?;
        let default_language = migrate::settle_language(&connection, options.default_language.as_ref())?;
        let readers = Arc::new(Readers::start(options.path.clone(), options.list_limit)?);
        Ok(Self {
            writer: Arc::new(Writer::start(connection, Arc::clone(&readers), !options.serve)?),
            readers,
            memory: Arc::default(),
            path: options.path.clone(),
            default_language,
            lock: Mutex::new(lock),
        })
    }
}

fn unusable(path: &str, error: &rusqlite::Error) -> anyhow::Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            anyhow::anyhow!("{path} is no SQLite database; name another file with --database")
        }
        _ => anyhow::anyhow!("the database {path} cannot be opened: {error}"),
    }
}

/// Takes the lock of the file's one server; the system drops it with the process, however that ends.
fn lock(path: &Path) -> anyhow::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another 'rollbook serve' runs on {}: stop it first, or name another file with --database",
            path.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).context("the database cannot be locked"),
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn default_language(&self) -> &Tag {
        &self.default_language
    }

    async fn group(&self, key: &GroupKey) -> Result<Option<Arc<Shared<Group>>>> {
        match key {
            GroupKey::Id(id) => self.readers.group_by_id(id),
            key => Ok(self.readers.group(key)?.map(|group| Arc::new(group.into()))),
        }
    }

    async fn list_groups(&self, query: GroupQuery) -> Result<Listed<Group>> {
        let memory = Arc::clone(&self.memory);
        self.readers.scan(move |connection| lists::of_groups(connection, &memory, &query)).await
    }

    async fn groups_after(&self, after: GroupUid, limit: u32, visibility: &Visibility) -> Result<Vec<Outline>> {
        let visibility = visibility.clone();
        let read = move |connection: &_| groups::after(connection, after, limit, &visibility).map_err(failed);
        self.readers.scan(read).await
    }

    async fn write_group(&self, operation: Operation, key: GroupKey, edit: Edit<Group, GroupFields>) -> Result<Group> {
        let language = self.default_language.clone();
        self.writer.write(move |writing| groups::write(writing, &language, &operation, &key, &edit)).await
    }

    async fn user(&self, key: &UserKey) -> Result<Option<User>> {
        self.readers.point(|connection| users::find(connection, key))
    }

    async fn list_users(&self, query: UserQuery) -> Result<Listed<User>> {
        let memory = Arc::clone(&self.memory);
        self.readers.scan(move |connection| lists::of_users(connection, &memory, &query)).await
    }

    async fn write_user(&self, operation: Operation, key: UserKey, edit: Edit<User, UserWrite>) -> Result<User> {
        self.writer.write(move |writing| users::write(writing, &operation, &key, &edit)).await
    }

    async fn list_memberships(&self, query: MembershipQuery) -> Result<Listed<Membership>> {
        let memory = Arc::clone(&self.memory);
        self.readers.scan(move |connection| member_lists::of_memberships(connection, &memory, &query)).await
    }

    async fn add_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipChange> {
        let add = move |writing: &mut writer::Writing<'_>| memberships::add(writing, &operation, &visibility, &member);
        self.writer.write(add).await
    }

    async fn remove_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipChange> {
        let remove =
            move |writing: &mut writer::Writing<'_>| memberships::remove(writing, &operation, &visibility, &member);
        self.writer.write(remove).await
    }

    async fn write_batch(&self, operation: Operation, items: Vec<Item>) -> Result<Vec<Result<ItemChange>>> {
        let language = self.default_language.clone();
        self.writer.write(move |writing| batch::write(writing, &language, &operation, &items)).await
    }

    async fn client(&self, key: &ClientKey) -> Result<Option<Client>> {
        self.readers.point(|connection| clients::find(connection, key))
    }

    async fn clients_after(&self, after: ClientUid, limit: u32) -> Result<Vec<Client>> {
        self.readers.scan(move |connection| clients::after(connection, after, limit).map_err(failed)).await
    }

    async fn write_client(
        &self,
        operation: Operation,
        key: ClientKey,
        edit: Edit<Client, ClientWrite>,
    ) -> Result<Client> {
        self.writer.write(move |writing| clients::write(writing.connection, &operation, &key, &edit)).await
    }

    async fn credentials(&self, username: &str) -> Result<Option<Credentials>> {
        self.readers.point(|connection| users::credentials(connection, username))
    }

    async fn count_sign_in(&self, user: UserUid, at: Timestamp, succeeded: bool) -> Result<bool> {
        let count = move |writing: &mut writer::Writing<'_>| {
            users::count_sign_in(writing.connection, user, at, succeeded).map_err(failed)
        };
        self.writer.write(count).await
    }

    async fn unlock(&self, user: UserUid) -> Result<bool> {
        self.writer.write(move |writing| users::unlock(writing.connection, user).map_err(failed)).await
    }

    async fn token_standing(
        &self,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        jti: &str,
    ) -> Result<TokenStanding> {
        self.readers.point(|connection| tokens::standing(connection, user, client, jti))
    }

    async fn end_token(&self, jti: &str, expires: Timestamp, now: Timestamp) -> Result<()> {
        let jti = jti.to_owned();
        self.writer.write(move |writing| tokens::end(writing.connection, &jti, expires, now).map_err(failed)).await
    }

    async fn keep_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<()> {
        self.writer.write(move |writing| tokens::keep(writing.connection, &token, now).map_err(failed)).await
    }

    async fn rotate_refresh_token(
        &self,
        hash: &str,
        now: Timestamp,
        successor: Successor,
    ) -> Result<Option<RefreshToken>> {
        let hash = hash.to_owned();
        self.writer.write(move |writing| tokens::rotate(writing.connection, &hash, now, &*successor)).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        self.readers.point(tokens::keys)
    }

    async fn add_signing_key(&self, key: SigningKey, only_first: bool) -> Result<()> {
        self.writer.write(move |writing| tokens::add_key(writing.connection, &key, only_first).map_err(failed)).await
    }

    async fn has_clients(&self) -> Result<bool> {
        self.readers.point(clients::any)
    }

    async fn ready(&self) -> Result<()> {
        self.readers.point(clients::any)?;
        self.writer.write(|_| Ok(())).await
    }

    async fn backup(&self, to: &Path) -> Result<()> {
        let (from, to) = (self.path.clone(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || backup::backup(&from, &to)).await;
        copied.map_err(Error::internal)?.map_err(|error| Error::Unavailable(format!("{error:#}")))
    }

    async fn close(&self) {
        let writer = Arc::clone(&self.writer);
        if let Err(error) = tokio::task::spawn_blocking(move || writer.close()).await {
            tracing::error!(%error, "the writer did not stop cleanly");
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
