//! Reasons: what a caller says about why they make a change.

use super::text::broken_required_rule;

/// Why a change is made: 1 to 500 characters that are not all white space, without NUL. The journal keeps it with the
/// change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// The maximum length of a reason, in characters.
    pub const MAX: usize = 500;

    /// Returns the text as a reason. Fails with the rule that the text breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        match broken_required_rule(&text, Self::MAX) {
            None => Ok(Self(text)),
            Some(rule) => Err(rule),
        }
    }

    /// The text of the reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_1_to_500_characters() {
        for good in ["x", " ticket 7 ", &"ü".repeat(500)] {
            assert_eq!(Reason::new(good).unwrap().as_str(), good);
        }
        for bad in ["", " \u{3000}", "a\0b", &"x".repeat(501)] {
            assert!(Reason::new(bad).is_err(), "{bad:?}");
        }
    }
}
