//! The peers: the servers that are compared.

mod mocks;
pub(crate) mod names;
pub(crate) mod peer;
pub(crate) mod postgres_alone;
pub(crate) mod process;
mod rollbook;
mod slapd;

use std::path::Path;

use anyhow::ensure;

use crate::check;
use crate::database::Database;
use crate::machine;
use names::{JSON_SERVER, PRISM, SLAPD};
use peer::Peer;
use postgres_alone::PostgresAlone;

/// The peers that are installed, filled and running; they are stopped when this is dropped.
pub(crate) struct Peers<'a> {
    /// The peers; Rollbook on SQLite is the first.
    pub servers: Vec<Peer>,
    /// PostgreSQL alone, if there is a database.
    pub postgres: Option<Postgres<'a>>,
    /// The peers that are not installed.
    pub skipped: Vec<String>,
    /// The peers that are installed and do not work, with the reason: they are left out, too.
    pub broken: Vec<String>,
}

/// PostgreSQL without a server in front of it, on the database that Rollbook has filled.
pub(crate) struct Postgres<'a> {
    /// The database that Rollbook has filled.
    pub database: &'a Database,
    /// The pgbench that measures it.
    pub alone: PostgresAlone,
    /// Version and settings.
    pub about: String,
}

impl<'a> Peers<'a> {
    /// Fills each peer with this many groups in the folder, and starts it.
    pub(crate) async fn start(folder: &Path, database: Option<&'a Database>, groups: usize) -> anyhow::Result<Self> {
        announce("Rollbook");
        let (mut servers, mut skipped) = (vec![rollbook::on_sqlite(folder, groups).await?], Vec::new());
        let (mut postgres, mut broken) = (None, Vec::new());
        match database {
            Some(database) => {
                announce("PostgreSQL");
                ensure!(database.is_new(), "there is a database of this name");
                let about = database.settings().await?;
                servers.push(rollbook::on_postgres(database, folder, groups).await?);
                if machine::output_of("pgbench", "--version").is_empty() {
                    skipped.push("PostgreSQL alone: there is no pgbench".to_owned());
                } else {
                    let alone = PostgresAlone::new(database, groups).await?;
                    let (megabytes, reached) = (database.size().await? / 1_000_000, alone.reached());
                    let about = format!("{about}; {megabytes} MB; pgbench -M prepared by {reached}");
                    postgres = Some(Postgres { database, alone, about });
                }
            }
            None => skipped.push("PostgreSQL: TEST_DATABASE_URL is not set, see scripts/with-postgres".to_owned()),
        }
        announce(&format!("{SLAPD}, {JSON_SERVER}, {PRISM}"));
        let others = [
            (SLAPD, slapd::start(folder, groups).await),
            (JSON_SERVER, mocks::json_server(folder, groups).await),
            (PRISM, mocks::prism(folder, groups).await),
        ];
        for (name, peer) in others {
            match peer {
                Ok(Some(peer)) => servers.push(peer),
                Ok(None) => skipped.push(format!("{name}: it is not installed, see benches/compare/peers/install")),
                Err(error) => broken.push(format!("{name}: {error:#}")),
            }
        }
        let mut peers = Self { servers: Vec::new(), postgres, skipped, broken };
        for peer in servers {
            peers.admit(peer).await?;
        }
        Ok(peers)
    }

    /// Adds a peer if its responses are correct. Without Rollbook there is no comparison.
    async fn admit(&mut self, peer: Peer) -> anyhow::Result<()> {
        match check::check(&peer).await {
            Ok(()) => self.servers.push(peer),
            Err(error) if peer.name.starts_with("Rollbook") => return Err(error.context(peer.name)),
            Err(error) => self.broken.push(format!("{}: {error:#}", peer.name)),
        }
        Ok(())
    }
}

fn announce(what: &str) {
    eprintln!("filling and starting {what}");
}
