//! The figures as Markdown.

use std::fmt;
use std::time::Duration;

use super::client::Outcome;
use super::lists::Question;
use super::machine::Machine;
use super::timing::Timed;

/// Everything that was measured.
pub struct Report {
    groups: usize,
    filled: Option<(Duration, u64)>,
    pub lists: Vec<(Question, Timed)>,
    pub bare: Vec<Outcome>,
    pub fixed: Vec<Outcome>,
    pub group: Vec<Outcome>,
    /// By the number of connections.
    pub creates: Vec<(usize, Outcome)>,
}

impl Report {
    /// Nothing measured yet, on a directory of so many groups.
    pub fn new(groups: usize) -> Self {
        let (lists, creates) = (Vec::new(), Vec::new());
        Self { groups, filled: None, lists, bare: Vec::new(), fixed: Vec::new(), group: Vec::new(), creates }
    }

    /// The directory was filled in this time and is now a file of so many bytes.
    pub fn filled(&mut self, took: Duration, bytes: u64) {
        self.filled = Some((took, bytes));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{Machine}\n- SQLite {}", rusqlite::version())?;
        writeln!(f, "- Directory: {} groups", self.groups)?;
        if let Some((took, bytes)) = self.filled {
            let (seconds, megabytes) = (took.as_secs_f64(), bytes / 1_000_000);
            writeln!(
                f,
                "- Filled durably in {seconds:.1} s ({:.0} groups/s): {megabytes} MB",
                self.groups as f64 / seconds
            )?;
        }
        writeln!(
            f,
            "\n| 64 connections | requests/s | to the fixed answer | p50 µs | p99 µs |\n|---|--:|--:|--:|--:|"
        )?;
        let fixed = median(&self.fixed).rate;
        for (name, rounds) in
            [("bare axum, fixed answer", &self.bare), ("fixed answer", &self.fixed), ("group by ID", &self.group)]
        {
            let Outcome { rate, p50, p99 } = median(rounds);
            writeln!(f, "| {name} | {rate:.0} | {:.2} | {p50} | {p99} |", rate / fixed)?;
        }
        writeln!(f, "\n| Server time | matches | asked | median ms | p99 ms | aim ms |\n|---|--:|--:|--:|--:|--:|")?;
        for (Question { name, aim, .. }, Timed { matches, median, p99, asked }) in &self.lists {
            let aim = aim.map(|aim| format!("< {}", aim.as_millis())).unwrap_or_default();
            writeln!(f, "| {name} | {matches} | {asked} | {:.3} | {:.3} | {aim} |", millis(*median), millis(*p99))?;
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

/// The round whose rate is in the middle.
fn median(rounds: &[Outcome]) -> Outcome {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    rounds[rounds.len() / 2]
}
