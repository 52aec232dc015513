//! A directory in PostgreSQL beside PostgreSQL alone: `scripts/with-postgres cargo bench --bench postgres` (see
//! docs/performance.md).
//!
//! Reads of a group by its ID and durable creates, over HTTP, beside what `pgbench` does when it sends the same reads
//! and inserts to the same tables. All of them take turns, round by round: ratios mean something on a busy machine
//! too, absolute figures are of this machine at this moment. Prints Markdown.

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

use client::{Ask, Load};
use database::Database;
use pgbench::{Pgbench, Transport};
use report::{By, Outcome, Report, Series};
use scripts::Scripts;
use support::Directory;

// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the server on PostgreSQL beside pgbench.
#[derive(Parser)]
struct Arguments {
    /// How many groups the directory holds
    #[arg(long, default_value_t = 100_000)]
    groups: usize,
    /// How many seconds are measured of each kind in each round
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many rounds there are
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A database to make and keep, or to use again; without it, one that is dropped afterwards
    #[arg(long)]
    database: Option<String>,
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
        report.filled(started.elapsed(), database.size().await?);
        database.settle().await?;
    }
    let address = serving::serve(rollbook::app(&directory.service, Router::new())?).await?;
    let rounds = Rounds::new(arguments, database, address, &directory.token).await?;
    for _ in 0..arguments.rounds {
        for series in report.reads.iter_mut().chain(&mut report.creates) {
            series.rounds.push(rounds.outcome(series).await?);
        }
    }
    report.server = database.settings().await?;
    database.check().await?;
    directory.service.store().close().await;
    Ok(report)
}

/// What it takes to measure.
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
        // What pgbench is to insert is taken from groups that came over HTTP.
        let Arguments { groups, .. } = *arguments;
        Load { address, ask: Ask::Create, connections: 16, seconds: 1.0, groups }.apart(token).await?;
        let (scripts, pgbench) = (Scripts::write(database, groups).await?, Pgbench::new(database).await?);
        Ok(Self { arguments, database, address, token, pgbench, scripts })
    }

    async fn outcome(&self, series: &Series) -> anyhow::Result<Outcome> {
        let (connections, seconds) = (series.connections, self.arguments.seconds);
        let pgbench = |scripts, transport| self.pgbench.run(scripts, connections, seconds, transport);
        if series.is_writing() {
            // Or the last one's would fall to the next one.
            self.database.checkpoint().await?;
        }
        Ok(match series.by {
            By::Http(ask) => {
                let (address, groups) = (self.address, self.arguments.groups);
                let load = Load { address, ask, connections, seconds: seconds.into(), groups };
                load.apart(self.token).await?.into()
            }
            By::Select => pgbench(&self.scripts.select, Transport::Tcp).await?.into(),
            By::SelectOverSocket => pgbench(&self.scripts.select, Transport::Socket).await?.into(),
            By::Insert => pgbench(&self.scripts.insert, Transport::Tcp).await?.into(),
            By::InsertPipelined => pgbench(&self.scripts.pipelined, Transport::Tcp).await?.into(),
        })
    }
}
