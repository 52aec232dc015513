//! `rollbook copy`: copies a whole directory from one database to another, of either kind. A server may be using the
//! source meanwhile.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::DatabaseConfig;
use crate::{CopyProgress, CopyStage, copy};

/// The arguments of `rollbook copy`.
#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    /// The directory to copy: sqlite:PATH or postgres://..., as for --database
    ///
    /// It may be in use. The copy does not contain changes that are committed after the copy starts.
    #[arg(long, env = "ROLLBOOK_COPY_FROM", value_name = "URL", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
    from: String,

    /// The target: a file that does not exist, or a PostgreSQL database without a directory
    ///
    /// Missing folders are created. The copy is complete, or it does not exist. It contains the signing keys: protect
    /// it like the original.
    #[arg(long, env = "ROLLBOOK_COPY_TO", value_name = "URL", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
    to: String,
}

/// Copies the directory, and prints the number of rows per table on standard output.
pub(super) async fn run(CopyArgs { from, to }: CopyArgs) -> anyhow::Result<()> {
    // indicatif hides the bar if standard error is not a terminal.
    let bar =
        ProgressBar::new(0).with_style(ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} rows")?);
    let on_progress = |CopyProgress { stage, rows, of }: CopyProgress| {
        bar.set_message(match stage {
            CopyStage::Copying => "Copying",
            CopyStage::Finishing => "Indexing",
            CopyStage::Verifying => "Verifying",
        });
        bar.set_length(of);
        bar.set_position(rows);
    };
    bar.set_message("Opening");
    bar.enable_steady_tick(Duration::from_millis(100));
    let copied = copy(&from, &to, DatabaseConfig::password()?, on_progress).await;
    bar.finish_and_clear();
    let report = copied?;
    let mut out = io::stdout().lock();
    for (table, rows) in &report.tables {
        writeln!(out, "{table:<16} {rows:>12}")?;
    }
    writeln!(out, "The directory was copied and read back. SHA-256 of all rows: {}", report.digest)?;
    Ok(())
}
