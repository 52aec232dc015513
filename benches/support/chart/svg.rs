//! Elements of charts: SVG for light and dark pages, in a font that every system has.

/// The width of every chart.
pub(super) const WIDTH: f64 = 860.0;

/// Greys and colours, with lighter ones for dark pages.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-size:16px;font-weight:600;fill:#24292f}\
.axis{stroke:#8c959f;stroke-opacity:.35}.line{fill:none;stroke-width:2;stroke-linejoin:round}\
.bar{fill:#8c959f}.own{fill:#0969da}\
@media (prefers-color-scheme:dark){text{fill:#9da7b3}.title{fill:#e6edf3}.own{fill:#4493f8}}";

/// A complete picture of this height around its content.
pub(super) fn picture(title: &str, height: f64, drawn: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>{STYLE}</style>\n<text class=\"title\" x=\"12\" y=\"26\">{title}</text>\n{drawn}</svg>\n"
    )
}

/// A text that starts, is centred or ends at `x`: `start`, `middle` or `end`.
pub(super) fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(text))
}

/// The text with XML's special characters escaped.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
