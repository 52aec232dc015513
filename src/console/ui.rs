//! Small parts of pages that several templates use.

use std::fmt;

use askama::filters::{Html as HtmlEscaper, HtmlSafe, escape};

use super::assets;
use super::messages;

/// HTML that a template does not escape again.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Takes HTML whose texts from outside are escaped.
    pub(super) fn new(html: String) -> Self {
        Self(html)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// The text as HTML.
pub(super) fn escaped(text: &str) -> String {
    escape(text, HtmlEscaper).map(|text| text.to_string()).unwrap_or_default()
}

/// The icon with the name, which says nothing to a screen reader.
pub(super) fn icon(name: &str) -> Html {
    Html(format!("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{}#{name}\"/></svg>", assets::path("icons.svg")))
}

/// The whole number with its thousands grouped: `1,048,576`.
pub(super) fn number<T: Copy + TryInto<i64>>(number: &T) -> String {
    let number = (*number).try_into().unwrap_or(i64::MAX);
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(messages::THOUSANDS);
        }
        grouped.push(digit);
    }
    if number < 0 { format!("−{grouped}") } else { grouped }
}

/// The number as [`number`] writes it; a dash if it is not known.
pub(super) fn known(value: Option<u64>) -> String {
    value.as_ref().map_or_else(|| "–".to_owned(), number)
}

/// The number of bytes in the largest unit that leaves at least 1: `18.4 GiB`.
pub(super) fn size(bytes: &u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut tenths, mut unit) = (u128::from(*bytes) * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A text with a button that copies it. `what` names the text for the button.
pub(super) fn copyable(text: &str, what: &str) -> Html {
    let (text, label) = (escaped(text), escaped(&messages::copy(what)));
    Html(format!(
        "<span class=\"copy\"><code>{text}</code><button type=\"button\" data-copy=\"{text}\" aria-label=\"{label}\" \
         title=\"{label}\" hidden>{}</button></span>",
        icon("copy")
    ))
}

/// The first letters of the first and the last word of a name, for its picture. Letters that have no case stand alone.
pub(super) fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    let cased = |letter: &char| letter.is_uppercase() || letter.is_lowercase() || letter.is_ascii_digit();
    let last = last.filter(|last| cased(last) && first.as_ref().is_some_and(cased));
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// The picture of a person.
pub(super) fn avatar(name: &str) -> Html {
    Html(format!("<span class=\"avatar\" aria-hidden=\"true\">{}</span>", escaped(&initials(name))))
}

/// The picture of a program.
pub(super) fn machine(name: &str) -> Html {
    Html(format!("<span class=\"avatar machine\" aria-hidden=\"true\">{}</span>", escaped(&initials(name))))
}

/// A link with the name as its text. The path is one of this program, percent-encoded.
pub(super) fn link(path: &str, text: &Html) -> Html {
    Html(format!("<a href=\"{}\">{text}</a>", escaped(path)))
}

/// The text as the code that a program reads.
pub(super) fn code(text: &str) -> Html {
    Html(format!("<code>{}</code>", escaped(text)))
}

/// A name from outside, set apart from the text around it, so that its direction does not change theirs.
pub(super) fn name(text: &str) -> Html {
    Html(format!("<bdi>{}</bdi>", escaped(text)))
}

/// As [`name`], in the language with the tag.
pub(super) fn label(text: &str, tag: &str) -> Html {
    marked_label(text, tag, "")
}

/// Whether the language with the tag is written from right to left.
pub(super) fn is_right_to_left(tag: &str) -> bool {
    const LANGUAGES: [&str; 12] = ["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"];
    let language = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    LANGUAGES.contains(&&*language)
}

/// The text with what a search found marked. The comparison ignores the case of letters.
pub(super) fn marked(text: &str, term: &str) -> Html {
    let term = term.trim().to_lowercase();
    let folded: Vec<(usize, char)> =
        text.char_indices().flat_map(|(at, letter)| letter.to_lowercase().map(move |lower| (at, lower))).collect();
    let term: Vec<char> = term.chars().collect();
    if term.is_empty() {
        return Html(escaped(text));
    }
    let (mut html, mut end, mut at) = (String::new(), 0, 0);
    while at + term.len() <= folded.len() {
        let found = folded[at..].iter().zip(&term).all(|((_, letter), wanted)| letter == wanted);
        if found {
            let (from, to) = (folded[at].0, folded.get(at + term.len()).map_or(text.len(), |(next, _)| *next));
            if from >= end && to > from {
                html += &format!("{}<mark>{}</mark>", escaped(&text[end..from]), escaped(&text[from..to]));
                end = to;
            }
            at += term.len();
        } else {
            at += 1;
        }
    }
    html += &escaped(&text[end..]);
    Html(html)
}

/// As [`label`], with what a search found marked.
pub(super) fn marked_label(text: &str, tag: &str, term: &str) -> Html {
    let direction = if is_right_to_left(tag) { " dir=\"rtl\"" } else { "" };
    Html(format!("<bdi lang=\"{}\"{direction}>{}</bdi>", escaped(tag), marked(text, term)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (value, text) in
            [(0_i64, "0"), (999, "999"), (1_000, "1,000"), (1_048_576, "1,048,576"), (-12_440, "−12,440")]
        {
            assert_eq!(number(&value), text);
        }
    }

    #[test]
    fn sizes_have_the_largest_unit() {
        let (mib, gib) = (1_u64 << 20, 1_u64 << 30);
        for (bytes, text) in
            [(0, "0.0 KiB"), (1_536, "1.5 KiB"), (mib - 1, "1023.9 KiB"), (mib, "1.0 MiB"), (37 * gib / 2, "18.5 GiB")]
        {
            assert_eq!(size(&bytes), text);
        }
    }

    #[test]
    fn initials_are_those_of_the_first_and_last_word() {
        for (name, letters) in
            [("Ada Lindqvist", "AL"), ("Bram de Wit", "BW"), ("shop", "S"), ("ليلى الحداد", "ل"), ("", "")]
        {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn what_was_found_is_marked() {
        for (text, term, html) in [
            ("Support team", "SUPP", "<mark>Supp</mark>ort team"),
            ("<b>", "b", "&#60;<mark>b</mark>&#62;"),
            ("İstanbul", "st", "İ<mark>st</mark>anbul"),
            ("aaa", "aa", "<mark>aa</mark>a"),
            ("x", "", "x"),
        ] {
            assert_eq!(marked(text, term).to_string(), html, "{text}");
        }
    }
}
