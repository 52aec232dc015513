//! A database for one test: a SQLite file, or a database in the PostgreSQL server for tests.

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::random;
use tempfile::TempDir;

use super::sql;

/// The variable with the URL of a PostgreSQL server in which tests may create databases.
const SERVER: &str = "TEST_DATABASE_URL";
/// Set if that server is deleted at the end of the run. Dropping a database waits for the disk, so tests skip it then.
const THROWAWAY: &str = "TEST_DATABASE_THROWAWAY";
/// The variable with the store of this run: `postgres`; SQLite if it is not set.
const STORE: &str = "ROLLBOOK_TEST_STORE";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// A SQLite file.
    Sqlite,
    /// A database in a PostgreSQL server.
    Postgres,
}

impl Store {
    /// The store of this run, from the environment.
    pub(crate) fn of_this_run() -> Self {
        match env::var(STORE).as_deref() {
            Ok("postgres") => Self::Postgres,
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok(other) => panic!("{STORE} is {other:?}; set it to postgres, or not at all"),
        }
    }
}

/// A database, and the folder for the logs of its servers. Both are deleted when the value is dropped.
pub(crate) struct Database {
    url: String,
    folder: TempDir,
    nodes: AtomicUsize,
    created: Option<CreatedDatabase>,
}

/// A database in a PostgreSQL server. It is dropped when the value is.
struct CreatedDatabase {
    server: String,
    name: String,
}

impl Database {
    /// Creates an empty database.
    pub(crate) fn new(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::in_folder(TempDir::new().expect("a temporary directory")),
            Store::Postgres => Self::created_with(""),
        }
    }

    /// An existing database, by its URL. It is not deleted.
    pub(crate) fn elsewhere(url: impl Into<String>) -> Self {
        let folder = TempDir::new().expect("a temporary directory");
        Self { url: url.into(), folder, nodes: AtomicUsize::new(0), created: None }
    }

    /// The SQLite file `rollbook.db` in this folder.
    pub(crate) fn in_folder(folder: TempDir) -> Self {
        let url = format!("sqlite:{}", folder.path().join("rollbook.db").display());
        Self { folder, ..Self::elsewhere(url) }
    }

    /// Creates a database in the PostgreSQL server for tests, with these options of `CREATE DATABASE`.
    pub(crate) fn created_with(options: &str) -> Self {
        let (server, name) = (server(), format!("rollbook_it_{:016x}", random::<u64>()));
        sql::run(&server, &format!("CREATE DATABASE {name} {options}"));
        let url = named(&server, &name);
        Self { created: Some(CreatedDatabase { server, name }), ..Self::elsewhere(url) }
    }

    /// The database URL, as `--database` expects it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the logs and, with SQLite, of the database file.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Renews PostgreSQL's statistics of the tables, which it does by itself within a minute.
    pub(crate) fn analyse(&self) {
        if self.created.is_some() {
            sql::run(&self.url, "ANALYZE");
        }
    }

    /// The number of the next server that is started on this database, from 0.
    pub(crate) fn next_node(&self) -> usize {
        self.nodes.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for CreatedDatabase {
    fn drop(&mut self) {
        if env::var_os(THROWAWAY).is_some() {
            return;
        }
        // Best effort: a failed test reports its own error, and the server may have stopped.
        let _ = sql::try_run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The URL of the PostgreSQL server for tests. Panics if it is not set.
pub(crate) fn server() -> String {
    env::var(SERVER).ok().filter(|url| !url.is_empty()).unwrap_or_else(|| {
        panic!("{SERVER} is not set: run the tests of PostgreSQL with scripts/with-postgres COMMAND or scripts/test")
    })
}

/// The URL with another database name.
pub(super) fn named(server: &str, database: &str) -> String {
    let (address, options) = server.split_once('?').map_or((server, String::new()), |(a, b)| (a, format!("?{b}")));
    let from = address.find("://").map_or(0, |at| at + 3);
    let end = address[from..].find('/').map_or(address.len(), |at| from + at);
    format!("{}/{database}{options}", &address[..end])
}
