//! Load of many kinds at once: this program again, as a process of its own, over connections that are kept. What is
//! refused or lost is counted, and ends nothing.

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

use super::file::Size;
use super::visitor::Visitor;
use super::wire::{Answer, Connection};

const TOKEN: &str = "ROLLBOOK_BENCH_TOKEN";
const THREADS: usize = 2;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mixture {
    /// Mostly groups by their ID, some lists, some writes, some deletions.
    Every,
    /// Groups by their ID alone.
    Reads,
    /// Lists that cost as much as a list may, no two alike.
    Heavy,
    /// Lists that cost something, and writes.
    Work,
}

/// A kind of request, in the order of [`Tick::kinds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    List,
    Write,
    Delete,
}

pub const KINDS: [&str; 4] = ["read", "list", "write", "delete"];

/// A run of load.
#[derive(Args, Clone, Debug)]
pub struct Mix {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub mixture: Mixture,
    #[arg(long)]
    pub connections: usize,
    #[arg(long)]
    pub seconds: f64,
    /// Seconds before these that are not counted
    #[arg(long)]
    pub warm_up: f64,
    /// Figures are told after so many seconds, again and again
    #[arg(long)]
    pub every: f64,
    #[arg(long)]
    pub directory_groups: usize,
    #[arg(long)]
    pub directory_users: usize,
}

/// What came of a few seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tick {
    /// Seconds since the beginning, at the end of it.
    pub at: f64,
    /// How many seconds it is about.
    pub seconds: f64,
    /// Of each kind what was done, with the microseconds that half and 99 of 100 took at most.
    pub kinds: [(u64, u32, u32); 4],
    /// 503 with `Retry-After`.
    pub shed: u64,
    /// 400: the list would cost too much.
    pub costly: u64,
    /// Everything else.
    pub failed: u64,
    pub failure: Option<String>,
}

/// What was counted since the last tick.
#[derive(Default)]
struct Tally {
    took: [Vec<u32>; 4],
    shed: u64,
    costly: u64,
    failed: u64,
    failure: Option<String>,
}

impl Mix {
    pub fn new(address: SocketAddr, mixture: Mixture, connections: usize, seconds: f64, size: &Size) -> Self {
        let (directory_groups, directory_users) = (size.groups, size.users());
        let every = seconds.min(5.0);
        Self { address, mixture, connections, seconds, warm_up: 0.0, every, directory_groups, directory_users }
    }

    /// Runs it in a process of its own; `told` hears every tick at once. Gives all ticks.
    pub async fn apart(&self, token: &str, mut told: impl FnMut(&Tick)) -> anyhow::Result<Vec<Tick>> {
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
                // Nobody listens any more once something else has failed.
                _ = sender.send(serde_json::from_str::<Tick>(&line?)?);
            }
            anyhow::Ok(child.wait()?)
        });
        let mut ticks = Vec::new();
        while let Some(tick) = receiver.recv().await {
            told(&tick);
            ticks.push(tick);
        }
        ensure!(reading.await??.success(), "the load generator failed");
        Ok(ticks)
    }

    /// Runs it in this process.
    pub fn here(&self) -> anyhow::Result<()> {
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
        join_all(connections.map(|connection| self.visit(connection, token, end, tally))).await;
        Ok(())
    }

    async fn visit(&self, connection: usize, token: &str, end: Instant, tally: &Mutex<Tally>) {
        const PAUSE: Duration = Duration::from_millis(100);
        let (mut visitor, mut request) = (Visitor::new(self, connection, token), Vec::new());
        while Instant::now() < end {
            let opened = Connection::open(self.address).await;
            let mut wire = match opened {
                Ok(wire) => wire,
                Err(error) => {
                    locked(tally).fail(error.to_string());
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            while Instant::now() < end {
                let kind = visitor.next(&mut request);
                let begun = Instant::now();
                match wire.ask(&request).await {
                    Ok(answer) => {
                        visitor.heard(&answer);
                        let refused = locked(tally).count(kind, begun.elapsed(), &answer);
                        if refused {
                            // As a client does that was told to come later, but sooner.
                            tokio::time::sleep(PAUSE).await;
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
    /// Gives whether the server asked for patience.
    fn count(&mut self, kind: Kind, took: Duration, answer: &Answer<'_>) -> bool {
        match answer.status {
            200..300 => self.took[kind as usize].push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)),
            503 if has_header(answer.bytes, b"retry-after:") => self.shed += 1,
            400 if contains(answer.bytes, b"TooCostly") => self.costly += 1,
            _ => self.fail(String::from_utf8_lossy(answer.bytes).chars().take(600).collect()),
        }
        answer.status == 503
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

fn has_header(answer: &[u8], name: &[u8]) -> bool {
    answer
        .split(|byte| *byte == b'\n')
        .any(|line| line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name)))
}

fn contains(answer: &[u8], text: &[u8]) -> bool {
    answer.windows(text.len()).any(|part| part == text)
}
