//! Backups of a SQLite file, with the commands of docs/operations.md.

use tempfile::TempDir;

use crate::operations::{self, DirectoryState};
use crate::support::{Caller, Launch, Store, make_group};

/// The cursor behind all changes.
async fn end_of_feed(admin: &Caller) -> String {
    let last = admin.get("/rollbook/v1/changes?limit=1000").await.is(200);
    assert_eq!(last["more"], false);
    last["next"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_responds_like_its_source() {
    let mut server = Launch::default().store(Store::Sqlite).start();
    let kept = DirectoryState::in_directory_of(&server).await;
    let folder = TempDir::new().unwrap();
    let (file, backup) = (server.database().folder().join("rollbook.db"), folder.path().join("backup.db"));
    let variables = [("FILE", file.as_os_str()), ("BACKUP", backup.as_os_str())];
    operations::run("sqlite-backup", &variables);
    let at_backup = end_of_feed(&server.admin().await).await;
    // The server is killed, so that its last writes are still in the write-ahead log.
    make_group(&server.admin().await, "Later", &[]).await;
    let later = end_of_feed(&server.admin().await).await;
    server.kill_9();
    operations::run("sqlite-restore", &variables);
    server.restart();
    kept.is_served_by(&server).await;
    // A reader of the feed that was ahead of the backup learns that what it read is gone, also once another change has its
    // number.
    let admin = server.admin().await;
    let read = async |cursor: &str| admin.get(&format!("/rollbook/v1/changes?after={cursor}")).await;
    read(&later).await.fails(410, "gone");
    let since = read(&at_backup).await.is(200)["changes"].as_array().unwrap().len();
    make_group(&admin, "Other", &[]).await;
    read(&later).await.fails(410, "gone");
    assert_eq!(read(&at_backup).await.is(200)["changes"].as_array().unwrap().len(), since + 1);
}
