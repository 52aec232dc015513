//! A chart of lines over a common axis.

#[path = "svg.rs"]
mod svg;

use std::fmt::Write as _;

use svg::{WIDTH, escaped, picture, text};

const HEIGHT: f64 = 300.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 260.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const STEPS: u32 = 4;
/// Dark enough for white pages and light enough for black ones.
const COLOURS: [&str; 6] = ["#2f81f7", "#d4772c", "#2da44e", "#a371f7", "#d1467e", "#8c959f"];

/// Draws lines through their points, over common axes: `unit` is the unit of `y`. Both axes begin at zero.
pub(crate) fn lines<N: AsRef<str>>(title: &str, unit: &str, lines: &[(N, Vec<(f64, f64)>)]) -> String {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let width = points().map(|(x, _)| *x).fold(f64::MIN_POSITIVE, f64::max);
    let height = round_up(points().map(|(_, y)| *y).fold(f64::MIN_POSITIVE, f64::max));
    let across = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * x / width;
    let down = |y: f64| BOTTOM - (BOTTOM - TOP) * y / height;
    let mut drawn = axes(unit, width, height, across, down);
    for (at, (name, points)) in lines.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", across(*x), down(*y))).collect();
        _ = writeln!(drawn, "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>", points.join(" "));
        let (x, name) = (LEFT + 20.0 + at as f64 * 140.0, escaped(name.as_ref()));
        _ = writeln!(drawn, "<rect x=\"{x}\" y=\"40\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{colour}\"/>");
        _ = writeln!(drawn, "<text x=\"{}\" y=\"51\">{name}</text>", x + 17.0);
    }
    picture(title, HEIGHT, &drawn)
}

fn axes(unit: &str, width: f64, height: f64, across: impl Fn(f64) -> f64, down: impl Fn(f64) -> f64) -> String {
    let mut drawn = String::new();
    for step in 0..=STEPS {
        let part = f64::from(step) / f64::from(STEPS);
        let (x, y) = (width * part, height * part);
        let right = WIDTH - RIGHT;
        _ = writeln!(drawn, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>", down(y));
        drawn += &text(LEFT - 8.0, down(y) + 4.0, "end", &number(y));
        drawn += &text(across(x), BOTTOM + 20.0, if step == STEPS { "end" } else { "middle" }, &number(x));
    }
    drawn + &text(12.0, TOP - 12.0, "start", unit) + &text((LEFT + WIDTH) / 2.0, HEIGHT - 4.0, "middle", "seconds")
}

/// The next of 1, 2, 4, 8 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 8.0].into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(10.0 * power)
}

fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e4 => format!("{}k", value / 1e3),
        value if value >= 10.0 => format!("{value:.0}"),
        value => format!("{}", (value * 100.0).round() / 100.0),
    }
}
