//! Backups of a SQLite file, with the commands of docs/operations.md.

use tempfile::TempDir;

use crate::operations::{self, DirectoryState};
use crate::support::{Launch, Store, make_group};

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_responds_like_its_source() {
    let mut server = Launch::default().store(Store::Sqlite).start();
    let kept = DirectoryState::in_directory_of(&server).await;
    let folder = TempDir::new().unwrap();
    let (file, backup) = (server.database().folder().join("rollbook.db"), folder.path().join("backup.db"));
    let variables = [("FILE", file.as_os_str()), ("BACKUP", backup.as_os_str())];
    operations::run("sqlite-backup", &variables);
    // The server is killed, so that its last writes are still in the write-ahead log.
    make_group(&server.admin().await, "Later", &[]).await;
    server.kill_9();
    operations::run("sqlite-restore", &variables);
    server.restart();
    kept.is_served_by(&server).await;
}
