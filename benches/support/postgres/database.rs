//! The database that is measured, on the server that `TEST_DATABASE_URL` names.

use anyhow::{Context as _, bail, ensure};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage, SimpleQueryRow};

/// What the figures depend on most.
const SETTINGS: &str = "fsync,synchronous_commit,full_page_writes,wal_sync_method,shared_buffers,max_wal_size,\
                        checkpoint_timeout,autovacuum,max_connections";

/// A database, and a connection to it.
pub struct Database {
    server: String,
    name: String,
    url: String,
    config: Config,
    is_new: bool,
    client: Client,
}

impl Database {
    /// The database with the name on the server at the URL; made if it is not there.
    pub async fn open(server: &str, name: &str) -> anyhow::Result<Self> {
        let (place, options) = server.split_once('?').unwrap_or((server, ""));
        let (place, _) = place.rsplit_once('/').context("TEST_DATABASE_URL names no database")?;
        let url = format!("{place}/{name}?{options}");
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

    /// Drops it, whoever is connected to it.
    pub async fn drop(self) -> anyhow::Result<()> {
        let there = connect(&self.server.parse()?).await?;
        Ok(there.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether this process made it.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// What libpq's programs are told of it.
    pub fn environment(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
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

    /// How it is reached.
    pub fn transport(&self) -> String {
        match self.host() {
            Some((folder, _)) if folder.starts_with('/') => format!("the Unix socket in {folder}"),
            Some((host, _)) => format!("TCP to {host}"),
            None => String::new(),
        }
    }

    /// The folder of the server's Unix socket, where it has one on this machine.
    pub async fn socket(&self) -> anyhow::Result<Option<String>> {
        let Some((_, port)) = self.host() else { return Ok(None) };
        let folders = self.text("SHOW unix_socket_directories").await?;
        let mut folders = folders.split(", ").filter(|folder| folder.starts_with('/'));
        Ok(folders.find(|folder| std::fs::exists(format!("{folder}/.s.PGSQL.{port}")).unwrap_or(false)).map(Into::into))
    }

    /// All rows of the query, as text.
    pub async fn rows(&self, query: &str) -> anyhow::Result<Vec<SimpleQueryRow>> {
        rows(&self.client, query).await
    }

    async fn text(&self, query: &str) -> anyhow::Result<String> {
        let rows = self.rows(query).await?;
        let value = rows.first().and_then(|row| row.get(0));
        Ok(value.with_context(|| format!("no answer to {query}"))?.to_owned())
    }

    /// How many bytes it takes.
    pub async fn size(&self) -> anyhow::Result<u64> {
        Ok(self.text("SELECT pg_database_size(current_database())").await?.parse()?)
    }

    /// Does now what the server would do some time after so many inserts.
    pub async fn settle(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("VACUUM ANALYZE").await?)
    }

    /// Writes all changed pages to the disk.
    pub async fn checkpoint(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("CHECKPOINT").await?)
    }

    /// The server's version and settings. Fails if commits are not durable.
    pub async fn settings(&self) -> anyhow::Result<String> {
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

    /// Fails if the inserts of pgbench did not make what the directory makes.
    pub async fn check(&self) -> anyhow::Result<()> {
        let counts = "SELECT count(*), (SELECT sum(value) FROM counters WHERE name = 'groups'), \
                      (SELECT count(*) FROM group_grams), (SELECT count(DISTINCT owner) FROM group_xp), \
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
