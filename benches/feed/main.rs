//! The feed of changes: `cargo bench --bench feed` (see docs/performance.md).
//!
//! Prints Markdown: changes per second by polling, and durable creates per second without and with readers of the feed
//! as Server-Sent Events, in turns. The readers run on the same machine, in a process of their own. Ratios are taken within
//! pairs of rounds, so they are meaningful on a busy machine too.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "../support/client.rs"]
mod client;
#[path = "../support/fill.rs"]
mod fill;
#[path = "../support/machine.rs"]
mod machine;
mod readers;
mod report;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/wire.rs"]
mod wire;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use axum::Router;
use clap::{Parser, Subcommand};
use rollbook::http::limits::Limits;
use serde_json::Value;

use client::{Load, Outcome, Workload};
use readers::{Readers, Running};
use report::Report;
use support::Directory;
use wire::Connection;

// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the feed of changes.
#[derive(Parser)]
struct Arguments {
    /// Number of groups in the directory
    #[arg(long, default_value_t = 50_000)]
    groups: usize,
    /// Seconds that each round takes
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Number of rounds of each kind
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Number of connections that write
    #[arg(long, default_value_t = 32)]
    writers: usize,
    /// Number of streams
    #[arg(long, default_value_t = 100)]
    readers: usize,
    /// An empty database; by default a SQLite file that is deleted afterwards
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
    /// The readers, which this program starts
    #[command(hide = true)]
    Readers(Readers),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.role {
        Some(Role::Client(load)) => println!("{}", serde_json::to_string(&load.run_in_process()?)?),
        Some(Role::Readers(readers)) => readers.run_in_process()?,
        None => println!("{}", measure(&arguments)?),
    }
    Ok(())
}

#[tokio::main]
async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    serving::observe()?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let file = format!("sqlite:{}", folder.path().join("rollbook.db").display());
    let directory = Directory::open(arguments.database.as_ref().unwrap_or(&file)).await?;
    directory.fill(arguments.groups).await?;
    let address = serving::serve(rollbook::app(&directory.service, Router::new(), Limits::default(), None)?).await?;
    let mut report = Report::new(arguments.groups, arguments.writers, arguments.readers, arguments.seconds);
    let mut cursor = String::new();
    for _ in 0..arguments.rounds {
        let begun = Instant::now();
        let (changes, end) = poll(address, &directory.token, None).await?;
        report.polled.push(changes as f64 / begun.elapsed().as_secs_f64());
        cursor = end;
    }
    for round in 0..arguments.rounds {
        let mut pair = [None, None];
        // Each kind is first in every other round.
        for has_readers in [round % 2 == 0, round % 2 != 0] {
            // The readers begin behind what was written.
            cursor = poll(address, &directory.token, Some(&cursor)).await?.1;
            let readers = Readers { address, count: arguments.readers, after: cursor.clone() };
            let readers = if has_readers { Some(readers.start(&directory.token)?) } else { None };
            pair[usize::from(has_readers)] = Some(measured_write(arguments, address, &directory.token).await?);
            report.heard.extend(readers.map(Running::stop).transpose()?);
        }
        let [alone, followed] = pair;
        report.pairs.extend(alone.zip(followed));
    }
    directory.service.close().await;
    Ok(report)
}

/// One round of creates; also returns the processor time that this process, the server, took in it, in seconds.
async fn measured_write(arguments: &Arguments, address: SocketAddr, token: &str) -> anyhow::Result<(Outcome, f64)> {
    let Arguments { groups, seconds, writers: connections, .. } = *arguments;
    let before = processor_time();
    let load = Load { address, workload: Workload::Create, connections, seconds, groups };
    let outcome = load.run_in_child(token).await?;
    Ok((outcome, processor_time() - before))
}

/// The processor time of this process in seconds.
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Reads the feed behind the cursor; returns the number of changes and the cursor behind them.
async fn poll(address: SocketAddr, token: &str, cursor: Option<&str>) -> anyhow::Result<(usize, String)> {
    let (mut wire, mut count) = (Connection::open(address).await?, 0);
    let mut after = cursor.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
    loop {
        let request = format!(
            "GET /rollbook/v1/changes?limit=1000{after} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let response = wire.send(request.as_bytes()).await?;
        ensure!(response.status == 200, "refused: {}", String::from_utf8_lossy(response.bytes));
        let head = response.bytes.windows(4).position(|end| end == b"\r\n\r\n").context("no head")?;
        let page: Value = serde_json::from_slice(&response.bytes[head + 4..])?;
        count += page["changes"].as_array().context("no changes")?.len();
        let next = page["next"].as_str().context("an empty feed")?;
        if page["more"] == false {
            return Ok((count, next.to_owned()));
        }
        after = format!("&after={next}");
    }
}
