//! The figures: as Markdown for people, as JSON for programs.

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// What a figure is to reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    Under(f64),
    AtLeast(f64),
    /// Of the figure to the one beside it.
    RatioUnder(f64),
    RatioAtLeast(f64),
}

/// One figure, and what it is held against.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    pub what: String,
    /// How many things were found.
    pub matches: Option<u64>,
    /// The median, or the only one.
    pub figure: Option<f64>,
    pub p99: Option<f64>,
    /// The first time it was asked.
    pub first: Option<f64>,
    /// The figure it is compared with.
    pub beside: Option<f64>,
    /// The database's own milliseconds for one of them.
    pub database: Option<f64>,
    pub aim: Option<Aim>,
    /// What there is to say, such as why there is no figure.
    pub note: String,
}

/// Figures of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    title: String,
    unit: &'static str,
    /// What [`Row::beside`] is a figure of.
    beside: String,
    pub rows: Vec<Row>,
}

/// Everything that was measured.
#[derive(Default, Serialize)]
pub struct Report {
    /// What it was measured on.
    pub heading: Vec<String>,
    pub sections: Vec<Section>,
    /// Lines of a table that is no list of rows.
    pub appendix: Vec<String>,
}

impl Aim {
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

impl fmt::Display for Aim {
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
    pub fn new(what: impl Into<String>, figure: f64) -> Self {
        Self { what: what.into(), figure: Some(figure), ..Self::default() }
    }

    /// One that could not be measured.
    pub fn failed(what: impl Into<String>, error: &anyhow::Error) -> Self {
        Self { what: what.into(), note: format!("{error:#}").chars().take(200).collect(), ..Self::default() }
    }

    pub fn aim(self, aim: Aim) -> Self {
        Self { aim: Some(aim), ..self }
    }

    pub fn beside(self, beside: f64) -> Self {
        Self { beside: Some(beside), ..self }
    }

    pub fn p99(self, p99: f64) -> Self {
        Self { p99: Some(p99), ..self }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.figure? / self.beside?).filter(|ratio| ratio.is_finite())
    }

    /// "yes" or "**no**" where there is an aim.
    pub fn mark(&self) -> &'static str {
        match self.aim.map(|aim| aim.is_met(self)) {
            None => "",
            Some(Some(true)) => "yes",
            Some(_) => "**no**",
        }
    }
}

impl Section {
    pub fn new(title: impl Into<String>, unit: &'static str, beside: impl Into<String>, rows: Vec<Row>) -> Self {
        Self { title: title.into(), unit, beside: beside.into(), rows }
    }
}

impl Report {
    /// Writes it as JSON, as far as it is.
    pub fn save(&self, path: Option<&Path>) -> anyhow::Result<()> {
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
    /// A table with the columns that a row has something in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map(short).unwrap_or_default();
        type Cell<'a> = Box<dyn Fn(&Row) -> String + 'a>;
        let columns: [(String, Cell<'_>); 9] = [
            ("found".to_owned(), Box::new(|row| row.matches.map(|matches| matches.to_string()).unwrap_or_default())),
            (self.unit.to_owned(), Box::new(|row| number(row.figure))),
            ("p99".to_owned(), Box::new(|row| number(row.p99))),
            ("first time".to_owned(), Box::new(|row| number(row.first))),
            (self.beside.clone(), Box::new(|row| number(row.beside))),
            ("ratio".to_owned(), Box::new(|row| number(row.ratio()))),
            ("database ms".to_owned(), Box::new(|row| number(row.database))),
            ("aim".to_owned(), Box::new(|row| row.aim.map(|aim| aim.to_string()).unwrap_or_default())),
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

/// Three digits that count.
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
