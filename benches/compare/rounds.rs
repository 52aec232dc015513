//! Runs all workloads on all peers, in turns.

use std::collections::HashMap;

use super::Arguments;
use super::load::{Load, Outcome};
use super::peers::Peers;
use super::peers::names::{JSON_SERVER, PRISM};
use super::peers::peer::Peer;
use super::peers::postgres_alone::PgbenchMode;
use super::workload::{USUAL, Workload};

/// The name of PostgreSQL without a server in front of it; pgbench reports no percentiles.
const PGBENCH: &str = "PostgreSQL by pgbench";
const PGBENCH_PIPELINED: &str = "PostgreSQL by pgbench, pipelined";

/// The figures of one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// Responses per second.
    pub rate: f64,
    /// The other figures; pgbench has none.
    pub outcome: Option<Outcome>,
}

/// One workload on one peer over this many connections: the figures of each round.
#[derive(Debug)]
pub(crate) struct Series {
    /// The peer's name.
    pub name: &'static str,
    /// The workload.
    pub workload: Workload,
    /// The number of connections.
    pub connections: usize,
    /// The figures of each round.
    pub rounds: Vec<Figure>,
    /// Why there are no more rounds.
    pub failed: Option<String>,
}

impl Series {
    /// The peer's name, with the durability of its writes if they are not durable.
    pub(crate) fn label(&self) -> String {
        match (self.name, self.workload.is_writing()) {
            (JSON_SERVER, true) => format!("{JSON_SERVER} (not synced)"),
            (PRISM, true) => format!("{PRISM} (keeps nothing)"),
            (name, _) => name.to_owned(),
        }
    }

    /// The round with the median rate.
    pub(crate) fn median(&self) -> Option<Figure> {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds.get(rounds.len() / 2).copied()
    }

    /// The median of the ratios between the rates of the same round.
    pub(crate) fn ratio(&self, other: &Self) -> Option<f64> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let mut ratios: Vec<_> = pairs.map(|(own, other)| own.rate / other.rate).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }
}

/// A peer in a turn.
#[derive(Clone, Copy)]
enum Subject<'a> {
    /// A server.
    Server(&'a Peer),
    /// pgbench, in this mode.
    PostgresAlone(PgbenchMode),
}

/// Measures everything. A failure is reported, and its series is left out from then on.
pub(crate) async fn measure(arguments: &Arguments, peers: &Peers<'_>) -> anyhow::Result<Vec<Series>> {
    let mut all = plan(arguments, peers);
    let mut written = HashMap::new();
    for round in 1..=arguments.rounds {
        for (subject, series) in &mut all {
            if series.failed.is_some() {
                continue;
            }
            let Series { name, workload, connections, .. } = *series;
            eprintln!("round {round}: {}, {connections} connections: {name}", workload.title());
            match measure_turn(arguments, peers, *subject, workload, connections, written.entry(name).or_default())
                .await
            {
                Ok(figure) => series.rounds.push(figure),
                Err(error) => series.failed = Some(format!("{error:#}")),
            }
        }
    }
    if let Some(postgres) = &peers.postgres {
        postgres.database.check().await?;
    }
    Ok(all.into_iter().map(|(_, series)| series).collect())
}

fn plan<'a>(arguments: &Arguments, peers: &'a Peers<'_>) -> Vec<(Subject<'a>, Series)> {
    let mut all = Vec::new();
    for workload in Workload::ALL {
        let connections = if arguments.small { &[USUAL] } else { workload.connections() };
        for connections in connections.iter().copied() {
            let mut add = |subject, name| {
                all.push((subject, Series { name, workload, connections, rounds: Vec::new(), failed: None }));
            };
            let supporting = peers.servers.iter().filter(|peer| peer.supports(workload));
            supporting.for_each(|peer| add(Subject::Server(peer), peer.name));
            if peers.postgres.is_some() && workload != Workload::Fixed {
                add(Subject::PostgresAlone(PgbenchMode::OneByOne), PGBENCH);
                if workload == Workload::Create {
                    add(Subject::PostgresAlone(PgbenchMode::Pipelined), PGBENCH_PIPELINED);
                }
            }
        }
    }
    all
}

/// One turn. `written` is the number of writes to the peer so far.
async fn measure_turn(
    arguments: &Arguments,
    peers: &Peers<'_>,
    subject: Subject<'_>,
    workload: Workload,
    connections: usize,
    written: &mut usize,
) -> anyhow::Result<Figure> {
    if let (Some(postgres), true) = (&peers.postgres, workload.is_writing()) {
        // Otherwise dirty pages of this round would be written in the next one.
        postgres.database.checkpoint().await?;
    }
    match (subject, &peers.postgres) {
        (Subject::PostgresAlone(mode), Some(postgres)) => {
            let rate = postgres.alone.rate(workload, mode, connections, arguments.seconds).await?;
            Ok(Figure { rate, outcome: None })
        }
        (Subject::PostgresAlone(_), None) => anyhow::bail!("there is no PostgreSQL"),
        (Subject::Server(peer), _) => {
            let &Peer { address, protocol, groups, .. } = peer;
            let (seconds, from) = (arguments.seconds.into(), *written);
            let load = Load { address, protocol, workload, connections, seconds, groups, from };
            let outcome = load.run_in_child(&peer.secret).await?;
            *written += outcome.written;
            Ok(Figure { rate: outcome.rate, outcome: Some(outcome) })
        }
    }
}
