//! Load over 64 connections: groups by their ID beside the fixed answer, and durable creates. They take turns.

use std::net::SocketAddr;

use super::client::{Ask, Load, Outcome};
use super::report::{Aim, Row, Section};
use super::serving;
use super::side::Side;

pub const CONNECTIONS: usize = 64;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    pub seconds: f64,
    pub rounds: usize,
}

/// Rounds of one kind.
type Rounds = Vec<Outcome>;

/// Both directories, served by this process.
pub struct Served<'a> {
    sides: [(&'a Side, SocketAddr); 2],
    turns: Turns,
}

impl<'a> Served<'a> {
    pub async fn new(large: &'a Side, small: &'a Side, turns: Turns) -> anyhow::Result<Self> {
        let addresses = [serving::serve(large.app.clone()).await?, serving::serve(small.app.clone()).await?];
        Ok(Self { sides: [(large, addresses[0]), (small, addresses[1])], turns })
    }

    async fn run(&self, side: usize, ask: Ask) -> anyhow::Result<Outcome> {
        let (side, address) = self.sides[side];
        let (seconds, groups) = (self.turns.seconds, side.size.groups);
        let load = Load { address, ask, connections: CONNECTIONS, seconds, groups };
        match load.clone().apart(&side.directory.token).await {
            // One refusal ends a round, which a busy machine may well cause.
            Err(_) => load.apart(&side.directory.token).await,
            outcome => outcome,
        }
    }

    /// Groups by their ID, beside the fixed answer, and beside the small directory.
    pub async fn reads(&self) -> anyhow::Result<Vec<Section>> {
        // Until what most are interested in is in memory.
        self.run(0, Ask::Hot).await?;
        let [mut fixed, mut uniform, mut hot, mut few]: [Rounds; 4] = Default::default();
        for _ in 0..self.turns.rounds {
            fixed.push(self.run(0, Ask::Fixed).await?);
            uniform.push(self.run(0, Ask::Group).await?);
            hot.push(self.run(0, Ask::Hot).await?);
            few.push(self.run(1, Ask::Group).await?);
        }
        let against_fixed = vec![
            rate("the fixed answer", &fixed, None, None),
            rate("any group", &uniform, Some(&fixed), Some(0.65)),
            rate("95 of 100 times one of 10,000", &hot, Some(&fixed), Some(0.85)),
        ];
        let against_small = vec![rate("any group", &uniform, Some(&few), Some(0.9))];
        Ok(vec![
            Section::new("A group by its ID, 64 connections", "requests/s", "the fixed answer", against_fixed),
            Section::new("A group by its ID, 64 connections", "requests/s", "1,000 groups", against_small),
        ])
    }

    /// New groups, each answered once it is on the disk.
    pub async fn creates(&self) -> anyhow::Result<Vec<Section>> {
        let [mut creates, mut small]: [Rounds; 2] = Default::default();
        for _ in 0..self.turns.rounds {
            creates.push(self.run(0, Ask::Create).await?);
            small.push(self.run(1, Ask::Create).await?);
        }
        let rows = vec![rate("durable creates", &creates, Some(&small), None)];
        Ok(vec![Section::new("Creates, 64 connections", "requests/s", "1,000 groups", rows)])
    }
}

/// The median of the rounds, beside what gives the median of the ratios within the turns.
fn rate(what: &str, rounds: &[Outcome], beside: Option<&[Outcome]>, aim: Option<f64>) -> Row {
    let (rate, p99) = (middle(rounds.iter().map(|own| own.rate)), middle(rounds.iter().map(|own| own.p99.into())));
    let p50 = middle(rounds.iter().map(|own| own.p50.into()));
    let row = Row::new(what, rate).note(format!("p50 {p50:.0} µs, p99 {p99:.0} µs"));
    let Some(beside) = beside else { return row };
    let ratio = middle(rounds.iter().zip(beside).map(|(own, beside)| own.rate / beside.rate));
    Row { aim: aim.map(Aim::RatioAtLeast), ..row.beside(rate / ratio) }
}

/// The one in the middle.
pub fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
