//! The commands on a file, and its backup.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Database, Launch, Rollbook, Store, core_groups, everything, make_group};

#[test]
fn commands_need_a_directory_that_is_there() {
    let directory = TempDir::new().unwrap();
    let rollbook = Rollbook::at(directory.path());
    let copy = directory.path().join("copy.db");
    for command in [&["client", "list"][..], &["user", "list"], &["backup", copy.to_str().unwrap()]] {
        let error = rollbook.run(command).error();
        assert!(error.contains("there is no database") && error.contains("rollbook serve"), "{error}");
    }
    assert!(fs::read_dir(directory.path()).unwrap().next().is_none(), "nothing was made");
}

#[tokio::test]
async fn a_backup_is_a_whole_directory() {
    let server = Launch::default().store(Store::Sqlite).start();
    let admin = server.admin().await;
    for number in 0..50 {
        make_group(&admin, &format!("group {number}"), &[]).await;
    }
    let before = everything(&admin).await;
    let copied = TempDir::new().unwrap();
    let copy = copied.path().join("rollbook.db");
    let writing = tokio::spawn({
        let admin = admin.clone();
        async move {
            for number in 0..50 {
                admin.patch("/v1/usergroups/none", &json!({})).await;
                make_group(&admin, &format!("later {number}"), &[]).await;
            }
        }
    });
    let cli = server.cli();
    let path = copy.to_str().unwrap().to_owned();
    let printed = tokio::task::spawn_blocking(move || cli.run(&["backup", &path]).printed()).await.unwrap();
    writing.await.unwrap();
    assert!(printed.contains("was copied to"), "{printed}");
    let error = server.cli().run(&["backup", copy.to_str().unwrap()]).error();
    assert!(error.contains("exists already"), "{error}");
    let restored = Launch::default().start_on(Database::in_folder(copied));
    let admin = restored.admin().await;
    let after = everything(&admin).await;
    assert_eq!(after.len(), before.len());
    let groups = core_groups(&admin).await;
    assert!(
        (50..=100).contains(&groups.len()) && groups == (1..=groups.len() as i64).collect::<Vec<_>>(),
        "{groups:?}"
    );
}
