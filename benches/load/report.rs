//! The figures as Markdown.

use std::fmt;
use std::time::Duration;

use super::client::Outcome;
use super::lists::ListCase;
use super::machine::Machine;
use super::timing::Timed;

/// All figures.
pub(crate) struct Report {
    groups: usize,
    record_fill: Option<(Duration, u64)>,
    /// Each list request with its figures.
    pub lists: Vec<(ListCase, Timed)>,
    /// A bare server with a fixed response, by round.
    pub bare: Vec<Outcome>,
    /// The fixed response of this server, by round.
    pub fixed: Vec<Outcome>,
    /// A group by its ID, by round.
    pub group: Vec<Outcome>,
    /// By the number of connections.
    pub creates: Vec<(usize, Outcome)>,
}

impl Report {
    /// A report without figures, on a directory of this many groups.
    pub(crate) fn new(groups: usize) -> Self {
        let (lists, creates) = (Vec::new(), Vec::new());
        Self { groups, record_fill: None, lists, bare: Vec::new(), fixed: Vec::new(), group: Vec::new(), creates }
    }

    /// Records the time in which the directory was filled, and the size of its file in bytes.
    pub(crate) fn record_fill(&mut self, took: Duration, bytes: u64) {
        self.record_fill = Some((took, bytes));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{Machine}\n- SQLite {}", rusqlite::version())?;
        writeln!(f, "- Directory: {} groups", self.groups)?;
        if let Some((took, bytes)) = self.record_fill {
            let (seconds, megabytes) = (took.as_secs_f64(), bytes / 1_000_000);
            writeln!(
                f,
                "- Filled durably in {seconds:.1} s ({:.0} groups/s): {megabytes} MB",
                self.groups as f64 / seconds
            )?;
        }
        writeln!(
            f,
            "\n| 64 connections | requests/s | to the fixed response | p50 µs | p99 µs |\n|---|--:|--:|--:|--:|"
        )?;
        let fixed = median(&self.fixed).rate;
        for (name, rounds) in
            [("bare axum, fixed response", &self.bare), ("fixed response", &self.fixed), ("group by ID", &self.group)]
        {
            let Outcome { rate, p50, p99 } = median(rounds);
            writeln!(f, "| {name} | {rate:.0} | {:.2} | {p50} | {p99} |", rate / fixed)?;
        }
        writeln!(
            f,
            "\n| Server time | matches | requests | median ms | p99 ms | goal ms |\n|---|--:|--:|--:|--:|--:|"
        )?;
        for (ListCase { name, goal, .. }, Timed { matches, median, p99, measured }) in &self.lists {
            let goal = goal.map(|goal| format!("< {}", goal.as_millis())).unwrap_or_default();
            writeln!(f, "| {name} | {matches} | {measured} | {:.3} | {:.3} | {goal} |", millis(*median), millis(*p99))?;
        }
        writeln!(f, "\n| Durable creates | creates/s | p50 µs | p99 µs |\n|---|--:|--:|--:|")?;
        for (connections, Outcome { rate, p50, p99 }) in &self.creates {
            let plural = if *connections == 1 { "" } else { "s" };
            writeln!(f, "| {connections} connection{plural} | {rate:.0} | {p50} | {p99} |")?;
        }
        Ok(())
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The round with the median rate.
fn median(rounds: &[Outcome]) -> Outcome {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    rounds[rounds.len() / 2]
}
