//! The figures as Markdown.

use std::fmt;
use std::time::Duration;

use super::client::{self, Workload};
use super::machine::{self, Machine};

/// The figures of one round of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Responses or transactions per second.
    pub rate: f64,
    /// The 50th and the 99th percentile of response times in microseconds; pgbench reports neither.
    pub percentiles: Option<(u32, u32)>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The load generator over HTTP.
    Http(Workload),
    /// pgbench with reads.
    Select,
    /// pgbench with reads, over the Unix socket.
    SelectOverSocket,
    /// pgbench with inserts, one after the other.
    Insert,
    /// pgbench with pipelined inserts.
    InsertPipelined,
}

/// The rounds of one kind.
pub(crate) struct Series {
    name: &'static str,
    /// What sends the requests.
    pub client: Client,
    /// The number of connections.
    pub connections: usize,
    /// The row of its table with which it is compared.
    against: usize,
    goal: Option<f64>,
    /// The figures of each round.
    pub rounds: Vec<Outcome>,
}

/// All figures.
pub(crate) struct Report {
    groups: usize,
    transport: String,
    record_fill: Option<(Duration, u64)>,
    /// The server's version and settings.
    pub server: String,
    /// The reads.
    pub reads: Vec<Series>,
    /// The creates.
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
    fn new(name: &'static str, client: Client, connections: usize, against: usize, goal: Option<f64>) -> Self {
        Self { name, client, connections, against, goal, rounds: Vec::new() }
    }

    /// Whether the kind changes the database.
    pub(crate) fn is_writing(&self) -> bool {
        matches!(self.client, Client::Http(Workload::Create) | Client::Insert | Client::InsertPipelined)
    }

    /// The round with the median rate.
    fn median(&self) -> Option<Outcome> {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds.get(rounds.len() / 2).copied()
    }

    /// The median of the ratios between the rates of the same round.
    fn ratio(&self, other: &Self) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let mut ratios: Vec<_> = pairs.map(|(own, other)| own.rate / other.rate).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl Report {
    /// A report without figures, on a directory of this many groups with these connection settings.
    pub(crate) fn new(groups: usize, transport: String, has_socket: bool) -> Self {
        let get = Client::Http(Workload::Group);
        let mut reads = vec![
            Series::new("pgbench", Client::Select, 16, 0, None),
            Series::new("Rollbook over HTTP", get, 16, 0, Some(0.6)),
            Series::new("pgbench", Client::Select, 64, 2, None),
            Series::new("Rollbook over HTTP", get, 64, 2, None),
        ];
        if has_socket {
            reads.push(Series::new("pgbench over the Unix socket", Client::SelectOverSocket, 16, 0, None));
        }
        let create = Client::Http(Workload::Create);
        let creates = vec![
            Series::new("pgbench", Client::Insert, 16, 0, None),
            Series::new("Rollbook over HTTP", create, 16, 0, Some(0.7)),
            Series::new("pgbench", Client::Insert, 64, 2, None),
            Series::new("Rollbook over HTTP", create, 64, 2, None),
            Series::new("pgbench, in two round trips", Client::InsertPipelined, 16, 0, None),
        ];
        Self { groups, transport, record_fill: None, server: String::new(), reads, creates }
    }

    /// Records the time in which the directory was filled, and its size in bytes.
    pub(crate) fn record_fill(&mut self, took: Duration, bytes: u64) {
        self.record_fill = Some((took, bytes));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{Machine}\n- {}\n- {}", self.server, machine::output_of("pgbench", "--version"))?;
        writeln!(f, "- Rollbook and pgbench both reach the server by {}", self.transport)?;
        writeln!(f, "- Directory: {} groups", self.groups)?;
        if let Some((took, bytes)) = self.record_fill {
            let (seconds, megabytes) = (took.as_secs_f64(), bytes / 1_000_000);
            let rate = self.groups as f64 / seconds;
            writeln!(f, "- Filled durably in {seconds:.1} s ({rate:.0} groups/s): {megabytes} MB")?;
        }
        table(f, "Group by ID", &self.reads)?;
        table(f, "Durable creates", &self.creates)
    }
}

fn table(f: &mut fmt::Formatter<'_>, title: &str, all: &[Series]) -> fmt::Result {
    writeln!(f, "\n| {title} | connections | per second | to pgbench | goal | p50 µs | p99 µs |")?;
    writeln!(f, "|---|--:|--:|--:|--:|--:|--:|")?;
    for series in all {
        let Some(Outcome { rate, percentiles }) = series.median() else { continue };
        let (name, connections, ratio) = (series.name, series.connections, series.ratio(&all[series.against]));
        let goal = series.goal.map(|goal| format!("{goal:.1}")).unwrap_or_default();
        let (p50, p99) = percentiles.map(|(p50, p99)| (p50.to_string(), p99.to_string())).unwrap_or_default();
        writeln!(f, "| {name} | {connections} | {rate:.0} | {ratio:.2} | {goal} | {p50} | {p99} |")?;
    }
    Ok(())
}
