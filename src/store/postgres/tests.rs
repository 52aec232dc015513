//! The suite of every store, on PostgreSQL; and what only PostgreSQL can get wrong.

mod batch;
mod copy;
mod doubt;
mod plans;

use std::time::Duration;

use tokio_postgres::Row;

use super::scratch::Scratch;
use super::transaction::{Trace, Writing};
use super::trouble::Trouble;
use super::*;
use crate::store::sql::journal::{client_text, group_text, membership_text, user_text};
use crate::store::sql::rows::{self, select_client, select_group, select_user};
use crate::store::suite::{JournalRow, Replayed, State, TestStore, conformance, group, make_group, put_group};

mod conformance {
    super::conformance!(crate::store::postgres::tests::open);
}

const LIMITS: Limits = Limits {
    connections: 8,
    wait: Duration::from_secs(5),
    statement: Duration::from_secs(10),
    list: Duration::from_secs(30),
};

async fn open() -> (PostgresStore, Scratch) {
    let scratch = Scratch::new().await;
    (open_at(scratch.url()).await, scratch)
}

async fn open_at(url: &str) -> PostgresStore {
    let options = Options { url: url.to_owned(), password: None, default_language: None, create: true, limits: LIMITS };
    PostgresStore::open(options).await.unwrap()
}

/// All rows of a statement, asked by another thread while the test's own waits.
fn read<T: Send>(store: &PostgresStore, sql: &str, row: impl Fn(&Row) -> T + Sync) -> Vec<T> {
    let work = async {
        let client = store.points.address.connect(|_| {}).await.unwrap();
        client.query(sql, &[]).await.unwrap().iter().map(&row).collect()
    };
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime.block_on(work)).join().unwrap()
    })
}

impl TestStore for PostgresStore {
    fn journal(&self) -> Vec<JournalRow> {
        read(self, "SELECT operation, door, kind, change, before, after, at FROM journal ORDER BY seq", |row| {
            JournalRow {
                operation: row.get(0),
                door: row.get(1),
                kind: row.get(2),
                change: row.get(3),
                before: row.get(4),
                after: row.get(5),
                at: row.get(6),
            }
        })
    }

    fn state(&self) -> State {
        let groups = read(self, select_group!("FROM groups"), |row| rows::group(row).unwrap());
        let users = read(self, select_user!("FROM users"), |row| rows::user(row).unwrap());
        let clients = read(self, select_client!("FROM clients"), |row| rows::client(row).unwrap());
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
            groups: groups.iter().map(|group| (group.uid, group_text(group).unwrap())).collect(),
            users: users.iter().map(|user| (user.uid, user_text(user).unwrap())).collect(),
            clients: clients.iter().map(|client| (client.uid, client_text(client).unwrap())).collect(),
            memberships: memberships.into_iter().collect(),
            counters: ["groups", "users", "memberships"].map(counter),
            side_rows: side_rows(self),
        }
    }

    async fn replay(&self, changes: Vec<Replayed>) -> Result<()> {
        for change in changes {
            self.change(change).await?;
        }
        Ok(())
    }

    async fn another(&self) -> (Self, impl Send) {
        open().await
    }
}

#[async_trait]
impl Change for Replayed {
    type Output = ();

    fn trace(&self) -> Trace<'_> {
        Trace::None
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<(), Trouble> {
        match self {
            Self::Group(before, after) => groups::put(writing, before.as_deref(), after),
            Self::User(before, after) => users::put(writing, before.as_deref(), after).await?,
            Self::Client(after) => clients::put(writing, after.version > 1, after),
            Self::Membership(group, user, Some(added)) => {
                let user = writing.find(users::BY_UID, &[user]).await?.unwrap();
                let user = rows::user::<Row>(&user)?;
                memberships::insert(writing, *group, user.uid, user.fields.id.key(), *added);
            }
            Self::Membership(group, user, None) => memberships::delete(writing, *group, *user),
        }
        Ok(())
    }
}

fn side_rows(store: &PostgresStore) -> Vec<String> {
    let statements = [
        "SELECT ('community', c)::TEXT FROM group_communities c ORDER BY community, owner",
        "SELECT ('group xp', x)::TEXT FROM group_xp x ORDER BY owner, path, kind, text, rest",
        "SELECT ('user xp', x)::TEXT FROM user_xp x ORDER BY owner, path, kind, text, rest",
        "SELECT ('group grams', g)::TEXT FROM group_grams g ORDER BY owner",
        "SELECT ('user grams', g)::TEXT FROM user_grams g ORDER BY owner",
    ];
    statements.into_iter().flat_map(|sql| read(store, sql, |row| row.get(0))).collect()
}

#[tokio::test]
async fn readers_of_the_journal_miss_nothing_below_the_horizon() {
    let (store, scratch) = open().await;
    let slow = scratch.connect().await;
    let entry = "INSERT INTO journal (operation, at, door, kind, change, subject) VALUES ('slow', 0, '', '', '', 0)";
    slow.batch_execute(&format!("BEGIN; {entry}")).await.unwrap();
    make_group(&store, group("quick", "n")).await;
    let settled = || {
        let sql = "SELECT operation FROM journal WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq";
        read(&store, sql, |row| row.get::<_, String>(0))
    };
    assert_eq!(settled(), [""; 0], "what came later is held back");
    slow.batch_execute("COMMIT").await.unwrap();
    // Transactions of other databases hold the horizon back, too.
    let all = loop {
        match settled() {
            none if none.is_empty() => continue,
            some => break some,
        }
    };
    assert_eq!(all, ["slow", "operation-1"]);
}

#[tokio::test]
async fn changes_of_one_group_are_numbered_in_their_order() {
    let (store, _scratch) = open().await;
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
