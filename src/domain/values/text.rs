//! Text: its case folding, which every comparison, search and sort of every store uses, and its rules.

use std::fmt;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// Returns the form in which text is compared, searched and sorted: full case folding, then canonical composition
/// (NFC). Lists sort folded texts by their bytes.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfc().collect()
}

/// A version of Unicode.
type UnicodeVersion = [u64; 3];

/// The tables that [`fold`] uses, by their versions of Unicode. Texts with characters that are new in a version may fold
/// in another way than before it. As text: the version of case folding, then that of normalization, `16.0.0 17.0.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoldingTables {
    case_folding: UnicodeVersion,
    normalization: UnicodeVersion,
}

impl FoldingTables {
    /// The tables of this program.
    pub const CURRENT: Self = {
        let (case_folding, normalization) = (caseless::UNICODE_VERSION, unicode_normalization::UNICODE_VERSION);
        Self {
            case_folding: [case_folding.0, case_folding.1, case_folding.2],
            normalization: [normalization.0 as u64, normalization.1 as u64, normalization.2 as u64],
        }
    };

    /// Parses the text form; `None` if the text has another.
    pub fn parse(text: &str) -> Option<Self> {
        let (case_folding, normalization) = text.split_once(' ')?;
        Some(Self { case_folding: parse_version(case_folding)?, normalization: parse_version(normalization)? })
    }

    /// Whether one of the tables is newer than its counterpart in `other`.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.case_folding > other.case_folding || self.normalization > other.normalization
    }
}

fn parse_version(text: &str) -> Option<UnicodeVersion> {
    let numbers: Option<Vec<u64>> = text.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

impl fmt::Display for FoldingTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([a, b, c], [d, e, g]) = (self.case_folding, self.normalization);
        write!(f, "{a}.{b}.{c} {d}.{e}.{g}")
    }
}

/// Whether the text is empty or only white space (Unicode's White_Space).
pub fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Returns the rule that a text field breaks, if it does: at most `max` Unicode scalar values, and no NUL.
pub fn broken_rule(text: &str, max: usize) -> Option<String> {
    if text.contains('\0') {
        Some("must not contain a NUL character".to_owned())
    } else if text.len() > max && text.chars().count() > max {
        Some(format!("must not be longer than {max} characters"))
    } else {
        None
    }
}

/// Returns the rule that a required text field breaks, if it does: not blank, and the rules of [`broken_rule`].
pub fn broken_required_rule(text: &str, max: usize) -> Option<String> {
    if is_blank(text) { Some("is required and must not be blank".to_owned()) } else { broken_rule(text, max) }
}

/// Returns the text without the byte order mark that some editors write at the start of a file. A JSON parser may
/// ignore it (RFC 8259, section 8.1).
pub fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_ignores_case_and_composition() {
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("É"), fold("e\u{301}"));
        assert_eq!(fold("ΌΣΟΣ"), fold("όσος"));
        assert_ne!(fold("e"), fold("é"));
    }

    #[test]
    fn tables_are_compared_one_by_one() {
        let parse = |text: &str| FoldingTables::parse(text).unwrap();
        assert_eq!(parse(&FoldingTables::CURRENT.to_string()), FoldingTables::CURRENT);
        let tables = parse("9.2.0 10.0.0");
        assert!(parse("10.0.0 10.0.0").is_newer_than(&tables) && parse("1.0.0 10.0.1").is_newer_than(&tables));
        assert!(!tables.is_newer_than(&tables) && !parse("9.1.9 10.0.0").is_newer_than(&tables));
        for bad in ["", "16.0.0", "16.0 17.0.0", "16.0.0 17.0.0.0", "16.0.0 x.0.0", "16.0.0  17.0.0"] {
            assert_eq!(FoldingTables::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn new_tables_are_announced() {
        let announcement =
            "the changelog says that nodes cannot be replaced one by one (docs/operations.md, section 10)";
        assert_eq!(FoldingTables::CURRENT.to_string(), "16.0.0 18.0.0", "{announcement}");
    }

    #[test]
    fn length_is_counted_in_scalar_values() {
        assert_eq!(broken_rule(&"é".repeat(100), 100), None);
        assert!(broken_rule(&"é".repeat(101), 100).is_some());
        assert!(broken_rule("a\0b", 100).is_some());
        assert!(broken_required_rule(" \u{3000}", 100).is_some());
    }
}
