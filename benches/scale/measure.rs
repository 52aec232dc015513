//! Everything that must hold at this size, step by step, beside a directory of 1,000 groups.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::file::Size;
use super::load::{Served, Turns};
use super::machine::{self, Machine};
use super::place::Place;
use super::program::Program;
use super::questions::{self, Question};
use super::report::{Report, Row, Section};
use super::side::{Side, millis};
use super::timing::Effort;
use super::{changes, deletes, fill, matrix, run};

/// The directory that the other one is held against.
const SMALL: usize = 1_000;

/// The arguments of `measure`.
#[derive(Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    size: Size,
    /// The directory, filled by `fill` to the size that is given here, too
    #[arg(long)]
    database: String,
    /// A directory of 1,000 groups, filled by `fill`; without it, one that is deleted afterwards
    #[arg(long)]
    small: Option<String>,
    /// How many seconds each round of load takes
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many rounds of each kind take turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The steps to take, comma separated [default: all of them]
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Step>,
    /// Write the figures to this file, too, after each step
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What is measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Pages of all groups, searches, assignments
    Lists,
    /// Every kind of filter in every order
    Matrix,
    /// Changes of the largest group
    Changes,
    /// Requests over 64 connections
    Load,
    /// The program by itself: start, memory, list-all
    Program,
    /// Deletions, in a copy
    Deletes,
}

/// Takes the steps, and prints all figures that there are at the end, even where a step has failed.
pub async fn measure(arguments: &MeasureArgs) -> anyhow::Result<()> {
    let place = Place::of(&arguments.database)?;
    let small = match &arguments.small {
        Some(url) => Place::of(url)?,
        None => place.sibling("small")?,
    };
    if arguments.small.is_none() {
        eprintln!("filling a directory of {SMALL} groups");
        small.remove().await?;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        fill::filled(&Size::of_groups(SMALL), &small.url(), &folder.path().join("small.jsonl")).await?;
    }
    let mut steps = Steps { arguments, large: place, small, report: Report::default() };
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
    heading.push(format!("- SQLite {}, {}", rusqlite::version(), machine::answer("psql", "--version")));
    heading.push(format!("- Directory: {groups} groups, {users} users; beside it one of {SMALL} groups"));
    heading
}

struct Steps<'a> {
    arguments: &'a MeasureArgs,
    large: Place,
    small: Place,
    report: Report,
}

impl Steps<'_> {
    async fn take(&mut self) -> anyhow::Result<()> {
        let in_process = [Step::Lists, Step::Matrix, Step::Changes, Step::Load];
        if in_process.into_iter().any(|step| self.is_asked(step)) {
            let large = Side::open(&self.large, self.arguments.size).await?;
            let small = Side::open(&self.small, Size::of_groups(SMALL)).await?;
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

    async fn in_process(&mut self, large: &Side, small: &Side) -> anyhow::Result<()> {
        let MeasureArgs { seconds, rounds, .. } = *self.arguments;
        if self.begins(Step::Lists) {
            type Questions = fn(&Size) -> Vec<Question>;
            let kinds: [(&str, Questions); 3] = [
                ("Pages", questions::pages),
                ("Searches", questions::searches),
                ("Who is in which group", questions::assignments),
            ];
            for (title, questions) in kinds {
                let section = lists(title, questions, large, small).await;
                self.add(title, Ok(vec![section]))?;
            }
        }
        if self.begins(Step::Matrix) {
            let mut table = Vec::new();
            let section = matrix::measure(large, small, &mut table).await;
            self.add("Filters", Ok(vec![section]))?;
            self.report.appendix = table;
        }
        if self.begins(Step::Changes) {
            let turns = 50 * rounds;
            self.add("Members", changes::members(large, turns).await.map(|section| vec![section]))?;
            self.add("Changes", changes::groups(large, small, turns / 3).await.map(|section| vec![section]))?;
        }
        if self.begins(Step::Load) {
            let served = Served::new(large, small, Turns { seconds, rounds }).await?;
            self.add("A group by its ID", served.reads().await)?;
            self.add("Creates", served.creates().await)?;
        }
        Ok(())
    }

    fn is_asked(&self, step: Step) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.contains(&step)
    }

    /// Whether the step is asked for; says so.
    fn begins(&self, step: Step) -> bool {
        let is_asked = self.is_asked(step);
        if is_asked {
            eprintln!("{step:?}");
        }
        is_asked
    }

    /// A step that failed is told of, and the others go on.
    fn add(&mut self, title: &str, sections: anyhow::Result<Vec<Section>>) -> anyhow::Result<()> {
        let failed = |error| vec![Section::new(title, "figure", "", vec![Row::failed("failed", &error)])];
        let sections = sections.unwrap_or_else(failed);
        sections.iter().for_each(|section| eprintln!("\n{section}"));
        self.report.sections.extend(sections);
        self.report.save(self.arguments.json.as_deref())
    }
}

async fn lists(title: &str, questions: impl Fn(&Size) -> Vec<Question>, large: &Side, small: &Side) -> Section {
    let mut rows = Vec::new();
    for (question, small_question) in questions(&large.size).into_iter().zip(questions(&small.size)) {
        let asked = match large.ask(question.caller, &question.uri, Effort::FULL).await {
            Ok(asked) => asked,
            Err(error) => {
                rows.push(Row { aim: question.aim, ..Row::failed(question.what, &error) });
                continue;
            }
        };
        let beside = small.ask(small_question.caller, &small_question.uri, Effort::FULL).await;
        let matches = asked.timed.matches;
        let is_off = question.expected.filter(|expected| *expected != matches);
        rows.push(Row {
            matches: Some(matches),
            first: Some(millis(asked.first)),
            beside: beside.ok().map(|asked| millis(asked.timed.median)),
            database: asked.database,
            aim: question.aim,
            note: is_off.map(|expected| format!("{expected} were expected")).unwrap_or_default(),
            ..Row::new(question.what, millis(asked.timed.median)).p99(millis(asked.timed.p99))
        });
    }
    Section::new(title, "median ms", "1,000 groups", rows)
}
