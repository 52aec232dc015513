//! The figures: as Markdown for people, as JSON for programs.

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// The goal for a figure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// Less than this.
    Under(f64),
    /// This or more.
    AtLeast(f64),
    /// For the ratio of the figure to its baseline.
    RatioUnder(f64),
    /// At least this ratio to its baseline.
    RatioAtLeast(f64),
}

/// A figure, and what it is compared with.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub what: String,
    /// How many entities matched.
    pub matches: Option<u64>,
    /// The median, or the only value.
    pub figure: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The value of the first request.
    pub first: Option<f64>,
    /// The figure it is compared with.
    pub baseline: Option<f64>,
    /// The database's own time for one request, in milliseconds.
    pub database: Option<f64>,
    /// The goal, if there is one.
    pub goal: Option<Goal>,
    /// A note, such as why there is no figure.
    pub note: String,
}

/// Figures of one kind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Section {
    title: String,
    unit: &'static str,
    /// The name of [`Row::baseline`].
    baseline: String,
    /// The figures.
    pub rows: Vec<Row>,
}

/// All figures.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    /// The machine and the directory.
    pub heading: Vec<String>,
    /// The sections in the order of measurement.
    pub sections: Vec<Section>,
    /// Lines of a table that is no list of rows.
    pub appendix: Vec<String>,
}

impl Goal {
    fn is_met(self, row: &Row) -> Option<bool> {
        let (figure, ratio) = (row.figure?, row.ratio());
        Some(match self {
            Self::Under(limit) => figure < limit,
            Self::AtLeast(limit) => figure >= limit,
            Self::RatioUnder(limit) => ratio? < limit,
            Self::RatioAtLeast(limit) => ratio? >= limit,
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Under(limit) => write!(f, "< {limit}"),
            Self::AtLeast(limit) => write!(f, ">= {limit}"),
            Self::RatioUnder(limit) => write!(f, "ratio < {limit}"),
            Self::RatioAtLeast(limit) => write!(f, "ratio >= {limit}"),
        }
    }
}

impl Row {
    /// A figure without a baseline, a goal or a note.
    pub(crate) fn new(what: impl Into<String>, figure: f64) -> Self {
        Self { what: what.into(), figure: Some(figure), ..Self::default() }
    }

    /// A row without a figure, with the reason.
    pub(crate) fn failed(what: impl Into<String>, error: &anyhow::Error) -> Self {
        Self { what: what.into(), note: format!("{error:#}").chars().take(200).collect(), ..Self::default() }
    }

    /// With this goal.
    pub(crate) fn goal(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// With this baseline.
    pub(crate) fn baseline(self, baseline: f64) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// With this 99th percentile.
    pub(crate) fn p99(self, p99: f64) -> Self {
        Self { p99: Some(p99), ..self }
    }

    /// With this note.
    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.figure? / self.baseline?).filter(|ratio| ratio.is_finite())
    }

    /// "yes" or "**no**" if there is a goal.
    pub(crate) fn mark(&self) -> &'static str {
        match self.goal.map(|goal| goal.is_met(self)) {
            None => "",
            Some(Some(true)) => "yes",
            Some(_) => "**no**",
        }
    }
}

impl Section {
    /// A section; `unit` is the unit of the figures, `baseline` the name of the baselines.
    pub(crate) fn new(
        title: impl Into<String>,
        unit: &'static str,
        baseline: impl Into<String>,
        rows: Vec<Row>,
    ) -> Self {
        Self { title: title.into(), unit, baseline: baseline.into(), rows }
    }
}

impl Report {
    /// Writes the report so far as JSON.
    pub(crate) fn save(&self, path: Option<&Path>) -> anyhow::Result<()> {
        let Some(path) = path else { return Ok(()) };
        Ok(std::fs::write(path, serde_json::to_string_pretty(self)?)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.sections.iter().try_for_each(|section| write!(f, "\n{section}"))?;
        self.appendix
            .iter()
            .enumerate()
            .try_for_each(|(at, line)| writeln!(f, "{}{line}", if at == 0 { "\n" } else { "" }))
    }
}

impl fmt::Display for Section {
    /// A table of the columns in which a row has a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map(short).unwrap_or_default();
        type Cell<'a> = Box<dyn Fn(&Row) -> String + 'a>;
        let columns: [(String, Cell<'_>); 9] = [
            ("matches".to_owned(), Box::new(|row| row.matches.map(|matches| matches.to_string()).unwrap_or_default())),
            (self.unit.to_owned(), Box::new(|row| number(row.figure))),
            ("p99".to_owned(), Box::new(|row| number(row.p99))),
            ("first time".to_owned(), Box::new(|row| number(row.first))),
            (self.baseline.clone(), Box::new(|row| number(row.baseline))),
            ("ratio".to_owned(), Box::new(|row| number(row.ratio()))),
            ("database ms".to_owned(), Box::new(|row| number(row.database))),
            ("goal".to_owned(), Box::new(|row| row.goal.map(|goal| goal.to_string()).unwrap_or_default())),
            ("reached".to_owned(), Box::new(|row| row.mark().to_owned())),
        ];
        let shown: Vec<_> =
            columns.iter().filter(|(_, cell)| self.rows.iter().any(|row| !cell(row).is_empty())).collect();
        write!(f, "| {} |", self.title)?;
        shown.iter().try_for_each(|(name, _)| write!(f, " {name} |"))?;
        let has_notes = self.rows.iter().any(|row| !row.note.is_empty());
        writeln!(
            f,
            "{}\n|---|{}{}",
            if has_notes { " |" } else { "" },
            "--:|".repeat(shown.len()),
            if has_notes { "---|" } else { "" }
        )?;
        for row in &self.rows {
            write!(f, "| {} |", row.what)?;
            shown.iter().try_for_each(|(_, cell)| write!(f, " {} |", cell(row)))?;
            writeln!(f, "{}", if has_notes { format!(" {} |", row.note) } else { String::new() })?;
        }
        Ok(())
    }
}

/// Three significant digits.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
