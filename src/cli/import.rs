//! `rollbook import`: groups, users and memberships from lines of JSON, also while a server uses the directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::DatabaseConfig;
use crate::domain::error::{Error, Kind};
use crate::interchange::{Counts, Import, Refused, Report, Told};

use super::errors::sentence;
use super::files::create;
use super::operator::{on_directory, permit};

/// How many refused lines are told one by one.
const TOLD: u64 = 100;

/// The arguments of `rollbook import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file to import, one group, user or membership a line, as `rollbook export` writes it; - for standard input.
    /// What is there already as a line says is left alone: an import that was interrupted is simply run again
    file: PathBuf,

    /// A file to write the refused lines to, as they are, to be mended and imported; it must not exist yet
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
}

/// Imports, tells of refused lines on standard error and of the rest on standard output. Fails if a line was refused.
pub async fn run(ImportArgs { file, refused }: ImportArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    let (mut input, bytes) = open(&file)?;
    let refused = refused.map(|path| create(&path).map(BufWriter::new)).transpose()?;
    on_directory(database, async |service| {
        let import = Import { service, groups: permit()?, users: permit()? };
        let mut screen = Screen { bar: bar(bytes)?, refused, told: 0 };
        let begun = Instant::now();
        let imported = import.run(&mut *input, &mut screen).await;
        screen.bar.finish_and_clear();
        let report = imported.context("run the same import again to go on: what is there is left alone")?;
        screen.end(&report, begun.elapsed())
    })
    .await
}

fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let bytes = file.metadata()?.len();
    Ok((Box::new(BufReader::with_capacity(1 << 20, file)) as Box<dyn BufRead>, Some(bytes)))
}

/// Hidden where standard error is no terminal.
fn bar(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{spinner} {msg} {wide_bar} {bytes}/{total_bytes}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {msg} {bytes}"),
    };
    bar.set_style(ProgressStyle::with_template(template)?);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}

/// Where an import is told of.
struct Screen {
    bar: ProgressBar,
    refused: Option<BufWriter<File>>,
    told: u64,
}

impl Told for Screen {
    fn refused(&mut self, Refused { line, text, error }: Refused<'_>) -> io::Result<()> {
        self.told += 1;
        if self.told <= TOLD {
            self.bar.suspend(|| eprintln!("line {line}: {}", reason(error)));
        }
        match &mut self.refused {
            Some(file) => file.write_all(text).and_then(|()| file.write_all(b"\n")),
            None => Ok(()),
        }
    }

    fn progress(&mut self, report: &Report) {
        self.bar.set_message(format!("line {}", report.lines));
        self.bar.set_position(report.bytes);
    }
}

impl Screen {
    fn end(mut self, report: &Report, took: Duration) -> anyhow::Result<()> {
        if let Some(file) = &mut self.refused {
            file.flush()?;
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{:<12} {:>12} {:>12} {:>12} {:>12}", "", "created", "updated", "unchanged", "refused")?;
        let kinds = [("groups", report.groups), ("users", report.users), ("memberships", report.memberships)];
        for (name, Counts { created, updated, unchanged, refused }) in kinds {
            writeln!(out, "{name:<12} {created:>12} {updated:>12} {unchanged:>12} {refused:>12}")?;
        }
        writeln!(out, "{} lines in {:.1} s", report.lines, took.as_secs_f64())?;
        if self.told > TOLD {
            eprintln!("and {} more", self.told - TOLD);
        }
        match report.refused() {
            0 => Ok(()),
            refused => bail!("{refused} of {} lines were refused; the others are imported", report.lines),
        }
    }
}

/// Why a line was refused.
fn reason(error: &Error) -> String {
    match error {
        Error::InvalidBody(reason) => reason.clone(),
        Error::NotFound(Kind::Group, id) => format!("there is no group '{id}'"),
        Error::NotFound(_, id) => format!("there is no user '{id}'"),
        Error::UsernameTaken => "another user has this username".to_owned(),
        other => sentence(other),
    }
}
