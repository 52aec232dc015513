//! The database that is measured, on the server of `TEST_DATABASE_URL`.

use anyhow::{Context as _, bail, ensure};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage, SimpleQueryRow};

/// The settings on which figures depend most.
const SETTINGS: &str = "fsync,synchronous_commit,full_page_writes,wal_sync_method,shared_buffers,max_wal_size,\
                        checkpoint_timeout,autovacuum,max_connections";

/// A database, and a connection to it.
pub(crate) struct Database {
    server: String,
    name: String,
    url: String,
    config: Config,
    is_new: bool,
    client: Client,
}

impl Database {
    /// Opens the database with this name on the server at the URL; creates it if it does not exist.
    pub(crate) async fn open(server: &str, name: &str) -> anyhow::Result<Self> {
        let (address, options) = server.split_once('?').unwrap_or((server, ""));
        let (address, _) = address.rsplit_once('/').context("TEST_DATABASE_URL names no database")?;
        let url = format!("{address}/{name}?{options}");
        let there = connect(&server.parse()?).await?;
        let is_new = rows(&there, &format!("SELECT FROM pg_database WHERE datname = '{name}'")).await?.is_empty();
        if is_new {
            let like = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'";
            there.batch_execute(&format!("CREATE DATABASE {name} {like}")).await?;
        }
        let config: Config = url.parse()?;
        let client = connect(&config).await?;
        Ok(Self { server: server.to_owned(), name: name.to_owned(), url, config, is_new, client })
    }

    /// Drops the database and closes its connections.
    pub(crate) async fn drop(self) -> anyhow::Result<()> {
        let there = connect(&self.server.parse()?).await?;
        Ok(there.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?)
    }

    /// The URL of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether this process created the database.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The connection parameters for libpq's programs.
    pub(crate) fn environment(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let (host, port) = self.host().context("TEST_DATABASE_URL names no host")?;
        let mut environment = vec![("PGHOST", host), ("PGPORT", port.to_string()), ("PGDATABASE", self.name.clone())];
        environment.extend(self.config.get_user().map(|user| ("PGUSER", user.to_owned())));
        if let Some(password) = self.config.get_password() {
            environment.push(("PGPASSWORD", String::from_utf8(password.to_vec())?));
        }
        Ok(environment)
    }

    fn host(&self) -> Option<(String, u16)> {
        let host = match self.config.get_hosts().first()? {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        Some((host, self.config.get_ports().first().copied().unwrap_or(5432)))
    }

    /// The connection settings, as text.
    pub(crate) fn transport(&self) -> String {
        match self.host() {
            Some((folder, _)) if folder.starts_with('/') => format!("the Unix socket in {folder}"),
            Some((host, _)) => format!("TCP to {host}"),
            None => String::new(),
        }
    }

    /// The folder of the server's Unix socket, if it has one on this machine.
    pub(crate) async fn socket(&self) -> anyhow::Result<Option<String>> {
        let Some((_, port)) = self.host() else { return Ok(None) };
        let folders = self.text("SHOW unix_socket_directories").await?;
        let mut folders = folders.split(", ").filter(|folder| folder.starts_with('/'));
        Ok(folders.find(|folder| std::fs::exists(format!("{folder}/.s.PGSQL.{port}")).unwrap_or(false)).map(Into::into))
    }

    /// All rows of the query, as text.
    pub(crate) async fn rows(&self, query: &str) -> anyhow::Result<Vec<SimpleQueryRow>> {
        rows(&self.client, query).await
    }

    async fn text(&self, query: &str) -> anyhow::Result<String> {
        let rows = self.rows(query).await?;
        let value = rows.first().and_then(|row| row.get(0));
        Ok(value.with_context(|| format!("no response to {query}"))?.to_owned())
    }

    /// The size of the database in bytes.
    pub(crate) async fn size(&self) -> anyhow::Result<u64> {
        Ok(self.text("SELECT pg_database_size(current_database())").await?.parse()?)
    }

    /// Runs the maintenance that the server would run some time after so many inserts.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("VACUUM ANALYZE").await?)
    }

    /// Writes all dirty pages to the disk.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("CHECKPOINT").await?)
    }

    /// The server's version and settings. Fails if commits are not durable.
    pub(crate) async fn settings(&self) -> anyhow::Result<String> {
        let version = self.text("SHOW server_version").await?;
        let mut settings = Vec::new();
        for name in SETTINGS.split(',') {
            settings.push((name, self.text(&format!("SHOW {name}")).await?));
        }
        for (name, value) in &settings[..2] {
            ensure!(value == "on", "{name} is {value}: commits would not be durable");
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
        Ok(format!("PostgreSQL {version}: {}", settings.join(", ")))
    }

    /// Fails if pgbench's inserts did not create the rows that the directory creates.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let counts = "SELECT count(*), (SELECT sum(value) FROM counters WHERE name = 'groups'), \
                      (SELECT count(*) FROM group_ngrams), (SELECT count(DISTINCT owner) FROM group_xp), \
                      (SELECT count(*) FROM journal WHERE kind = 'group' AND change = 'created') \
                      FROM groups WHERE deleted IS NULL";
        let rows = self.rows(counts).await?;
        let row = rows.first().context("no counts")?;
        let counts: Vec<_> = (0..row.len()).filter_map(|at| row.get(at)).collect();
        if counts.windows(2).any(|pair| pair[0] != pair[1]) {
            bail!("groups, their counter, grams, xp and journal are of different numbers: {counts:?}");
        }
        Ok(())
    }
}

async fn rows(client: &Client, query: &str) -> anyhow::Result<Vec<SimpleQueryRow>> {
    let messages = client.simple_query(query).await?;
    let row = |message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None };
    Ok(messages.into_iter().filter_map(row).collect())
}

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("TEST_DATABASE_URL cannot be reached")?;
    tokio::spawn(connection);
    Ok(client)
}
