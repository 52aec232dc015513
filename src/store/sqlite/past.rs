//! Reading the past from SQLite.

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rusqlite::Connection;

use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupUid};
use crate::domain::history::{
    FeedPage, FeedPosition, FeedQuery, HistoryPage, HistoryQuery, JoinedGroupsAt, JoinedGroupsAtQuery, JournaledPage,
    MembersAt, MembersAtQuery, Spell,
};
use crate::domain::labels::Tag;
use crate::domain::sign_in::{SignInPage, SignInQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::copy::Row;
use crate::store::history::Past;
use crate::store::sql::past::{FeedColumns, SnapshotReader, Statement, feed, history, moments, sign_ins, spells};

use super::SqliteStore;
use super::storage::open::failed;
use super::storage::rows::value;

/// There is one writer, so the order of the numbers is that of the commits.
pub(super) const FEED_COLUMNS: FeedColumns =
    FeedColumns { transaction: "0", from: "seq >= $2", to: "seq <= $2", is_settled: "seq > 0", order: "seq {}" };

/// The snapshot of a list thread.
pub(super) struct SqliteSnapshot<'a> {
    connection: &'a Connection,
    language: Tag,
}

impl SnapshotReader for SqliteSnapshot<'_> {
    type Failure = Error;

    fn language(&self) -> &Tag {
        &self.language
    }

    fn feed_columns(&self) -> FeedColumns {
        FEED_COLUMNS
    }

    async fn read(&mut self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        statements.iter().map(|statement| rows(self.connection, statement).map_err(failed)).collect()
    }
}

/// Runs the statement. SQLite takes `$1` as the name of a parameter, so a statement need not use all of them.
pub(super) fn rows(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    for (at, parameter) in statement.parameters.iter().enumerate() {
        if let Some(index) = prepared.parameter_index(&format!("${}", at + 1))? {
            prepared.raw_bind_parameter(index, parameter)?;
        }
    }
    let columns = prepared.column_count();
    let mut found = Vec::new();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        found.push((0..columns).map(|at| Ok(value(row.get_ref(at)?)?)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(found)
}

/// Returns the output of a future that never waits, as those over a [`SqliteSnapshot`].
pub(super) fn output<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    future.now_or_never().unwrap_or_else(|| Err(Error::internal(anyhow::anyhow!("a read of the past waited"))))
}

impl SqliteStore {
    /// Runs a read of the past on a list thread.
    pub(super) async fn read_past<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut SqliteSnapshot<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let language = self.default_language.clone();
        self.readers.list(move |connection| read(&mut SqliteSnapshot { connection, language })).await
    }
}

#[async_trait]
impl Past for SqliteStore {
    async fn history(&self, query: HistoryQuery) -> Result<HistoryPage> {
        self.read_past(move |snapshot| output(history::history(snapshot, &query))).await
    }

    async fn spells(&self, group: GroupUid, user: UserUid) -> Result<Vec<Spell>> {
        self.read_past(move |snapshot| output(spells::spells(snapshot, group, user))).await
    }

    async fn changes(&self, query: FeedQuery) -> Result<FeedPage> {
        self.read_past(move |snapshot| output(feed::feed(snapshot, &query))).await
    }

    async fn journaled_changes(&self, query: FeedQuery) -> Result<JournaledPage> {
        self.read_past(move |snapshot| output(feed::journaled(snapshot, &query))).await
    }

    async fn sign_ins(&self, query: SignInQuery) -> Result<SignInPage> {
        self.read_past(move |snapshot| output(sign_ins::read(snapshot, &query))).await
    }

    async fn feed_end(&self) -> Result<Option<FeedPosition>> {
        self.read_past(|snapshot| output(feed::end(snapshot))).await
    }

    async fn wait_for_feed(&self, seen: &mut u64) {
        self.readers.wait_for_commit(seen).await;
    }

    async fn group_at(&self, group: GroupUid, at: Timestamp) -> Result<Option<Group>> {
        self.read_past(move |snapshot| output(moments::group_at(snapshot, group, at))).await
    }

    async fn user_at(&self, user: UserUid, at: Timestamp) -> Result<Option<User>> {
        self.read_past(move |snapshot| output(moments::user_at(snapshot, user, at))).await
    }

    async fn members_at(&self, query: MembersAtQuery) -> Result<MembersAt> {
        self.read_past(move |snapshot| output(moments::members_at(snapshot, &query))).await
    }

    async fn joined_groups_at(&self, query: JoinedGroupsAtQuery) -> Result<JoinedGroupsAt> {
        self.read_past(move |snapshot| output(moments::joined_groups_at(snapshot, &query))).await
    }
}
