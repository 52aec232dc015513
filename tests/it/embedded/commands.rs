//! Commands on a SQLite file, and its backup.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Database, Launch, Rollbook, Store, core_groups, everything, make_group};

#[test]
fn commands_need_an_existing_directory() {
    let directory = TempDir::new().unwrap();
    let rollbook = Rollbook::at(directory.path());
    let copy = directory.path().join("copy.db");
    for command in [&["client", "list"][..], &["user", "list"], &["backup", copy.to_str().unwrap()]] {
        let error = rollbook.run(command).error();
        assert!(error.contains("there is no database") && error.contains("rollbook serve"), "{error}");
    }
    assert!(fs::read_dir(directory.path()).unwrap().next().is_none(), "nothing was created");
}

/// Root may enter every folder, so a link to itself is the path that cannot be reached.
#[test]
fn an_unreachable_path_is_not_reported_as_missing() {
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("rollbook.db");
    std::os::unix::fs::symlink(&database, &database).unwrap();
    let rollbook = Rollbook::at(directory.path());
    let copy = format!("sqlite:{}", directory.path().join("copy.db").display());
    let from = format!("sqlite:{}", database.display());
    for command in [&["client", "list"][..], &["export"], &["copy", "--from", &from, "--to", &copy]] {
        let error = rollbook.run(command).error();
        assert!(error.contains("cannot be reached") && !error.contains("there is no database"), "{error}");
    }
}

#[tokio::test]
async fn backup_and_copy_create_missing_folders() {
    let (server, directory) = (Launch::default().store(Store::Sqlite).start(), TempDir::new().unwrap());
    let (cli, from) = (server.cli(), server.database().url());
    let (backup, copy) = (directory.path().join("a/b/backup.db"), directory.path().join("c/d/copy.db"));
    cli.run(&["backup", backup.to_str().unwrap()]).printed();
    cli.run(&["copy", "--from", from, "--to", &format!("sqlite:{}", copy.display())]).printed();
    for file in [backup, copy] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        for folder in file.ancestors().skip(1).take(2) {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
    fs::write(directory.path().join("file"), "").unwrap();
    let inside = directory.path().join("file/inside/new.db");
    let copied = cli.run(&["copy", "--from", from, "--to", &format!("sqlite:{}", inside.display())]).error();
    let backed_up = cli.run(&["backup", inside.to_str().unwrap()]).error();
    assert_eq!(copied, backed_up);
    let folder = directory.path().join("none/");
    for command in [&["backup"][..], &["export"]] {
        let error = cli.run(&[command, &[folder.to_str().unwrap()]].concat()).error();
        assert!(error.contains("none/ names a folder; add the name of a file"), "{error}");
    }
}

#[test]
fn only_serve_makes_an_empty_file_a_database() {
    let directory = TempDir::new().unwrap();
    let (rollbook, file) = (Rollbook::at(directory.path()), directory.path().join("rollbook.db"));
    let copy = format!("sqlite:{}", directory.path().join("copy.db").display());
    let from = format!("sqlite:{}", file.display());
    let commands = [
        &["user", "list"][..],
        &["client", "list"],
        &["client", "create", "--name", "x", "--role", "FullAccess"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["export"],
        &["import", "-"],
        &["copy", "--from", &from, "--to", &copy],
    ];
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    for command in commands {
        let error = rollbook.run(command).error();
        assert!(error.contains("rollbook.db is empty") && error.contains("rollbook serve"), "{command:?}: {error}");
        assert_eq!(fs::read(&file).unwrap(), b"");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{command:?} left a file");
    }
    rusqlite::Connection::open(&file).unwrap().execute_batch("VACUUM").unwrap();
    for command in commands {
        let error = rollbook.run(command).error();
        assert!(error.contains("is no directory yet"), "{command:?}: {error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{command:?} left a file");
    }
    fs::write(&file, "").unwrap();
    let server = Launch::default().start_on(Database::in_folder(directory));
    assert!(server.cli().run(&["client", "list"]).success);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_journal_keeps_the_reason_and_the_operator_of_a_command() {
    let server = Launch::default().store(Store::Sqlite).start();
    let cli = server.cli();
    let file = server.database().folder().join("rollbook.db");
    let last = || {
        let sql = "SELECT channel, reason, operator_user, operator_host FROM journal ORDER BY seq DESC LIMIT 1";
        let connection = rusqlite::Connection::open(&file).unwrap();
        let text = |row: &rusqlite::Row<'_>, at| row.get::<_, Option<String>>(at);
        connection.query_row(sql, [], |row| Ok([text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?])).unwrap()
    };
    let [channel, reason, user, host] = last();
    assert_eq!((channel.as_deref(), reason, user, host), (Some("server"), None, None, None), "the first client");
    let name = |program: &str, flag: &str| {
        let output = Command::new(program).arg(flag).output().unwrap();
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let (user, host) = (name("id", "-un"), name("uname", "-n"));
    let kept = |channel: &str, reason: Option<&str>| {
        [Some(channel.into()), reason.map(Into::into), user.clone(), host.clone()]
    };
    cli.run(&["client", "create", "--name", "n", "--role", "FullAccess", "--reason", "Ticket 7: ü"]).printed();
    assert_eq!(last(), kept("cli", Some("Ticket 7: ü")));
    cli.run(&["client", "create", "--name", "n", "--role", "FullAccess"]).printed();
    assert_eq!(last(), kept("cli", None));
    cli.run(&["keys", "rotate", "--reason", "leaked"]).printed();
    assert_eq!(last(), kept("cli", Some("leaked")));
    server.make_user("ada", &[], &[]);
    cli.run(&["user", "unlock", "ada", "--reason", "called"]).printed();
    assert_eq!(last(), kept("cli", Some("called")));
    let line = r#"{"group":{"id":"g","labels":{"en":"G"}}}"#;
    cli.run_with(&["import", "-", "--reason", "moving"], line).printed();
    assert_eq!(last(), kept("import", Some("moving")));
    for (reason, rule) in [("", "must not be blank"), (&"x".repeat(501), "must not be longer than 500 characters")] {
        let error = cli.run(&["client", "create", "--name", "n", "--reason", reason]).error();
        assert!(error.contains(rule), "{error}");
    }
}

#[tokio::test]
async fn a_log_without_its_database_is_kept() {
    let mut server = Launch::default().store(Store::Sqlite).start();
    make_group(&server.admin().await, "A group", &[]).await;
    server.kill_9();
    let folder = server.database().folder();
    let (file, log, kept) = (folder.join("rollbook.db"), folder.join("rollbook.db-wal"), folder.join("kept.db"));
    let logged = fs::read(&log).unwrap();
    fs::rename(&file, &kept).unwrap();
    for empty in [false, true] {
        if empty {
            fs::write(&file, "").unwrap();
        }
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"], &["export"]] {
            let error = server.cli().run(command).error();
            for words in ["rollbook.db is gone or empty", "rollbook.db-wal is there", "put the file back"] {
                assert!(error.contains(words), "{command:?}: {error}");
            }
        }
        assert_eq!(fs::read(&log).unwrap(), logged);
        assert_eq!(file.exists(), empty);
    }
    fs::rename(&kept, &file).unwrap();
    server.restart();
    assert_eq!(core_groups(&server.admin().await).await.len(), 1);
}

#[tokio::test]
async fn files_of_an_interrupted_backup_are_replaced() {
    let (server, folder) = (Launch::default().store(Store::Sqlite).start(), TempDir::new().unwrap());
    make_group(&server.admin().await, "One", &[]).await;
    let (copy, part) = (folder.path().join("copy.db"), folder.path().join("copy.db.part"));
    let backup = || server.cli().run(&["backup", copy.to_str().unwrap()]);
    fs::write(&part, [7; 100_000]).unwrap();
    let locked = File::open(&part).unwrap();
    locked.lock().unwrap();
    let error = backup().error();
    assert!(error.contains("another copy is writing") && error.contains("copy.db.part: wait for its end"), "{error}");
    assert_eq!(fs::metadata(&part).unwrap().len(), 100_000);
    drop(locked);
    fs::rename(&part, folder.path().join("mine")).unwrap();
    symlink(folder.path().join("mine"), &part).unwrap();
    let error = backup().error();
    assert!(error.contains("copy.db.part is not a regular file"), "{error}");
    fs::rename(folder.path().join("mine"), &part).unwrap();
    backup().printed();
    assert!(!part.exists());
    fs::rename(&copy, folder.path().join("rollbook.db")).unwrap();
    let restored = Launch::default().start_on(Database::in_folder(folder));
    assert_eq!(core_groups(&restored.admin().await).await.len(), 1);
}

#[test]
fn a_pipe_is_no_database() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("rollbook.db");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let rollbook = Rollbook::at(directory.path());
    let (from, copy) = (format!("sqlite:{}", pipe.display()), directory.path().join("copy.db"));
    let (to, copy) = (format!("sqlite:{}", copy.display()), copy.to_str().unwrap());
    for command in [
        &["export"][..],
        &["client", "list"],
        &["backup", copy],
        &["copy", "--from", &from, "--to", &to],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let error = rollbook.run(command).error();
        assert!(error.contains("rollbook.db is not a regular file; name another file"), "{error}");
    }
}

#[tokio::test]
async fn a_backup_is_a_complete_directory() {
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
