//! The figures as Markdown.

use std::fmt;
use std::time::Duration;

use super::client::{self, Ask};
use super::machine::{self, Machine};

/// What one round of one kind gave.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Answers or transactions a second.
    pub rate: f64,
    /// Half of the answers took at most so many microseconds, and 99 of 100; pgbench tells neither.
    pub percentiles: Option<(u32, u32)>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Http(Ask),
    Select,
    SelectOverSocket,
    Insert,
    InsertPipelined,
}

/// The rounds of one kind.
pub struct Series {
    name: &'static str,
    pub by: By,
    pub connections: usize,
    /// The place in its table of what it is compared with.
    against: usize,
    aim: Option<f64>,
    pub rounds: Vec<Outcome>,
}

/// Everything that was measured.
pub struct Report {
    groups: usize,
    transport: String,
    filled: Option<(Duration, u64)>,
    /// The server's version and settings.
    pub server: String,
    pub reads: Vec<Series>,
    pub creates: Vec<Series>,
}

impl From<client::Outcome> for Outcome {
    fn from(client::Outcome { rate, p50, p99 }: client::Outcome) -> Self {
        Self { rate, percentiles: Some((p50, p99)) }
    }
}

impl From<f64> for Outcome {
    fn from(rate: f64) -> Self {
        Self { rate, percentiles: None }
    }
}

impl Series {
    fn new(name: &'static str, by: By, connections: usize, against: usize, aim: Option<f64>) -> Self {
        Self { name, by, connections, against, aim, rounds: Vec::new() }
    }

    /// Whether it changes the database.
    pub fn is_writing(&self) -> bool {
        matches!(self.by, By::Http(Ask::Create) | By::Insert | By::InsertPipelined)
    }

    /// The round whose rate is in the middle.
    fn median(&self) -> Option<Outcome> {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds.get(rounds.len() / 2).copied()
    }

    /// The ratio in the middle of those to the other's rounds, each to that of the same turn.
    fn ratio(&self, other: &Self) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let mut ratios: Vec<_> = pairs.map(|(own, other)| own.rate / other.rate).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl Report {
    /// Nothing measured yet, on a directory of so many groups that is reached so.
    pub fn new(groups: usize, transport: String, has_socket: bool) -> Self {
        let get = By::Http(Ask::Group);
        let mut reads = vec![
            Series::new("pgbench", By::Select, 16, 0, None),
            Series::new("Rollbook over HTTP", get, 16, 0, Some(0.6)),
            Series::new("pgbench", By::Select, 64, 2, None),
            Series::new("Rollbook over HTTP", get, 64, 2, None),
        ];
        if has_socket {
            reads.push(Series::new("pgbench over the Unix socket", By::SelectOverSocket, 16, 0, None));
        }
        let create = By::Http(Ask::Create);
        let creates = vec![
            Series::new("pgbench", By::Insert, 16, 0, None),
            Series::new("Rollbook over HTTP", create, 16, 0, Some(0.7)),
            Series::new("pgbench", By::Insert, 64, 2, None),
            Series::new("Rollbook over HTTP", create, 64, 2, None),
            Series::new("pgbench, in two round trips", By::InsertPipelined, 16, 0, None),
        ];
        Self { groups, transport, filled: None, server: String::new(), reads, creates }
    }

    /// The directory was filled in this time and is now of so many bytes.
    pub fn filled(&mut self, took: Duration, bytes: u64) {
        self.filled = Some((took, bytes));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{Machine}\n- {}\n- {}", self.server, machine::answer("pgbench", "--version"))?;
        writeln!(f, "- Rollbook and pgbench both reach the server by {}", self.transport)?;
        writeln!(f, "- Directory: {} groups", self.groups)?;
        if let Some((took, bytes)) = self.filled {
            let (seconds, megabytes) = (took.as_secs_f64(), bytes / 1_000_000);
            let rate = self.groups as f64 / seconds;
            writeln!(f, "- Filled durably in {seconds:.1} s ({rate:.0} groups/s): {megabytes} MB")?;
        }
        table(f, "Group by ID", &self.reads)?;
        table(f, "Durable creates", &self.creates)
    }
}

fn table(f: &mut fmt::Formatter<'_>, title: &str, all: &[Series]) -> fmt::Result {
    writeln!(f, "\n| {title} | connections | a second | to pgbench | aim | p50 µs | p99 µs |")?;
    writeln!(f, "|---|--:|--:|--:|--:|--:|--:|")?;
    for series in all {
        let Some(Outcome { rate, percentiles }) = series.median() else { continue };
        let (name, connections, ratio) = (series.name, series.connections, series.ratio(&all[series.against]));
        let aim = series.aim.map(|aim| format!("{aim:.1}")).unwrap_or_default();
        let (p50, p99) = percentiles.map(|(p50, p99)| (p50.to_string(), p99.to_string())).unwrap_or_default();
        writeln!(f, "| {name} | {connections} | {rate:.0} | {ratio:.2} | {aim} | {p50} | {p99} |")?;
    }
    Ok(())
}
