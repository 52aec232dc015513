//! Files that are moved, removed, replaced or overwritten under a running server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{CORE, Caller, Database, Launch, Server, Store};

/// How many groups there are before the files change.
const INITIAL_GROUPS: usize = 20;

fn group(number: usize) -> serde_json::Value {
    json!({ "ID": format!("g{number}"), "Name": "A group" })
}

async fn filled() -> (Server, Caller) {
    let server = Launch::default().store(Store::Sqlite).start();
    let admin = server.admin().await;
    for number in 0..INITIAL_GROUPS {
        admin.post("/v1/usergroups", &group(number)).await.is(201);
    }
    (server, admin)
}

fn file(server: &Server) -> PathBuf {
    server.database().folder().join("rollbook.db")
}

fn log_of(file: &Path) -> PathBuf {
    file.with_extension("db-wal")
}

/// No further write is acknowledged, and the server exits with an error that contains these words.
async fn exits_with(server: &mut Server, admin: &Caller, words: &str) {
    // A client gets an error, or the server is gone already.
    let request = admin.request("POST", "/v1/usergroups").json(&group(INITIAL_GROUPS));
    if let Some(reply) = admin.try_send(request).await {
        assert_eq!(reply.status, 503, "{}", reply.text);
    }
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    let log = server.log();
    assert_eq!(log.lines().filter(|line| line.contains("ERROR") && line.contains(words)).count(), 1, "{log}");
    assert!(log.lines().last().is_some_and(|line| line.starts_with("error: ") && line.contains(words)), "{log}");
}

/// The server starts again and has this many groups.
async fn has_groups(server: &mut Server, groups: usize) {
    server.restart();
    let listed = server.admin().await.get("/v1/usergroups").await.is(200);
    assert_eq!(listed.total(), groups as u64);
    server.admin().await.post("/v1/usergroups", &group(1_000)).await.is(201);
}

fn refused_start(server: &Server) -> String {
    server.cli().run(&["serve", "--listen", "127.0.0.1:0"]).error()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_file_is_detected_and_can_be_put_back() {
    let (mut server, admin) = filled().await;
    let (file, elsewhere) = (file(&server), server.database().folder().join("elsewhere.db"));
    fs::rename(&file, &elsewhere).unwrap();
    exits_with(&mut server, &admin, "was removed or renamed").await;
    let error = refused_start(&server);
    assert!(error.contains("rollbook.db-wal is there: put the file back, or restore a backup"), "{error}");
    assert!(!file.exists());
    fs::rename(&elsewhere, &file).unwrap();
    // The outcome of the last write is unknown, so the group may be there.
    server.restart();
    assert!(server.admin().await.get("/v1/usergroups").await.is(200).total() >= INITIAL_GROUPS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_file_is_detected_without_a_write() {
    let (mut server, _) = filled().await;
    fs::remove_file(file(&server)).unwrap();
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    assert!(server.log().contains("was removed or renamed"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_folder_loses_nothing() {
    let parent = tempfile::TempDir::new().unwrap();
    let (folder, elsewhere) = (parent.path().join("data"), parent.path().join("elsewhere"));
    let url = format!("sqlite:{}/rollbook.db", folder.display());
    let mut server = Launch::default().start_on(Database::elsewhere(url));
    let admin = server.admin().await;
    for number in 0..INITIAL_GROUPS {
        admin.post("/v1/usergroups", &group(number)).await.is(201);
    }
    fs::rename(&folder, &elsewhere).unwrap();
    exits_with(&mut server, &admin, "was removed or renamed").await;
    fs::rename(&elsewhere, &folder).unwrap();
    server.restart();
    assert!(server.admin().await.get("/v1/usergroups").await.is(200).total() >= INITIAL_GROUPS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_replaced_by_a_backup_is_served_after_the_next_start() {
    for in_place in [false, true] {
        let (mut server, admin) = filled().await;
        let (file, backup) = (file(&server), server.database().folder().join("backup.db"));
        server.cli().run(&["backup", backup.to_str().unwrap()]).printed();
        admin.post("/v1/usergroups", &group(500)).await.is(201);
        let words = if in_place {
            fs::copy(&backup, &file).unwrap();
            "was written over"
        } else {
            fs::rename(&backup, &file).unwrap();
            "was replaced by another file"
        };
        exits_with(&mut server, &admin, words).await;
        assert!(server.log().contains("rollbook.db-wal.replaced"), "{}", server.log());
        has_groups(&mut server, INITIAL_GROUPS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_log_loses_nothing() {
    let (mut server, admin) = filled().await;
    fs::remove_file(log_of(&file(&server))).unwrap();
    exits_with(&mut server, &admin, "lost its write-ahead log").await;
    server.restart();
    assert!(server.admin().await.get("/v1/usergroups").await.is(200).total() >= INITIAL_GROUPS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_index_of_the_log_loses_nothing() {
    let (mut server, admin) = filled().await;
    // Another process would create a second index, and overwrite what this process writes.
    fs::remove_file(file(&server).with_extension("db-shm")).unwrap();
    exits_with(&mut server, &admin, "the index of that (-shm)").await;
    server.restart();
    assert!(server.admin().await.get("/v1/usergroups").await.is(200).total() >= INITIAL_GROUPS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_changed_in_place_is_detected() {
    for cut_to in [0, 2, 1] {
        let (mut server, _) = filled().await;
        assert!(server.stop().success(), "{}", server.log());
        server.restart();
        let admin = server.admin().await;
        admin.post("/v1/usergroups", &group(500)).await.is(201);
        let log = log_of(&file(&server));
        let length = fs::metadata(&log).unwrap().len();
        match cut_to {
            // The write-ahead log of another database, of the same length.
            0 => fs::write(&log, vec![7; usize::try_from(length).unwrap()]).unwrap(),
            part => File::options().write(true).open(&log).unwrap().set_len(length / part - 1).unwrap(),
        }
        exits_with(&mut server, &admin, "has lost the content of its write-ahead log").await;
        // What was copied before is complete.
        server.restart();
        let admin = server.admin().await;
        assert!(admin.get("/v1/usergroups").await.is(200).total() >= INITIAL_GROUPS as u64);
        admin.post("/v1/usergroups", &group(1_000)).await.is(201);
        server.anonymous().get("/readyz").await.is(200);
        assert_eq!(check(&server), "ok");
    }
}

/// The errors that SQLite's integrity check finds.
fn check(server: &Server) -> String {
    let connection = rusqlite::Connection::open(file(server)).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_of_the_file_is_detected_however_similar() {
    let (mut server, _) = filled().await;
    assert!(server.stop().success(), "{}", server.log());
    let (file, night) = (file(&server), server.database().folder().join("night.db"));
    fs::copy(&file, &night).unwrap();
    // A few changes, in pages that exist already.
    server.restart();
    let admin = server.admin().await;
    admin.put("/v1/usergroups/g1", &json!({ "Name": "B group" })).await.is(200);
    assert!(server.stop().success(), "{}", server.log());
    assert_eq!(fs::metadata(&file).unwrap().len(), fs::metadata(&night).unwrap().len());
    server.restart();
    let admin = server.admin().await;
    fs::copy(&night, &file).unwrap();
    exits_with(&mut server, &admin, "was written over").await;
    has_groups(&mut server, INITIAL_GROUPS).await;
    assert_eq!(check(&server), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_response_comes_from_another_database() {
    let parent = tempfile::TempDir::new().unwrap();
    let folder = |name: &str| parent.path().join(name);
    let url = format!("sqlite:{}/rollbook.db", folder("data").display());
    let mut other = Launch::default().start_on(Database::elsewhere(url.clone()));
    other.admin().await.post("/v1/usergroups", &json!({ "ID": "other", "Name": "OTHER" })).await.is(201);
    assert!(other.stop().success());
    fs::rename(folder("data"), folder("other")).unwrap();
    let server = Launch::default().start_on(Database::elsewhere(url));
    let admin = server.admin().await;
    fs::rename(folder("data"), folder("elsewhere")).unwrap();
    fs::rename(folder("other"), folder("data")).unwrap();
    let list = format!("{CORE}/list");
    let mut requests = JoinSet::new();
    for path in ["/v1/usergroups", "/v1/usergroups/other", &list, "/v1/adminusers"].repeat(8) {
        let admin = admin.clone();
        let path = path.to_owned();
        requests.spawn(async move { admin.try_send(admin.request("GET", &path)).await });
    }
    for reply in requests.join_all().await.into_iter().flatten() {
        // Connections that were open before still read their own database.
        assert!([200, 404, 503].contains(&reply.status), "{}", reply.text);
        assert!(!reply.text.contains("OTHER"), "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_writes_of_other_processes_are_no_loss() {
    let (mut server, admin) = filled().await;
    let other = rusqlite::Connection::open(file(&server)).unwrap();
    other.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(other);
    server.make_user("ada", &[], &[]);
    File::options().write(true).open(file(&server)).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    admin.post("/v1/usergroups", &group(INITIAL_GROUPS)).await.is(201);
    server.anonymous().get("/readyz").await.is(200);
    assert!(server.stop().success(), "{}", server.log());
    has_groups(&mut server, INITIAL_GROUPS + 1).await;
}
