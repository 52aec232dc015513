//! Directories copied between PostgreSQL and a SQLite file, with the commands of docs/operations.md.

use tempfile::TempDir;

use super::launch;
use crate::operations::{self, DirectoryState};
use crate::support::{Database, Launch, Store, make_group};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_restored_from_a_file_responds_like_its_source() {
    let server = launch().start();
    let kept = DirectoryState::in_directory_of(&server).await;
    let folder = TempDir::new().unwrap();
    let backup = folder.path().join("rollbook.db");
    let backup = ("BACKUP", backup.as_os_str());
    operations::run("postgres-to-file", &[("DATABASE", server.database().url().as_ref()), backup]);
    make_group(&server.admin().await, "Later", &[]).await;
    let restored = Database::new(Store::Postgres);
    operations::run("file-to-postgres", &[("DATABASE", restored.url().as_ref()), backup]);
    kept.is_served_by(&launch().start_on(restored)).await;
    // A server can also serve the file.
    kept.is_served_by(&Launch::default().start_on(Database::in_folder(folder))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_moved_from_a_file_responds_as_before() {
    let mut server = Launch::default().store(Store::Sqlite).start();
    let kept = DirectoryState::in_directory_of(&server).await;
    server.stop();
    let (file, moved) = (server.database().folder().join("rollbook.db"), Database::new(Store::Postgres));
    operations::run("sqlite-to-postgres", &[("FILE", file.as_os_str()), ("DATABASE", moved.url().as_ref())]);
    kept.is_served_by(&launch().start_on(moved)).await;
}
