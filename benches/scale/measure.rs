//! All goals at this size, step by step, compared with a directory of 1,000 groups.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::data::database_url::DatabaseUrl;
use super::data::file::Size;
use super::data::fill;
use super::list_cases::{self, ListCase};
use super::load::{LoadSettings, ServedTargets};
use super::machine::{self, Machine};
use super::program::Program;
use super::report::{Report, Row, Section};
use super::target::{Target, millis};
use super::timing::Effort;
use super::{changes, console, deletes, matrix, own_api, run, undo};

/// The number of changes of ten members of each group, in each round.
const DELTAS: usize = 170;
/// The size of the directory for comparison.
const SMALL: usize = 1_000;

/// The arguments of `measure`.
#[derive(Args)]
pub(crate) struct MeasureArgs {
    #[command(flatten)]
    size: Size,
    /// The directory, filled by `fill` to the size that is given here, too
    #[arg(long)]
    database: String,
    /// A directory of 1,000 groups, filled by `fill`; by default, one that is deleted afterwards
    #[arg(long)]
    small: Option<String>,
    /// Seconds that each round of load takes
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Number of rounds of each kind
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The steps to run, comma separated [default: all of them]
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Step>,
    /// Write the figures to this file, too, after each step
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A step of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Pages of all groups, searches, assignments
    Lists,
    /// Every kind of filter in every order
    Matrix,
    /// Lists of Rollbook's own API, changes of many members, histories and moments
    Own,
    /// Pages of the console
    Console,
    /// Changes of the largest group
    Changes,
    /// Requests over 64 connections
    Load,
    /// The program by itself: start, memory, list-all
    Program,
    /// Deletions, in a copy
    Deletes,
}

/// Runs the steps, and prints all figures at the end, even if a step has failed.
pub(crate) async fn measure(arguments: &MeasureArgs) -> anyhow::Result<()> {
    let database_url = DatabaseUrl::of(&arguments.database)?;
    let small = match &arguments.small {
        Some(url) => DatabaseUrl::of(url)?,
        None => database_url.sibling("small")?,
    };
    if arguments.small.is_none() {
        eprintln!("filling a directory of {SMALL} groups");
        small.remove().await?;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        fill::fill_directory(&Size::of_groups(SMALL), &small.url(), &folder.path().join("small.jsonl")).await?;
    }
    let mut steps = Steps { arguments, large: database_url, small, report: Report::default() };
    let outcome = steps.take().await;
    if arguments.small.is_none() {
        steps.small.remove().await?;
    }
    steps.report.heading = heading(&arguments.size);
    steps.report.save(arguments.json.as_deref())?;
    println!("{}", steps.report);
    outcome
}

fn heading(size: &Size) -> Vec<String> {
    let (groups, users) = (size.groups, size.users());
    let mut heading: Vec<_> = Machine.to_string().lines().map(str::to_owned).collect();
    heading.push(format!("- SQLite {}, {}", rusqlite::version(), machine::output_of("psql", "--version")));
    heading.push(format!("- Directory: {groups} groups, {users} users; next to it one of {SMALL} groups"));
    heading
}

struct Steps<'a> {
    arguments: &'a MeasureArgs,
    large: DatabaseUrl,
    small: DatabaseUrl,
    report: Report,
}

impl Steps<'_> {
    async fn take(&mut self) -> anyhow::Result<()> {
        let in_process = [Step::Lists, Step::Matrix, Step::Own, Step::Console, Step::Changes, Step::Load];
        if in_process.into_iter().any(|step| self.is_selected(step)) {
            let large = Target::open(&self.large, self.arguments.size).await?;
            let small = Target::open(&self.small, Size::of_groups(SMALL)).await?;
            self.in_process(&large, &small).await?;
            large.close().await;
            small.close().await;
        }
        let sizes = (self.arguments.size, Size::of_groups(SMALL));
        if self.begins(Step::Program) {
            let (large, small) = (Program::new(&self.large.url()), Program::new(&self.small.url()));
            let sections = run::measure((&large, sizes.0), (&small, sizes.1), self.arguments.seconds.max(5.0)).await;
            self.add("The program", sections)?;
        }
        if self.begins(Step::Deletes) {
            let section = deletes::measure((&self.large, sizes.0), (&self.small, sizes.1)).await;
            self.add("Deletions", section.map(|section| vec![section]))?;
        }
        Ok(())
    }

    async fn in_process(&mut self, large: &Target, small: &Target) -> anyhow::Result<()> {
        let MeasureArgs { seconds, rounds, .. } = *self.arguments;
        if self.begins(Step::Lists) {
            type ListCases = fn(&Size) -> Vec<ListCase>;
            let kinds: [(&str, ListCases); 3] = [
                ("Pages", list_cases::pages),
                ("Searches", list_cases::searches),
                ("Who is in which group", list_cases::assignments),
            ];
            for (title, cases) in kinds {
                let section = lists(title, cases, large, small).await;
                self.add(title, Ok(vec![section]))?;
            }
        }
        if self.begins(Step::Matrix) {
            let mut table = Vec::new();
            let section = matrix::measure(large, small, &mut table).await;
            self.add("Filters", Ok(vec![section]))?;
            self.report.appendix = table;
        }
        if self.begins(Step::Own) {
            let section = lists("Rollbook's own API", own_api::lists, large, small).await;
            self.add("Rollbook's own API", Ok(vec![section]))?;
            let at = changes::now(large).await?;
            let section = changes::deltas(large, DELTAS * rounds).await;
            self.add("Changes of many members", section.map(|section| vec![section]))?;
            let section = lists("The past", |size| own_api::past(size, &at), large, small).await;
            self.add("The past", Ok(vec![section]))?;
            let section = undo::measure(large, small, rounds).await;
            self.add("Restore and undo", section.map(|section| vec![section]))?;
        }
        if self.begins(Step::Console) {
            self.add("The console", console::measure(large, small).await.map(|section| vec![section]))?;
        }
        if self.begins(Step::Changes) {
            let turns = 50 * rounds;
            self.add("Members", changes::members(large, turns).await.map(|section| vec![section]))?;
            self.add("Changes", changes::groups(large, small, turns / 3).await.map(|section| vec![section]))?;
        }
        if self.begins(Step::Load) {
            let served = ServedTargets::new(large, small, LoadSettings { seconds, rounds }).await?;
            self.add("A group by its ID", served.reads().await)?;
            self.add("Creates", served.creates().await)?;
        }
        Ok(())
    }

    fn is_selected(&self, step: Step) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.contains(&step)
    }

    /// Whether the step is selected; prints it if it is.
    fn begins(&self, step: Step) -> bool {
        let is_selected = self.is_selected(step);
        if is_selected {
            eprintln!("{step:?}");
        }
        is_selected
    }

    /// A failed step is reported, and the others run.
    fn add(&mut self, title: &str, sections: anyhow::Result<Vec<Section>>) -> anyhow::Result<()> {
        let failed = |error| vec![Section::new(title, "figure", "", vec![Row::failed("failed", &error)])];
        let sections = sections.unwrap_or_else(failed);
        sections.iter().for_each(|section| eprintln!("\n{section}"));
        self.report.sections.extend(sections);
        self.report.save(self.arguments.json.as_deref())
    }
}

async fn lists(title: &str, cases: impl Fn(&Size) -> Vec<ListCase>, large: &Target, small: &Target) -> Section {
    let mut rows = Vec::new();
    for (case, small_case) in cases(&large.size).into_iter().zip(cases(&small.size)) {
        let measured = match large.measure(case.caller, &case.uri, Effort::FULL).await {
            Ok(measured) => measured,
            Err(error) => {
                rows.push(Row { goal: case.goal, ..Row::failed(case.what, &error) });
                continue;
            }
        };
        let baseline = small.measure(small_case.caller, &small_case.uri, Effort::FULL).await;
        let matches = measured.timed.matches;
        let is_off = case.expected.filter(|expected| *expected != matches);
        rows.push(Row {
            matches: Some(matches),
            first: Some(millis(measured.first)),
            baseline: baseline.ok().map(|measured| millis(measured.timed.median)),
            database: measured.database,
            goal: case.goal,
            note: is_off.map(|expected| format!("{expected} were expected")).unwrap_or_default(),
            ..Row::new(case.what, millis(measured.timed.median)).p99(millis(measured.timed.p99))
        });
    }
    Section::new(title, "median ms", "1,000 groups", rows)
}
