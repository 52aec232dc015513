//! `rollbook keys`: manages the keys that sign tokens.

use std::io::{self, Write as _};

use anyhow::bail;
use clap::{Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::domain::error::Error;
use crate::domain::signing_key::PublishedKey;
use crate::service::Service;
use crate::service::tokens::{KEY_PUBLISHED_SECONDS, PUBLISH_SECONDS};

use super::json;
use super::operator::{ReasonArgs, format_time, permit, with_directory};
use super::table::Table;

/// The arguments of `rollbook keys`.
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print all keys, the newest first, one per line, with fields separated by tabs
    ///
    /// The fields are the key's name, the time at which it starts to sign, and its state: upcoming (it does not sign
    /// yet), signs, or retired (it signs no longer; the tokens that it signed remain valid).
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Create a new key, which starts to sign after a delay
    ///
    /// The key is published immediately. Tokens that older keys signed remain valid. The command fails if an upcoming
    /// key would start to sign later than the new one.
    Rotate {
        /// The number of seconds between the publication of the key and its first signature
        ///
        /// Programs that verify tokens may cache the public keys for five minutes, and need the new key before its
        /// first token. Without such programs the time may be shorter, but longer than five seconds, the time in which
        /// every node reads the key, and longer than the difference between the clocks of any two nodes.
        #[arg(long, value_name = "NUMBER", default_value_t = KEY_PUBLISHED_SECONDS.into(), value_parser = clap::value_parser!(i64).range(PUBLISH_SECONDS))]
        publish_seconds: i64,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

/// Runs the command and prints its result on standard output.
pub(super) async fn run(KeysArgs { command }: KeysArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| match command {
        KeysCommand::List { json } => list(service, json).await,
        KeysCommand::Rotate { publish_seconds, reason } => rotate(service, publish_seconds, &reason).await,
    })
    .await
}

/// Prints all keys.
async fn list(service: &Service, json: bool) -> anyhow::Result<()> {
    let mut table = Table::new();
    for key in service.signing_keys(&permit()?).await? {
        match json {
            true => json::print(&json::key(&key))?,
            false => table.line(format!("{}\t{}\t{}", key.kid, format_time(key.signs_from), key.state.name()))?,
        }
    }
    Ok(table.flush()?)
}

/// Creates a key that signs after `seconds`. Fails if an upcoming key would sign later.
async fn rotate(service: &Service, seconds: i64, reason: &ReasonArgs) -> anyhow::Result<()> {
    match service.rotate_signing_key(&reason.permit()?, seconds).await {
        Err(Error::KeyAnnounced(PublishedKey { kid, signs_from })) => bail!(
            "the key {kid} is announced to sign from {}, and a new key must not sign before it: give a higher \
             --publish-seconds, or rotate after that time",
            format_time(signs_from)
        ),
        created => {
            let PublishedKey { kid, signs_from } = created?;
            Ok(writeln!(io::stdout(), "The key {kid} is published and signs from {}.", format_time(signs_from))?)
        }
    }
}
