//! The server under load, on a directory of 100,000 groups: `cargo bench --bench load` (see docs/performance.md).
//!
//! Prints Markdown: requests a second of a group by its ID beside fixed answers, how long the server works on lists,
//! and durable creates a second. Ratios are of rounds that took turns, so that they mean something on a busy machine
//! too; absolute figures are of this machine at this moment.

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

use client::{Ask, Load};
use fixed::fixed;
use report::Report;
use support::Directory;

// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 64;

/// Measures the server under load.
#[derive(Parser)]
struct Arguments {
    /// How many groups the directory holds
    #[arg(long, default_value_t = 100_000)]
    groups: usize,
    /// How many seconds each round of load takes
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many rounds of each kind take turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A file to make and keep, or to use again; without it, one that is deleted afterwards
    #[arg(long)]
    database: Option<PathBuf>,
    /// What cargo tells every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// The load generator, as this program calls itself
    #[command(hide = true)]
    Client(Load),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.role {
        Some(Role::Client(load)) => println!("{}", serde_json::to_string(&load.here()?)?),
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
        report.filled(started.elapsed(), std::fs::metadata(&file)?.len());
    }
    let app = rollbook::app(&directory.service, fixed())?;
    for question in lists::questions(arguments.groups) {
        let timed = question.time(&app, &directory).await?;
        report.lists.push((question, timed));
    }
    load(arguments, &directory.token, app, &mut report).await?;
    directory.service.store().close().await;
    Ok(report)
}

/// Serves the app, and beside it a bare server, and puts load on both in turns.
async fn load(arguments: &Arguments, token: &str, app: Router, report: &mut Report) -> anyhow::Result<()> {
    let own_at = serving::serve(app).await?;
    let bare = serving::listener().await?;
    let bare_at = bare.local_addr()?;
    tokio::spawn(async move { axum::serve(bare, fixed()).await });
    let run = |ask, address, connections| {
        Load { address, ask, connections, seconds: arguments.seconds, groups: arguments.groups }.apart(token)
    };
    for _ in 0..arguments.rounds {
        report.bare.push(run(Ask::Fixed, bare_at, CONNECTIONS).await?);
        report.fixed.push(run(Ask::Fixed, own_at, CONNECTIONS).await?);
        report.group.push(run(Ask::Group, own_at, CONNECTIONS).await?);
    }
    for connections in [1, CONNECTIONS] {
        report.creates.push((connections, run(Ask::Create, own_at, connections).await?));
    }
    Ok(())
}
