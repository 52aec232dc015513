//! Rollbook compared with its alternatives: `scripts/with-postgres cargo bench --bench compare` (see
//! docs/performance.md).
//!
//! Starts each peer on this machine with the same generated groups, runs the same workloads on all of them in turns,
//! round by round, and writes tables and charts into docs/. A peer that is not installed is left out and named. Ratios
//! are taken within rounds, so they are meaningful on a busy machine too; absolute figures are valid for this machine
//! at this moment only.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "../support/chart/bars.rs"]
mod bars;
mod check;
#[path = "../support/postgres/database.rs"]
mod database;
mod documents;
#[path = "../support/fill.rs"]
mod fill;
mod http;
mod ldap;
mod load;
#[path = "../support/machine.rs"]
mod machine;
mod peers;
#[path = "../support/postgres/pgbench.rs"]
mod pgbench;
mod protocol;
mod report;
mod rounds;
#[path = "../support/postgres/scripts.rs"]
mod scripts;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/wire.rs"]
mod wire;
mod workload;

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use database::Database;
use load::Load;
use peers::Peers;
use report::Report;

// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Compares Rollbook with its alternatives.
#[derive(Parser)]
struct Arguments {
    /// Number of groups in each peer
    #[arg(long, default_value_t = 100_000, value_parser = at_least_a_thousand)]
    groups: usize,
    /// Seconds that are measured for each kind in each round
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Number of rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Check in a minute that every installed peer responds correctly: 10,000 groups, one short round, and nothing is
    /// written
    #[arg(long)]
    small: bool,
    /// The folder of performance.md, which gets the tables, and of the charts
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))]
    docs: PathBuf,
    /// An argument that cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// The load generator, which this program starts
    #[command(hide = true)]
    Client(Load),
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if let Some(Role::Client(load)) = &arguments.role {
        println!("{}", serde_json::to_string(&load.run_in_process()?)?);
        return Ok(());
    }
    if arguments.small {
        (arguments.groups, arguments.seconds, arguments.rounds) = (10_000, 1, 1);
    }
    let report = measure(&arguments)?;
    println!("{report}");
    if arguments.small {
        let failed = report.failed();
        ensure!(failed.is_empty(), "these failed:\n{}", failed.join("\n"));
        return Ok(());
    }
    documents::write(&arguments.docs, &report)
}

/// Measures until the end or a signal. All child processes are stopped in both cases.
#[tokio::main]
async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let database = match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => Some(Database::open(&server, &format!("rollbook_compare_{}", std::process::id())).await?),
        Err(_) => None,
    };
    let (mut interrupted, mut ended) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let measured = tokio::select! {
        report = measured(arguments, database.as_ref()) => report,
        _ = interrupted.recv() => Err(anyhow::anyhow!("interrupted")),
        _ = ended.recv() => Err(anyhow::anyhow!("ended")),
    };
    if let Some(database) = database {
        database.drop().await?;
    }
    measured
}

async fn measured(arguments: &Arguments, database: Option<&Database>) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let peers = Peers::start(folder.path(), database, arguments.groups).await?;
    let series = rounds::measure(arguments, &peers).await?;
    Report::new(arguments, &peers, series).await
}

/// The folder into which the installing script unpacks programs.
fn unpacked(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name(format!("compare-{name}"))
}

fn at_least_a_thousand(text: &str) -> anyhow::Result<usize> {
    match text.parse()? {
        few @ 0..1_000 => bail!("{few} are too few: texts in names would match by chance"),
        groups => Ok(groups),
    }
}
