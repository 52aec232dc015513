//! A horizontal bar chart.

#[path = "svg.rs"]
mod svg;

use std::fmt::Write as _;

use svg::{WIDTH, picture, text};

const TOP: f64 = 44.0;
const ROW: f64 = 28.0;
const LEFT: f64 = 250.0;
/// The space after the longest bar for its note.
const RIGHT: f64 = 170.0;

/// Draws bars of these lengths, each with a label before it and a note after it. The first word of the first label is
/// drawn in the accent colour in all labels: put the subject of the chart first.
pub(crate) fn bars<L: AsRef<str>, N: AsRef<str>>(title: &str, bars: &[(L, f64, N)]) -> String {
    let longest = bars.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let kind = |label: &str| label.split(' ').next().map(str::to_owned);
    let own = bars.first().and_then(|(label, ..)| kind(label.as_ref()));
    let mut drawn = String::new();
    for (row, (label, value, note)) in bars.iter().enumerate() {
        let (y, length) = (TOP + row as f64 * ROW, (WIDTH - LEFT - RIGHT) * value.max(0.0) / longest);
        let class = if kind(label.as_ref()) == own { "own" } else { "bar" };
        drawn += &text(LEFT - 8.0, y + 15.0, "end", label.as_ref());
        _ = writeln!(
            drawn,
            "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"20\" rx=\"2\"/>"
        );
        drawn += &text(LEFT + length + 8.0, y + 15.0, "start", note.as_ref());
    }
    picture(title, TOP + bars.len() as f64 * ROW + 8.0, &drawn)
}
