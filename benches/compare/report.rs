//! The figures as Markdown.

use std::fmt;

use anyhow::Context as _;

use super::Arguments;
use super::machine::Machine;
use super::peers::names::ON_SQLITE;
use super::peers::process::{Memory, parent_of};
use super::peers::{Peers, Postgres};
use super::rounds::Series;
use super::workload::{USUAL, Workload};

/// All figures.
pub(crate) struct Report {
    command: String,
    groups: usize,
    /// Version and settings of each peer.
    peers: Vec<String>,
    skipped: Vec<String>,
    broken: Vec<String>,
    memory: Vec<(&'static str, Memory)>,
    series: Vec<Series>,
}

impl Report {
    /// A report of these figures, of peers that still run.
    pub(crate) async fn new(arguments: &Arguments, peers: &Peers<'_>, series: Vec<Series>) -> anyhow::Result<Self> {
        let Arguments { groups, seconds, rounds, .. } = arguments;
        let of = |peer: &super::peers::peer::Peer| Ok((peer.name, Memory::of(peer.process.id())?));
        let mut memory = peers.servers.iter().map(of).collect::<anyhow::Result<Vec<_>>>()?;
        let mut descriptions: Vec<_> = peers.servers.iter().map(|peer| peer.about.clone()).collect();
        if let Some(postgres) = &peers.postgres {
            descriptions.push(postgres.about.clone());
            memory.push(("PostgreSQL", memory_of_server(postgres).await?));
        }
        let command = format!(
            "scripts/with-postgres cargo bench --bench compare -- --groups {groups} --seconds {seconds} --rounds {rounds}"
        );
        let (skipped, broken) = (peers.skipped.clone(), peers.broken.clone());
        Ok(Self { command, groups: *groups, peers: descriptions, skipped, broken, memory, series })
    }

    /// The workloads without figures, and why.
    pub(crate) fn failed(&self) -> Vec<String> {
        let failed = self.series.iter().filter_map(|series| {
            let Series { name, workload, connections, failed, .. } = series;
            let why = failed.as_ref()?;
            Some(format!("{name}, {}, {connections} connections: {why}", workload.title()))
        });
        self.broken.iter().cloned().chain(failed).collect()
    }

    /// The rates over the usual number of connections, the best first, after Rollbook's own.
    pub(crate) fn rates(&self, workload: Workload) -> Vec<(String, f64)> {
        let of = |series: &Series| Some((series.label(), series.median()?.rate));
        let subject = self.of(workload).filter(|series| series.connections == USUAL);
        let mut rates: Vec<_> = subject.filter_map(of).collect();
        rates.sort_by(|(a, one), (b, other)| {
            let is_other = |name: &str| !name.starts_with("Rollbook");
            is_other(a).cmp(&is_other(b)).then(other.total_cmp(one))
        });
        rates
    }

    fn of(&self, workload: Workload) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(move |series| series.workload == workload)
    }

    /// The figure of Rollbook on SQLite for the same workload.
    fn own(&self, workload: Workload, connections: usize) -> Option<&Series> {
        let mut subject = self.of(workload).filter(|series| series.connections == connections);
        subject.find(|series| series.name == ON_SQLITE)
    }

    fn table(&self, f: &mut fmt::Formatter<'_>, workload: Workload) -> fmt::Result {
        let mut columns: Vec<_> = self.of(workload).map(|series| series.connections).collect();
        columns.sort_unstable();
        columns.dedup();
        write!(f, "\n| {}: per second |", workload.title())?;
        columns.iter().try_for_each(|connections| write!(f, " {} |", counted(*connections)))?;
        writeln!(f, " of Rollbook's | p50 µs | p99 µs | generator µs |")?;
        writeln!(f, "|---|{}--:|--:|--:|--:|", "--:|".repeat(columns.len()))?;
        if workload == Workload::Read {
            self.row(f, Workload::Fixed, ON_SQLITE, "Rollbook's ceiling: a fixed response", &columns)?;
        }
        let mut each = self.of(workload).filter(|series| series.connections == columns[0]);
        each.try_for_each(|series| self.row(f, workload, series.name, &series.label(), &columns))
    }

    fn row(
        &self,
        f: &mut fmt::Formatter<'_>,
        workload: Workload,
        name: &str,
        label: &str,
        columns: &[usize],
    ) -> fmt::Result {
        let series = |connections| {
            self.of(workload).find(move |series| series.name == name && series.connections == connections)
        };
        write!(f, "| {label} |")?;
        for connections in columns {
            let rate = series(*connections).and_then(Series::median).map(|figure| format!("{:.0}", figure.rate));
            write!(f, " {} |", rate.unwrap_or_default())?;
        }
        let usual = series(USUAL);
        let compared = if workload == Workload::Fixed { Workload::Read } else { workload };
        let ratio = usual.zip(self.own(compared, USUAL)).and_then(|(series, own)| series.ratio(own));
        let outcome = usual.and_then(Series::median).and_then(|figure| figure.outcome);
        let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        match outcome {
            Some(outcome) => writeln!(f, " {ratio} | {} | {} | {:.0} |", outcome.p50, outcome.p99, outcome.own),
            None => writeln!(f, " {ratio} |  |  |  |"),
        }
    }

    /// The workloads on which another peer is faster than Rollbook on SQLite.
    fn ahead(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nWhere a peer is ahead of Rollbook on a file:\n")?;
        let mut lines = Vec::new();
        for series in self.series.iter().filter(|series| !series.name.starts_with("Rollbook")) {
            let Series { workload, connections, .. } = series;
            let ratio = self.own(*workload, *connections).and_then(|own| series.ratio(own));
            if let Some(ratio) = ratio.filter(|ratio| *ratio > 1.0) {
                let title = workload.title().to_lowercase();
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

/// All processes of the server, found by the one that serves our own connection.
async fn memory_of_server(postgres: &Postgres<'_>) -> anyhow::Result<Memory> {
    let rows = postgres.database.rows("SELECT pg_backend_pid()").await?;
    let own = rows.first().and_then(|row| row.get(0)?.parse().ok()).context("PostgreSQL reports no process")?;
    // The processes of a server on another machine cannot be seen.
    parent_of(own).map_or(Ok(Memory::default()), Memory::of)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}`\n\n{Machine}\n- {} groups in each", self.command, self.groups)?;
        self.peers.iter().try_for_each(|about| writeln!(f, "- {about}"))?;
        self.skipped.iter().try_for_each(|skipped| writeln!(f, "- Left out: {skipped}"))?;
        self.failed().iter().try_for_each(|failed| writeln!(f, "- Failed: {failed}"))?;
        for workload in Workload::ALL.into_iter().filter(|workload| *workload != Workload::Fixed) {
            self.table(f, workload)?;
        }
        writeln!(f, "\n| Memory after all of it, MB | its own | with mapped files |\n|---|--:|--:|")?;
        for (name, Memory { private, resident }) in &self.memory {
            writeln!(f, "| {name} | {} | {} |", private / 1_000_000, resident / 1_000_000)?;
        }
        self.ahead(f)
    }
}
