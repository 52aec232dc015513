//! Runs the conformance suite of all stores on PostgreSQL, and tests what is specific to PostgreSQL.

mod answers;
mod batch;
mod commit_outcome;
mod copy;
mod plans;
mod read_transaction;

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;

use super::connection::database_error::DatabaseError;
use super::entity::{PostgresEntity, store};
use super::past::FEED_COLUMNS;
use super::test_database::TestDatabase;
use super::write::pipeline::parameters;
use super::write::transaction::Transaction;
use super::write::unit_of_work::OutcomeLookup;
use super::*;
use crate::domain::client::Client;
use crate::domain::group::{Group, GroupKey};
use crate::domain::history::{Order, Span};
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::sign_in::{SignInFilter, SignInQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::Store as _;
use crate::store::copy::ColumnType;
use crate::store::history::Past as _;
use crate::store::sql::columns::{Record as _, select};
use crate::store::sql::entity::is_restored;
use crate::store::sql::journal::{membership_text, text};
use crate::store::sql::past::FeedColumns;
use crate::store::suite::{
    IndexNode, JournalRow, JournalUser, Replayed, SchemaColumn, State, TestStore, conformance, count_sign_in, group,
    make_group, make_user, put_group, user,
};

mod conformance {
    super::conformance!(crate::store::postgres::tests::open);
}

const LIMITS: DatabaseLimits = DatabaseLimits {
    connections: 8,
    wait: Duration::from_secs(5),
    statement: Duration::from_secs(10),
    list: Duration::from_secs(30),
};

async fn open() -> (PostgresStore, TestDatabase) {
    let test_database = TestDatabase::new().await;
    (open_at(test_database.url()).await, test_database)
}

fn options(url: &str) -> PostgresOptions {
    PostgresOptions { url: url.to_owned(), password: None, default_language: None, serve: true, limits: LIMITS }
}

async fn open_at(url: &str) -> PostgresStore {
    PostgresStore::open(options(url)).await.unwrap()
}

/// Returns all rows of a statement. Another thread reads them, while the thread of the test blocks.
fn read<T: Send>(store: &PostgresStore, sql: &str, row: impl Fn(&Row) -> T + Sync) -> Vec<T> {
    let work = async {
        let client = store.point_reads.connector.connect(|_| {}).await.unwrap();
        client.query(sql, &[]).await.unwrap().iter().map(&row).collect()
    };
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime.block_on(work)).join().unwrap()
    })
}

impl TestStore for PostgresStore {
    fn journal(&self) -> Vec<JournalRow> {
        read(self, &JournalRow::select(), |row| JournalRow::read(row).unwrap())
    }

    fn journal_users(&self) -> Vec<JournalUser> {
        read(self, JournalUser::SELECT, |row| JournalUser::read(row).unwrap())
    }

    fn batch_index(&self, condition: &str) -> Vec<IndexNode> {
        read(self, &IndexNode::select(condition), |row| IndexNode::read(row).unwrap())
    }

    fn holding(&self, text: &str) -> Vec<String> {
        let tables = "SELECT table_name::TEXT FROM information_schema.tables \
                      WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'";
        let tables: Vec<String> = read(self, tables, |row| row.get(0));
        assert!(tables.len() > 10, "{tables:?}");
        let holds = |table: &&String| {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} AS r WHERE strpos(lower(r::TEXT), '{text}') > 0)");
            read(self, &sql, |row| row.get::<_, bool>(0)) == [true]
        };
        tables.iter().filter(holds).map(|table| format!("{text} in {table}")).collect()
    }

    fn state(&self) -> State {
        let groups = read(self, &select::<Group>(""), |row| Group::read(row).unwrap());
        let users = read(self, &select::<User>(""), |row| User::read(row).unwrap());
        let clients = read(self, &select::<Client>(""), |row| Client::read(row).unwrap());
        let tokens = read(self, &select::<LongLivedToken>(""), |row| LongLivedToken::read(row).unwrap());
        let memberships = "SELECT group_uid, user_uid, added, live, user_key FROM memberships";
        let memberships = read(self, memberships, |row| {
            let text = membership_text(row.get(0), row.get(1), Timestamp::from_micros(row.get(2))).unwrap();
            ((row.get(0), row.get(1)), format!("{text} {} {}", row.get::<_, i16>(3), row.get::<_, String>(4)))
        });
        let counter = |name: &str| {
            let sql = format!("SELECT sum(value)::BIGINT FROM counters WHERE name = '{name}'");
            read(self, &sql, |row| row.get::<_, i64>(0))[0].try_into().unwrap()
        };
        State {
            members: groups.iter().map(|group| (group.uid, group.members)).collect(),
            groups: groups.iter().map(|group| (group.uid, text(group).unwrap())).collect(),
            users: users.iter().map(|user| (user.uid, text(user).unwrap())).collect(),
            tokens: tokens.iter().map(|token| (token.uid, text(token).unwrap())).collect(),
            clients: clients.iter().map(|client| (client.uid, text(client).unwrap())).collect(),
            memberships: memberships.into_iter().collect(),
            counters: ["groups", "users", "memberships"].map(counter),
            side_rows: derived_rows(self),
        }
    }

    fn schema(&self) -> Vec<SchemaColumn> {
        let sql = "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT FROM information_schema.columns \
                   WHERE table_schema = current_schema()";
        read(self, sql, |row| {
            let kinds: &[ColumnType] = match row.get(2) {
                "bigint" => &[ColumnType::Integer],
                "smallint" => &[ColumnType::Small],
                "text" => &[ColumnType::Text],
                _ => &[],
            };
            SchemaColumn { table: row.get(0), name: row.get(1), kinds }
        })
    }

    async fn replay(&self, changes: Vec<Replayed>) -> Result<()> {
        for change in changes {
            self.execute(change).await?;
        }
        Ok(())
    }

    fn forget_texts(&self) -> &'static str {
        "DELETE FROM group_ngrams; DELETE FROM user_ngrams;"
    }

    async fn reopened(&self, sql: &str, serve: bool) -> anyhow::Result<Self> {
        self.close().await;
        let client = self.point_reads.connector.connect(|_| {}).await?;
        client.batch_execute(sql).await?;
        let name: String = client.query_one_scalar("SELECT current_database()::TEXT", &[]).await?;
        Self::open(PostgresOptions { serve, ..options(&TestDatabase::url_of(&name)) }).await
    }

    async fn another(&self) -> (Self, impl Send) {
        open().await
    }
}

#[async_trait]
impl UnitOfWork for Replayed {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::None
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        match self {
            Self::Group(before, after) => replay_entity(transaction, before.as_deref(), &**after).await?,
            Self::User(before, after) => replay_entity(transaction, before.as_deref(), &**after).await?,
            Self::Client(before, after) => store(transaction, before.as_deref(), &**after).await?,
            Self::Token(before, after) => store(transaction, before.as_deref(), &**after).await?,
            Self::Membership(group, user, Some(added)) => {
                let user = transaction.find(&User::statements().by_uid, &[user]).await?.unwrap();
                let user = User::read(&user)?;
                // A membership keeps the number of the entry that was queued before it.
                transaction.next("SELECT nextval('journal_seq')").await?;
                entities::memberships::insert(transaction, *group, user.uid, user.fields.id.key(), *added);
            }
            Self::Membership(group, user, None) => entities::memberships::delete(transaction, *group, *user),
            Self::FormerMembership(group, user) => {
                let sql = "DELETE FROM memberships WHERE group_uid = $1 AND user_uid = $2";
                transaction.queue(sql, parameters![*group, *user]);
            }
        }
        Ok(())
    }
}

/// Stores the entity. If it was restored, all its memberships that are still there come back.
async fn replay_entity<E: PostgresEntity>(
    transaction: &mut Transaction<'_>,
    before: Option<&E>,
    after: &E,
) -> Result<(), DatabaseError> {
    store(transaction, before, after).await?;
    match is_restored(before, after) {
        true => E::return_memberships(transaction, after).await.map(drop),
        false => Ok(()),
    }
}

/// All derived rows, as text. Checks that the table of member counts has the counts of all live groups.
fn derived_rows(store: &PostgresStore) -> Vec<String> {
    let wrong = "SELECT ROW(g.uid, g.members, s)::TEXT FROM (SELECT * FROM groups WHERE deleted IS NULL) g \
                 FULL JOIN group_sizes s ON s.owner = g.uid WHERE s.members IS DISTINCT FROM g.members";
    assert_eq!(read(store, wrong, |row| row.get::<_, String>(0)), Vec::<String>::new());
    let statements = [
        "SELECT ('community', c)::TEXT FROM group_communities c ORDER BY community, owner",
        "SELECT ('user community', c)::TEXT FROM user_communities c ORDER BY community, owner",
        "SELECT ('group label', l)::TEXT FROM group_labels l ORDER BY owner, tag",
        "SELECT ('group xp', x)::TEXT FROM group_xp x ORDER BY owner, path, kind, text, rest",
        "SELECT ('user xp', x)::TEXT FROM user_xp x ORDER BY owner, path, kind, text, rest",
        "SELECT ('group ngrams', g)::TEXT FROM group_ngrams g ORDER BY owner",
        "SELECT ('user ngrams', g)::TEXT FROM user_ngrams g ORDER BY owner",
    ];
    statements.into_iter().flat_map(|sql| read(store, sql, |row| row.get(0))).collect()
}

#[tokio::test]
async fn a_reader_of_the_journal_misses_no_entry_below_the_oldest_transaction() {
    let (store, test_database) = open().await;
    let slow = test_database.connect().await;
    let entry = "INSERT INTO journal (operation, at, channel, kind, change, subject) VALUES ('slow', 0, '', '', '', 0)";
    slow.batch_execute(&format!("BEGIN; {entry}")).await.unwrap();
    make_group(&store, group("quick", "n")).await;
    let settled = || {
        let sql = "SELECT operation FROM journal WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq";
        read(&store, sql, |row| row.get::<_, String>(0))
    };
    assert_eq!(settled(), [""; 0], "the later entry is held back");
    slow.batch_execute("COMMIT").await.unwrap();
    // Transactions in other databases hold the entries back, too.
    let all = loop {
        match settled() {
            none if none.is_empty() => continue,
            some => break some,
        }
    };
    assert_eq!(all, ["slow", "operation-1"]);
}

#[tokio::test]
async fn a_reader_of_the_sign_ins_misses_none_below_the_oldest_transaction() {
    let (store, test_database) = open().await;
    let slow = test_database.connect().await;
    let sign_in = "INSERT INTO sign_ins (at, type, channel, count) VALUES (9, 'sign_in.succeeded', 'core', 1)";
    slow.batch_execute(&format!("BEGIN; {sign_in}")).await.unwrap();
    let uid = make_user(&store, user("u")).await.uid;
    count_sign_in(&store, uid, Timestamp::from_micros(5), false).await.unwrap();
    let query = SignInQuery {
        filter: SignInFilter::default(),
        span: Span::default(),
        order: Order::Ascending,
        after: None,
        limit: 9,
    };
    let found = async || {
        let page = store.sign_ins(query.clone()).await.unwrap();
        page.sign_ins.iter().map(|sign_in| sign_in.at.as_micros()).collect::<Vec<_>>()
    };
    assert_eq!(found().await, [0; 0], "the later one is held back");
    slow.batch_execute("COMMIT").await.unwrap();
    // Transactions in other databases hold them back, too.
    let all = loop {
        match found().await {
            few if few.len() < 2 => continue,
            all => break all,
        }
    };
    assert_eq!(all, [9, 5], "in the order of the transactions");
}

#[tokio::test]
async fn the_feed_and_the_sign_ins_are_read_in_the_order_of_an_index() {
    let (_store, test_database) = open().await;
    let client = test_database.connect().await;
    client.batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off").await.unwrap();
    let FeedColumns { transaction, is_settled, order, .. } = FEED_COLUMNS;
    for (table, condition, index) in [
        ("journal", "seq > 0", "journal_settled"),
        ("sign_ins", "1 = 1", "sign_ins_settled"),
        ("sign_ins", "user_uid = 1", "sign_ins_user"),
        ("sign_ins", "client_uid = 1", "sign_ins_client"),
        ("sign_ins", "source = '192.0.2.1'", "sign_ins_source"),
    ] {
        for direction in ["ASC", "DESC"] {
            let order = order.replace("{}", direction);
            let sql = format!(
                "EXPLAIN SELECT seq, {transaction} FROM {table} WHERE {condition} AND {is_settled} \
                 ORDER BY {order} LIMIT 9"
            );
            let plan = client.query(&sql, &[]).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            assert!(plan.contains(index) && !plan.contains("Sort"), "{table} {condition}: {plan}");
        }
    }
}

#[tokio::test]
async fn journal_entries_of_one_group_are_numbered_in_commit_order() {
    let (store, _test_database) = open().await;
    let made = make_group(&store, group("a", "0")).await;
    let writes =
        (0..20).map(|number| put_group(&store, number, GroupKey::Uid(made.uid), group("a", &number.to_string())));
    for written in futures_util::future::join_all(writes).await {
        written.unwrap();
    }
    let versions: Vec<i64> =
        read(&store, "SELECT (after::JSONB->>'version')::BIGINT FROM journal ORDER BY seq", |row| row.get(0));
    assert_eq!(versions, (1..=versions.len() as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_node_at_a_time_drops_changes() {
    let (store, test_database) = open().await;
    for number in 0..3 {
        make_group(&store, group(&format!("g{number}"), "n")).await;
    }
    let later = Timestamp::from_micros(1_000_000_000);
    let other = test_database.connect().await;
    other.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(1919055723, 2)").await.unwrap();
    assert!(!store.drop_changes(later).await.unwrap(), "it is left to the other node");
    assert_eq!(store.journal().len(), 3);
    other.batch_execute("COMMIT").await.unwrap();
    while store.drop_changes(later).await.unwrap() {}
    assert_eq!(store.journal().len(), 1);
}

#[tokio::test]
async fn nodes_that_start_at_once_fold_keys_again_once() {
    let (store, test_database) = open().await;
    make_group(&store, group("a", "Name")).await;
    let count = "CREATE TABLE folded (at xid8 DEFAULT pg_current_xact_id());
         CREATE FUNCTION count_folding() RETURNS trigger LANGUAGE plpgsql
             AS 'BEGIN INSERT INTO folded DEFAULT VALUES; RETURN NULL; END';
         CREATE TRIGGER count_folding AFTER INSERT OR UPDATE ON settings
             FOR EACH ROW EXECUTE FUNCTION count_folding();";
    let older = "UPDATE groups SET name_key = 'wrong'; DELETE FROM settings WHERE key = 'folding';";
    test_database.connect().await.batch_execute(&[older, count].concat()).await.unwrap();
    futures_util::future::join_all((0..4).map(|_| open_at(test_database.url()))).await;
    assert_eq!(read(&store, "SELECT name_key FROM groups", |row| row.get::<_, String>(0)), ["name"]);
    assert_eq!(read(&store, "SELECT count(*) FROM folded", |row| row.get::<_, i64>(0)), [1]);
}
