//! The suite of every store, on SQLite; and what only SQLite can get wrong.

mod plans;

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::connection::open_reader;
use super::writer::Writing;
use super::*;
use crate::store::sql::journal::{client_text, group_text, membership_text, user_text};
use crate::store::sql::rows::{select_client, select_group, select_user};
use crate::store::suite::{JournalRow, Replayed, State, TestStore, conformance, group, make_group, put_group};

mod conformance {
    super::conformance!(crate::store::sqlite::tests::open);
}

fn options(path: PathBuf) -> Options {
    Options { path, default_language: None, create: true, serve: true, list_limit: Duration::from_secs(60) }
}

async fn open() -> (SqliteStore, TempDir) {
    let folder = TempDir::new().unwrap();
    (SqliteStore::open(options(folder.path().join("new/rollbook.db"))).await.unwrap(), folder)
}

fn read<T>(store: &SqliteStore, sql: &str, row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let connection = open_reader(&store.path).unwrap();
    connection.prepare(sql).unwrap().query_map([], row).unwrap().map(Result::unwrap).collect()
}

impl TestStore for SqliteStore {
    fn journal(&self) -> Vec<JournalRow> {
        read(self, "SELECT operation, door, kind, change, before, after, at FROM journal ORDER BY seq", |row| {
            Ok(JournalRow {
                operation: row.get(0)?,
                door: row.get(1)?,
                kind: row.get(2)?,
                change: row.get(3)?,
                before: row.get(4)?,
                after: row.get(5)?,
                at: row.get(6)?,
            })
        })
    }

    fn state(&self) -> State {
        let groups = read(self, select_group!("FROM groups"), rows::group);
        let users = read(self, select_user!("FROM users"), rows::user);
        let clients = read(self, select_client!("FROM clients"), rows::client);
        let memberships = read(self, "SELECT group_uid, user_uid, added, live, user_key FROM memberships", |row| {
            let text = membership_text(row.get(0)?, row.get(1)?, Timestamp::from_micros(row.get(2)?)).unwrap();
            Ok(((row.get(0)?, row.get(1)?), format!("{text} {} {}", row.get::<_, i64>(3)?, row.get::<_, String>(4)?)))
        });
        let counters: BTreeMap<String, u64> =
            read(self, "SELECT name, value FROM counters", |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect();
        State {
            members: groups.iter().map(|group| (group.uid, group.members)).collect(),
            groups: groups.iter().map(|group| (group.uid, group_text(group).unwrap())).collect(),
            users: users.iter().map(|user| (user.uid, user_text(user).unwrap())).collect(),
            clients: clients.iter().map(|client| (client.uid, client_text(client).unwrap())).collect(),
            memberships: memberships.into_iter().collect(),
            counters: ["groups", "users", "memberships"].map(|name| counters[name]),
            side_rows: side_rows(self),
        }
    }

    async fn replay(&self, changes: Vec<Replayed>) -> Result<()> {
        let replay = move |writing: &mut Writing<'_>| changes.iter().try_for_each(|change| replay(writing, change));
        self.writer.write(replay).await
    }

    async fn another(&self) -> (Self, impl Send) {
        (Self::open(options(self.path.with_file_name("another.db"))).await.unwrap(), ())
    }
}

fn replay(writing: &mut Writing<'_>, change: &Replayed) -> Result<()> {
    match change {
        Replayed::Group(before, after) => groups::put(writing, before.as_deref(), after),
        Replayed::User(before, after) => users::put(writing, before.as_deref(), after),
        Replayed::Client(after) => clients::put(writing.connection, after),
        Replayed::Membership(group, user, Some(added)) => {
            let user = users::find(writing.connection, &UserKey::Uid(*user)).map_err(failed)?;
            let user = user.ok_or_else(|| Error::NotFound(crate::domain::error::Kind::User, String::new()))?;
            memberships::insert(writing.connection, *group, &user, *added).map(drop).map_err(failed)
        }
        Replayed::Membership(group, user, None) => {
            memberships::delete(writing.connection, *group, *user).map(drop).map_err(failed)
        }
    }
}

fn side_rows(store: &SqliteStore) -> Vec<String> {
    let dump = |sql: &str| {
        read(store, sql, |row| {
            let columns = row.as_ref().column_count();
            (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at).map(|value| format!("{value:?}"))).collect()
        })
    };
    let statements = [
        "SELECT 'community', * FROM group_communities ORDER BY community, owner",
        "SELECT 'group xp', * FROM group_xp ORDER BY owner, path, kind, text",
        "SELECT 'user xp', * FROM user_xp ORDER BY owner, path, kind, text",
        "SELECT 'group text', rowid FROM group_text ORDER BY rowid",
        "SELECT 'group grams', rowid FROM group_grams ORDER BY rowid",
        "SELECT 'user text', rowid FROM user_text ORDER BY rowid",
    ];
    let rows: Vec<Vec<String>> = statements.into_iter().flat_map(dump).collect();
    rows.into_iter().map(|columns| columns.join(" ")).collect()
}

#[tokio::test]
async fn reopened_stores_have_everything_and_a_second_server_is_refused() {
    let (store, folder) = open().await;
    let made = make_group(&store, group("a", "n")).await;
    let refused = SqliteStore::open(options(store.path.clone())).await.err().unwrap().to_string();
    assert!(refused.contains("another 'rollbook serve' runs"), "{refused}");
    let beside = SqliteStore::open(Options { serve: false, ..options(store.path.clone()) }).await.unwrap();
    let known = GroupKey::Id(crate::store::suite::id("a"));
    assert!(store.group(&known).await.unwrap().is_some());
    put_group(&beside, 2, GroupKey::Uid(made.uid), group("b", "n")).await.unwrap();
    let noticed = async {
        while store.group(&known).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), noticed).await.expect("another process's write holds here soon");
    assert_eq!(store.group(&GroupKey::Uid(1)).await.unwrap().unwrap().fields.id.as_str(), "b");
    beside.close().await;
    store.close().await;
    assert!(matches!(put_group(&store, 3, GroupKey::New, group("c", "n")).await, Err(Error::Unavailable(_))));
    let again = SqliteStore::open(options(store.path.clone())).await.unwrap();
    assert_eq!(again.group(&GroupKey::Uid(1)).await.unwrap().unwrap().version, 2);
    drop(folder);
}

#[tokio::test]
async fn foreign_files_are_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file.db");
    let refusal = async |path: &Path| format!("{:#}", SqliteStore::open(options(path.to_owned())).await.err().unwrap());
    std::fs::write(&path, "this is not a database, but it is long enough to look like a file of its own").unwrap();
    assert!(refusal(&path).await.contains("is no SQLite database"));
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (c)").unwrap();
    assert!(refusal(&path).await.contains("another program"));
    let newer = folder.path().join("newer.db");
    SqliteStore::open(options(newer.clone())).await.unwrap().close().await;
    let connection = Connection::open(&newer).unwrap();
    connection.execute("INSERT INTO migrations (version, checksum) VALUES (2, 'later')", []).unwrap();
    drop(connection);
    assert!(refusal(&newer).await.contains("newer version"));
    let missing = Options { create: false, ..options(folder.path().join("missing.db")) };
    let refused = SqliteStore::open(missing).await.err().unwrap().to_string();
    assert!(refused.contains("rollbook serve"), "{refused}");
    assert!(!folder.path().join("missing.db").exists());
}

#[tokio::test]
async fn the_default_language_is_fixed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rollbook.db");
    let open = async |language: Option<&str>| {
        let default_language = language.and_then(Tag::parse);
        SqliteStore::open(Options { default_language, serve: false, ..options(path.clone()) }).await
    };
    assert_eq!(open(Some("it")).await.unwrap().default_language().as_str(), "it");
    assert_eq!(open(None).await.unwrap().default_language().as_str(), "it");
    assert!(open(Some("IT")).await.is_ok());
    assert!(open(Some("en")).await.err().unwrap().to_string().contains("'it'"));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_lets_reads_go_on() {
    let (store, _folder) = open().await;
    make_group(&store, group("a", "n")).await;
    let limit_pages = async |limit: i64| {
        let set = move |writing: &mut Writing<'_>| {
            writing.connection.pragma_update(None, "max_page_count", limit).map_err(failed)
        };
        store.writer.write(set).await.unwrap();
    };
    limit_pages(1).await;
    let big = |name: &str| {
        let document = format!(r#"{{"k":"{}"}}"#, "x".repeat(7_000));
        GroupFields { xp: crate::store::suite::xp(&document), ..group(name, "n") }
    };
    let names: Vec<String> = (0..20).map(|number| format!("g{number}")).collect();
    let writes = names.iter().map(|name| put_group(&store, 2, GroupKey::New, big(name)));
    let refused = futures_util::future::join_all(writes).await;
    assert!(refused.iter().any(Result::is_err));
    assert!(
        refused.iter().flat_map(|result| result.as_ref().err()).all(|error| matches!(error, Error::Unavailable(_)))
    );
    assert!(store.group(&GroupKey::Uid(1)).await.unwrap().is_some());
    for (name, written) in names.iter().zip(&refused) {
        let key = GroupKey::Id(crate::store::suite::id(name));
        assert_eq!(store.group(&key).await.unwrap().is_some(), written.is_ok(), "{name}");
    }
    limit_pages(1_000_000).await;
    put_group(&store, 3, GroupKey::New, big("after")).await.unwrap();
}

#[tokio::test]
async fn a_write_that_panics_is_undone_alone() {
    let (store, _folder) = open().await;
    let defect =
        store.write_group(crate::store::suite::operation(1), GroupKey::New, Box::new(|_| panic!("on purpose")));
    let (defect, made) = tokio::join!(defect, put_group(&store, 1, GroupKey::New, group("a", "n")));
    assert!(matches!(defect, Err(Error::Unavailable(_))));
    assert_eq!(made.unwrap().uid, 1);
    make_group(&store, group("b", "n")).await;
}

#[tokio::test]
async fn a_list_over_its_time_is_given_up() {
    let (store, _folder) = open().await;
    let impatient = Options { serve: false, list_limit: Duration::ZERO, ..options(store.path.clone()) };
    let impatient = SqliteStore::open(impatient).await.unwrap();
    let endless = |connection: &Connection| {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed)
    };
    let given_up = impatient.readers.scan(endless).await;
    assert!(matches!(given_up, Err(Error::List(crate::domain::error::ListError::TooCostly))));
}

#[tokio::test]
async fn a_backup_is_a_store_of_its_own() {
    let (store, folder) = open().await;
    make_group(&store, group("a", "n")).await;
    let copy = folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    make_group(&store, group("b", "n")).await;
    assert!(store.backup(&copy).await.is_err(), "an existing file is not written over");
    let copied = SqliteStore::open(options(copy)).await.unwrap();
    assert!(copied.group(&GroupKey::Uid(1)).await.unwrap().is_some());
    assert!(copied.group(&GroupKey::Uid(2)).await.unwrap().is_none());
    assert_eq!(copied.state().counters[0], 1);
}

#[tokio::test]
async fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (store, _folder) = open().await;
    make_group(&store, group("a", "n")).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.path.parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(store.path.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_copy_of_a_copy_is_the_same_store() {
    let (store, folder) = open().await;
    crate::store::suite::copy::fill(&store).await;
    let copies = [folder.path().join("one.db"), folder.path().join("two.db")];
    let mut digests = Vec::new();
    for (from, to) in [(&store.path, &copies[0]), (&copies[0], &copies[1])] {
        let (mut source, destination) = (Snapshot::of(from).unwrap(), NewFile::create(to).unwrap());
        digests.push(crate::store::suite::copy::copies(&mut source, Box::new(destination)).await);
    }
    assert_eq!(digests[0], digests[1]);
    let copied = SqliteStore::open(options(copies[1].clone())).await.unwrap();
    assert_eq!(copied.state(), store.state());
    assert_eq!(make_group(&copied, group("new", "n")).await.uid, make_group(&store, group("new", "n")).await.uid);
}
