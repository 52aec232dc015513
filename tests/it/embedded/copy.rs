//! `rollbook copy` from one file to another.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{A, Database, Launch, Rollbook, Server, Store, everything, make_group};

fn copy(from: &str, to: &Path) -> crate::support::Outcome {
    let to = format!("sqlite:{}", to.display());
    Rollbook::on(from).run(&["copy", "--from", from, "--to", &to])
}

async fn filled() -> Server {
    let server = Launch::default().store(Store::Sqlite).start();
    let admin = server.admin().await;
    for number in 0..20 {
        make_group(&admin, &format!("group {number}"), &[A]).await;
    }
    server
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_in_use_is_copied_completely() {
    let server = filled().await;
    let before = everything(&server.admin().await).await;
    let (from, folder) = (server.database().url(), TempDir::new().unwrap());
    let files = names(server.database().folder());
    let to = folder.path().join("new/rollbook.db");
    fs::create_dir(folder.path().join("new")).unwrap();
    // Files of an interrupted copy do not matter.
    fs::write(to.with_extension("db.part"), [7; 10_000]).unwrap();
    fs::write(server.database().folder().join("rollbook.db.snapshot"), [7; 10_000]).unwrap();
    let printed = copy(from, &to).printed();
    assert!(printed.contains("groups                     20\n"), "{printed}");
    assert_eq!(names(&folder.path().join("new")), ["rollbook.db"]);
    assert_eq!(names(server.database().folder()), files);
    let token = server.admin().await.bearer().to_owned();
    fs::rename(&to, folder.path().join("rollbook.db")).unwrap();
    let again = Launch::default().start_on(Database::in_folder(folder));
    assert_eq!(everything(&again.bearer(&token)).await, before);
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let server = filled().await;
    let (from, folder) = (server.database().url(), TempDir::new().unwrap());
    let to = folder.path().join("rollbook.db");
    for name in ["rollbook.db", "rollbook.db-wal"] {
        fs::write(folder.path().join(name), "mine").unwrap();
        let error = copy(from, &to).error();
        assert!(error.contains(&format!("{name} exists already; name a file that does not")), "{error}");
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"mine");
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    for (from, expected) in [
        ("sqlite:/none.db", "there is no database /none.db"),
        ("mysql:x", "--from (or ROLLBOOK_COPY_FROM) names no database; give sqlite:PATH"),
    ] {
        let error = copy(from, &to).error();
        assert!(error.contains(expected), "{error}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
