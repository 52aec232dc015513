//! The databases of directories: creation, size, and copies for destructive measurements.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio_postgres::{Client, Config, NoTls};

use super::disk;

/// The database of a directory.
#[derive(Clone, Debug)]
pub(crate) enum DatabaseUrl {
    /// A SQLite file.
    File(PathBuf),
    /// A database on a PostgreSQL server.
    Server(String),
}

impl DatabaseUrl {
    /// Parses the URL.
    pub(crate) fn of(url: &str) -> anyhow::Result<Self> {
        match url.split_once(':') {
            Some(("sqlite", path)) => Ok(Self::File(path.strip_prefix("//").unwrap_or(path).into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Server(url.to_owned())),
            _ => bail!("{url} names no database; give sqlite:PATH or postgres://USER@HOST/DATABASE"),
        }
    }

    /// The URL as the program expects it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Server(url) => url.clone(),
        }
    }

    /// The folder on whose disk it takes space.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let Self::File(path) = self else { return None };
        let folder = path.ancestors().skip(1).find(|folder| folder.is_dir());
        Some(folder.map_or_else(|| PathBuf::from("."), Path::to_owned))
    }

    /// Creates whatever the program needs before it can create a directory there.
    pub(crate) async fn make(&self) -> anyhow::Result<()> {
        let Self::Server(url) = self else { return Ok(()) };
        let (maintenance, name) = maintenance(url).await?;
        if maintenance.query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name]).await?.is_none() {
            let like = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'";
            maintenance.batch_execute(&format!("CREATE DATABASE {name} {like}")).await?;
        }
        Ok(())
    }

    /// Runs the maintenance that the server would run some time after so many inserts.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let Self::Server(url) = self else { return Ok(()) };
        let client = connect(&url.parse()?).await?;
        client.batch_execute("VACUUM ANALYZE").await?;
        Ok(client.batch_execute("CHECKPOINT").await?)
    }

    /// Its size in bytes, without the write-ahead log.
    pub(crate) async fn bytes(&self) -> anyhow::Result<u64> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(path)?.len()),
            Self::Server(url) => number(url, "SELECT pg_database_size(current_database())").await,
        }
    }

    /// The size of its write-ahead log in bytes.
    pub(crate) async fn log_bytes(&self) -> anyhow::Result<u64> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(with_suffix(path, "-wal")).map_or(0, |log| log.len())),
            Self::Server(url) => number(url, "SELECT sum(size)::bigint FROM pg_ls_waldir()").await,
        }
    }

    /// The URL of another database next to it.
    pub(crate) fn sibling(&self, name: &str) -> anyhow::Result<Self> {
        Ok(match self {
            Self::File(path) => Self::File(with_suffix(path, &format!(".{name}"))),
            Self::Server(url) => {
                let (database_url, options) = url.split_once('?').unwrap_or((url, ""));
                let (server, database) = database_url.rsplit_once('/').context("the URL names no database")?;
                Self::Server(format!("{server}/{database}_{name}?{options}"))
            }
        })
    }

    /// Copies the directory, which no process may have open, to another database.
    pub(crate) async fn copy_to(&self, to: &Self) -> anyhow::Result<()> {
        match (self, to) {
            (Self::File(from), Self::File(to)) => {
                disk::need(&self.folder().unwrap_or_default(), self.bytes().await?)?;
                std::fs::copy(from, to)?;
                // Otherwise the first writes to the copy would wait for all of it to reach the disk.
                std::fs::File::open(to)?.sync_all()?;
                let log = with_suffix(from, "-wal");
                if log.exists() {
                    std::fs::copy(log, with_suffix(to, "-wal"))?;
                }
                Ok(())
            }
            (Self::Server(from), Self::Server(to)) => {
                let ((maintenance, from), (_, to)) = (maintenance(from).await?, maintenance(to).await?);
                let statement = format!("CREATE DATABASE {to} TEMPLATE {from} STRATEGY file_copy");
                Ok(maintenance.batch_execute(&statement).await?)
            }
            _ => bail!("a copy is made within one kind of database"),
        }
    }

    /// Deletes the database, if it exists.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        match self {
            Self::File(path) => {
                for end in ["", "-wal", "-shm", ".lock"] {
                    // A missing file needs no deletion.
                    _ = std::fs::remove_file(with_suffix(path, end));
                }
            }
            Self::Server(url) => {
                let (maintenance, name) = maintenance(url).await?;
                maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
            }
        }
        Ok(())
    }
}

fn with_suffix(path: &Path, end: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(end);
    path.into()
}

/// A connection to the server's own database, and the name of the database in the URL.
async fn maintenance(url: &str) -> anyhow::Result<(Client, String)> {
    let mut config: Config = url.parse()?;
    let name = config.get_dbname().context("the URL names no database")?.to_owned();
    Ok((connect(config.dbname("postgres")).await?, name))
}

async fn number(url: &str, query: &str) -> anyhow::Result<u64> {
    let row = connect(&url.parse()?).await?.query_one(query, &[]).await?;
    Ok(u64::try_from(row.get::<_, i64>(0))?)
}

/// Connects to the database.
pub(crate) async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("the database cannot be reached")?;
    tokio::spawn(connection);
    Ok(client)
}
