//! What a run leaves behind: the tables in performance.md, and a chart of the reads and one of the creates.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::bars::bars;
use super::question::{Question, USUAL};
use super::report::Report;

const BEGIN: &str = "<!-- compare:begin -->";
const END: &str = "<!-- compare:end -->";

/// Writes them into the folder. What was between the marks of performance.md before is gone.
pub fn write(folder: &Path, report: &Report) -> anyhow::Result<()> {
    let page = folder.join("performance.md");
    let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{} has no {BEGIN}", page.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{} has no {END}", page.display()))?;
    fs::write(&page, format!("{before}{BEGIN}\n{report}{END}{after}"))?;
    let connections = format!("a second, {USUAL} connections");
    let reads = chart(report, &format!("Groups read by their key, {connections}"), Question::Read);
    let creates = chart(report, &format!("Groups created durably, {connections}"), Question::Create);
    fs::write(folder.join("comparison.svg"), reads)?;
    Ok(fs::write(folder.join("comparison-creates.svg"), creates)?)
}

fn chart(report: &Report, title: &str, question: Question) -> String {
    let rates = report.rates(question).into_iter();
    let rows: Vec<_> = rates.map(|(name, rate)| (name, rate, format!("{rate:.0}"))).collect();
    bars(title, &rows)
}
