//! Mixed load: this program, started again as a child process, over persistent connections. Refused and failed requests
//! are counted, and end nothing.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::mixture::{Kind, Mixture};
use super::virtual_user::VirtualUser;
use crate::data::file::Size;
use crate::wire::{Connection, Response};

const TOKEN: &str = "ROLLBOOK_BENCH_TOKEN";
const THREADS: usize = 2;

/// A run of load.
#[derive(Args, Clone, Debug)]
pub(crate) struct Mix {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub mixture: Mixture,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: f64,
    /// Seconds of warm-up that are not counted
    #[arg(long)]
    pub warm_up: f64,
    /// Seconds between two reports of figures
    #[arg(long)]
    pub every: f64,
    #[arg(long)]
    pub directory_groups: usize,
    #[arg(long)]
    pub directory_users: usize,
}

/// The figures of an interval of some seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tick {
    /// Seconds since the beginning, at the end of the interval.
    pub at: f64,
    /// The length of the interval in seconds.
    pub seconds: f64,
    /// For each kind the number of requests, with the 50th and the 99th percentile of their response times in
    /// microseconds.
    pub kinds: [(u64, u32, u32); 4],
    /// 503 with `Retry-After`.
    pub shed: u64,
    /// 400: the cost limit of lists.
    pub costly: u64,
    /// All other errors.
    pub failed: u64,
    /// The first of the other errors.
    pub failure: Option<String>,
}

/// The counts since the last tick.
#[derive(Default)]
struct Tally {
    took: [Vec<u32>; 4],
    shed: u64,
    costly: u64,
    failed: u64,
    failure: Option<String>,
}

impl Mix {
    /// A run without warm-up, on a directory of this size.
    pub(crate) fn new(address: SocketAddr, mixture: Mixture, connections: usize, seconds: f64, size: &Size) -> Self {
        let (directory_groups, directory_users) = (size.groups, size.users());
        let every = seconds.min(5.0);
        Self { address, mixture, connections, seconds, warm_up: 0.0, every, directory_groups, directory_users }
    }

    /// Runs in a child process; calls `on_tick` with every tick as it comes. Returns all ticks.
    pub(crate) async fn run_in_child(&self, token: &str, mut on_tick: impl FnMut(&Tick)) -> anyhow::Result<Vec<Tick>> {
        let mixture = self.mixture.to_possible_value().context("every mixture has a name")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["mix", "--mixture", mixture.get_name(), "--address", &self.address.to_string()]);
        for (name, value) in [
            ("--connections", self.connections.to_string()),
            ("--seconds", self.seconds.to_string()),
            ("--warm-up", self.warm_up.to_string()),
            ("--every", self.every.to_string()),
            ("--directory-groups", self.directory_groups.to_string()),
            ("--directory-users", self.directory_users.to_string()),
        ] {
            command.args([name, &value]);
        }
        let mut child = command.env(TOKEN, token).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("the load generator has no output")?;
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let reading = tokio::task::spawn_blocking(move || {
            for line in BufReader::new(out).lines() {
                // After an error elsewhere, nobody receives the ticks.
                _ = sender.send(serde_json::from_str::<Tick>(&line?)?);
            }
            anyhow::Ok(child.wait()?)
        });
        let mut ticks = Vec::new();
        while let Some(tick) = receiver.recv().await {
            on_tick(&tick);
            ticks.push(tick);
        }
        ensure!(reading.await??.success(), "the load generator failed");
        Ok(ticks)
    }

    /// Runs in this process.
    pub(crate) fn run_in_process(&self) -> anyhow::Result<()> {
        let (token, tally) = (std::env::var(TOKEN)?, Mutex::new(Tally::default()));
        let (began, every) =
            (Instant::now() + Duration::from_secs_f64(self.warm_up), Duration::from_secs_f64(self.every));
        let end = began + Duration::from_secs_f64(self.seconds);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    scope.spawn({
                        let (token, tally) = (&token, &tally);
                        move || self.thread(thread, token, end, tally)
                    })
                })
                .collect();
            std::thread::sleep(began.saturating_duration_since(Instant::now()));
            *locked(&tally) = Tally::default();
            let mut since = began;
            while since < end {
                let until = (since + every).min(end);
                std::thread::sleep(until.saturating_duration_since(Instant::now()));
                let counted = std::mem::take(&mut *locked(&tally));
                println!("{}", serde_json::to_string(&counted.tick(since, began))?);
                since = until.max(Instant::now().min(end));
            }
            for thread in threads {
                thread.join().expect("no thread panics")?;
            }
            Ok(())
        })
    }

    #[tokio::main(flavor = "current_thread")]
    async fn thread(&self, thread: usize, token: &str, end: Instant, tally: &Mutex<Tally>) -> anyhow::Result<()> {
        let connections = (thread..self.connections).step_by(THREADS);
        join_all(connections.map(|connection| self.run_virtual_user(connection, token, end, tally))).await;
        Ok(())
    }

    async fn run_virtual_user(&self, connection: usize, token: &str, end: Instant, tally: &Mutex<Tally>) {
        const RETRY_PAUSE: Duration = Duration::from_millis(100);
        let (groups, users) = (self.directory_groups, self.directory_users);
        let mut virtual_user = VirtualUser::new(self.mixture, groups, users, connection, token);
        let mut request = Vec::new();
        while Instant::now() < end {
            let opened = Connection::open(self.address).await;
            let mut wire = match opened {
                Ok(wire) => wire,
                Err(error) => {
                    locked(tally).fail(error.to_string());
                    tokio::time::sleep(RETRY_PAUSE).await;
                    continue;
                }
            };
            while Instant::now() < end {
                let kind = virtual_user.next(&mut request);
                let begun = Instant::now();
                match wire.send(&request).await {
                    Ok(response) => {
                        virtual_user.observe(&response);
                        let refused = locked(tally).count(kind, begun.elapsed(), &response);
                        if refused {
                            // As a client does after `Retry-After`, but sooner.
                            tokio::time::sleep(RETRY_PAUSE).await;
                        }
                    }
                    Err(error) => {
                        locked(tally).fail(error.to_string());
                        break;
                    }
                }
            }
        }
    }
}

fn locked(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    /// Returns whether the server responded with `Retry-After`.
    fn count(&mut self, kind: Kind, took: Duration, response: &Response<'_>) -> bool {
        match response.status {
            200..300 => self.took[kind as usize].push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)),
            503 if has_header(response.bytes, b"retry-after:") => self.shed += 1,
            400 if contains(response.bytes, b"TooCostly") => self.costly += 1,
            _ => self.fail(String::from_utf8_lossy(response.bytes).chars().take(600).collect()),
        }
        response.status == 503
    }

    fn fail(&mut self, failure: String) {
        self.failed += 1;
        self.failure.get_or_insert(failure);
    }

    fn tick(self, since: Instant, began: Instant) -> Tick {
        let kinds = self.took.map(|mut took| {
            took.sort_unstable();
            let at = |of_100: usize| took.get(took.len() * of_100 / 100).copied().unwrap_or_default();
            (took.len() as u64, at(50), at(99))
        });
        let (at, seconds) = (began.elapsed().as_secs_f64(), since.elapsed().as_secs_f64());
        Tick { at, seconds, kinds, shed: self.shed, costly: self.costly, failed: self.failed, failure: self.failure }
    }
}

fn has_header(response: &[u8], name: &[u8]) -> bool {
    response
        .split(|byte| *byte == b'\n')
        .any(|line| line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name)))
}

fn contains(response: &[u8], text: &[u8]) -> bool {
    response.windows(text.len()).any(|part| part == text)
}
