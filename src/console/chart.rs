//! Drawings of numbers by day, as attributes of SVG. A number that is `None` is not known and leaves a gap.

/// A bar of a chart that is 96 units high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// The left edge.
    pub x: usize,
    /// The upper edge.
    pub y: u64,
    /// The height, at least 1.
    pub height: u64,
    /// Whether the number is zero.
    pub is_zero: bool,
}

/// Returns the bars of the numbers, each 8 units wide, 10 units apart. The highest is 90 units high.
pub(super) fn bars(values: &[Option<u64>]) -> Vec<Bar> {
    let most = values.iter().flatten().max().copied().unwrap_or_default();
    let bar = |(at, value): (usize, &Option<u64>)| {
        let height = scaled((*value)?, most, 90).max(1);
        Some(Bar { x: at * 10 + 1, y: 96 - height, height, is_zero: *value == Some(0) })
    };
    values.iter().enumerate().filter_map(bar).collect()
}

/// Returns the points of a line through the numbers, one unit apart, between 10 (the greatest) and 150 (the least).
pub(super) fn line(values: &[Option<u64>]) -> String {
    let known = values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?)));
    let least = values.iter().flatten().min().copied().unwrap_or_default();
    let span = values.iter().flatten().max().map_or(0, |most| most - least);
    let point = |(at, value): (usize, u64)| format!("{at},{}", 150 - scaled(value - least, span, 140));
    known.map(point).collect::<Vec<_>>().join(" ")
}

/// Returns the part of `height` that the value is of the whole; 0 of nothing.
fn scaled(value: u64, whole: u64, height: u64) -> u64 {
    let part = (u128::from(value) * u128::from(height)).checked_div(whole.into());
    part.and_then(|part| u64::try_from(part).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_numbers() {
        let drawn = bars(&[Some(0), None, Some(u64::MAX), Some(u64::MAX / 2), Some(3)]);
        let places: Vec<_> = drawn.iter().map(|bar| (bar.x, bar.y, bar.height, bar.is_zero)).collect();
        assert_eq!(places, [(1, 95, 1, true), (21, 6, 90, false), (31, 52, 44, false), (41, 95, 1, false)]);
        assert_eq!(bars(&[Some(0), None]).len(), 1);
    }

    #[test]
    fn a_line_goes_from_the_least_to_the_greatest() {
        assert_eq!(line(&[Some(100), None, Some(150), Some(200)]), "0,150 2,80 3,10");
        assert_eq!(line(&[Some(7), Some(7)]), "0,150 1,150");
        assert_eq!(line(&[None]), "");
    }
}
