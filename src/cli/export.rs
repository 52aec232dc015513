//! `rollbook export`: writes the groups, users and memberships that are not deleted as lines of JSON. A server may be
//! using the directory meanwhile.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::bulk::line_of;
use crate::config::DatabaseConfig;
use crate::domain::export_item::ExportItem;
use crate::http::request::feed_cursor::FeedCursors;
use crate::{ExportEnd, export};

use super::files::create;
use super::notify;

/// The arguments of `rollbook export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file to write, which must not exist yet; without it, standard output
    ///
    /// Missing folders are created.
    file: Option<PathBuf>,
}

/// Exports one snapshot, and reports the number of lines on standard error. Deletes the file if the export fails.
pub(super) async fn run(ExportArgs { file }: ExportArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    let Some(path) = file else { return write_to(&mut io::stdout(), database).await };
    let exported = write_to(&mut create(&path)?, database).await;
    if exported.is_err() {
        fs::remove_file(&path).with_context(|| format!("{} cannot be deleted", path.display()))?;
    }
    exported
}

/// Writes the lines to `out` and reports their number.
async fn write_to(out: &mut (impl Write + Send), database: &DatabaseConfig) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} lines, {per_sec}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut out = BufWriter::with_capacity(1 << 20, out);
    let mut lines: u64 = 0;
    let mut write = |entity: ExportItem| {
        lines += 1;
        if lines.is_multiple_of(1_000) {
            bar.set_position(lines);
        }
        Ok(writeln!(out, "{}", line_of(&entity)?)?)
    };
    let exported = export(&database.database, DatabaseConfig::password()?, &mut write).await;
    bar.finish_and_clear();
    let ExportEnd { directory, position } = exported?;
    out.flush()?;
    let were = if lines == 1 { "line was" } else { "lines were" };
    let cursor = position.map(|position| FeedCursors::of(directory).encode(&position));
    let feed = cursor.map(|cursor| format!(" The feed of changes goes on after {cursor}")).unwrap_or_default();
    notify(format_args!("{lines} {were} exported, without passwords and clients.{feed}"));
    Ok(())
}
