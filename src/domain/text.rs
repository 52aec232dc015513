//! How text is compared: one folding for every comparison, search and order, on every store.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// The form under which text is compared, searched and sorted: canonical composition (NFC) of the full case
/// folding. Byte order of two folded texts is their order in lists.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfc().collect()
}

/// Whether the text has nothing but White_Space (or nothing at all).
pub fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// The rule a text member breaks, or `None`: at most `max` Unicode scalar values, and no NUL.
pub fn broken_rule(text: &str, max: usize) -> Option<String> {
    if text.contains('\0') {
        Some("must not contain a NUL character".to_owned())
    } else if text.len() > max && text.chars().count() > max {
        Some(format!("must not be longer than {max} characters"))
    } else {
        None
    }
}

/// The rule a required text member breaks, or `None`: not blank, and as [`broken_rule`].
pub fn broken_required_rule(text: &str, max: usize) -> Option<String> {
    if is_blank(text) { Some("is required and must not be blank".to_owned()) } else { broken_rule(text, max) }
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
    fn length_is_counted_in_scalar_values() {
        assert_eq!(broken_rule(&"é".repeat(100), 100), None);
        assert!(broken_rule(&"é".repeat(101), 100).is_some());
        assert!(broken_rule("a\0b", 100).is_some());
        assert!(broken_required_rule(" \u{3000}", 100).is_some());
    }
}
