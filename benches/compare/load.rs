//! The load generator: this program again, as a process of its own, the same for every protocol. Each connection asks
//! one question after the other and reads each answer whole.

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
use super::process;
use super::question::Question;

/// The environment variable that holds the token or password: an argument would show in every list of processes.
const SECRET: &str = "ROLLBOOK_BENCH_TOKEN";
/// Threads, each with its share of the connections.
const THREADS: usize = 2;
/// Not counted, so that every connection is open and warm.
const WARM_UP: Duration = Duration::from_millis(300);

/// What a peer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Speech {
    /// The API that a Rollbook serves, and a mock of it.
    Ordercloud,
    /// What json-server makes of a file.
    JsonServer,
    Ldap,
}

/// One run of load.
#[derive(Args, Clone, Debug)]
pub struct Load {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub speech: Speech,
    #[arg(long)]
    pub question: Question,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: f64,
    /// How many groups the peer was filled with.
    #[arg(long)]
    pub groups: usize,
    /// The number that the first write is about.
    #[arg(long)]
    pub from: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Answers a second.
    pub rate: f64,
    /// Half of the answers took at most so many microseconds.
    pub p50: u32,
    /// And 99 of 100.
    pub p99: u32,
    /// Microseconds of processor time that the load generator took for each.
    pub own: f64,
    /// How many numbers were written about.
    pub written: usize,
}

/// A connection in one of the protocols, and what is asked on it.
pub enum Line {
    Http(Http),
    Ldap(Ldap),
}

impl Line {
    /// Connects, and says who asks.
    pub async fn open(address: SocketAddr, speech: Speech, secret: &str) -> anyhow::Result<Self> {
        Ok(match speech {
            Speech::Ldap => Self::Ldap(Ldap::open(address, secret).await?),
            speech => Self::Http(Http::open(address, speech, secret).await?),
        })
    }

    /// Makes ready to ask about this number, of a peer of so many groups.
    pub fn prepare(&mut self, question: Question, number: usize, of: usize) {
        match self {
            Self::Http(http) => http.prepare(question, number, of),
            Self::Ldap(ldap) => ldap.prepare(question, number, of),
        }
    }

    /// Asks, and gives the answer as it came. Fails unless it tells of success.
    pub async fn ask(&mut self) -> anyhow::Result<&[u8]> {
        match self {
            Self::Http(http) => http.ask().await,
            Self::Ldap(ldap) => ldap.ask().await,
        }
    }
}

impl Load {
    /// Runs it in a process of its own.
    pub async fn apart(self, secret: &str) -> anyhow::Result<Outcome> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["client", "--question", &named(self.question)?, "--speech", &named(self.speech)?]);
        command.args(["--address", &self.address.to_string(), "--connections", &self.connections.to_string()]);
        command.args(["--seconds", &self.seconds.to_string(), "--groups", &self.groups.to_string()]);
        command.args(["--from", &self.from.to_string()]).stdin(Stdio::null());
        // What it says when it fails is one line of a report.
        command.env(SECRET, secret).env("RUST_BACKTRACE", "0");
        let child = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr).trim());
        Ok(serde_json::from_slice(&child.stdout)?)
    }

    /// Runs it in this process.
    pub fn here(&self) -> anyhow::Result<Outcome> {
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
        ensure!(!took.is_empty(), "nothing was answered");
        took.sort_unstable();
        let at = |of_100: usize| took[took.len() * of_100 / 100];
        // Of a slow peer, what was on its way at the end took some of the time, too.
        let rate = took.len() as f64 / (ended - run.start).as_secs_f64();
        let own = process::processor_time()?.as_secs_f64() * 1e6 / run.asked.into_inner() as f64;
        Ok(Outcome { rate, p50: at(50), p99: at(99), own, written: run.next.into_inner() - self.from })
    }
}

/// A value as an argument.
fn named(value: impl ValueEnum) -> anyhow::Result<String> {
    let value = value.to_possible_value().context("every value has a name")?;
    Ok(value.get_name().to_owned())
}

/// A run that is under way.
struct Run<'a> {
    load: &'a Load,
    secret: &'a str,
    /// What is answered after this is counted.
    start: Instant,
    /// Nothing is asked after this.
    end: Instant,
    next: AtomicUsize,
    asked: AtomicUsize,
}

impl<'a> Run<'a> {
    fn new(load: &'a Load, secret: &'a str) -> Self {
        let (start, next) = (Instant::now() + WARM_UP, AtomicUsize::new(load.from));
        let end = start + Duration::from_secs_f64(load.seconds);
        Self { load, secret, start, end, next, asked: AtomicUsize::new(0) }
    }

    #[tokio::main(flavor = "current_thread")]
    async fn thread(&self, connections: impl Iterator<Item = usize>) -> anyhow::Result<Vec<u32>> {
        Ok(try_join_all(connections.map(|connection| self.converse(connection))).await?.concat())
    }

    /// Gives the microseconds that each answer took.
    async fn converse(&self, connection: usize) -> anyhow::Result<Vec<u32>> {
        let Load { address, speech, question, groups, .. } = *self.load;
        let mut line = Line::open(address, speech, self.secret).await?;
        let (mut dice, mut asked, mut took) = (StdRng::seed_from_u64(connection as u64), 0, Vec::new());
        while Instant::now() < self.end {
            let number = match question.is_writing() {
                true => self.next.fetch_add(1, Ordering::Relaxed),
                false => dice.random_range(0..groups),
            };
            line.prepare(question, number, groups);
            let begun = Instant::now();
            line.ask().await?;
            asked += 1;
            if Instant::now() >= self.start {
                took.push(u32::try_from(begun.elapsed().as_micros())?);
            }
        }
        self.asked.fetch_add(asked, Ordering::Relaxed);
        Ok(took)
    }
}
