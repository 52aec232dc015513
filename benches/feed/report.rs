//! The figures as Markdown.

use std::fmt;

use super::client::Outcome;
use super::machine::Machine;

/// The creates of a round, and the processor time of the server in seconds.
type Round = (Outcome, f64);

/// All figures.
pub(crate) struct Report {
    groups: usize,
    writers: usize,
    readers: usize,
    /// How long a round takes.
    seconds: f64,
    /// Changes per second by polling, by round.
    pub polled: Vec<f64>,
    /// Creates without and with readers, by round, each with the processor time of the server in seconds.
    pub pairs: Vec<(Round, Round)>,
    /// How many changes a reader got, by round.
    pub heard: Vec<usize>,
}

impl Report {
    /// A report without figures.
    pub(crate) fn new(groups: usize, writers: usize, readers: usize, seconds: f64) -> Self {
        Self { groups, writers, readers, seconds, polled: Vec::new(), pairs: Vec::new(), heard: Vec::new() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{Machine}\n- Directory: {} groups; {} connections write", self.groups, self.writers)?;
        writeln!(f, "\nPolling with `limit=1000`: {:.0} changes/s", median(self.polled.clone()))?;
        writeln!(f, "\n| Creates | creates/s | p50 µs | p99 µs | server's processor % |\n|---|--:|--:|--:|--:|")?;
        let (alone, followed): (Vec<_>, Vec<_>) = self.pairs.iter().copied().unzip();
        for (name, rounds) in [("without readers".to_owned(), alone), (format!("{} streams", self.readers), followed)] {
            let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
            let (rate, p50, p99) = (of(|own| own.0.rate), of(|own| own.0.p50.into()), of(|own| own.0.p99.into()));
            let processor = of(|own| own.1) / self.seconds * 100.0;
            writeln!(f, "| {name} | {rate:.0} | {p50:.0} | {p99:.0} | {processor:.0} |")?;
        }
        let ratios: Vec<_> = self.pairs.iter().map(|(alone, followed)| followed.0.rate / alone.0.rate).collect();
        let shown: Vec<_> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        writeln!(f, "\nWith to without readers: {:.2} (rounds: {})", median(ratios), shown.join(", "))?;
        let heard: Vec<_> = self.heard.iter().map(ToString::to_string).collect();
        write!(f, "Changes that a reader got, by round: {}", heard.join(", "))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
