//! `rollbook keys`: the keys that tokens are signed with.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::service::Service;
use crate::service::tokens::KeyStanding;

use super::operator::{on_directory, permit, shown_time};

/// The arguments of `rollbook keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print all keys, the newest first, one a line, fields divided by tabs: its name, from when on it signs, and
    /// whether it does
    List,
    /// Make a new key. It is published at once and signs a little later; what older keys have signed stays good
    Rotate {
        /// For how many seconds it is published before it signs: longer than the clocks of any two nodes differ
        #[arg(long, value_name = "NUMBER", default_value = "60", value_parser = clap::value_parser!(i64).range(2..=86_400))]
        publish_seconds: i64,
    },
}

/// Does it, and says so on standard output.
pub async fn run(KeysArgs { command }: KeysArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    on_directory(database, async |service| match command {
        KeysCommand::List => list(service).await,
        KeysCommand::Rotate { publish_seconds } => rotate(service, publish_seconds).await,
    })
    .await
}

async fn list(service: &Service) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for KeyStanding { kid, signs_from, signs } in service.signing_keys(&permit()?).await? {
        writeln!(out, "{kid}\t{}\t{}", shown_time(signs_from), if signs { "signs" } else { "published" })?;
    }
    Ok(())
}

async fn rotate(service: &Service, seconds: i64) -> anyhow::Result<()> {
    let KeyStanding { kid, signs_from, .. } = service.rotate_signing_key(&permit()?, seconds).await?;
    Ok(writeln!(io::stdout(), "The key {kid} is published and signs from {} on.", shown_time(signs_from))?)
}
