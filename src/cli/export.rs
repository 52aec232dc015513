//! `rollbook export`: the live groups, users and memberships as lines of JSON, also while a server uses the directory.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::DatabaseConfig;
use crate::domain::thing::Thing;
use crate::export;
use crate::interchange::line_of;

/// The arguments of `rollbook export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write, which must not exist yet; without it, standard output
    file: Option<PathBuf>,
}

/// Exports one snapshot, and says on standard error how many lines that were.
pub async fn run(ExportArgs { file }: ExportArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    let mut out = file.as_deref().map_or_else(|| Ok(Box::new(io::stdout()) as Box<dyn Write + Send>), create)?;
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

/// For its owner alone: it holds names and email addresses.
fn create(path: &Path) -> anyhow::Result<Box<dyn Write + Send>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("{} cannot be made; name a file that does not exist", path.display()))?;
    Ok(Box::new(file))
}
