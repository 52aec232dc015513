//! The figures as Markdown.

use std::fmt;

use anyhow::Context as _;

use super::Arguments;
use super::machine::Machine;
use super::peers::{Peers, Postgres};
use super::process::{Memory, parent_of};
use super::question::{Question, USUAL};
use super::rollbook::ON_SQLITE;
use super::rounds::Series;

/// Everything that was measured.
pub struct Report {
    command: String,
    groups: usize,
    /// Version and settings of each.
    peers: Vec<String>,
    skipped: Vec<String>,
    broken: Vec<String>,
    memory: Vec<(&'static str, Memory)>,
    series: Vec<Series>,
}

impl Report {
    /// These figures, of peers that still run.
    pub async fn new(arguments: &Arguments, peers: &Peers<'_>, series: Vec<Series>) -> anyhow::Result<Self> {
        let Arguments { groups, seconds, rounds, .. } = arguments;
        let of = |peer: &super::peer::Peer| Ok((peer.name, Memory::of(peer.process.id())?));
        let mut memory = peers.servers.iter().map(of).collect::<anyhow::Result<Vec<_>>>()?;
        let mut told: Vec<_> = peers.servers.iter().map(|peer| peer.about.clone()).collect();
        if let Some(postgres) = &peers.postgres {
            told.push(postgres.about.clone());
            memory.push(("PostgreSQL", memory_of_server(postgres).await?));
        }
        let command = format!(
            "scripts/with-postgres cargo bench --bench compare -- --groups {groups} --seconds {seconds} --rounds {rounds}"
        );
        let (skipped, broken) = (peers.skipped.clone(), peers.broken.clone());
        Ok(Self { command, groups: *groups, peers: told, skipped, broken, memory, series })
    }

    /// What gave no figures, and why.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.series.iter().filter_map(|series| {
            let Series { name, question, connections, failed, .. } = series;
            let why = failed.as_ref()?;
            Some(format!("{name}, {}, {connections} connections: {why}", question.title()))
        });
        self.broken.iter().cloned().chain(failed).collect()
    }

    /// The rates over the usual number of connections, the best first but for Rollbook's own, which lead.
    pub fn rates(&self, question: Question) -> Vec<(String, f64)> {
        let of = |series: &Series| Some((series.label(), series.median()?.rate));
        let asked = self.of(question).filter(|series| series.connections == USUAL);
        let mut rates: Vec<_> = asked.filter_map(of).collect();
        rates.sort_by(|(a, one), (b, other)| {
            let is_other = |name: &str| !name.starts_with("Rollbook");
            is_other(a).cmp(&is_other(b)).then(other.total_cmp(one))
        });
        rates
    }

    fn of(&self, question: Question) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(move |series| series.question == question)
    }

    /// What the same question to Rollbook on a file gave.
    fn own(&self, question: Question, connections: usize) -> Option<&Series> {
        let mut asked = self.of(question).filter(|series| series.connections == connections);
        asked.find(|series| series.name == ON_SQLITE)
    }

    fn table(&self, f: &mut fmt::Formatter<'_>, question: Question) -> fmt::Result {
        let mut columns: Vec<_> = self.of(question).map(|series| series.connections).collect();
        columns.sort_unstable();
        columns.dedup();
        write!(f, "\n| {}: a second |", question.title())?;
        columns.iter().try_for_each(|connections| write!(f, " {} |", counted(*connections)))?;
        writeln!(f, " of Rollbook's | p50 µs | p99 µs | generator µs |")?;
        writeln!(f, "|---|{}--:|--:|--:|--:|", "--:|".repeat(columns.len()))?;
        if question == Question::Read {
            self.row(f, Question::Fixed, ON_SQLITE, "Rollbook's ceiling: a fixed answer", &columns)?;
        }
        let mut each = self.of(question).filter(|series| series.connections == columns[0]);
        each.try_for_each(|series| self.row(f, question, series.name, &series.label(), &columns))
    }

    fn row(
        &self,
        f: &mut fmt::Formatter<'_>,
        question: Question,
        name: &str,
        label: &str,
        columns: &[usize],
    ) -> fmt::Result {
        let series = |connections| {
            self.of(question).find(move |series| series.name == name && series.connections == connections)
        };
        write!(f, "| {label} |")?;
        for connections in columns {
            let rate = series(*connections).and_then(Series::median).map(|figure| format!("{:.0}", figure.rate));
            write!(f, " {} |", rate.unwrap_or_default())?;
        }
        let usual = series(USUAL);
        let compared = if question == Question::Fixed { Question::Read } else { question };
        let ratio = usual.zip(self.own(compared, USUAL)).and_then(|(series, own)| series.ratio(own));
        let outcome = usual.and_then(Series::median).and_then(|figure| figure.outcome);
        let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        match outcome {
            Some(outcome) => writeln!(f, " {ratio} | {} | {} | {:.0} |", outcome.p50, outcome.p99, outcome.own),
            None => writeln!(f, " {ratio} |  |  |  |"),
        }
    }

    /// Where somebody else answers more than Rollbook on a file.
    fn ahead(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nWhere a peer is ahead of Rollbook on a file:\n")?;
        let mut lines = Vec::new();
        for series in self.series.iter().filter(|series| !series.name.starts_with("Rollbook")) {
            let Series { question, connections, .. } = series;
            let ratio = self.own(*question, *connections).and_then(|own| series.ratio(own));
            if let Some(ratio) = ratio.filter(|ratio| *ratio > 1.0) {
                let title = question.title().to_lowercase();
                let (name, connections) = (series.label(), counted(*connections));
                lines.push(format!("- {name}: {title}, over {connections}: {ratio:.2} times as many"));
            }
        }
        if lines.is_empty() {
            lines.push("- nowhere".to_owned());
        }
        writeln!(f, "{}", lines.join("\n"))
    }
}

fn counted(connections: usize) -> String {
    format!("{connections} connection{}", if connections == 1 { "" } else { "s" })
}

/// All processes of the server, by way of the one that serves our own connection.
async fn memory_of_server(postgres: &Postgres<'_>) -> anyhow::Result<Memory> {
    let rows = postgres.database.rows("SELECT pg_backend_pid()").await?;
    let own = rows.first().and_then(|row| row.get(0)?.parse().ok()).context("PostgreSQL tells no process")?;
    // Of a server on another machine there is nothing to see.
    parent_of(own).map_or(Ok(Memory::default()), Memory::of)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}`\n\n{Machine}\n- {} groups in each", self.command, self.groups)?;
        self.peers.iter().try_for_each(|about| writeln!(f, "- {about}"))?;
        self.skipped.iter().try_for_each(|skipped| writeln!(f, "- Left out: {skipped}"))?;
        self.failed().iter().try_for_each(|failed| writeln!(f, "- Failed: {failed}"))?;
        for question in Question::ALL.into_iter().filter(|question| *question != Question::Fixed) {
            self.table(f, question)?;
        }
        writeln!(f, "\n| Memory after all of it, MB | its own | with mapped files |\n|---|--:|--:|")?;
        for (name, Memory { private, resident }) in &self.memory {
            writeln!(f, "| {name} | {} | {} |", private / 1_000_000, resident / 1_000_000)?;
        }
        self.ahead(f)
    }
}
