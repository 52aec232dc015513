//! Backups with PostgreSQL's own programs and the commands of docs/operations.md, restored on another server.

use std::os::unix::process::CommandExt as _;

use tempfile::TempDir;

use super::{Cluster, run, unprivileged};
use crate::operations::{self, DirectoryState};
use crate::postgres::launch;
use crate::support::{Database, make_group, sql};

/// The URL of a database that is created as the page says, and of a role that owns it and has no other rights.
fn created_in(cluster: &Cluster) -> String {
    operations::run("postgres-create", &[("SERVER", cluster.url().as_ref())]);
    format!("postgres://rollbook@{}/rollbook", cluster.address())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_restored_on_another_server_responds_like_its_source() {
    let (source, other) = (Cluster::start(&[]), Cluster::start(&[]));
    let (database, restored) = (created_in(&source), created_in(&other));
    let server = launch().start_on(Database::elsewhere(&*database));
    let kept = DirectoryState::in_directory_of(&server).await;
    // As on a server that has been in use for long; the other server's transaction IDs start from the beginning.
    sql::run(&database, "UPDATE journal SET xid = (xid::text::bigint + 1000000000)::text::xid8 WHERE seq > 3");
    let folder = TempDir::new().unwrap();
    let backup = folder.path().join("rollbook.dump");
    let backup = ("BACKUP", backup.as_os_str());
    operations::run("postgres-dump", &[("DATABASE", database.as_ref()), backup]);
    make_group(&server.admin().await, "Later", &[]).await;
    operations::run("postgres-restore", &[("DATABASE", restored.as_ref()), backup]);
    let settled = "SELECT seq FROM journal WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq";
    let in_order = "SELECT seq FROM journal ORDER BY seq";
    assert_eq!(sql::run(&restored, settled), sql::run(&restored, in_order), "readers of changes find them all");
    kept.is_served_by(&launch().start_on(Database::elsewhere(restored))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_base_backup_responds_like_its_source() {
    let (source, mut restored) = (Cluster::start(&[]), Cluster::prepared(&[]));
    let server = launch().start_on(Database::elsewhere(source.url()));
    let kept = DirectoryState::in_directory_of(&server).await;
    let (url, data) = (source.url(), restored.data());
    let variables = [("SERVER", url.as_ref()), ("BACKUP", data.as_os_str())];
    let mut backup = operations::command("postgres-basebackup", &variables);
    if let Some((user, group)) = unprivileged() {
        backup.uid(user).gid(group);
    }
    run(&mut backup);
    make_group(&server.admin().await, "Later", &[]).await;
    restored.start_again();
    kept.is_served_by(&launch().start_on(Database::elsewhere(restored.url()))).await;
}
