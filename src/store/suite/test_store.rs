//! The interface of a store under test: what the suite reads of it beyond [`Store`].

use std::collections::BTreeMap;

use crate::domain::client::Client;
use crate::domain::error::Result;
use crate::domain::group::Group;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::Store;
use crate::store::copy::ColumnType;
use crate::store::sql::copy::column_names;
use crate::store::sql::journal::JOURNAL;
use crate::store::sql::rows::Columns;

/// A store under test. It also exports and replays its journal.
pub(crate) trait TestStore: Store {
    /// Returns every entry of the journal, in order.
    fn journal(&self) -> Vec<JournalRow>;
    /// Returns the rows of the users of entries, in the order of their keys.
    fn journal_users(&self) -> Vec<JournalUser>;
    /// Returns the nodes of the index of batches that meet the condition, which is SQL, in the order of their entries.
    fn batch_index(&self, condition: &str) -> Vec<IndexNode>;
    /// Returns every live and deleted entity as a journal entry would contain it, with all counters and derived rows.
    fn state(&self) -> State;
    /// Returns where the database holds the text, which is in lower case, in any case: the files or tables.
    fn holding(&self, text: &str) -> Vec<String>;
    /// Returns the columns of all tables.
    fn schema(&self) -> Vec<SchemaColumn>;
    /// Applies the changes to an empty store with the functions that all writes use.
    fn replay(&self, changes: Vec<Replayed>) -> impl Future<Output = Result<()>> + Send;
    /// Returns SQL that removes every text from the indexes that searches read.
    fn forget_texts(&self) -> &'static str;
    /// Closes the store, runs the SQL on its database, and opens that again: to serve it, or for a command.
    fn reopened(&self, sql: &str, serve: bool) -> impl Future<Output = anyhow::Result<Self>> + Send
    where
        Self: Sized;
    /// Returns another store on an empty database, and a value that keeps the database alive.
    fn another(&self) -> impl Future<Output = (Self, impl Send)> + Send
    where
        Self: Sized;
}

/// A user of a journal entry of the kind `members`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct JournalUser {
    /// The number of the user.
    pub user: i64,
    /// The number of the entry.
    pub seq: i64,
    /// The number of the change in the entry.
    pub position: i64,
    /// Whether the user was added.
    pub is_added: bool,
}

impl JournalUser {
    /// The statement that selects all of them in the order of their keys.
    pub(crate) const SELECT: &str = "SELECT user_uid, seq, position, added FROM journal_members ORDER BY user_uid, seq";

    /// Reads a row of [`JournalUser::SELECT`].
    pub(crate) fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            user: row.integer(0)?,
            seq: row.integer(1)?,
            position: row.integer(2)?,
            is_added: row.small(3)? == 1,
        })
    }
}

/// An entry of the journal.
#[derive(Clone, Debug)]
pub(crate) struct JournalRow {
    /// The number of the entry.
    pub seq: i64,
    /// The ID of the operation.
    pub operation: String,
    /// The time of the change, in microseconds.
    pub at: i64,
    /// The channel of the operation.
    pub channel: String,
    /// The reason of the operation.
    pub reason: Option<String>,
    /// The user at the command line.
    pub operator_user: Option<String>,
    /// The machine of the command line.
    pub operator_host: Option<String>,
    /// The kind of the entity.
    pub kind: String,
    /// `created`, `updated`, `deleted` or `restored`.
    pub change: String,
    /// The number of the entity.
    pub subject: i64,
    /// The number of the user of a membership.
    pub member: Option<i64>,
    /// The entity before the change, as JSON.
    pub before: Option<String>,
    /// The entity after the change, as JSON.
    pub after: Option<String>,
}

impl JournalRow {
    /// The statement that selects all entries in the order of their numbers.
    pub(crate) fn select() -> String {
        format!("SELECT {} FROM journal ORDER BY seq", column_names(JOURNAL.columns))
    }

    /// Reads the entry from a row of [`JournalRow::select`].
    pub(crate) fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        let at = |name: &str| JOURNAL.columns.iter().position(|column| column.name == name).unwrap();
        let text = |name| row.text(at(name)).map(str::to_owned);
        let optional_text = |name| row.optional_text(at(name)).map(|text| text.map(str::to_owned));
        Ok(Self {
            seq: row.integer(at("seq"))?,
            operation: text("operation")?,
            at: row.integer(at("at"))?,
            channel: text("channel")?,
            reason: optional_text("reason")?,
            operator_user: optional_text("operator_user")?,
            operator_host: optional_text("operator_host")?,
            kind: text("kind")?,
            change: text("change")?,
            subject: row.integer(at("subject"))?,
            member: row.optional_integer(at("member"))?,
            before: optional_text("before")?,
            after: optional_text("after")?,
        })
    }
}

/// The state of a store that its journal can rebuild, and the counts derived from it. Entities are JSON texts by
/// number.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// Groups, live and deleted.
    pub groups: BTreeMap<i64, String>,
    /// Users, live and deleted.
    pub users: BTreeMap<i64, String>,
    /// Clients, live and deleted.
    pub clients: BTreeMap<i64, String>,
    /// Long-lived tokens, live and revoked.
    pub tokens: BTreeMap<i64, String>,
    /// Memberships by the numbers of group and user, including hidden ones.
    pub memberships: BTreeMap<(i64, i64), String>,
    /// The number of live members by group.
    pub members: BTreeMap<i64, i64>,
    /// The counters of live groups, users and memberships.
    pub counters: [u64; 3],
    /// The derived rows, which searches, filters and community limits read.
    pub side_rows: Vec<String>,
}

/// A node of the index of batches.
#[derive(Clone, Debug)]
pub(crate) struct IndexNode {
    /// The level.
    pub level: i64,
    /// The number of the first entry that the node covers.
    pub first: i64,
    /// The number of the last entry that the node covers.
    pub last: i64,
    /// The text of the set of numbers.
    pub numbers: String,
}

impl IndexNode {
    /// The statement that selects the nodes that meet the condition.
    pub(crate) fn select(condition: &str) -> String {
        format!("SELECT level, first_seq, last_seq, numbers FROM batch_index WHERE {condition} ORDER BY first_seq")
    }

    /// Reads the node from a row of [`IndexNode::select`].
    pub(crate) fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        let numbers = row.text(3)?.to_owned();
        Ok(Self { level: row.small(0)?, first: row.integer(1)?, last: row.integer(2)?, numbers })
    }
}

/// One change that the journal records.
#[derive(Clone, Debug)]
pub(crate) enum Replayed {
    /// The group before and after.
    Group(Option<Box<Group>>, Box<Group>),
    /// The user before and after.
    User(Option<Box<User>>, Box<User>),
    /// The client before and after.
    Client(Option<Box<Client>>, Box<Client>),
    /// The long-lived token before and after.
    Token(Option<Box<LongLivedToken>>, Box<LongLivedToken>),
    /// The numbers of group and user, and when the user was added; `None` = removed.
    Membership(i64, i64, Option<Timestamp>),
    /// The numbers of group and user, of which one is deleted: their membership ended, which no count includes.
    FormerMembership(i64, i64),
}

/// A column of the store's schema.
#[derive(Clone, Debug)]
pub(crate) struct SchemaColumn {
    /// The name of the table.
    pub table: String,
    /// The name of the column.
    pub name: String,
    /// The described types that the column's type can hold; empty for a type that no description uses.
    pub kinds: &'static [ColumnType],
}
