//! The load generator: this program, started again as a child process. Each connection sends one request after the
//! other over a persistent HTTP/1.1 connection, and reads each response completely.

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

/// The environment variable with the token: an argument would show in every list of processes.
const TOKEN: &str = "ROLLBOOK_BENCH_TOKEN";
/// The number of threads; each has its share of the connections.
const THREADS: usize = 2;
/// The path of the server's fixed response, outside of every API.
pub(crate) const FIXED_PATH: &str = "/fixed";
/// The number of groups that get most of the requests.
pub(crate) const HOT: usize = 10_000;
/// The warm-up, which is not counted, so that every connection is open and caches are filled.
const WARM_UP: Duration = Duration::from_millis(300);

/// The request that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// The fixed response.
    Fixed,
    /// A group by its ID, uniformly distributed.
    Group,
    /// A group by its ID, in 95 of 100 requests one of the first [`HOT`].
    Hot,
    /// A new group.
    Create,
}

/// One run of load.
#[derive(Args, Clone, Debug)]
pub(crate) struct Load {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub workload: Workload,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: f64,
    #[arg(long)]
    pub groups: usize,
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
}

impl Load {
    /// Runs in a child process, with the token.
    pub(crate) async fn run_in_child(self, token: &str) -> anyhow::Result<Outcome> {
        let token = token.to_owned();
        tokio::task::spawn_blocking(move || self.spawn_and_wait(&token)).await?
    }

    fn spawn_and_wait(&self, token: &str) -> anyhow::Result<Outcome> {
        let workload = self.workload.to_possible_value().context("every workload has a name")?;
        let child = Command::new(std::env::current_exe()?)
            .args(["client", "--workload", workload.get_name(), "--address", &self.address.to_string()])
            .args(["--connections", &self.connections.to_string(), "--seconds", &self.seconds.to_string()])
            .args(["--groups", &self.groups.to_string()])
            .env(TOKEN, token)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(child.status.success(), "the load generator failed");
        Ok(serde_json::from_slice(&child.stdout)?)
    }

    /// Runs in this process.
    pub(crate) fn run_in_process(&self) -> anyhow::Result<Outcome> {
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
        ensure!(!took.is_empty(), "no response in the measured time");
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

    /// Returns the response times in microseconds.
    async fn converse(
        &self,
        connection: usize,
        token: &str,
        span: &std::ops::Range<Instant>,
    ) -> anyhow::Result<Vec<u32>> {
        let mut wire = Connection::open(self.address).await?;
        let mut rng = StdRng::seed_from_u64(connection as u64);
        let (mut request, mut took) = (Vec::new(), Vec::new());
        let end = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n");
        while span.contains(&Instant::now()) || Instant::now() < span.start {
            request.clear();
            self.write_request(&mut request, self.number(&mut rng), &end);
            let begun = Instant::now();
            let response = wire.send(&request).await?;
            ensure!((200..300).contains(&response.status), "refused: {}", String::from_utf8_lossy(response.bytes));
            if begun >= span.start {
                took.push(u32::try_from(begun.elapsed().as_micros())?);
            }
        }
        Ok(took)
    }

    fn number(&self, rng: &mut StdRng) -> usize {
        let hot = self.workload == Workload::Hot && rng.random_bool(0.95);
        rng.random_range(0..if hot { HOT.min(self.groups) } else { self.groups })
    }

    /// All kinds of requests have the same head, so that they differ in the request itself only.
    fn write_request(&self, request: &mut Vec<u8>, number: usize, head: &str) {
        let begin = |request: &mut Vec<u8>, line: &[&str]| {
            line.iter().chain(&[" HTTP/1.1\r\n", head]).for_each(|part| request.extend_from_slice(part.as_bytes()));
        };
        match self.workload {
            Workload::Fixed => begin(request, &["GET ", FIXED_PATH]),
            Workload::Group | Workload::Hot => begin(request, &["GET /v1/usergroups/", &generate::id(number)]),
            Workload::Create => {
                // Numbers outside of the directory's own groups, so that searches match the same groups as before.
                let generate::GeneratedGroup { name, description, xp } =
                    generate::group(self.groups + number, usize::MAX);
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
