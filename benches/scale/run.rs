//! The program as a process: its start, its memory, and mixed load.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::data::file::Size;
use super::load::mix::Mix;
use super::load::mixture::Mixture;
use super::load::{CONNECTIONS, median};
use super::program::{Program, Server, private_memory};
use super::report::{Goal, Row, Section};

const MIB: f64 = 1024.0 * 1024.0;
const STARTS: usize = 7;
const LISTED: usize = 3;

/// Starts the program, runs `list-all`, and puts mixed load on it for this many seconds.
pub(crate) async fn measure(
    large: (&Program, Size),
    small: (&Program, Size),
    seconds: f64,
) -> anyhow::Result<Vec<Section>> {
    let starts = Row::new("from the start to listening", start(large.0)?).baseline(start(small.0)?);
    let starts =
        Section::new("Start after a clean stop", "median ms", "1,000 groups", vec![starts.goal(Goal::Under(100.0))]);
    let (one, other) = (of(large, seconds).await?, of(small, seconds.min(3.0)).await?);
    let memory = [
        ("at rest, after the start", 64.0),
        ("at rest, after all of it", 64.0),
        ("under load of every kind, at most", 256.0),
    ];
    let rows = memory.iter().zip(one.memory).zip(other.memory);
    let rows = rows.map(|(((what, goal), own), small)| Row::new(*what, own).baseline(small).goal(Goal::Under(*goal)));
    let memory = Section::new("Private memory", "MiB", "1,000 groups", rows.collect());
    let all = vec![
        Row::new("first byte, ms", one.all.first_byte).baseline(other.all.first_byte).goal(Goal::Under(5.0)),
        Row::new("groups/s", one.all.rate).baseline(other.all.rate).goal(Goal::AtLeast(300_000.0)),
        Row::new("private memory before, MiB", one.all.memory[0]).baseline(other.all.memory[0]),
        Row::new("while it is sent, at most, MiB", one.all.memory[1]).baseline(other.all.memory[1]),
        Row::new("after, MiB", one.all.memory[2]).baseline(other.all.memory[2]),
    ];
    let title = format!("Core: list-all of {} groups", one.all.groups);
    Ok(vec![starts, memory, Section::new(title, "figure", "1,000 groups", all)])
}

fn start(program: &Program) -> anyhow::Result<f64> {
    let mut took = Vec::new();
    // The first start may have to recover a log.
    for start in 0..=STARTS {
        let server = program.serve()?;
        if start > 0 {
            took.push(server.took.as_secs_f64() * 1_000.0);
        }
        server.stop()?;
    }
    Ok(median(took.into_iter()))
}

struct Measured {
    /// Private memory in MiB: idle, idle afterwards, under load.
    memory: [f64; 3],
    all: All,
}

async fn of((program, size): (&Program, Size), seconds: f64) -> anyhow::Result<Measured> {
    const REST: Duration = Duration::from_secs(2);
    let (server, token) = program.serve_with_token().await?;
    tokio::time::sleep(REST).await;
    let rest = mebibytes(server.memory()?);
    let mut runs = Vec::new();
    for _ in 0..LISTED {
        runs.push(everything(&server, &token).await?);
    }
    let all = All::median(&runs);
    let mix = Mix::new(server.address, Mixture::Every, CONNECTIONS, seconds, &size);
    let (load, loaded) = watched(&server, mix.run_in_child(&token, |_| ())).await;
    load?;
    tokio::time::sleep(REST).await;
    let memory = [rest, mebibytes(server.memory()?), loaded];
    server.stop()?;
    Ok(Measured { memory, all })
}

/// The figures of one `list-all`.
struct All {
    groups: u64,
    /// Milliseconds.
    first_byte: f64,
    /// Groups per second.
    rate: f64,
    /// MiB: before, at most, after.
    memory: [f64; 3],
}

impl All {
    /// The median of each figure.
    fn median(runs: &[Self]) -> Self {
        let of = |value: &dyn Fn(&Self) -> f64| median(runs.iter().map(value));
        Self {
            groups: runs.iter().map(|run| run.groups).max().unwrap_or_default(),
            first_byte: of(&|run| run.first_byte),
            rate: of(&|run| run.rate),
            memory: [0, 1, 2].map(|at| of(&|run| run.memory[at])),
        }
    }
}

async fn everything(server: &Server, token: &str) -> anyhow::Result<All> {
    let url = format!("http://{}/api/admin/v1/users-groups/list-all", server.address);
    let client = reqwest::Client::new();
    let get = |url: &str| client.get(url).bearer_auth(token);
    // Opens the connection.
    get(&url.replace("list-all", "list")).send().await?.error_for_status()?.bytes().await?;
    let before = mebibytes(server.memory()?);
    let started = Instant::now();
    let (read, most) = watched(server, async {
        let mut response = get(&url).send().await?.error_for_status()?;
        let (mut first_byte, mut braces) = (None, 0);
        while let Some(part) = response.chunk().await? {
            first_byte.get_or_insert_with(|| started.elapsed());
            braces += part.iter().filter(|byte| **byte == b'{').count() as u64;
        }
        // Each group has two braces: its own, and that of its labels.
        anyhow::Ok((first_byte.context("nothing was sent")?, braces / 2))
    })
    .await;
    let (first_byte, groups) = read?;
    ensure!(groups > 0, "list-all sent no group");
    let rate = groups as f64 / started.elapsed().as_secs_f64();
    let memory = [before, most, mebibytes(server.memory()?)];
    Ok(All { groups, first_byte: first_byte.as_secs_f64() * 1_000.0, rate, memory })
}

/// Returns the result, and the highest private memory of the server meanwhile, in MiB.
async fn watched<T>(server: &Server, work: impl Future<Output = T>) -> (T, f64) {
    const EVERY: Duration = Duration::from_millis(20);
    let (process, mut most) = (server.id(), 0);
    let watching = async {
        loop {
            most = most.max(private_memory(process).unwrap_or_default());
            tokio::time::sleep(EVERY).await;
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = watching => unreachable!("it watches until the work is done"),
    };
    (done, mebibytes(most))
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
