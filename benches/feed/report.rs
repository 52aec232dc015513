//! The figures as Markdown.

use std::fmt;

use super::client::Outcome;
use super::machine::Machine;

/// All figures.
pub(crate) struct Report {
    groups: usize,
    writers: usize,
    readers: usize,
    /// Changes per second by polling, by round.
    pub polled: Vec<f64>,
    /// Creates without and with readers, by round.
    pub pairs: Vec<(Outcome, Outcome)>,
    /// How many changes a reader got, by round.
    pub heard: Vec<usize>,
}

impl Report {
    /// A report without figures.
    pub(crate) fn new(groups: usize, writers: usize, readers: usize) -> Self {
        Self { groups, writers, readers, polled: Vec::new(), pairs: Vec::new(), heard: Vec::new() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{Machine}\n- Directory: {} groups; {} connections write", self.groups, self.writers)?;
        writeln!(f, "\nPolling with `limit=1000`: {:.0} changes/s", median(self.polled.clone()))?;
        writeln!(f, "\n| Creates | creates/s | p50 µs | p99 µs |\n|---|--:|--:|--:|")?;
        let (alone, followed): (Vec<_>, Vec<_>) = self.pairs.iter().copied().unzip();
        for (name, rounds) in [("without readers".to_owned(), alone), (format!("{} streams", self.readers), followed)] {
            let of = |value: fn(&Outcome) -> f64| median(rounds.iter().map(value).collect());
            let (rate, p50, p99) = (of(|own| own.rate), of(|own| own.p50.into()), of(|own| own.p99.into()));
            writeln!(f, "| {name} | {rate:.0} | {p50:.0} | {p99:.0} |")?;
        }
        let ratios: Vec<_> = self.pairs.iter().map(|(alone, followed)| followed.rate / alone.rate).collect();
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
