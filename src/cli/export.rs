//! `rollbook export`: the live groups, users and memberships as lines of JSON, also while a server uses the directory.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::DatabaseConfig;
use crate::domain::thing::Thing;
use crate::export;
use crate::interchange::line_of;

use super::files::create;

/// The arguments of `rollbook export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write, which must not exist yet; without it, standard output
    file: Option<PathBuf>,
}

/// Exports one snapshot, and says on standard error how many lines that were.
pub async fn run(ExportArgs { file }: ExportArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    let mut out: Box<dyn Write + Send> = match &file {
        Some(path) => Box::new(create(path)?),
        None => Box::new(io::stdout()),
    };
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} lines, {per_sec}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut out = BufWriter::with_capacity(1 << 20, &mut out);
    let mut lines: u64 = 0;
    let mut write = |thing: Thing| {
        lines += 1;
        if lines.is_multiple_of(1_000) {
            bar.set_position(lines);
        }
        Ok(writeln!(out, "{}", line_of(&thing)?)?)
    };
    let exported = export(&database.database, DatabaseConfig::password()?, &mut write).await;
    bar.finish_and_clear();
    exported?;
    out.flush()?;
    eprintln!("{lines} lines were exported.");
    Ok(())
}
