//! Asking everybody everything, in turns.

use std::collections::HashMap;

use super::Arguments;
use super::load::{Load, Outcome};
use super::mocks::{JSON_SERVER, PRISM};
use super::peer::Peer;
use super::peers::Peers;
use super::question::{Question, USUAL};
use super::raw::Way;

/// What PostgreSQL is called without a server in between; pgbench tells no percentiles.
const RAW: &str = "PostgreSQL by pgbench";
const RAW_PIPELINED: &str = "PostgreSQL by pgbench, pipelined";

/// What one round gave.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Answers a second.
    pub rate: f64,
    /// What else is known of it; pgbench tells no more.
    pub outcome: Option<Outcome>,
}

/// One question to one peer over so many connections: what each round gave.
#[derive(Debug)]
pub struct Series {
    pub name: &'static str,
    pub question: Question,
    pub connections: usize,
    pub rounds: Vec<Figure>,
    /// Why there is no more of it.
    pub failed: Option<String>,
}

impl Series {
    /// The peer's name, with what its writes are worth where they are not durable.
    pub fn label(&self) -> String {
        match (self.name, self.question.is_writing()) {
            (JSON_SERVER, true) => format!("{JSON_SERVER} (not synced)"),
            (PRISM, true) => format!("{PRISM} (keeps nothing)"),
            (name, _) => name.to_owned(),
        }
    }

    /// The round whose rate is in the middle.
    pub fn median(&self) -> Option<Figure> {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds.get(rounds.len() / 2).copied()
    }

    /// The ratio in the middle of those to the other's rounds, each to that of the same turn.
    pub fn ratio(&self, other: &Self) -> Option<f64> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let mut ratios: Vec<_> = pairs.map(|(own, other)| own.rate / other.rate).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }
}

/// A peer, as one whose turn it is.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Server(&'a Peer),
    Raw(Way),
}

/// Measures everything. What fails is told, and left out from then on.
pub async fn measure(arguments: &Arguments, peers: &Peers<'_>) -> anyhow::Result<Vec<Series>> {
    let mut all = plan(arguments, peers);
    let mut written = HashMap::new();
    for round in 1..=arguments.rounds {
        for (asked, series) in &mut all {
            if series.failed.is_some() {
                continue;
            }
            let Series { name, question, connections, .. } = *series;
            eprintln!("round {round}: {}, {connections} connections: {name}", question.title());
            match ask(arguments, peers, *asked, question, connections, written.entry(name).or_default()).await {
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

fn plan<'a>(arguments: &Arguments, peers: &'a Peers<'_>) -> Vec<(Asked<'a>, Series)> {
    let mut all = Vec::new();
    for question in Question::ALL {
        let connections = if arguments.small { &[USUAL] } else { question.connections() };
        for connections in connections.iter().copied() {
            let mut add = |asked, name| {
                all.push((asked, Series { name, question, connections, rounds: Vec::new(), failed: None }));
            };
            let answering = peers.servers.iter().filter(|peer| peer.answers(question));
            answering.for_each(|peer| add(Asked::Server(peer), peer.name));
            if peers.postgres.is_some() && question != Question::Fixed {
                add(Asked::Raw(Way::OneByOne), RAW);
                if question == Question::Create {
                    add(Asked::Raw(Way::Pipelined), RAW_PIPELINED);
                }
            }
        }
    }
    all
}

/// One turn. `written` is how many numbers the peer has written about so far.
async fn ask(
    arguments: &Arguments,
    peers: &Peers<'_>,
    asked: Asked<'_>,
    question: Question,
    connections: usize,
    written: &mut usize,
) -> anyhow::Result<Figure> {
    if let (Some(postgres), true) = (&peers.postgres, question.is_writing()) {
        // Or the last one's would fall to the next one.
        postgres.database.checkpoint().await?;
    }
    match (asked, &peers.postgres) {
        (Asked::Raw(way), Some(postgres)) => {
            let rate = postgres.raw.rate(question, way, connections, arguments.seconds).await?;
            Ok(Figure { rate, outcome: None })
        }
        (Asked::Raw(_), None) => anyhow::bail!("there is no PostgreSQL"),
        (Asked::Server(peer), _) => {
            let &Peer { address, speech, groups, .. } = peer;
            let (seconds, from) = (arguments.seconds.into(), *written);
            let load = Load { address, speech, question, connections, seconds, groups, from };
            let outcome = load.apart(&peer.secret).await?;
            *written += outcome.written;
            Ok(Figure { rate: outcome.rate, outcome: Some(outcome) })
        }
    }
}
