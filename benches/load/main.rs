//! The server under load, on a directory of 100,000 groups: `cargo bench --bench load` (see docs/performance.md).
//!
//! Prints Markdown: reads of a group by its ID per second, compared with a fixed response; the time that the server
//! works on lists; and durable creates per second. Ratios are taken within pairs of rounds, so they are meaningful on a
//! busy machine too; absolute figures are valid for this machine at this moment only.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "../support/client.rs"]
mod client;
#[path = "../support/fill.rs"]
mod fill;
#[path = "../support/fixed.rs"]
mod fixed;
mod lists;
#[path = "../support/machine.rs"]
mod machine;
mod report;
#[path = "../support/request.rs"]
mod request;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/timing.rs"]
mod timing;
#[path = "../support/wire.rs"]
mod wire;

use std::path::PathBuf;
use std::time::Instant;

use axum::Router;
use clap::{Parser, Subcommand};

use client::{Load, Workload};
use fixed::fixed;
use report::Report;
use rollbook::http::limits::Limits;
use support::Directory;

// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 64;

/// Measures the server under load.
#[derive(Parser)]
struct Arguments {
    /// Number of groups in the directory
    #[arg(long, default_value_t = 100_000)]
    groups: usize,
    /// Seconds that each round of load takes
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Number of rounds of each kind
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A SQLite file to create and keep, or to use again; by default, one that is deleted afterwards
    #[arg(long)]
    database: Option<PathBuf>,
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
    let arguments = Arguments::parse();
    match &arguments.role {
        Some(Role::Client(load)) => println!("{}", serde_json::to_string(&load.run_in_process()?)?),
        None => println!("{}", measure(&arguments)?),
    }
    Ok(())
}

#[tokio::main]
async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    serving::observe()?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let file = arguments.database.clone().unwrap_or_else(|| folder.path().join("rollbook.db"));
    let fresh = !file.exists();
    let directory = Directory::open(&format!("sqlite:{}", file.display())).await?;
    let mut report = Report::new(arguments.groups);
    if fresh {
        let started = Instant::now();
        directory.fill(arguments.groups).await?;
        report.record_fill(started.elapsed(), std::fs::metadata(&file)?.len());
    }
    let app = rollbook::app(&directory.service, fixed(), Limits::default(), None)?;
    for list_case in lists::list_cases(arguments.groups) {
        let timed = list_case.time(&app, &directory).await?;
        report.lists.push((list_case, timed));
    }
    load(arguments, &directory.token, app, &mut report).await?;
    directory.service.close().await;
    Ok(report)
}

/// Serves the app and a bare server next to it, and puts load on both in turns.
async fn load(arguments: &Arguments, token: &str, app: Router, report: &mut Report) -> anyhow::Result<()> {
    let own_at = serving::serve(app).await?;
    let bare = serving::listener().await?;
    let bare_at = bare.local_addr()?;
    tokio::spawn(async move { axum::serve(bare, fixed()).await });
    let run = |workload, address, connections| {
        Load { address, workload, connections, seconds: arguments.seconds, groups: arguments.groups }
            .run_in_child(token)
    };
    for _ in 0..arguments.rounds {
        report.bare.push(run(Workload::Fixed, bare_at, CONNECTIONS).await?);
        report.fixed.push(run(Workload::Fixed, own_at, CONNECTIONS).await?);
        report.group.push(run(Workload::Group, own_at, CONNECTIONS).await?);
    }
    for connections in [1, CONNECTIONS] {
        report.creates.push((connections, run(Workload::Create, own_at, connections).await?));
    }
    Ok(())
}
