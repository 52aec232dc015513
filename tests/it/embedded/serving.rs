//! `rollbook serve` on a file: whose it is, and what it may be.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{Launch, Rollbook, Store, make_groups};

#[tokio::test]
async fn a_second_server_on_one_file_is_refused() {
    let server = Launch::default().store(Store::Sqlite).start();
    let error = server.cli().run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(error.starts_with("error: another 'rollbook serve' runs on"), "{error}");
    server.admin().await.get("/v1/usergroups").await.is(200);
}

#[test]
fn what_is_no_database_is_refused_in_one_sentence() {
    let directory = TempDir::new().unwrap();
    let garbage = directory.path().join("garbage.db");
    fs::write(&garbage, "this is no database, however long it is. ".repeat(200)).unwrap();
    let (garbage, folder) = (format!("sqlite:{}", garbage.display()), format!("sqlite:{}", directory.path().display()));
    for (database, words) in [
        ("mysql://localhost/rollbook", "give sqlite:PATH"),
        ("rollbook.db", "give sqlite:PATH"),
        ("sqlite:", "give sqlite:PATH"),
        (&*garbage, "garbage.db is no SQLite database"),
        (&folder, "name another file with --database"),
        ("sqlite:/proc/none/rollbook.db", "name another place with --database"),
    ] {
        let error = Rollbook::on(database).run(&["serve", "--listen", "127.0.0.1:0"]).error();
        assert!(error.starts_with("error: ") && error.contains(words), "{database}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let error = Rollbook::at(directory.path()).run(&["serve", "--listen", &address]).error();
    assert!(error.contains("give another address with --listen"), "{error}");
}

#[tokio::test]
async fn the_database_is_its_users_alone() {
    let parent = TempDir::new().unwrap();
    let database = parent.path().join("made/for/it/rollbook.db");
    let launch = Launch::default().store(Store::Sqlite);
    let server = launch.env("ROLLBOOK_DATABASE", &format!("sqlite:{}", database.display())).start();
    make_groups(&server.admin().await, &["g"]).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(database.parent().unwrap()), 0o700);
    for file in fs::read_dir(database.parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
