//! The store of many nodes: PostgreSQL.
//!
//! Nothing is kept in memory between requests, so that what one node acknowledged every node shows at once. Point reads
//! share a few pipelined sessions ([`points`]), lists take a snapshot ([`reading`]), and each write is a transaction
//! that is tried again where it was not made ([`transaction`]) and looked up where nobody said whether it was
//! ([`outcome`]).

mod address;
mod batch;
mod bind;
mod clients;
mod copy;
mod counters;
mod engine;
mod fitness;
mod grams;
mod groups;
mod journal;
mod lists;
mod memberships;
mod migrate;
mod outcome;
mod pipeline;
mod points;
mod pool;
mod reading;
mod rows;
#[cfg(test)]
mod scratch;
mod session;
mod sign_ins;
#[cfg(test)]
mod tests;
mod tls;
mod together;
mod tokens;
mod transaction;
mod trouble;
mod url;
mod users;
mod xp;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::timeout;

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
use address::Address;
pub use copy::{NewDirectory, Snapshot};
use points::Points;
use pool::Pool;
use reading::Reading;
pub use session::Limits;
use together::Together;
use transaction::{Change, transact};
use trouble::of_list;

/// Which database, and how it is used. Not to be printed: the URL may hold a password.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user@host,host/database?sslmode=…`
    pub url: String,
    /// The password, where it does not stand in the URL.
    pub password: Option<SecretString>,
    /// Kept in a new database; an old one must have the same. `None` = whatever it has (`en` for a new one).
    pub default_language: Option<Tag>,
    /// Whether an empty database is made a directory.
    pub create: bool,
    pub limits: Limits,
}

/// A directory in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    points: Arc<Points>,
    together: Arc<Together>,
    limits: Limits,
    /// Lists may take half of the connections: writes are never shut out by them.
    lists: Arc<Semaphore>,
    default_language: Tag,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date where that is due. Fails with a sentence that says what to do.
    pub async fn open(options: Options) -> anyhow::Result<Self> {
        let address = Address::parse(&options.url, options.password.as_ref())?;
        let shown = address.shown().to_owned();
        let cannot = || format!("no session on {shown}: see that it runs there and lets this role in");
        let mut client = address.connect(|_| {}).await.with_context(cannot)?;
        migrate::migrate(&mut client, &shown, options.create).await?;
        let default_language = migrate::settle_language(&client, options.default_language.as_ref()).await?;
        let (address, limits) = (Arc::new(address), options.limits);
        let points = Arc::new(Points::new(Arc::clone(&address), limits));
        Ok(Self {
            pool: Pool::new(address, limits)?,
            together: Together::new(Arc::clone(&points)),
            points,
            limits,
            lists: Arc::new(Semaphore::new((limits.connections / 2).max(1))),
            default_language,
        })
    }

    async fn change<C: Change>(&self, change: C) -> Result<C::Output> {
        transact(&self.pool, &self.limits, change).await
    }

    /// A snapshot for a list, once it is the list's turn.
    async fn reading(&self) -> Result<Reading> {
        let busy = || Error::Unavailable("too many lists at once".to_owned());
        let turn = timeout(self.limits.wait, Arc::clone(&self.lists).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        Ok(Reading::new(self.pool.get().await?, turn, self.limits.list))
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn default_language(&self) -> &Tag {
        &self.default_language
    }

    async fn group(&self, key: &GroupKey) -> Result<Option<Arc<Shared<Group>>>> {
        match key {
            GroupKey::Id(id) => self.together.find(id).await,
            GroupKey::Uid(uid) => Ok(groups::by_uid(&self.points, *uid).await?.map(|group| Arc::new(group.into()))),
            GroupKey::New => Ok(None),
        }
    }

    async fn list_groups(&self, query: GroupQuery) -> Result<Listed<Group>> {
        lists::of_groups(self.reading().await?, &query).await.map_err(of_list)
    }

    async fn groups_after(&self, after: GroupUid, limit: u32, visibility: &Visibility) -> Result<Vec<Outline>> {
        groups::after(self.reading().await?, after, limit, visibility).await.map_err(of_list)
    }

    async fn write_group(&self, operation: Operation, key: GroupKey, edit: Edit<Group, GroupFields>) -> Result<Group> {
        let language = self.default_language.clone();
        self.change(groups::WriteGroup { operation, key, edit, language }).await
    }

    async fn user(&self, key: &UserKey) -> Result<Option<User>> {
        users::find(&self.points, key).await
    }

    async fn list_users(&self, query: UserQuery) -> Result<Listed<User>> {
        lists::of_users(self.reading().await?, &query).await.map_err(of_list)
    }

    async fn write_user(&self, operation: Operation, key: UserKey, edit: Edit<User, UserWrite>) -> Result<User> {
        self.change(users::WriteUser { operation, key, edit }).await
    }

    async fn list_memberships(&self, query: MembershipQuery) -> Result<Listed<Membership>> {
        lists::of_memberships(self.reading().await?, &query).await.map_err(of_list)
    }

    async fn add_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipChange> {
        self.change(memberships::ChangeMember { operation, visibility, member, is_in: true }).await
    }

    async fn remove_member(
        &self,
        operation: Operation,
        visibility: Visibility,
        member: Membership,
    ) -> Result<MembershipChange> {
        self.change(memberships::ChangeMember { operation, visibility, member, is_in: false }).await
    }

    async fn write_batch(&self, operation: Operation, items: Vec<Item>) -> Result<Vec<Result<ItemChange>>> {
        let language = self.default_language.clone();
        self.change(batch::WriteBatch { operation, items, language }).await
    }

    async fn client(&self, key: &ClientKey) -> Result<Option<Client>> {
        clients::find(&self.points, key).await
    }

    async fn clients_after(&self, after: ClientUid, limit: u32) -> Result<Vec<Client>> {
        clients::after(&self.points, after, limit).await
    }

    async fn write_client(
        &self,
        operation: Operation,
        key: ClientKey,
        edit: Edit<Client, ClientWrite>,
    ) -> Result<Client> {
        self.change(clients::WriteClient { operation, key, edit }).await
    }

    async fn credentials(&self, username: &str) -> Result<Option<Credentials>> {
        sign_ins::credentials(&self.points, username).await
    }

    async fn count_sign_in(&self, user: UserUid, at: Timestamp, succeeded: bool) -> Result<bool> {
        self.change(sign_ins::CountSignIn { user, at, succeeded }).await
    }

    async fn unlock(&self, user: UserUid) -> Result<bool> {
        self.change(sign_ins::Unlock(user)).await
    }

    async fn token_standing(
        &self,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        jti: &str,
    ) -> Result<TokenStanding> {
        tokens::standing(&self.points, user, client, jti).await
    }

    async fn end_token(&self, jti: &str, expires: Timestamp, now: Timestamp) -> Result<()> {
        self.change(tokens::EndToken { jti: jti.to_owned(), expires, now }).await
    }

    async fn keep_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<()> {
        self.change(tokens::KeepRefreshToken { token, now }).await
    }

    async fn rotate_refresh_token(
        &self,
        hash: &str,
        now: Timestamp,
        successor: Successor,
    ) -> Result<Option<RefreshToken>> {
        self.change(tokens::RotateRefreshToken { hash: hash.to_owned(), now, successor }).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        tokens::keys(&self.points).await
    }

    async fn add_signing_key(&self, key: SigningKey, only_first: bool) -> Result<()> {
        self.change(tokens::AddSigningKey { key, only_first }).await
    }

    async fn has_clients(&self) -> Result<bool> {
        clients::any(&self.points).await
    }

    async fn ready(&self) -> Result<()> {
        let look = self.points.find("SELECT current_setting('transaction_read_only') = 'off'", &[]);
        let silent = || Error::Unavailable("the database does not answer".to_owned());
        let row = timeout(self.limits.wait, look).await.map_err(|_| silent())??;
        match row.map(|row| row.try_get(0)) {
            Some(Ok(true)) => self.pool.get().await.map(drop),
            _ => Err(Error::Unavailable("the database takes no writes".to_owned())),
        }
    }

    async fn backup(&self, _: &Path) -> Result<()> {
        Err(Error::Unavailable(
            "PostgreSQL is backed up by its own means: take pg_dump or pg_basebackup, or 'rollbook copy' into a file"
                .to_owned(),
        ))
    }

    async fn close(&self) {
        self.pool.close();
        self.points.close();
    }
}
