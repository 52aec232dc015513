//! `rollbook backup`: writes a consistent copy of the database. A server may be using the database meanwhile.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::config::DatabaseConfig;

use super::operator::{permit, with_directory};

/// The arguments of `rollbook backup`.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write, which must not exist yet
    ///
    /// Missing folders are created. The copy contains the signing keys: protect it like the database.
    file: PathBuf,
}

/// Writes the copy and reports it on standard output.
pub(super) async fn run(BackupArgs { file }: BackupArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| service.backup(&permit()?, &file).await).await?;
    Ok(writeln!(io::stdout(), "The database was copied to {}.", file.display())?)
}
