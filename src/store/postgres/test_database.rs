//! Databases for tests. Each test has a database of its own, which is dropped when the test ends.

use tokio_postgres::Client;

use super::connection::connector::Connector;

/// A database on the server that `TEST_DATABASE_URL` names. It is dropped together with the value.
pub(super) struct TestDatabase {
    name: String,
    server: String,
    url: String,
}

impl TestDatabase {
    /// Creates a database that can hold a directory.
    pub(super) async fn new() -> Self {
        Self::with_locale("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'").await
    }

    /// Creates a database with this encoding and locale, given as options of CREATE DATABASE.
    pub(super) async fn with_locale(locale: &str) -> Self {
        let server = server();
        let name = format!("rollbook_unit_{:016x}", rand::random::<u64>());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 {locale}");
        connect(&server).await.batch_execute(&create).await.unwrap();
        Self { url: Self::url_of(&name), name, server }
    }

    /// The URL of the database with this name.
    pub(super) fn url_of(name: &str) -> String {
        let server = server();
        let (location, options) = server.split_once('?').unwrap_or((&server, ""));
        let (location, _) = location.rsplit_once('/').expect("TEST_DATABASE_URL names no database");
        format!("{location}/{name}?{options}")
    }

    /// The URL of the database.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Opens a connection to the database.
    pub(super) async fn connect(&self) -> Client {
        connect(&self.url).await
    }
}

fn server() -> String {
    std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL is not set: run the tests by `scripts/with-postgres cargo test`")
}

async fn connect(url: &str) -> Client {
    Connector::parse(url, None).unwrap().connect(|_| {}).await.unwrap()
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // A thread that panics says so, and the test that failed before it stays the one that is reported.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let dropped = async { connect(&server).await.batch_execute(&drop).await };
            runtime.expect("a runtime").block_on(dropped).expect("the database is dropped");
        });
        let _panicked = dropped.join();
    }
}
