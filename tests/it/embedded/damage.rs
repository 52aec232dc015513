//! Damaged pages, and commits that hang.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use crate::support::{CORE, Caller, Launch, Reply, Server, Store, eventually, make_group, send_raw};

/// The time limit for responses of `/readyz`, whatever the database does.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
const DAMAGED: &str = "is damaged";

/// A directory whose groups take many pages, all of them in the main file.
async fn filled() -> Server {
    let mut server = Launch::default().store(Store::Sqlite).start();
    let admin = server.admin().await;
    for number in 0..40 {
        let group = json!({ "ID": format!("g{number}"), "Name": "A group", "xp": { "Text": "x".repeat(2_000) } });
        admin.post("/v1/usergroups", &group).await.is(201);
    }
    assert!(server.stop().success(), "{}", server.log());
    server
}

fn file(server: &Server) -> PathBuf {
    server.database().folder().join("rollbook.db")
}

/// The number of a page; the query reads SQLite's table of pages.
fn page(file: &Path, query: &str) -> u64 {
    Connection::open(file).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

fn root(file: &Path, tree: &str) -> u64 {
    page(file, &format!("SELECT rootpage FROM sqlite_schema WHERE name = '{tree}'"))
}

fn first_leaf(file: &Path, tree: &str) -> u64 {
    page(file, &format!("SELECT pageno FROM dbstat WHERE name = '{tree}' AND pagetype = 'leaf' ORDER BY path LIMIT 1"))
}

/// Overwrites pages; returns what they held.
fn damage(file: &Path, page: u64) -> Vec<u8> {
    let file = File::options().read(true).write(true).open(file).unwrap();
    let (at, mut before) = ((page - 1) * 4_096, vec![0; 4_096]);
    file.read_exact_at(&mut before, at).unwrap();
    file.write_all_at(&[0xdb; 4_096], at).unwrap();
    before
}

fn repair(file: &Path, page: u64, before: &[u8]) {
    File::options().write(true).open(file).unwrap().write_all_at(before, (page - 1) * 4_096).unwrap();
}

/// The error response of a damaged database: without `Retry-After`, and without advice to try again.
#[track_caller]
pub(crate) fn is_lasting(reply: &Reply, code: &str) {
    assert_eq!((reply.status, reply.code(), reply.header("retry-after")), (503, code, ""), "{}", reply.text);
    assert!(reply.text.contains("database is damaged") && !reply.text.contains("again"), "{}", reply.text);
}

/// Every write is refused for good.
pub(crate) async fn refuses_writes(admin: &Caller) {
    let group = json!({ "ID": "new", "Name": "New" });
    is_lasting(&admin.post("/v1/usergroups", &group).await, "Api.Offline");
    let labels = json!({ "Labels": json!({ "en": "New" }).to_string() });
    is_lasting(&admin.post(CORE, &labels).await, "unavailable");
    is_lasting(&admin.delete("/v1/usergroups/g1").await, "Api.Offline");
}

/// `/readyz` returns 503 within its time limit, and keeps doing so.
pub(crate) async fn becomes_unready(server: &Server) {
    let anonymous = server.anonymous();
    eventually("unreadiness", RESPONSE_LIMIT, async || anonymous.get("/readyz").await.status == 503).await;
    // Check once more after the second for which a result is cached.
    anonymous.get("/readyz").await.is(503);
}

/// One log line, an error, names the database and says what to do.
#[track_caller]
pub(crate) fn is_logged_once(server: &Server, database: &str) {
    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("restore a backup")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for words in ["ERROR", database, DAMAGED] {
        assert!(lines[0].contains(words), "{words}: {}", lines[0]);
    }
    assert!(!log.contains("defect"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_root_pages_are_refused_at_start() {
    let server = filled().await;
    let file = file(&server);
    for tree in ["groups", "journal", "groups_id", "group_text_data", "signing_keys"] {
        let page = root(&file, tree);
        let before = damage(&file, page);
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["client", "list"]] {
            let error = server.cli().run(command).error();
            assert!(error.contains(DAMAGED) && error.contains("restore a backup"), "{tree}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        repair(&file, page, &before);
    }
    assert!(server.cli().run(&["client", "list"]).success);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_root_page_is_detected_while_serving() {
    let mut server = filled().await;
    server.restart();
    server.anonymous().get("/readyz").await.is(200);
    damage(&file(&server), root(&file(&server), "groups"));
    becomes_unready(&server).await;
    refuses_writes(&server.admin().await).await;
    is_logged_once(&server, "rollbook.db");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_damaged_page_is_detected_when_it_is_read() {
    for tree in ["groups", "group_xp_text"] {
        let mut server = filled().await;
        server.restart();
        let admin = server.admin().await;
        damage(&file(&server), first_leaf(&file(&server), tree));
        server.anonymous().get("/readyz").await.is(200);
        let met = if tree == "groups" { format!("{CORE}/1") } else { "/v1/usergroups?xp.Text=a".to_owned() };
        is_lasting(&admin.get(&met).await, if tree == "groups" { "unavailable" } else { "Api.Offline" });
        refuses_writes(&admin).await;
        becomes_unready(&server).await;
        is_logged_once(&server, "rollbook.db");
        assert!(server.stop().success(), "{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_read_by_a_write_is_not_an_internal_error() {
    let mut server = filled().await;
    server.restart();
    let admin = server.admin().await;
    damage(&file(&server), first_leaf(&file(&server), "group_xp"));
    is_lasting(&admin.delete("/v1/usergroups/g0").await, "Api.Offline");
    refuses_writes(&admin).await;
    becomes_unready(&server).await;
    is_logged_once(&server, "rollbook.db");
}

/// Deletes a row from a table and leaves it in the indexes.
fn remove_from_table(file: &Path, sql: &str) {
    const COPY: &str = "CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL; \
                        DELETE FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL;";
    const BACK: &str = "INSERT INTO sqlite_schema SELECT * FROM kept;";
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON").unwrap();
    for step in [COPY, sql, BACK] {
        connection.execute_batch(step).unwrap();
        connection.execute_batch("PRAGMA writable_schema = RESET; PRAGMA writable_schema = ON").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_only_in_an_index_is_damage() {
    for (table, list) in [("groups", "/v1/usergroups"), ("users", "/v1/adminusers")] {
        let mut server = filled().await;
        server.restart();
        server.make_user("ada", &[], &[]);
        assert!(server.stop().success(), "{}", server.log());
        remove_from_table(&file(&server), &format!("DELETE FROM {table} WHERE uid = 1"));
        server.restart();
        let admin = server.admin().await;
        is_lasting(&admin.get(list).await, "Api.Offline");
        refuses_writes(&admin).await;
        becomes_unready(&server).await;
        is_logged_once(&server, "rollbook.db");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_all_groups_is_cut_off_at_damage() {
    let mut server = filled().await;
    server.restart();
    let admin = server.admin().await;
    for number in 40..140 {
        let group = json!({ "ID": format!("g{number}"), "Name": "A group", "xp": { "Text": "x".repeat(2_000) } });
        admin.post("/v1/usergroups", &group).await.is(201);
    }
    assert!(server.stop().success(), "{}", server.log());
    let last = page(
        &file(&server),
        "SELECT pageno FROM dbstat WHERE name = 'groups' AND pagetype = 'leaf' ORDER BY path DESC LIMIT 1",
    );
    server.restart();
    damage(&file(&server), last);
    let bearer = server.admin().await.bearer().to_owned();
    for _ in 0..50 {
        let request = format!(
            "GET {CORE}/list-all HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {bearer}\r\n\r\n",
            server.address()
        );
        let reply = send_raw(server.address(), request);
        assert!(reply.starts_with("HTTP/1.1 200") && !reply.contains("\r\n0\r\n"), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_commits_wait_is_not_ready() {
    let server = Launch::default().store(Store::Sqlite).start();
    let anonymous = server.anonymous();
    anonymous.get("/readyz").await.is(200);
    let other = Connection::open(file(&server)).unwrap();
    other.busy_timeout(RESPONSE_LIMIT).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The first responses may still come from the cached result.
    eventually("unreadiness", RESPONSE_LIMIT * 2, async || {
        let begun = Instant::now();
        let reply = anonymous.get("/readyz").await;
        assert!(begun.elapsed() < RESPONSE_LIMIT);
        reply.status == 503
    })
    .await;
    other.execute_batch("ROLLBACK").unwrap();
    eventually("readiness", RESPONSE_LIMIT * 2, async || anonymous.get("/readyz").await.status == 200).await;
    make_group(&server.admin().await, "After", &[]).await;
}
