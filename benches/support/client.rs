//! The load generator: this program again, as a process of its own. Each connection sends one request after the
//! other over a plain HTTP/1.1 connection that is kept, and reads each answer whole.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::support::generate;
use super::wire::Connection;

/// The environment variable that holds the token: an argument would show in every list of processes.
const TOKEN: &str = "ROLLBOOK_BENCH_TOKEN";
/// Threads, each with its share of the connections.
const THREADS: usize = 2;
/// Where a server has a fixed answer, outside of every API.
pub const FIXED_PATH: &str = "/fixed";
/// The groups that most are interested in.
pub const HOT: usize = 10_000;
/// Not counted, so that every connection is open and warm.
const WARM_UP: Duration = Duration::from_millis(300);

/// What is asked again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ask {
    /// The fixed answer.
    Fixed,
    /// A group by its ID, any of them as likely as any other.
    Group,
    /// A group by its ID, 95 of 100 times one of the first [`HOT`].
    Hot,
    /// A new group.
    Create,
}

/// One run of load.
#[derive(Args, Clone, Debug)]
pub struct Load {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub ask: Ask,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: f64,
    #[arg(long)]
    pub groups: usize,
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
}

impl Load {
    /// Runs it in a process of its own, with the token.
    pub async fn apart(self, token: &str) -> anyhow::Result<Outcome> {
        let token = token.to_owned();
        tokio::task::spawn_blocking(move || self.run_apart(&token)).await?
    }

    fn run_apart(&self, token: &str) -> anyhow::Result<Outcome> {
        let ask = self.ask.to_possible_value().context("every question has a name")?;
        let child = Command::new(std::env::current_exe()?)
            .args(["client", "--ask", ask.get_name(), "--address", &self.address.to_string()])
            .args(["--connections", &self.connections.to_string(), "--seconds", &self.seconds.to_string()])
            .args(["--groups", &self.groups.to_string()])
            .env(TOKEN, token)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(child.status.success(), "the load generator failed");
        Ok(serde_json::from_slice(&child.stdout)?)
    }

    /// Runs it in this process.
    pub fn here(&self) -> anyhow::Result<Outcome> {
        let token = std::env::var(TOKEN)?;
        let from = Instant::now() + WARM_UP;
        let span = from..from + Duration::from_secs_f64(self.seconds);
        let threads = THREADS.min(self.connections);
        let share = |thread: usize| (thread..self.connections).step_by(threads);
        let mut took: Vec<u32> = std::thread::scope(|scope| {
            let run = |thread| {
                scope.spawn({
                    let (token, span) = (&token, &span);
                    move || self.thread(share(thread), token, span)
                })
            };
            let running: Vec<_> = (0..threads).map(run).collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("no thread panics"))
                .collect::<anyhow::Result<Vec<_>>>()
        })?
        .concat();
        ensure!(!took.is_empty(), "nothing was answered");
        took.sort_unstable();
        let at = |of_100: usize| took[took.len() * of_100 / 100];
        Ok(Outcome { rate: took.len() as f64 / self.seconds, p50: at(50), p99: at(99) })
    }

    #[tokio::main(flavor = "current_thread")]
    async fn thread(
        &self,
        connections: impl Iterator<Item = usize>,
        token: &str,
        span: &std::ops::Range<Instant>,
    ) -> anyhow::Result<Vec<u32>> {
        let conversations = connections.map(|connection| self.converse(connection, token, span));
        Ok(try_join_all(conversations).await?.concat())
    }

    /// Gives the microseconds that each answer took.
    async fn converse(
        &self,
        connection: usize,
        token: &str,
        span: &std::ops::Range<Instant>,
    ) -> anyhow::Result<Vec<u32>> {
        let mut wire = Connection::open(self.address).await?;
        let mut dice = StdRng::seed_from_u64(connection as u64);
        let (mut request, mut took) = (Vec::new(), Vec::new());
        let end = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n");
        while span.contains(&Instant::now()) || Instant::now() < span.start {
            request.clear();
            self.write_request(&mut request, self.number(&mut dice), &end);
            let begun = Instant::now();
            let answer = wire.ask(&request).await?;
            ensure!((200..300).contains(&answer.status), "refused: {}", String::from_utf8_lossy(answer.bytes));
            if begun >= span.start {
                took.push(u32::try_from(begun.elapsed().as_micros())?);
            }
        }
        Ok(took)
    }

    fn number(&self, dice: &mut StdRng) -> usize {
        let hot = self.ask == Ask::Hot && dice.random_bool(0.95);
        dice.random_range(0..if hot { HOT.min(self.groups) } else { self.groups })
    }

    /// All kinds of requests carry the same head, so that they differ in what they ask alone.
    fn write_request(&self, request: &mut Vec<u8>, number: usize, head: &str) {
        let begin = |request: &mut Vec<u8>, line: &[&str]| {
            line.iter().chain(&[" HTTP/1.1\r\n", head]).for_each(|part| request.extend_from_slice(part.as_bytes()));
        };
        match self.ask {
            Ask::Fixed => begin(request, &["GET ", FIXED_PATH]),
            Ask::Group | Ask::Hot => begin(request, &["GET /v1/usergroups/", &generate::id(number)]),
            Ask::Create => {
                // Numbers of their own, so that what is found of the directory's own groups stays the same.
                let generate::Made { name, description, xp } = generate::group(self.groups + number, usize::MAX);
                let body = serde_json::json!({ "Name": name, "Description": description, "xp": xp }).to_string();
                begin(request, &["POST /v1/usergroups"]);
                let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
                request.extend_from_slice(length.as_bytes());
                return request.extend_from_slice(body.as_bytes());
            }
        }
        request.extend_from_slice(b"\r\n");
    }
}
