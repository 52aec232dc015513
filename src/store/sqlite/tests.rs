//! Runs the conformance suite on SQLite, and tests what only SQLite has.

mod plans;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::entity::{SqliteEntity, find, store};
use super::storage::open::{failed, open_reader};
use super::write::writer::WriteContext;
use super::*;
use crate::domain::client::Client;
use crate::domain::community::Visibility;
use crate::domain::error::Error;
use crate::domain::group::{Group, GroupFields, GroupKey};
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::query::UserQuery;
use crate::domain::target::Target;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey};
use crate::store::Store as _;
use crate::store::copy::ColumnType;
use crate::store::sql::columns::select;
use crate::store::sql::entity::is_restored;
use crate::store::sql::journal::{membership_text, text};
use crate::store::suite::{
    IndexNode, JournalRow, JournalUser, Replayed, SchemaColumn, State, TestStore, conformance, group, make_group,
    put_group,
};

mod conformance {
    super::conformance!(crate::store::sqlite::tests::open);
}

fn options(path: PathBuf) -> SqliteOptions {
    SqliteOptions { path, default_language: None, create: true, serve: true, list_limit: Duration::from_secs(60) }
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
        read(self, &JournalRow::select(), |row| JournalRow::read(row))
    }

    fn journal_users(&self) -> Vec<JournalUser> {
        read(self, JournalUser::SELECT, |row| JournalUser::read(row))
    }

    fn batch_index(&self, condition: &str) -> Vec<IndexNode> {
        read(self, &IndexNode::select(condition), |row| IndexNode::read(row))
    }

    /// Looks into the files, so that what was deleted counts, too.
    fn holding(&self, text: &str) -> Vec<String> {
        let holds = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        let files = ["", "-wal"].map(|suffix| super::storage::open::with_suffix(&self.path, suffix));
        files.iter().filter(|path| holds(path)).map(|path| format!("{text} in {}", path.display())).collect()
    }

    fn state(&self) -> State {
        let groups: Vec<Group> = read(self, &select::<Group>(""), entities::rows::record);
        let users: Vec<User> = read(self, &select::<User>(""), entities::rows::record);
        let clients: Vec<Client> = read(self, &select::<Client>(""), entities::rows::record);
        let tokens: Vec<LongLivedToken> = read(self, &select::<LongLivedToken>(""), entities::rows::record);
        let memberships = read(self, "SELECT group_uid, user_uid, added, live, user_key FROM memberships", |row| {
            let text = membership_text(row.get(0)?, row.get(1)?, Timestamp::from_micros(row.get(2)?)).unwrap();
            Ok(((row.get(0)?, row.get(1)?), format!("{text} {} {}", row.get::<_, i64>(3)?, row.get::<_, String>(4)?)))
        });
        let counters: BTreeMap<String, u64> =
            read(self, "SELECT name, value FROM counters", |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect();
        State {
            members: groups.iter().map(|group| (group.uid, group.members)).collect(),
            groups: groups.iter().map(|group| (group.uid, text(group).unwrap())).collect(),
            users: users.iter().map(|user| (user.uid, text(user).unwrap())).collect(),
            tokens: tokens.iter().map(|token| (token.uid, text(token).unwrap())).collect(),
            clients: clients.iter().map(|client| (client.uid, text(client).unwrap())).collect(),
            memberships: memberships.into_iter().collect(),
            counters: ["groups", "users", "memberships"].map(|name| counters[name]),
            side_rows: side_rows(self),
        }
    }

    fn schema(&self) -> Vec<SchemaColumn> {
        let sql = "SELECT t.name, c.name, c.type FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
                   WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'";
        read(self, sql, |row| {
            let kinds: &[ColumnType] = match row.get_ref(2)?.as_str()? {
                "INTEGER" => &[ColumnType::Integer, ColumnType::Small],
                "TEXT" => &[ColumnType::Text],
                _ => &[],
            };
            Ok(SchemaColumn { table: row.get(0)?, name: row.get(1)?, kinds })
        })
    }

    async fn replay(&self, changes: Vec<Replayed>) -> Result<()> {
        let replay =
            move |context: &mut WriteContext<'_>| changes.iter().try_for_each(|change| replay(context, change));
        self.writer.write(replay).await
    }

    fn forget_texts(&self) -> &'static str {
        "DELETE FROM group_text; DELETE FROM group_ngrams; DELETE FROM user_text; DELETE FROM user_ngrams;"
    }

    async fn reopened(&self, sql: &str, serve: bool) -> anyhow::Result<Self> {
        self.close().await;
        Connection::open(&self.path)?.execute_batch(sql)?;
        Self::open(SqliteOptions { serve, ..options(self.path.clone()) }).await
    }

    async fn another(&self) -> (Self, impl Send) {
        (Self::open(options(self.path.with_file_name("another.db"))).await.unwrap(), ())
    }
}

fn replay(context: &mut WriteContext<'_>, change: &Replayed) -> Result<()> {
    match change {
        Replayed::Group(before, after) => replay_entity(context, before.as_deref(), after),
        Replayed::User(before, after) => replay_entity(context, before.as_deref(), after),
        Replayed::Client(before, after) => store(context, before.as_deref(), &**after),
        Replayed::Token(before, after) => store(context, before.as_deref(), &**after),
        Replayed::Membership(group, user, Some(added)) => {
            let user: Option<User> = find(context.connection, &UserKey::Uid(*user)).map_err(failed)?;
            let user = user.ok_or_else(|| Error::NotFound(crate::domain::error::ResourceKind::User, String::new()))?;
            entities::memberships::insert(context.connection, *group, &user, *added, None).map(drop).map_err(failed)
        }
        Replayed::Membership(group, user, None) => {
            entities::memberships::delete(context.connection, *group, *user).map(drop).map_err(failed)
        }
        Replayed::FormerMembership(group, user) => {
            entities::memberships::remove(context.connection, *group, *user).map(drop).map_err(failed)
        }
    }
}

/// Stores the entity. If it was restored, all its memberships that are still there come back.
fn replay_entity<E: SqliteEntity>(context: &mut WriteContext<'_>, before: Option<&E>, after: &E) -> Result<()> {
    store(context, before, after)?;
    match is_restored(before, after) {
        true => E::return_memberships(context, after).map(drop).map_err(failed),
        false => Ok(()),
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
        "SELECT 'user community', * FROM user_communities ORDER BY community, owner",
        "SELECT 'group label', * FROM group_labels ORDER BY owner, tag",
        "SELECT 'group xp', * FROM group_xp ORDER BY owner, path, kind, text",
        "SELECT 'user xp', * FROM user_xp ORDER BY owner, path, kind, text",
        "SELECT 'group text', rowid FROM group_text ORDER BY rowid",
        "SELECT 'group ngrams', rowid FROM group_ngrams ORDER BY rowid",
        "SELECT 'user text', rowid FROM user_text ORDER BY rowid",
    ];
    let rows: Vec<Vec<String>> = statements.into_iter().flat_map(dump).collect();
    rows.into_iter().map(|columns| columns.join(" ")).collect()
}

#[tokio::test]
async fn a_reopened_store_is_complete_and_a_second_server_is_refused() {
    let (store, folder) = open().await;
    let made = make_group(&store, group("a", "n")).await;
    let refused = SqliteStore::open(options(store.path.clone())).await.err().unwrap().to_string();
    assert!(refused.contains("another 'rollbook serve' runs"), "{refused}");
    let other = SqliteStore::open(SqliteOptions { serve: false, ..options(store.path.clone()) }).await.unwrap();
    let known = GroupKey::Id(crate::store::suite::id("a"));
    assert!(store.group(&known).await.unwrap().is_some());
    put_group(&other, 2, GroupKey::Uid(made.uid), group("b", "n")).await.unwrap();
    let seen = async {
        while store.group(&known).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), seen).await.expect("a write of another process is seen here soon");
    assert_eq!(store.group(&GroupKey::Uid(1)).await.unwrap().unwrap().fields.id.as_str(), "b");
    other.close().await;
    store.close().await;
    assert!(matches!(put_group(&store, 3, Target::New, group("c", "n")).await, Err(Error::Unavailable(_))));
    let again = SqliteStore::open(options(store.path.clone())).await.unwrap();
    assert_eq!(again.group(&GroupKey::Uid(1)).await.unwrap().unwrap().version, 2);
    drop(folder);
}

/// A change of many members is no reason to evaluate the set of a filter again.
#[tokio::test]
async fn lists_keep_their_sets_when_members_change() {
    use crate::domain::membership::{MembersChange, MembersOptions};
    use crate::domain::query::{Field, Filter, Page, Search, UserField};
    let (store, _folder) = open().await;
    make_group(&store, group("g", "n")).await;
    for name in ["a1", "a2", "b3"] {
        crate::store::suite::make_user(&store, crate::store::suite::user(name)).await;
    }
    let (connection, result_cache) = (open_reader(&store.path).unwrap(), ResultCache::default());
    let search = Search { term: "a".to_owned(), fields: vec![Field::Own(UserField::Id)] };
    let filter = Filter { search: Some(search), conditions: Vec::new() };
    let query = UserQuery { filter, sort: Vec::new(), page: Page { number: 1, size: 10 } };
    let statements = || {
        let total = list::entities::of_users(&connection, &result_cache, &query).unwrap().total;
        (total, crate::store::sql::list::statement_log::take().len())
    };
    let (first, second) = (statements(), statements());
    assert!(first.1 > second.1, "{first:?}, {second:?}");
    let add = MembersChange::Delta { add: vec![UserKey::Uid(1), UserKey::Uid(2)], remove: Vec::new() };
    let (operation, options) = (crate::store::suite::operation(9), MembersOptions::default());
    store.change_members(operation, Visibility::All, GroupKey::Uid(1), add, options).await.unwrap();
    assert_eq!(statements(), second);
}

/// Restores a group with so many live and so many deleted members, and returns how many rows changed.
async fn rows_of_a_restore(live: u32, hidden: u32) -> i64 {
    let (store, _folder) = open().await;
    make_group(&store, group("g", "n")).await;
    crate::store::suite::delete_group(&store, 2, GroupKey::Uid(1)).await;
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {live} + {hidden}) \
         INSERT INTO memberships SELECT 1, i, 'u' || i, i <= {live}, 2, NULL FROM n; \
         UPDATE groups SET members = {live}"
    );
    let changed = |context: &mut WriteContext<'_>| {
        context.connection.query_row("SELECT total_changes()", [], |row| row.get::<_, i64>(0)).map_err(failed)
    };
    store.writer.write(move |context| context.connection.execute_batch(&fill).map_err(failed)).await.unwrap();
    let before = store.writer.write(changed).await.unwrap();
    let restored = crate::store::suite::entities::restore::restore_group(&store, 3, 1, None).await.unwrap();
    assert_eq!((restored.entity.members, restored.memberships.returned), (i64::from(live), u64::from(live)));
    let gone = Some(u64::from(hidden)).filter(|gone| *gone <= crate::domain::restore::GONE_MAX);
    assert_eq!(restored.memberships.gone, gone);
    store.writer.write(changed).await.unwrap() - before
}

#[tokio::test]
async fn a_restore_changes_as_few_rows_for_a_large_group_as_for_a_small_one() {
    let small = rows_of_a_restore(10, 1).await;
    assert_eq!((rows_of_a_restore(100_000, 20_000).await, small < 20), (small, true), "{small}");
}

#[tokio::test]
async fn foreign_files_are_refused_and_not_changed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file.db");
    let refusal = async |path: &Path| format!("{:#}", SqliteStore::open(options(path.to_owned())).await.err().unwrap());
    std::fs::write(&path, "this is not a database, but it is long enough to look like a file of its own").unwrap();
    assert!(refusal(&path).await.contains("is not a SQLite database"));
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (c)").unwrap();
    assert!(refusal(&path).await.contains("another program"));
    let newer = folder.path().join("newer.db");
    SqliteStore::open(options(newer.clone())).await.unwrap().close().await;
    let connection = Connection::open(&newer).unwrap();
    connection.execute("INSERT INTO migrations (version, checksum) VALUES (2, 'later')", []).unwrap();
    drop(connection);
    assert!(refusal(&newer).await.contains("newer version"));
    let older = folder.path().join("older.db");
    SqliteStore::open(options(older.clone())).await.unwrap().close().await;
    Connection::open(&older).unwrap().execute("UPDATE migrations SET checksum = 'earlier'", []).unwrap();
    assert!(refusal(&older).await.contains("export it with that version"));
    let missing = SqliteOptions { create: false, ..options(folder.path().join("missing.db")) };
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
        SqliteStore::open(SqliteOptions { default_language, serve: false, ..options(path.clone()) }).await
    };
    assert_eq!(open(Some("it")).await.unwrap().default_language().as_str(), "it");
    assert_eq!(open(None).await.unwrap().default_language().as_str(), "it");
    assert!(open(Some("IT")).await.is_ok());
    assert!(open(Some("en")).await.err().unwrap().to_string().contains("'it'"));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_allows_reads() {
    let (store, _folder) = open().await;
    make_group(&store, group("a", "n")).await;
    let limit_pages = async |limit: i64| {
        let set = move |context: &mut WriteContext<'_>| {
            context.connection.pragma_update(None, "max_page_count", limit).map_err(failed)
        };
        store.writer.write(set).await.unwrap();
    };
    limit_pages(1).await;
    let big = |name: &str| {
        let document = format!(r#"{{"k":"{}"}}"#, "x".repeat(7_000));
        GroupFields { xp: crate::store::suite::xp(&document), ..group(name, "n") }
    };
    let names: Vec<String> = (0..20).map(|number| format!("g{number}")).collect();
    let writes = names.iter().map(|name| put_group(&store, 2, Target::New, big(name)));
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
    put_group(&store, 3, Target::New, big("after")).await.unwrap();
}

#[tokio::test]
async fn a_write_that_panics_is_undone_alone() {
    let (store, _folder) = open().await;
    let defect = store.write_group(crate::store::suite::operation(1), Target::New, Box::new(|_| panic!("on purpose")));
    let (defect, made) = tokio::join!(defect, put_group(&store, 1, Target::New, group("a", "n")));
    assert!(matches!(defect, Err(Error::Unavailable(_))));
    assert_eq!(made.unwrap().uid, 1);
    make_group(&store, group("b", "n")).await;
}

#[tokio::test]
async fn a_list_over_its_time_limit_is_cancelled() {
    let (store, _folder) = open().await;
    let hurried = SqliteOptions { serve: false, list_limit: Duration::ZERO, ..options(store.path.clone()) };
    let hurried = SqliteStore::open(hurried).await.unwrap();
    let endless = |connection: &Connection| {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed)
    };
    let cancelled = hurried.readers.list(endless).await;
    assert!(matches!(cancelled, Err(Error::ListTooCostly)));
}

#[tokio::test]
async fn a_backup_is_a_store_of_its_own() {
    let (store, folder) = open().await;
    make_group(&store, group("a", "n")).await;
    let copy = folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    make_group(&store, group("b", "n")).await;
    assert!(store.backup(&copy).await.is_err(), "an existing file is not overwritten");
    let copied = SqliteStore::open(options(copy)).await.unwrap();
    assert!(copied.group(&GroupKey::Uid(1)).await.unwrap().is_some());
    assert!(copied.group(&GroupKey::Uid(2)).await.unwrap().is_none());
    assert_eq!(copied.state().counters[0], 1);
}

#[tokio::test]
async fn only_the_owner_can_access_the_files() {
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
    crate::store::suite::database::copy::fill(&store).await;
    let copies = [folder.path().join("one.db"), folder.path().join("two.db")];
    let mut digests = Vec::new();
    for (from, to) in [(&store.path, &copies[0]), (&copies[0], &copies[1])] {
        let (mut source, destination) = (Snapshot::of(from).unwrap(), NewFile::create(to).unwrap());
        digests.push(crate::store::suite::database::copy::copies(&mut source, Box::new(destination)).await);
    }
    assert_eq!(digests[0], digests[1]);
    let copied = SqliteStore::open(options(copies[1].clone())).await.unwrap();
    assert_eq!(copied.state(), store.state());
    assert_eq!(make_group(&copied, group("new", "n")).await.uid, make_group(&store, group("new", "n")).await.uid);
}
