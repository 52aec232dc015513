//! Backups of a file, by the commands of docs/operations.md.

use tempfile::TempDir;

use crate::operations::{self, Kept};
use crate::support::{Launch, Store, make_group};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_restored_answers_like_its_source() {
    let mut server = Launch::default().store(Store::Sqlite).start();
    let kept = Kept::in_directory_of(&server).await;
    let folder = TempDir::new().unwrap();
    let (file, backup) = (server.database().folder().join("rollbook.db"), folder.path().join("backup.db"));
    let variables = [("FILE", file.as_os_str()), ("BACKUP", backup.as_os_str())];
    operations::run("sqlite-backup", &variables);
    // Killed, so that what it wrote last is still in the log beside the file.
    make_group(&server.admin().await, "Later", &[]).await;
    server.kill_9();
    operations::run("sqlite-restore", &variables);
    server.restart();
    kept.is_served_by(&server).await;
}
