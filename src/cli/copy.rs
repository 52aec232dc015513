//! `rollbook copy`: a whole directory from one database to another, of either kind, also while a server uses it.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::DatabaseConfig;
use crate::{CopyProgress, CopyStage, copy};

/// The arguments of `rollbook copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The directory to copy: sqlite:PATH or postgres://..., as --database takes it. It may be in use; changes made
    /// after the beginning of the copy are not in it
    #[arg(long, env = "ROLLBOOK_COPY_FROM", value_name = "URL", hide_env_values = true)]
    from: String,

    /// Where the copy goes: a file that does not exist, or a PostgreSQL database without a directory. It is there
    /// whole or not at all. It holds the signing keys: keep it as safe as what it is copied from
    #[arg(long, env = "ROLLBOOK_COPY_TO", value_name = "URL", hide_env_values = true)]
    to: String,
}

/// Copies, and prints what was copied on standard output.
pub async fn run(CopyArgs { from, to }: CopyArgs) -> anyhow::Result<()> {
    // Hidden where standard error is no terminal.
    let bar =
        ProgressBar::new(0).with_style(ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} rows")?);
    let told = |CopyProgress { stage, rows, of }: CopyProgress| {
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
    let copied = copy(&from, &to, DatabaseConfig::password()?, told).await;
    bar.finish_and_clear();
    let report = copied?;
    let mut out = io::stdout().lock();
    for (table, rows) in &report.tables {
        writeln!(out, "{table:<16} {rows:>12}")?;
    }
    writeln!(out, "The directory was copied and read back. SHA-256 of all rows: {}", report.digest)?;
    Ok(())
}
