//! The load generator: this program, started again as a child process, the same for every protocol. Each connection
//! sends one request after the other, and reads each response completely.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::http::Http;
use super::ldap::Ldap;
use super::peers::process;
use super::protocol::Protocol;
use super::workload::Workload;

/// The environment variable with the token or password: an argument would show in every list of processes.
const SECRET: &str = "ROLLBOOK_BENCH_TOKEN";
/// The number of threads; each has its share of the connections.
const THREADS: usize = 2;
/// The warm-up, which is not counted, so that every connection is open and caches are filled.
const WARM_UP: Duration = Duration::from_millis(300);

/// One run of load.
#[derive(Args, Clone, Debug)]
pub(crate) struct Load {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub protocol: Protocol,
    #[arg(long)]
    pub workload: Workload,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: f64,
    /// How many groups the peer was filled with.
    #[arg(long)]
    pub groups: usize,
    /// The number in the first write.
    #[arg(long)]
    pub from: usize,
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Responses per second.
    pub rate: f64,
    /// The median response time in microseconds.
    pub p50: u32,
    /// The 99th percentile of response times in microseconds.
    pub p99: u32,
    /// The processor time of the load generator for each response, in microseconds.
    pub own: f64,
    /// The number of writes.
    pub written: usize,
}

/// A connection in one of the protocols, and its next request.
pub(crate) enum Line {
    Http(Http),
    Ldap(Ldap),
}

impl Line {
    /// Opens a connection and authenticates.
    pub(crate) async fn open(address: SocketAddr, protocol: Protocol, secret: &str) -> anyhow::Result<Self> {
        Ok(match protocol {
            Protocol::Ldap => Self::Ldap(Ldap::open(address, secret).await?),
            protocol => Self::Http(Http::open(address, protocol, secret).await?),
        })
    }

    /// Prepares the request with this number, for a peer with this many groups.
    pub(crate) fn prepare(&mut self, workload: Workload, number: usize, of: usize) {
        match self {
            Self::Http(http) => http.prepare(workload, number, of),
            Self::Ldap(ldap) => ldap.prepare(workload, number, of),
        }
    }

    /// Sends the request and returns the response. Fails unless the response is a success.
    pub(crate) async fn send(&mut self) -> anyhow::Result<&[u8]> {
        match self {
            Self::Http(http) => http.send().await,
            Self::Ldap(ldap) => ldap.send().await,
        }
    }
}

impl Load {
    /// Runs in a child process.
    pub(crate) async fn run_in_child(self, secret: &str) -> anyhow::Result<Outcome> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["client", "--workload", &named(self.workload)?, "--protocol", &named(self.protocol)?]);
        command.args(["--address", &self.address.to_string(), "--connections", &self.connections.to_string()]);
        command.args(["--seconds", &self.seconds.to_string(), "--groups", &self.groups.to_string()]);
        command.args(["--from", &self.from.to_string()]).stdin(Stdio::null());
        // The error message becomes one line of a report.
        command.env(SECRET, secret).env("RUST_BACKTRACE", "0");
        let child = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr).trim());
        Ok(serde_json::from_slice(&child.stdout)?)
    }

    /// Runs in this process.
    pub(crate) fn run_in_process(&self) -> anyhow::Result<Outcome> {
        let secret = std::env::var(SECRET)?;
        let run = Run::new(self, &secret);
        let threads = THREADS.min(self.connections);
        let mut took = std::thread::scope(|scope| {
            let share = |thread: usize| (thread..self.connections).step_by(threads);
            let run = &run;
            let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run.thread(share(thread)))).collect();
            let joined = running.into_iter().map(|thread| thread.join().expect("no thread panics"));
            joined.collect::<anyhow::Result<Vec<_>>>()
        })?
        .concat();
        let ended = Instant::now();
        ensure!(!took.is_empty(), "no response in the measured time");
        took.sort_unstable();
        let at = |of_100: usize| took[took.len() * of_100 / 100];
        // With a slow peer, the requests that were in flight at the end took some of the time, too.
        let rate = took.len() as f64 / (ended - run.start).as_secs_f64();
        let own = process::processor_time()?.as_secs_f64() * 1e6 / run.sent.into_inner() as f64;
        Ok(Outcome { rate, p50: at(50), p99: at(99), own, written: run.next.into_inner() - self.from })
    }
}

/// A value as an argument.
fn named(value: impl ValueEnum) -> anyhow::Result<String> {
    let value = value.to_possible_value().context("every value has a name")?;
    Ok(value.get_name().to_owned())
}

/// A run in progress.
struct Run<'a> {
    load: &'a Load,
    secret: &'a str,
    /// Responses after this are counted.
    start: Instant,
    /// No request is sent after this.
    end: Instant,
    next: AtomicUsize,
    sent: AtomicUsize,
}

impl<'a> Run<'a> {
    fn new(load: &'a Load, secret: &'a str) -> Self {
        let (start, next) = (Instant::now() + WARM_UP, AtomicUsize::new(load.from));
        let end = start + Duration::from_secs_f64(load.seconds);
        Self { load, secret, start, end, next, sent: AtomicUsize::new(0) }
    }

    #[tokio::main(flavor = "current_thread")]
    async fn thread(&self, connections: impl Iterator<Item = usize>) -> anyhow::Result<Vec<u32>> {
        Ok(try_join_all(connections.map(|connection| self.converse(connection))).await?.concat())
    }

    /// Returns the response times in microseconds.
    async fn converse(&self, connection: usize) -> anyhow::Result<Vec<u32>> {
        let Load { address, protocol, workload, groups, .. } = *self.load;
        let mut line = Line::open(address, protocol, self.secret).await?;
        let (mut rng, mut sent, mut took) = (StdRng::seed_from_u64(connection as u64), 0, Vec::new());
        while Instant::now() < self.end {
            let number = match workload.is_writing() {
                true => self.next.fetch_add(1, Ordering::Relaxed),
                false => rng.random_range(0..groups),
            };
            line.prepare(workload, number, groups);
            let begun = Instant::now();
            line.send().await?;
            sent += 1;
            if Instant::now() >= self.start {
                took.push(u32::try_from(begun.elapsed().as_micros())?);
            }
        }
        self.sent.fetch_add(sent, Ordering::Relaxed);
        Ok(took)
    }
}
