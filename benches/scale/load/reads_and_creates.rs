//! Load over 64 connections: groups by their ID compared with the fixed response, and durable creates. They take turns.

use std::net::SocketAddr;

use crate::client::{Load, Outcome, Workload};
use crate::report::{Goal, Row, Section};
use crate::serving;
use crate::target::Target;

/// The number of connections.
pub(crate) const CONNECTIONS: usize = 64;

/// The duration and the number of rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadSettings {
    /// Seconds of each round.
    pub seconds: f64,
    /// The number of rounds.
    pub rounds: usize,
}

/// Rounds of one kind.
type Rounds = Vec<Outcome>;

/// Both directories, served by this process.
pub(crate) struct ServedTargets<'a> {
    targets: [(&'a Target, SocketAddr); 2],
    turns: LoadSettings,
}

impl<'a> ServedTargets<'a> {
    /// Starts a server on each directory, in this process.
    pub(crate) async fn new(large: &'a Target, small: &'a Target, turns: LoadSettings) -> anyhow::Result<Self> {
        let addresses = [serving::serve(large.app.clone()).await?, serving::serve(small.app.clone()).await?];
        Ok(Self { targets: [(large, addresses[0]), (small, addresses[1])], turns })
    }

    async fn run(&self, target: usize, workload: Workload) -> anyhow::Result<Outcome> {
        let (target, address) = self.targets[target];
        let (seconds, groups) = (self.turns.seconds, target.size.groups);
        let load = Load { address, workload, connections: CONNECTIONS, seconds, groups };
        match load.clone().run_in_child(&target.directory.token).await {
            // One error ends a round, and a busy machine may cause one.
            Err(_) => load.run_in_child(&target.directory.token).await,
            outcome => outcome,
        }
    }

    /// Groups by their ID, compared with the fixed response and with the small directory.
    pub(crate) async fn reads(&self) -> anyhow::Result<Vec<Section>> {
        // Fills the caches with the groups that get most of the requests.
        self.run(0, Workload::Hot).await?;
        let [mut fixed, mut uniform, mut hot, mut small]: [Rounds; 4] = Default::default();
        for _ in 0..self.turns.rounds {
            fixed.push(self.run(0, Workload::Fixed).await?);
            uniform.push(self.run(0, Workload::Group).await?);
            hot.push(self.run(0, Workload::Hot).await?);
            small.push(self.run(1, Workload::Group).await?);
        }
        let against_fixed = vec![
            rate("the fixed response", &fixed, None, None),
            rate("any group", &uniform, Some(&fixed), Some(0.65)),
            rate("95 of 100 times one of 10,000", &hot, Some(&fixed), Some(0.85)),
        ];
        let against_small = vec![rate("any group", &uniform, Some(&small), Some(0.9))];
        Ok(vec![
            Section::new("A group by its ID, 64 connections", "requests/s", "the fixed response", against_fixed),
            Section::new("A group by its ID, 64 connections", "requests/s", "1,000 groups", against_small),
        ])
    }

    /// New groups, each acknowledged once it is on the disk.
    pub(crate) async fn creates(&self) -> anyhow::Result<Vec<Section>> {
        let [mut creates, mut small]: [Rounds; 2] = Default::default();
        for _ in 0..self.turns.rounds {
            creates.push(self.run(0, Workload::Create).await?);
            small.push(self.run(1, Workload::Create).await?);
        }
        let rows = vec![rate("durable creates", &creates, Some(&small), None)];
        Ok(vec![Section::new("Creates, 64 connections", "requests/s", "1,000 groups", rows)])
    }
}

/// The median of the rounds, and as baseline the value that gives the median of the ratios within the turns.
fn rate(what: &str, rounds: &[Outcome], baseline: Option<&[Outcome]>, goal: Option<f64>) -> Row {
    let (rate, p99) = (median(rounds.iter().map(|own| own.rate)), median(rounds.iter().map(|own| own.p99.into())));
    let p50 = median(rounds.iter().map(|own| own.p50.into()));
    let row = Row::new(what, rate).note(format!("p50 {p50:.0} µs, p99 {p99:.0} µs"));
    let Some(baseline) = baseline else { return row };
    let ratio = median(rounds.iter().zip(baseline).map(|(own, baseline)| own.rate / baseline.rate));
    Row { goal: goal.map(Goal::RatioAtLeast), ..row.baseline(rate / ratio) }
}

/// The median.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
