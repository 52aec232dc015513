//! Reading the past from PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::time::sleep;
use tokio_postgres::types::Type;

use crate::domain::error::Result;
use crate::domain::group::{Group, GroupUid};
use crate::domain::history::{
    FeedPage, FeedPosition, FeedQuery, HistoryPage, HistoryQuery, JoinedGroupsAt, JoinedGroupsAtQuery, JournaledPage,
    MembersAt, MembersAtQuery, Spell,
};
use crate::domain::labels::Tag;
use crate::domain::sign_in::{SignInPage, SignInQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::copy::{Row, Value};
use crate::store::history::Past;
use crate::store::sql::past::{FeedColumns, SnapshotReader, Statement, feed, history, moments, sign_ins, spells};

use super::PostgresStore;
use super::connection::database_error::DatabaseError;
use super::read::bind::Typed;
use super::read::read_transaction::ReadTransaction;

/// The time between two looks at the end of the feed, while anyone waits for it. A notification would cost every commit
/// a lock that all commits share.
const FEED_INTERVAL: Duration = Duration::from_millis(250);

/// The order of the feed; see [`super::entities::journal`]. The number of the transaction has a name of its own: a column
/// that is made of `xid` is called `xid`, too, and `ORDER BY` would mean that column, of which there is no index.
pub(super) const FEED_COLUMNS: FeedColumns = FeedColumns {
    transaction: "xid::TEXT::BIGINT AS transaction_number",
    from: "(xid, seq) >= ($1::BIGINT::TEXT::XID8, $2)",
    to: "(xid, seq) <= ($1::BIGINT::TEXT::XID8, $2)",
    is_settled: "xid < pg_snapshot_xmin(pg_current_snapshot())",
    order: "xid {}, seq {}",
};

/// The snapshot of a read transaction.
pub(super) struct PostgresSnapshot<'a> {
    /// The transaction.
    pub(super) transaction: ReadTransaction,
    /// The language whose label is a group's Name.
    pub(super) language: &'a Tag,
}

impl SnapshotReader for PostgresSnapshot<'_> {
    type Failure = DatabaseError;

    fn language(&self) -> &Tag {
        self.language
    }

    fn feed_columns(&self) -> FeedColumns {
        FEED_COLUMNS
    }

    async fn read(&mut self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let statements = statements.into_iter().map(|Statement { sql, parameters }| {
            (sql.into_owned(), parameters.into_iter().map(typed).collect::<Vec<_>>())
        });
        let found = self.transaction.pipeline(&statements.collect::<Vec<_>>()).await?;
        found.iter().map(|rows| rows.iter().map(row).collect()).collect()
    }
}

fn typed(value: Value) -> Typed {
    let kind = if matches!(value, Value::Integer(_)) { Type::INT8 } else { Type::TEXT };
    (Box::new(value), kind)
}

/// Reads a row of integers and texts.
pub(super) fn row(found: &tokio_postgres::Row) -> Result<Row, DatabaseError> {
    let value = |(at, column): (usize, &tokio_postgres::Column)| {
        Ok(match *column.type_() {
            Type::INT8 => found.try_get::<_, Option<i64>>(at)?.into(),
            Type::INT4 => found.try_get::<_, Option<i32>>(at)?.map(i64::from).into(),
            Type::INT2 => found.try_get::<_, Option<i16>>(at)?.map(i64::from).into(),
            _ => found.try_get::<_, Option<String>>(at)?.into(),
        })
    };
    found.columns().iter().enumerate().map(value).collect()
}

/// Reads the past in a read transaction of the store: `$read` is a function over a snapshot, with its other arguments.
macro_rules! read_past {
    ($store:expr, $read:path $(, $argument:expr)*) => {
        $store
            .list(|transaction| {
                let language = &$store.default_language;
                async move {
                    let mut snapshot = PostgresSnapshot { transaction, language };
                    let answer = $read(&mut snapshot $(, $argument)*).await?;
                    snapshot.transaction.end().await?;
                    Ok(answer)
                }
                .boxed()
            })
            .await
    };
}
pub(super) use read_past;

#[async_trait]
impl Past for PostgresStore {
    async fn history(&self, query: HistoryQuery) -> Result<HistoryPage> {
        let query = &query;
        read_past!(self, history::history, query)
    }

    async fn spells(&self, group: GroupUid, user: UserUid) -> Result<Vec<Spell>> {
        read_past!(self, spells::spells, group, user)
    }

    async fn changes(&self, query: FeedQuery) -> Result<FeedPage> {
        let query = &query;
        read_past!(self, feed::feed, query)
    }

    async fn journaled_changes(&self, query: FeedQuery) -> Result<JournaledPage> {
        let query = &query;
        read_past!(self, feed::journaled, query)
    }

    async fn sign_ins(&self, query: SignInQuery) -> Result<SignInPage> {
        let query = &query;
        read_past!(self, sign_ins::read, query)
    }

    async fn feed_end(&self) -> Result<Option<FeedPosition>> {
        read_past!(self, feed::end)
    }

    async fn wait_for_feed(&self, _seen: &mut u64) {
        sleep(FEED_INTERVAL).await;
    }

    async fn group_at(&self, group: GroupUid, at: Timestamp) -> Result<Option<Group>> {
        read_past!(self, moments::group_at, group, at)
    }

    async fn user_at(&self, user: UserUid, at: Timestamp) -> Result<Option<User>> {
        read_past!(self, moments::user_at, user, at)
    }

    async fn members_at(&self, query: MembersAtQuery) -> Result<MembersAt> {
        let query = &query;
        read_past!(self, moments::members_at, query)
    }

    async fn joined_groups_at(&self, query: JoinedGroupsAtQuery) -> Result<JoinedGroupsAt> {
        let query = &query;
        read_past!(self, moments::joined_groups_at, query)
    }
}
