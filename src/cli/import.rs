//! `rollbook import`: imports groups, users and memberships from lines of JSON. A server may be using the directory
//! meanwhile.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::bulk::{Counts, Import, ImportObserver, ImportReport, RefusedLine, lines_of_json};
use crate::config::DatabaseConfig;
use crate::domain::error::{Error, ResourceKind};
use crate::domain::journal::Channel;
use crate::http::request::error::{Error as LineError, RequestError};

use super::errors::error_sentence;
use super::files::create;
use super::notify;
use super::operator::{ReasonArgs, with_directory};

/// The maximum number of refused lines that are reported one by one.
const MAX_REPORTED: u64 = 100;

/// The arguments of `rollbook import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file to import, as `rollbook export` writes it; - for standard input
    ///
    /// Each line has one group, user or membership. The line of a group or user replaces all of it: what the line leaves out
    /// is emptied. An entity that already equals its line does not change: to resume
    /// an interrupted import, run it again.
    file: PathBuf,

    /// A file to write the refused lines to, which must not exist yet
    ///
    /// The lines are written unchanged, so that they can be corrected and imported. Missing folders are created.
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,

    /// The numbers that groups and users get: those of the file, or new ones
    ///
    /// keep: a line is refused if its number belongs or belonged to another group or user, or if its ID has another
    /// number in the directory. A deleted group or user with the same number and ID is restored. new: the numbers of
    /// the file are ignored; a group or user with the ID is updated, otherwise created with the next number.
    #[arg(long, value_name = "WHOSE", value_enum, default_value_t = Numbers::Keep)]
    numbers: Numbers,

    /// Check the whole file as the import would, print what would be made, changed and refused, and write nothing
    ///
    /// Each batch of lines is judged by the directory as it is now, and by the IDs, usernames and numbers of the lines
    /// before. A line that changes what an earlier line makes counts as updated, also if it would change nothing, and a
    /// username that an earlier line gives up counts as taken.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    reason: ReasonArgs,
}

/// The numbers that imported groups and users get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Numbers {
    /// Those of the file.
    Keep,
    /// The next numbers of the directory.
    New,
}

/// Imports the file. Reports refused lines on standard error, and the counts on standard output. Fails if a line was
/// refused.
pub(super) async fn run(
    ImportArgs { file, refused, numbers, dry_run, reason }: ImportArgs,
    database: &DatabaseConfig,
) -> anyhow::Result<()> {
    let (mut input, bytes) = open(&file)?;
    let refused_file = refused.as_deref().map(create).transpose()?.map(BufWriter::new);
    let imported = with_directory(database, async |service| {
        let keeps_numbers = numbers == Numbers::Keep;
        let (groups, users) = (reason.permit_through(Channel::Import)?, reason.permit_through(Channel::Import)?);
        let import = Import { service, groups, users, keeps_numbers, dry_run };
        let mut output = ImportOutput { bar: bar(bytes)?, refused: refused_file, reported: 0, dry_run };
        let begun = Instant::now();
        let imported = import.run(&mut *input, &mut output).await;
        output.bar.finish_and_clear();
        let report = imported
            .context("run the same import again to resume it: lines that are already imported change nothing")?;
        output.finish(&report, begun.elapsed())
    })
    .await;
    // The operator repeats a failed import with the same arguments, so an empty file must not be in the way.
    if let (Err(_), Some(path)) = (&imported, refused)
        && fs::metadata(&path).is_ok_and(|file| file.len() == 0)
    {
        fs::remove_file(&path).with_context(|| format!("{} cannot be deleted", path.display()))?;
    }
    imported
}

/// Opens the input, with its size in bytes if it is a file.
fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        let input = lines_of_json(BufReader::new(io::stdin())).context("standard input cannot be imported")?;
        return Ok((Box::new(input), None));
    }
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("{shown} cannot be read"))?;
    let bytes = file.metadata()?.len();
    let input = lines_of_json(BufReader::with_capacity(1 << 20, file))
        .with_context(|| format!("{shown} cannot be imported"))?;
    Ok((Box::new(input), Some(bytes)))
}

/// The progress bar. indicatif hides it if standard error is not a terminal.
fn bar(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{spinner} {msg} {wide_bar} {bytes}/{total_bytes}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {msg} {bytes}"),
    };
    bar.set_style(ProgressStyle::with_template(template)?);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}

/// The output of an import on the terminal and to the file of refused lines.
struct ImportOutput {
    bar: ProgressBar,
    refused: Option<BufWriter<File>>,
    /// The number of refused lines so far.
    reported: u64,
    /// Whether nothing is written.
    dry_run: bool,
}

impl ImportObserver for ImportOutput {
    fn refused(&mut self, RefusedLine { line, text, error }: RefusedLine<'_>) -> io::Result<()> {
        self.reported += 1;
        if self.reported <= MAX_REPORTED {
            self.bar.suspend(|| notify(format_args!("line {line}: {}", reason(error))));
        }
        match &mut self.refused {
            Some(file) => file.write_all(text).and_then(|()| file.write_all(b"\n")),
            None => Ok(()),
        }
    }

    fn progress(&mut self, report: &ImportReport) {
        self.bar.set_message(format!("line {}", report.lines));
        self.bar.set_position(report.bytes);
    }
}

impl ImportOutput {
    /// Prints the counts. Fails if a line was refused.
    fn finish(mut self, report: &ImportReport, took: Duration) -> anyhow::Result<()> {
        if let Some(file) = &mut self.refused {
            file.flush()?;
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{:<12} {:>12} {:>12} {:>12} {:>12}", "", "created", "updated", "unchanged", "refused")?;
        let kinds = [("groups", report.groups), ("users", report.users), ("memberships", report.memberships)];
        for (name, Counts { created, updated, unchanged, refused }) in kinds {
            writeln!(out, "{name:<12} {created:>12} {updated:>12} {unchanged:>12} {refused:>12}")?;
        }
        writeln!(out, "{:<12} {:>12} {:>12} {:>12} {:>12}", "unreadable", 0, 0, 0, report.unreadable)?;
        let lines = if report.lines == 1 { "line" } else { "lines" };
        writeln!(out, "{} {lines} in {:.1} s", report.lines, took.as_secs_f64())?;
        if self.dry_run {
            writeln!(out, "This was a dry run: nothing was written.")?;
        }
        if self.reported > MAX_REPORTED {
            notify(format_args!("and {} more", self.reported - MAX_REPORTED));
        }
        if report.users.created > 0 && !self.dry_run {
            notify(
                "note: a file has no passwords: new users cannot sign in until `rollbook user set-password` gives them a \
                 password",
            );
        }
        match (report.refused(), report.lines) {
            (0, _) => Ok(()),
            (refused, lines) if self.dry_run => bail!("{refused} of {lines} lines would be refused"),
            (refused, lines) if refused == lines => bail!("nothing was imported: every line was refused"),
            (1, lines) => bail!("1 of {lines} lines was refused; the others are imported"),
            (refused, lines) => bail!("{refused} of {lines} lines were refused; the others are imported"),
        }
    }
}

/// The reason for which a line was refused.
fn reason(error: &LineError) -> String {
    let error = match error {
        LineError::Directory(error) => error,
        LineError::Request(RequestError::InvalidBody(reason)) => return reason.clone(),
        LineError::Request(error) => return error.to_string(),
    };
    match error {
        Error::NotFound(ResourceKind::Group, id) => format!("there is no group '{id}'"),
        Error::NotFound(_, id) => format!("there is no user '{id}'"),
        Error::UsernameTaken => "another user has this username".to_owned(),
        // With --numbers new, no line is refused for its number.
        Error::Invalid(wrong) if wrong.iter().any(|wrong| wrong.field == "uid") => {
            format!("{}; import it with --numbers new, which ignores the numbers of the file", error_sentence(error))
        }
        other => error_sentence(other),
    }
}
