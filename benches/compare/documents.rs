//! The output of a run: the tables in performance.md, a chart of reads and one of creates.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::bars::bars;
use super::report::Report;
use super::workload::{USUAL, Workload};

const BEGIN: &str = "<!-- compare:begin -->";
const END: &str = "<!-- compare:end -->";

/// Writes them into the folder. They replace the text between the marks in performance.md.
pub(crate) fn write(folder: &Path, report: &Report) -> anyhow::Result<()> {
    let page = folder.join("performance.md");
    let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{} has no {BEGIN}", page.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{} has no {END}", page.display()))?;
    fs::write(&page, format!("{before}{BEGIN}\n{report}{END}{after}"))?;
    let connections = format!("per second, {USUAL} connections");
    let reads = chart(report, &format!("Groups read by their key, {connections}"), Workload::Read);
    let creates = chart(report, &format!("Groups created durably, {connections}"), Workload::Create);
    fs::write(folder.join("comparison.svg"), reads)?;
    Ok(fs::write(folder.join("comparison-creates.svg"), creates)?)
}

fn chart(report: &Report, title: &str, workload: Workload) -> String {
    let rates = report.rates(workload).into_iter();
    let rows: Vec<_> = rates.map(|(name, rate)| (name, rate, format!("{rate:.0}"))).collect();
    bars(title, &rows)
}
