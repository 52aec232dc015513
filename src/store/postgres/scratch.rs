//! Databases for tests: each test has one of its own, which goes with it.

use tokio_postgres::Client;

use super::address::Address;

/// A database in the server that `TEST_DATABASE_URL` names.
pub struct Scratch {
    name: String,
    server: String,
    url: String,
}

impl Scratch {
    /// Makes a database that a directory fits into.
    pub async fn new() -> Self {
        Self::of("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'").await
    }

    /// Makes a database of that encoding and locale.
    pub async fn of(locale: &str) -> Self {
        let server = std::env::var("TEST_DATABASE_URL")
            .expect("TEST_DATABASE_URL is not set: run the tests by `scripts/with-postgres cargo test`");
        let name = format!("rollbook_unit_{:016x}", rand::random::<u64>());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 {locale}");
        connect(&server).await.batch_execute(&create).await.unwrap();
        let (place, options) = server.split_once('?').unwrap_or((&server, ""));
        let (place, _) = place.rsplit_once('/').expect("TEST_DATABASE_URL names no database");
        Self { url: format!("{place}/{name}?{options}"), name, server }
    }

    /// The URL of the database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection to it.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await
    }
}

async fn connect(url: &str) -> Client {
    Address::parse(url, None).unwrap().connect(|_| {}).await.unwrap()
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connect(&server).await.batch_execute(&drop).await.unwrap() });
        });
        if dropped.join().is_err() {
            eprintln!("the database {} is left behind", self.name);
        }
    }
}
