//! Lists for people and programs: columns that are aligned on a terminal, and separated by tabs elsewhere.

use std::io::{self, IsTerminal as _, Write};

/// The number of lines that are aligned at a time, so that a long list is neither held in memory nor waited for.
const ALIGNED: usize = 1_000;
/// The space between two columns.
const GAP: usize = 2;

/// A list that is being printed.
pub(super) struct Table<W: Write = io::Stdout> {
    out: W,
    /// Whether columns are aligned.
    aligns: bool,
    /// The lines that are not printed yet.
    lines: Vec<String>,
    /// The widths of the columns so far, in characters.
    widths: Vec<usize>,
}

impl Table {
    /// A list on standard output.
    pub(super) fn new() -> Self {
        Self::on(io::stdout(), io::stdout().is_terminal())
    }
}

impl<W: Write> Table<W> {
    fn on(out: W, aligns: bool) -> Self {
        Self { out, aligns, lines: Vec::new(), widths: Vec::new() }
    }

    /// Prints a line whose cells are separated by tabs, at once or when its columns are aligned.
    pub(super) fn line(&mut self, line: impl Into<String>) -> io::Result<()> {
        let line = line.into();
        if !self.aligns {
            return writeln!(self.out, "{line}");
        }
        self.lines.push(line);
        if self.lines.len() < ALIGNED { Ok(()) } else { self.flush() }
    }

    /// Prints what is not printed yet. To be called at the end of the list.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        for line in &self.lines {
            for (at, cell) in line.split('\t').enumerate() {
                let width = cell.chars().count();
                match self.widths.get_mut(at) {
                    Some(widest) => *widest = (*widest).max(width),
                    None => self.widths.push(width),
                }
            }
        }
        for line in self.lines.drain(..) {
            let cells = line.split('\t').zip(&self.widths);
            let aligned: String = cells.map(|(cell, width)| format!("{cell:0$}", width + GAP)).collect();
            writeln!(self.out, "{}", aligned.trim_end())?;
        }
        self.out.flush()
    }
}

/// Prints the rest also if the list ends with an error.
impl<W: Write> Drop for Table<W> {
    fn drop(&mut self) {
        let _unprintable = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(aligns: bool, lines: &[&str]) -> String {
        let mut out = Vec::new();
        let mut table = Table::on(&mut out, aligns);
        lines.iter().for_each(|line| table.line(*line).unwrap());
        table.flush().unwrap();
        drop(table);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_on_a_terminal_and_separated_by_tabs_elsewhere() {
        let lines = ["ID\tNAME\tBY", "a\tÄrzte\t-", "longer\t\tuser root"];
        assert_eq!(printed(false, &lines), "ID\tNAME\tBY\na\tÄrzte\t-\nlonger\t\tuser root\n");
        assert_eq!(printed(true, &lines), "ID      NAME   BY\na       Ärzte  -\nlonger         user root\n");
        assert_eq!(printed(true, &[]), "");
    }

    #[test]
    fn a_long_list_is_printed_in_parts_that_do_not_get_narrower() {
        let mut lines = vec!["wide column\tx"];
        lines.extend(std::iter::repeat_n("a\tx", ALIGNED));
        let text = printed(true, &lines);
        assert_eq!(text.lines().count(), ALIGNED + 1);
        assert!(text.lines().skip(1).all(|line| line == "a            x"));
    }
}
