//! All of the peers.

use std::path::Path;

use anyhow::ensure;

use super::check;
use super::database::Database;
use super::machine;
use super::mocks;
use super::peer::Peer;
use super::raw::Raw;
use super::rollbook;
use super::slapd;

/// The peers that are installed, filled and running; they end when this is dropped.
pub struct Peers<'a> {
    /// Rollbook on a file is the first.
    pub servers: Vec<Peer>,
    pub postgres: Option<Postgres<'a>>,
    /// What is not installed.
    pub skipped: Vec<String>,
    /// What is installed and does not work, and why: it is left out, too.
    pub broken: Vec<String>,
}

/// PostgreSQL without any server in between, on the database that Rollbook has filled.
pub struct Postgres<'a> {
    pub database: &'a Database,
    pub raw: Raw,
    pub about: String,
}

impl<'a> Peers<'a> {
    /// Fills each with so many groups in the folder, and starts it.
    pub async fn start(folder: &Path, database: Option<&'a Database>, groups: usize) -> anyhow::Result<Self> {
        tell("Rollbook");
        let (mut servers, mut skipped) = (vec![rollbook::on_sqlite(folder, groups).await?], Vec::new());
        let (mut postgres, mut broken) = (None, Vec::new());
        match database {
            Some(database) => {
                tell("PostgreSQL");
                ensure!(database.is_new(), "there is a database of this name");
                let about = database.settings().await?;
                servers.push(rollbook::on_postgres(database, folder, groups).await?);
                if machine::answer("pgbench", "--version").is_empty() {
                    skipped.push("PostgreSQL alone: there is no pgbench".to_owned());
                } else {
                    let raw = Raw::new(database, groups).await?;
                    let (megabytes, reached) = (database.size().await? / 1_000_000, raw.reached());
                    let about = format!("{about}; {megabytes} MB; pgbench -M prepared by {reached}");
                    postgres = Some(Postgres { database, raw, about });
                }
            }
            None => skipped.push("PostgreSQL: TEST_DATABASE_URL is not set, see scripts/with-postgres".to_owned()),
        }
        tell("OpenLDAP slapd, json-server, Prism");
        let others = [
            ("OpenLDAP slapd", slapd::start(folder, groups).await),
            (mocks::JSON_SERVER, mocks::json_server(folder, groups).await),
            (mocks::PRISM, mocks::prism(folder, groups).await),
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

    /// Takes a peer in if it answers rightly. Without Rollbook there is nothing to compare.
    async fn admit(&mut self, peer: Peer) -> anyhow::Result<()> {
        match check::check(&peer).await {
            Ok(()) => self.servers.push(peer),
            Err(error) if peer.name.starts_with("Rollbook") => return Err(error.context(peer.name)),
            Err(error) => self.broken.push(format!("{}: {error:#}", peer.name)),
        }
        Ok(())
    }
}

fn tell(what: &str) {
    eprintln!("filling and starting {what}");
}
