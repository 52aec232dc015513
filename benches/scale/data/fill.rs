//! Fills a directory by `rollbook import`, and exports it by `rollbook export` without storing the output.

use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Serialize;

use super::database_url::DatabaseUrl;
use super::disk;
use super::file::{self, Size};
use crate::machine::Machine;
use crate::program::{Program, private_memory};

/// The kinds of lines, in the order of the file.
const KINDS: [&str; 3] = ["group", "user", "membership"];

/// The arguments of `fill`.
#[derive(Args)]
pub(crate) struct FillArgs {
    #[command(flatten)]
    size: Size,
    /// The directory to fill: sqlite:PATH, or a postgres:// URL; created if it does not exist
    #[arg(long)]
    database: String,
    /// The file to import; created if it does not exist
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/scale.jsonl"))]
    file: PathBuf,
    /// Write the figures to this file, too
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The figures of filling a directory.
#[derive(Serialize)]
pub(crate) struct FillFigures {
    /// Lines and seconds of each kind.
    kinds: Vec<(&'static str, u64, f64)>,
    /// Seconds of the whole import, until the program exited.
    import: f64,
    /// The highest private memory of the import, in bytes.
    memory: u64,
    /// The output of the program.
    output: String,
    /// The size of the database, in bytes.
    size: u64,
    /// Lines and seconds of the export, and its highest private memory.
    export: (u64, f64, u64),
}

/// Fills, exports, and prints the figures of both.
pub(crate) async fn fill(FillArgs { size, database, file, json }: &FillArgs) -> anyhow::Result<()> {
    let fill_directory = fill_directory(size, database, file).await?;
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&fill_directory)?)?;
    }
    println!("{Machine}\n{fill_directory}");
    Ok(())
}

/// As [`fill`], without output.
pub(crate) async fn fill_directory(size: &Size, database: &str, file: &Path) -> anyhow::Result<FillFigures> {
    if !file.exists() {
        eprintln!("writing {}", file.display());
        file::write(size, file)?;
    }
    let database_url = DatabaseUrl::of(database)?;
    if let Some(folder) = database_url.folder() {
        disk::need(&folder, size.database_bytes())?;
    }
    database_url.make().await?;
    let program = Program::new(database);
    // The server creates the directory, and stops before the import.
    program.serve()?.stop()?;
    eprintln!("importing {}", file.display());
    let imported = tokio::task::spawn_blocking({
        let (file, program) = (file.to_owned(), program.clone());
        move || import(&program, &file)
    })
    .await??;
    // Written at once, so that the figure survives a later failure.
    eprintln!("{}; then exporting", imported.summary());
    database_url.settle().await?;
    let exported = tokio::task::spawn_blocking(move || export(&program)).await??;
    let Imported { kinds, took, memory, output } = imported;
    let lines: u64 = kinds.iter().map(|(_, lines, _)| lines).sum();
    ensure!(exported.0 >= lines, "{lines} lines were imported, {} exported", exported.0);
    Ok(FillFigures { kinds, import: took, memory, output, size: database_url.bytes().await?, export: exported })
}

struct Imported {
    kinds: Vec<(&'static str, u64, f64)>,
    took: f64,
    memory: u64,
    output: String,
}

impl Imported {
    fn summary(&self) -> String {
        let Self { kinds, took, memory, .. } = self;
        let kind = |(kind, lines, seconds): &(&str, u64, f64)| format!("{lines} {kind}s in {seconds:.1} s");
        let kinds: Vec<_> = kinds.iter().map(kind).collect();
        format!("{}, all in {took:.1} s, {} MB of private memory", kinds.join(", "), memory / 1_000_000)
    }
}

/// Writes the lines to the program, and derives the time of each kind from how fast it reads them.
fn import(program: &Program, file: &Path) -> anyhow::Result<Imported> {
    let started = Instant::now();
    let mut child = program.command(&["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let watch = Watch::start(&child);
    let mut input = child.stdin.take().context("the import has no input")?;
    let mut stdout = child.stdout.take().context("the import has no output")?;
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
    let (mut kinds, mut line) = (KINDS.map(|kind| (kind, 0, 0.0)), Vec::new());
    let (mut at, mut since) = (0, started);
    while lines.read_until(b'\n', &mut line)? > 0 {
        if at + 1 < KINDS.len() && is_of(&line, KINDS[at + 1]) {
            kinds[at].2 = since.elapsed().as_secs_f64();
            (at, since) = (at + 1, Instant::now());
        }
        kinds[at].1 += 1;
        if input.write_all(&line).is_err() {
            // The program has exited; its status says why.
            break;
        }
        line.clear();
    }
    drop(input);
    let mut output = String::new();
    stdout.read_to_string(&mut output)?;
    let status = child.wait()?;
    kinds[at].2 = since.elapsed().as_secs_f64();
    let memory = watch.end();
    ensure!(status.success(), "the import ended with {status}: {output}");
    Ok(Imported { kinds: kinds.to_vec(), took: started.elapsed().as_secs_f64(), memory, output })
}

fn is_of(line: &[u8], kind: &str) -> bool {
    line.get(2..2 + kind.len()).is_some_and(|own| own == kind.as_bytes())
}

/// Counts the lines of an export; returns their number, the seconds, and the highest private memory.
fn export(program: &Program) -> anyhow::Result<(u64, f64, u64)> {
    let started = Instant::now();
    let mut child = program.command(&["export"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let watch = Watch::start(&child);
    let mut output = child.stdout.take().context("the export has no output")?;
    let (mut lines, mut part) = (0, vec![0; 1 << 20]);
    loop {
        match output.read(&mut part)? {
            0 => break,
            length => lines += part[..length].iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
    let (status, memory) = (child.wait()?, watch.end());
    ensure!(status.success(), "the export ended with {status}");
    Ok((lines, started.elapsed().as_secs_f64(), memory))
}

/// Records the highest private memory of a process.
struct Watch {
    most: Arc<AtomicU64>,
    is_done: Arc<AtomicBool>,
}

impl Watch {
    fn start(child: &Child) -> Self {
        const EVERY: Duration = Duration::from_millis(100);
        let watch = Self { most: Arc::default(), is_done: Arc::default() };
        let (most, is_done, process) = (Arc::clone(&watch.most), Arc::clone(&watch.is_done), child.id());
        std::thread::spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                most.fetch_max(private_memory(process).unwrap_or_default(), Ordering::Relaxed);
                std::thread::sleep(EVERY);
            }
        });
        watch
    }

    fn end(self) -> u64 {
        self.is_done.store(true, Ordering::Relaxed);
        self.most.load(Ordering::Relaxed)
    }
}

impl fmt::Display for FillFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kinds, import, memory, output, size, export: (exported, seconds, export_memory) } = self;
        writeln!(f, "\n| Import | lines | seconds | lines/s |\n|---|--:|--:|--:|")?;
        for (kind, lines, seconds) in kinds {
            writeln!(f, "| {kind}s | {lines} | {seconds:.1} | {:.0} |", *lines as f64 / seconds)?;
        }
        let lines: u64 = kinds.iter().map(|(_, lines, _)| lines).sum();
        writeln!(f, "| all | {lines} | {import:.1} | {:.0} |", lines as f64 / import)?;
        let megabytes = |bytes: &u64| bytes / 1_000_000;
        writeln!(f, "\n- Private memory of the import: {} MB at most", megabytes(memory))?;
        writeln!(f, "- The database: {} MB", megabytes(size))?;
        let rate = *exported as f64 / seconds;
        let export_memory = megabytes(export_memory);
        writeln!(f, "- Export: {exported} lines in {seconds:.1} s ({rate:.0} lines/s), {export_memory} MB at most")?;
        write!(f, "\n```\n{}\n```", output.trim_end())
    }
}
