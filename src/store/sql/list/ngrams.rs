//! N-grams: the single characters and pairs of adjacent characters of a text, with the position of its field. An index
//! of them finds substrings of one or two characters, which a trigram index cannot find.

use std::collections::BTreeSet;

/// One character of a field, or two adjacent ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NGram {
    /// The field's position in [`Listing::TEXT_FIELDS`](crate::store::sql::tables::Listing::TEXT_FIELDS).
    pub field: usize,
    /// The first character.
    pub first: char,
    /// The character after it; `None` for a single character.
    pub second: Option<char>,
}

impl NGram {
    /// The n-gram that finds `term` in the field; `None` if the term does not have one or two characters.
    pub(crate) fn of(field: usize, term: &str) -> Option<Self> {
        let mut characters = term.chars();
        let ngram = Self { field, first: characters.next()?, second: characters.next() };
        characters.next().is_none().then_some(ngram)
    }

    /// The n-gram as a number, different for each: 21 bits for each character, the field above them.
    pub(crate) fn number(&self) -> i64 {
        // One more than the code point, so that 0 means that there is no second character.
        let second = self.second.map_or(0, |character| i64::from(u32::from(character)) + 1);
        (self.field as i64) << 42 | i64::from(u32::from(self.first)) << 21 | second
    }
}

/// Returns the distinct n-grams of the fields, ordered by field.
pub(crate) fn ngrams(fields: &[String]) -> BTreeSet<NGram> {
    let mut ngrams = BTreeSet::new();
    for (field, text) in fields.iter().enumerate() {
        let followers = text.chars().skip(1).map(Some).chain([None]);
        for (first, second) in text.chars().zip(followers) {
            ngrams.insert(NGram { field, first, second: None });
            ngrams.insert(NGram { field, first, second });
        }
    }
    ngrams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ngrams_are_distinguished_by_field_and_length() {
        let ngrams = ngrams(&["ab".into(), "b".into(), String::new()]);
        let all: Vec<_> = ngrams.iter().map(|ngram| (ngram.field, ngram.first, ngram.second)).collect();
        assert_eq!(all, [(0, 'a', None), (0, 'a', Some('b')), (0, 'b', None), (1, 'b', None)]);
    }

    #[test]
    fn an_ngram_comes_once() {
        assert_eq!(ngrams(&["aaaa".into()]).len(), 2);
    }

    #[test]
    fn terms_of_other_lengths_have_none() {
        assert_eq!(NGram::of(1, ""), None);
        assert_eq!(NGram::of(1, "abc"), None);
        assert_eq!(NGram::of(1, "é"), Some(NGram { field: 1, first: 'é', second: None }));
        assert_eq!(NGram::of(0, "ab"), Some(NGram { field: 0, first: 'a', second: Some('b') }));
    }

    #[test]
    fn numbers_are_different_and_positive() {
        let ends = ['\u{1}', 'a', char::MAX];
        let mut ngrams = Vec::new();
        for field in [0, 1, 4] {
            for first in ends {
                ngrams.extend([None, Some('\u{1}'), Some(char::MAX)].map(|second| NGram { field, first, second }));
            }
        }
        let numbers: BTreeSet<i64> = ngrams.iter().map(NGram::number).collect();
        assert_eq!(numbers.len(), ngrams.len());
        assert!(numbers.iter().all(|number| *number > 0));
        assert_eq!(NGram::of(1, "ab").unwrap().number(), (1 << 42) | (0x61 << 21) | 0x63);
    }
}
