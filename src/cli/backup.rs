//! `rollbook backup`: a consistent copy of the database, also while a server uses it.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::config::DatabaseConfig;
use crate::domain::Error;

use super::operator::on_directory;

/// The arguments of `rollbook backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist yet. It holds the signing keys: keep it as safe as the database
    file: PathBuf,
}

/// Writes the copy and says so on standard output.
pub async fn run(BackupArgs { file }: BackupArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    let shown = file.display();
    if file.try_exists().with_context(|| format!("{shown} cannot be written; name another file"))? {
        bail!("{shown} exists already; name a file that does not");
    }
    on_directory(database, async |service| match service.store().backup(&file).await {
        Err(Error::Unavailable(reason)) => bail!("{shown} cannot be written ({reason}); name another file"),
        copied => Ok(copied?),
    })
    .await?;
    Ok(writeln!(io::stdout(), "The database was copied to {shown}.")?)
}
