//! A server of that size under load: minutes of mixed load, open connections, heavy lists, and overload.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::chart;
use super::data::database_url::DatabaseUrl;
use super::data::file::Size;
use super::load::mix::{Mix, Tick};
use super::load::mixture::{KINDS, Kind, Mixture};
use super::load::open_connections::OpenConnections;
use super::load::{CONNECTIONS, median};
use super::machine::Machine;
use super::program::{Program, Server, private_memory};
use super::report::{Goal, Report, Row, Section};

const MIB: f64 = 1024.0 * 1024.0;
const IDLE: usize = 2_000;
const SLOW: usize = 200;
/// The number of connections for overload.
const OVERLOAD_CONNECTIONS: usize = 2_000;

/// The arguments of `soak`.
#[derive(Args)]
pub(crate) struct SoakArgs {
    #[command(flatten)]
    size: Size,
    /// The directory, filled by `fill` to the size that is given here, too
    #[arg(long)]
    database: String,
    /// Minutes of mixed load
    #[arg(long, default_value_t = 15.0)]
    minutes: f64,
    /// Seconds that each round of the other phases takes
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Number of rounds
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the curves are written, as SVG
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/soak"))]
    out: PathBuf,
    /// Write the figures to this file, too, after each phase
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A sample at some moment.
#[derive(Serialize)]
struct Sample {
    tick: Tick,
    /// Bytes of private memory, and of the write-ahead log.
    memory: u64,
    log: u64,
}

/// Runs the phases, and prints all figures at the end, even if one has failed.
pub(crate) async fn soak(arguments: &SoakArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.out)?;
    let database_url = DatabaseUrl::of(&arguments.database)?;
    let (server, token) = Program::new(&arguments.database).serve_with_token().await?;
    let soak = Soak { arguments, database_url, server, token };
    let mut report = Report::default();
    let outcome = soak.phases(&mut report).await;
    report.heading = Machine.to_string().lines().map(str::to_owned).collect();
    report.save(arguments.json.as_deref())?;
    println!("{report}");
    soak.server.stop()?;
    outcome
}

struct Soak<'a> {
    arguments: &'a SoakArgs,
    database_url: DatabaseUrl,
    server: Server,
    token: String,
}

impl Soak<'_> {
    /// A failed phase is reported, and the others run.
    async fn phases(&self, report: &mut Report) -> anyhow::Result<()> {
        self.add(report, self.mixed().await)?;
        self.add(report, self.heavy().await)?;
        self.add(report, self.connections().await)?;
        self.add(report, self.crowded().await)
    }

    fn add(&self, report: &mut Report, section: anyhow::Result<Section>) -> anyhow::Result<()> {
        let failed = |error| Section::new("A phase", "figure", "", vec![Row::failed("failed", &error)]);
        let section = section.unwrap_or_else(failed);
        eprintln!("\n{section}");
        report.sections.push(section);
        report.save(self.arguments.json.as_deref())
    }

    fn mix(&self, mixture: Mixture, connections: usize, seconds: f64) -> Mix {
        Mix::new(self.server.address, mixture, connections, seconds, &self.arguments.size)
    }

    async fn run(&self, mixture: Mixture, connections: usize) -> anyhow::Result<Tick> {
        let seconds = self.arguments.seconds;
        // Opens all connections, and fills the caches.
        let mix = Mix { every: seconds, warm_up: 2.0, ..self.mix(mixture, connections, seconds) };
        let ticks = mix.run_in_child(&self.token, |_| ()).await?;
        Ok(ticks.into_iter().next().unwrap_or_default())
    }

    /// Minutes of mixed load.
    async fn mixed(&self) -> anyhow::Result<Section> {
        let (mut samples, mut log) = (Vec::new(), 0);
        let mix = self.mix(Mixture::Every, CONNECTIONS, self.arguments.minutes * 60.0);
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        // The listener lives as long as the load.
        let load = async {
            let ticks = mix.run_in_child(&self.token, |tick| _ = sender.send(tick.clone())).await;
            drop(sender);
            ticks
        };
        let sampling = async {
            while let Some(tick) = receiver.recv().await {
                log = self.database_url.log_bytes().await.unwrap_or(log);
                eprintln!("{}", line(&tick));
                samples.push(Sample { tick, memory: self.server.memory().unwrap_or_default(), log });
                // Written at once, so that the figures survive a later failure.
                _ = draw(&self.arguments.out, &samples);
            }
        };
        let (ticks, ()) = tokio::join!(load, sampling);
        ticks?;
        draw(&self.arguments.out, &samples)?;
        std::fs::write(self.arguments.out.join("samples.json"), serde_json::to_string(&samples)?)?;
        Ok(summary(&samples))
    }

    /// The p99 of point reads while heavy lists run, and without them.
    async fn heavy(&self) -> anyhow::Result<Section> {
        let [mut alone, mut baseline]: [Vec<Tick>; 2] = Default::default();
        let mut lists = (0, 0);
        for _ in 0..self.arguments.rounds {
            alone.push(self.run(Mixture::Reads, 16).await?);
            let (reads, heavy) = tokio::join!(self.run(Mixture::Reads, 16), self.run(Mixture::Heavy, 1));
            let heavy = heavy?;
            lists = (lists.0 + heavy.kinds[Kind::List as usize].0, lists.1 + heavy.costly);
            baseline.push(reads?);
        }
        let p99 = |ticks: &[Tick]| median(ticks.iter().map(|tick| f64::from(tick.kinds[0].2) / 1_000.0));
        let rate = |ticks: &[Tick]| median(ticks.iter().map(|tick| tick.kinds[0].0 as f64 / tick.seconds));
        let note_text = format!("{} such lists were returned, {} refused as too costly", lists.0, lists.1);
        let rows = vec![
            Row::new("p99 of a group by its ID, ms", p99(&baseline))
                .baseline(p99(&alone))
                .goal(Goal::RatioUnder(2.0))
                .note(note_text),
            Row::new("groups by ID per second", rate(&baseline)).baseline(rate(&alone)),
        ];
        Ok(Section::new("16 connections read, a heavy list runs all the time", "with it", "without", rows))
    }

    /// The same load with thousands of other open connections.
    async fn connections(&self) -> anyhow::Result<Section> {
        const TIME_LIMIT: Duration = Duration::from_secs(20);
        let alone = self.run(Mixture::Every, CONNECTIONS).await?;
        let before = self.server.memory()?;
        let connections = OpenConnections::open(self.server.address, &self.token, IDLE, SLOW);
        let since = Instant::now();
        while connections.open_count() < IDLE + SLOW && since.elapsed() < TIME_LIMIT {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let open = connections.open_count();
        let baseline = self.run(Mixture::Every, CONNECTIONS).await?;
        let (memory, closed) = (private_memory(self.server.id())?, connections.closed());
        let note = format!("{closed} were closed by the server and opened again");
        let mut rows = vec![
            Row::new("other connections open", open as f64).goal(Goal::AtLeast((IDLE + SLOW) as f64 * 0.98)).note(note),
            Row::new("private memory, MiB", memory as f64 / MIB).baseline(before as f64 / MIB).goal(Goal::Under(256.0)),
            Row::new("failures", baseline.failed as f64)
                .baseline(alone.failed as f64)
                .note(baseline.failure.clone().unwrap_or_default()),
        ];
        for (at, kind) in KINDS.iter().enumerate() {
            let p99 = |tick: &Tick| f64::from(tick.kinds[at].2) / 1_000.0;
            rows.push(Row::new(format!("{kind}: p99 ms"), p99(&baseline)).baseline(p99(&alone)));
        }
        Ok(Section::new(format!("{IDLE} idle and {SLOW} slow connections"), "with them", "without", rows))
    }

    /// More connections than the server can handle at a time.
    async fn crowded(&self) -> anyhow::Result<Section> {
        let mut rows = Vec::new();
        let usual = self.run(Mixture::Work, CONNECTIONS).await?;
        let crowd = self.run(Mixture::Work, OVERLOAD_CONNECTIONS).await?;
        let after = self.run(Mixture::Work, CONNECTIONS).await?;
        let rate = |tick: &Tick| tick.kinds.iter().map(|kind| kind.0).sum::<u64>() as f64 / tick.seconds;
        rows.push(Row::new("responses per second", rate(&crowd)).baseline(rate(&usual)).goal(Goal::RatioAtLeast(0.8)));
        rows.push(Row::new("the same afterwards", rate(&after)).baseline(rate(&usual)).goal(Goal::RatioAtLeast(0.8)));
        let shed = |tick: &Tick| tick.shed as f64 / tick.seconds;
        rows.push(Row::new("503 with Retry-After per second", shed(&crowd)).baseline(shed(&usual)));
        let costly = |tick: &Tick| tick.costly as f64 / tick.seconds;
        rows.push(Row::new("400 as too costly per second", costly(&crowd)).baseline(costly(&usual)));
        let failed = |tick: &Tick| tick.failed as f64;
        let note = crowd.failure.clone().unwrap_or_default().replace(['\r', '\n', '|'], " ");
        rows.push(
            Row::new("other failures", failed(&crowd)).baseline(failed(&usual)).goal(Goal::Under(1.0)).note(note),
        );
        for (at, kind) in KINDS.iter().enumerate() {
            let p99 = |tick: &Tick| f64::from(tick.kinds[at].2) / 1_000.0;
            rows.push(Row::new(format!("{kind}: p99 ms"), p99(&crowd)).baseline(p99(&usual)));
        }
        let memory = self.server.memory()? as f64 / MIB;
        rows.push(Row::new("private memory afterwards, MiB", memory).goal(Goal::Under(256.0)));
        Ok(Section::new(
            format!("{OVERLOAD_CONNECTIONS} connections send lists and writes at once"),
            "overload",
            "64",
            rows,
        ))
    }
}

fn line(tick: &Tick) -> String {
    let kinds = KINDS.iter().zip(tick.kinds).map(|(kind, (count, _, p99))| {
        format!("{kind} {:.0}/s p99 {:.1} ms", count as f64 / tick.seconds, f64::from(p99) / 1_000.0)
    });
    let kinds: Vec<_> = kinds.collect();
    let Tick { at, shed, costly, failed, failure, .. } = tick;
    let failure = failure.as_deref().unwrap_or_default();
    format!("{at:.0} s: {}, shed {shed}, costly {costly}, failed {failed} {failure}", kinds.join(", "))
}

/// The second third compared with the last one: shows what grows with time.
fn summary(samples: &[Sample]) -> Section {
    let third = samples.len() / 3;
    let (early, late) = (&samples[third..2 * third], &samples[2 * third..]);
    let over = |samples: &[Sample], value: &dyn Fn(&Sample) -> f64| median(samples.iter().map(value));
    let most = |samples: &[Sample], value: &dyn Fn(&Sample) -> f64| samples.iter().map(value).fold(0.0, f64::max);
    let rate = |sample: &Sample| sample.tick.kinds.iter().map(|kind| kind.0).sum::<u64>() as f64 / sample.tick.seconds;
    let mut rows = vec![Row::new("requests per second", over(late, &rate)).baseline(over(early, &rate))];
    for (at, kind) in KINDS.iter().enumerate() {
        let p99 = |sample: &Sample| f64::from(sample.tick.kinds[at].2) / 1_000.0;
        let p50 = median(late.iter().map(|sample| f64::from(sample.tick.kinds[at].1) / 1_000.0));
        let row = Row::new(format!("{kind}: p99 ms"), over(late, &p99)).baseline(over(early, &p99));
        rows.push(row.goal(Goal::RatioUnder(1.5)).note(format!("p50 {p50:.2} ms")));
    }
    let (memory, log) = (|sample: &Sample| sample.memory as f64 / MIB, |sample: &Sample| sample.log as f64 / MIB);
    rows.push(
        Row::new("private memory at most, MiB", most(late, &memory))
            .baseline(most(early, &memory))
            .goal(Goal::RatioUnder(1.1)),
    );
    rows.push(Row::new("log of writes at most, MiB", most(late, &log)).baseline(most(early, &log)));
    let sum = |value: &dyn Fn(&Tick) -> u64| samples.iter().map(|sample| value(&sample.tick)).sum::<u64>() as f64;
    let failure = samples.iter().find_map(|sample| sample.tick.failure.clone()).unwrap_or_default();
    let note = failure.replace(['\r', '\n', '|'], " ");
    rows.push(Row::new("failures in total", sum(&|tick| tick.failed)).goal(Goal::Under(1.0)).note(note));
    rows.push(Row::new("503 with Retry-After in all", sum(&|tick| tick.shed)));
    let minutes = samples.last().map_or(0.0, |sample| sample.tick.at / 60.0);
    Section::new(format!("{minutes:.0} minutes of mixed load, 64 connections"), "last third", "second third", rows)
}

/// Writes the curves.
fn draw(folder: &Path, samples: &[Sample]) -> anyhow::Result<()> {
    let curve = |value: &dyn Fn(&Sample) -> f64| -> Vec<_> {
        samples.iter().map(|sample| (sample.tick.at, value(sample))).collect()
    };
    let each = |value: &dyn Fn(&Sample, usize) -> f64| -> Vec<_> {
        KINDS.iter().enumerate().map(|(at, kind)| (*kind, curve(&|sample| value(sample, at)))).collect()
    };
    let rates = each(&|sample, at| sample.tick.kinds[at].0 as f64 / sample.tick.seconds);
    let p99 = each(&|sample, at| f64::from(sample.tick.kinds[at].2) / 1_000.0);
    let memory = [
        ("private memory", curve(&|sample| sample.memory as f64 / MIB)),
        ("log of writes", curve(&|sample| sample.log as f64 / MIB)),
    ];
    std::fs::write(
        folder.join("soak-rate.svg"),
        chart::lines("Mixed load: responses per second", "per second", &rates),
    )?;
    std::fs::write(folder.join("soak-p99.svg"), chart::lines("Mixed load: 99 of 100 take at most", "ms", &p99))?;
    std::fs::write(folder.join("soak-memory.svg"), chart::lines("Mixed load: memory and log", "MiB", &memory))?;
    Ok(())
}
