//! A directory in PostgreSQL compared with PostgreSQL alone: `scripts/with-postgres cargo bench --bench postgres` (see
//! docs/performance.md).
//!
//! Compares reads of a group by its ID and durable creates over HTTP with `pgbench`, which sends the same reads and
//! inserts to the same tables. All of them take turns, round by round: ratios are meaningful on a busy machine too,
//! absolute figures are valid for this machine at this moment only. Prints Markdown.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "../support/client.rs"]
mod client;
#[path = "../support/postgres/database.rs"]
mod database;
#[path = "../support/fill.rs"]
mod fill;
#[path = "../support/machine.rs"]
mod machine;
#[path = "../support/postgres/pgbench.rs"]
mod pgbench;
mod report;
#[path = "../support/postgres/scripts.rs"]
mod scripts;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/wire.rs"]
mod wire;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Context as _;
use axum::Router;
use clap::{Parser, Subcommand};

use client::{Load, Workload};
use database::Database;
use pgbench::{Pgbench, Transport};
use report::{Client, Outcome, Report, Series};
use rollbook::http::limits::Limits;
use scripts::Scripts;
use support::Directory;

// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the server on PostgreSQL and compares it with pgbench.
#[derive(Parser)]
struct Arguments {
    /// Number of groups in the directory
    #[arg(long, default_value_t = 100_000)]
    groups: usize,
    /// Seconds that are measured for each kind in each round
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Number of rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A database to create and keep, or to use again; by default, one that is dropped afterwards
    #[arg(long)]
    database: Option<String>,
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
    let server = std::env::var("TEST_DATABASE_URL")
        .context("TEST_DATABASE_URL is not set: run this by `scripts/with-postgres cargo bench --bench postgres`")?;
    let own = format!("rollbook_bench_{}", std::process::id());
    let database = Database::open(&server, arguments.database.as_ref().unwrap_or(&own)).await?;
    let report = measured(arguments, &database).await;
    if arguments.database.is_none() {
        database.drop().await?;
    }
    report
}

async fn measured(arguments: &Arguments, database: &Database) -> anyhow::Result<Report> {
    let directory = Directory::open(database.url()).await?;
    let mut report = Report::new(arguments.groups, database.transport(), database.socket().await?.is_some());
    if database.is_new() {
        let started = Instant::now();
        directory.fill(arguments.groups).await?;
        report.record_fill(started.elapsed(), database.size().await?);
        database.settle().await?;
    }
    let address = serving::serve(rollbook::app(&directory.service, Router::new(), Limits::default(), None)?).await?;
    let rounds = Rounds::new(arguments, database, address, &directory.token).await?;
    for _ in 0..arguments.rounds {
        for series in report.reads.iter_mut().chain(&mut report.creates) {
            series.rounds.push(rounds.outcome(series).await?);
        }
    }
    report.server = database.settings().await?;
    database.check().await?;
    directory.service.close().await;
    Ok(report)
}

/// What the measurements need.
struct Rounds<'a> {
    arguments: &'a Arguments,
    database: &'a Database,
    address: SocketAddr,
    token: &'a str,
    pgbench: Pgbench,
    scripts: Scripts,
}

impl<'a> Rounds<'a> {
    async fn new(
        arguments: &'a Arguments,
        database: &'a Database,
        address: SocketAddr,
        token: &'a str,
    ) -> anyhow::Result<Self> {
        // The patterns of pgbench's inserts are groups that were created over HTTP.
        let Arguments { groups, .. } = *arguments;
        Load { address, workload: Workload::Create, connections: 16, seconds: 1.0, groups }.run_in_child(token).await?;
        let (scripts, pgbench) = (Scripts::write(database, groups).await?, Pgbench::new(database).await?);
        Ok(Self { arguments, database, address, token, pgbench, scripts })
    }

    async fn outcome(&self, series: &Series) -> anyhow::Result<Outcome> {
        let (connections, seconds) = (series.connections, self.arguments.seconds);
        let pgbench = |scripts, transport| self.pgbench.run(scripts, connections, seconds, transport);
        if series.is_writing() {
            // Otherwise dirty pages of this round would be written in the next one.
            self.database.checkpoint().await?;
        }
        Ok(match series.client {
            Client::Http(workload) => {
                let (address, groups) = (self.address, self.arguments.groups);
                let load = Load { address, workload, connections, seconds: seconds.into(), groups };
                load.run_in_child(self.token).await?.into()
            }
            Client::Select => pgbench(&self.scripts.select, Transport::Tcp).await?.into(),
            Client::SelectOverSocket => pgbench(&self.scripts.select, Transport::Socket).await?.into(),
            Client::Insert => pgbench(&self.scripts.insert, Transport::Tcp).await?.into(),
            Client::InsertPipelined => pgbench(&self.scripts.pipelined, Transport::Tcp).await?.into(),
        })
    }
}
