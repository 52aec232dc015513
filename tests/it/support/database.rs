//! A database of a test's own: a SQLite file, or a database in the PostgreSQL server that the tests were given.

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::random;
use tempfile::TempDir;

use super::sql;

/// Where a server is the tests' own to make databases in.
const SERVER: &str = "TEST_DATABASE_URL";
/// Set where that server is deleted as a whole: to drop a database waits for the disk, and is left out then.
const THROWAWAY: &str = "TEST_DATABASE_THROWAWAY";
/// Which store the tests that suit either run on: `postgres`, or SQLite where it is not set.
const STORE: &str = "ROLLBOOK_TEST_STORE";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    /// The one that this run is about.
    pub fn of_this_run() -> Self {
        match env::var(STORE).as_deref() {
            Ok("postgres") => Self::Postgres,
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok(other) => panic!("{STORE} is {other:?}; set it to postgres, or not at all"),
        }
    }
}

/// A database, and the folder where its servers log. It is gone with the value.
pub struct Database {
    url: String,
    folder: TempDir,
    nodes: AtomicUsize,
    made: Option<Made>,
}

/// A database in a PostgreSQL server, which is dropped with the value.
struct Made {
    server: String,
    name: String,
}

impl Database {
    /// A new one, empty.
    pub fn new(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::in_folder(TempDir::new().expect("a temporary directory")),
            Store::Postgres => Self::created_with(""),
        }
    }

    /// One that is there and stays, by its URL.
    pub fn elsewhere(url: impl Into<String>) -> Self {
        let folder = TempDir::new().expect("a temporary directory");
        Self { url: url.into(), folder, nodes: AtomicUsize::new(0), made: None }
    }

    /// `rollbook.db` in this folder.
    pub fn in_folder(folder: TempDir) -> Self {
        let url = format!("sqlite:{}", folder.path().join("rollbook.db").display());
        Self { folder, ..Self::elsewhere(url) }
    }

    /// A new database in the PostgreSQL server that the tests were given, with these options of `CREATE DATABASE`.
    pub fn created_with(options: &str) -> Self {
        let (server, name) = (server(), format!("rollbook_it_{:016x}", random::<u64>()));
        sql::run(&server, &format!("CREATE DATABASE {name} {options}"));
        let url = named(&server, &name);
        Self { made: Some(Made { server, name }), ..Self::elsewhere(url) }
    }

    /// What `--database` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the logs and, with SQLite, of the file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has PostgreSQL look at what its tables hold, as it does by itself within a minute.
    pub fn analyse(&self) {
        if self.made.is_some() {
            sql::run(&self.url, "ANALYZE");
        }
    }

    /// A number for each server that is started on it, from 0.
    pub fn next_node(&self) -> usize {
        self.nodes.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if env::var_os(THROWAWAY).is_some() {
            return;
        }
        // Best effort: a test that failed has its own story to tell, and its server may be gone.
        let _ = sql::try_run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The URL of the PostgreSQL server that the tests were given.
pub fn server() -> String {
    env::var(SERVER).ok().filter(|url| !url.is_empty()).unwrap_or_else(|| {
        panic!("{SERVER} is not set: run the tests of PostgreSQL by scripts/with-postgres COMMAND, or by scripts/test")
    })
}

/// The same server's URL, with another database.
pub fn named(server: &str, database: &str) -> String {
    let (address, options) = server.split_once('?').map_or((server, String::new()), |(a, b)| (a, format!("?{b}")));
    let from = address.find("://").map_or(0, |at| at + 3);
    let end = address[from..].find('/').map_or(address.len(), |at| from + at);
    format!("{}/{database}{options}", &address[..end])
}
