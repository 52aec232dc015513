//! `rollbook serve` on a SQLite file: its lock, its names and its permissions.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::support::{Database, Launch, Rollbook, Store, make_groups};

#[tokio::test]
async fn a_second_server_on_one_file_is_refused() {
    let server = Launch::default().store(Store::Sqlite).start();
    let error = server.cli().run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(error.starts_with("error: another 'rollbook serve' runs on"), "{error}");
    server.admin().await.get("/v1/usergroups").await.is(200);
}

#[tokio::test]
async fn a_server_is_refused_by_any_name_of_its_file() {
    let server = Launch::default().store(Store::Sqlite).start();
    let folder = server.database().folder();
    let (file, link, name) = (folder.join("rollbook.db"), folder.join("link.db"), folder.join("name.db"));
    let serve = |path: &Path| {
        let url = format!("sqlite:{}", path.display());
        Rollbook::on(url).run(&["serve", "--listen", "127.0.0.1:0"]).error()
    };
    symlink(&file, &link).unwrap();
    // Other files in the folder are no lock.
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|extension| extension == "lock") {
            fs::remove_file(entry).unwrap();
        }
    }
    for path in [&file, &link] {
        let error = serve(path);
        assert!(error.starts_with("error: another 'rollbook serve' runs on"), "{error}");
    }
    let listed = Rollbook::on(format!("sqlite:{}", link.display())).run(&["client", "list"]).printed();
    assert!(listed.contains("admin"), "{listed}");
    fs::hard_link(&file, &name).unwrap();
    for path in [&file, &name] {
        let error = serve(path);
        assert!(error.contains("has 2 names (hard links)"), "{error}");
        for command in [&["client", "list"][..], &["export"]] {
            let error = Rollbook::on(format!("sqlite:{}", path.display())).run(command).error();
            assert!(error.contains("has 2 names (hard links)"), "{error}");
        }
    }
    fs::remove_file(&name).unwrap();
    make_groups(&server.admin().await, &["g"]).await;
    assert!(server.cli().run(&["export"]).printed().contains("\"g\""));
}

#[tokio::test]
async fn a_symbolic_link_leads_to_the_database_and_its_log() {
    let folder = TempDir::new().unwrap();
    let (link, file) = (folder.path().join("rollbook.db"), folder.path().join("data/real.db"));
    fs::create_dir(folder.path().join("data")).unwrap();
    symlink("data/real.db", &link).unwrap();
    let mut server = Launch::default().start_on(Database::in_folder(folder));
    make_groups(&server.admin().await, &["g"]).await;
    server.kill_9();
    assert!(file.exists() && file.with_extension("db-wal").exists());
    fs::rename(&file, file.with_extension("kept")).unwrap();
    let error = server.cli().run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(error.contains("real.db-wal is there"), "{error}");
    fs::rename(file.with_extension("kept"), &file).unwrap();
    server.restart();
    server.admin().await.get("/v1/usergroups/g").await.is(200);
}

#[test]
fn a_file_that_is_no_database_is_refused_in_one_sentence() {
    let directory = TempDir::new().unwrap();
    let garbage = directory.path().join("garbage.db");
    fs::write(&garbage, "this is no database, however long it is. ".repeat(200)).unwrap();
    let (garbage, folder) = (format!("sqlite:{}", garbage.display()), format!("sqlite:{}", directory.path().display()));
    for (database, words) in [
        ("mysql://localhost/rollbook", "give sqlite:PATH"),
        ("rollbook.db", "give sqlite:PATH"),
        ("sqlite:", "give sqlite:PATH"),
        (&*garbage, "garbage.db is not a SQLite database"),
        (&folder, "name another file with --database"),
        ("sqlite:/proc/none/rollbook.db", "the folder /proc/none cannot be created; name another path"),
    ] {
        let error = Rollbook::on(database).run(&["serve", "--listen", "127.0.0.1:0"]).error();
        assert!(error.starts_with("error: ") && error.contains(words), "{database}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    for arguments in [
        ["--listen", &address, "--metrics-listen", "127.0.0.1:0"],
        ["--metrics-listen", &address, "--listen", "127.0.0.1:0"],
    ] {
        let error = Rollbook::at(directory.path()).run(&[&["serve"][..], &arguments].concat()).error();
        assert!(error.contains(&format!("give another address with {}", arguments[0])), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert!(!directory.path().join("rollbook.db").exists(), "no database was made");
}

#[tokio::test]
async fn the_database_is_readable_by_its_user_only() {
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
