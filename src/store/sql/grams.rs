//! Grams: the single characters and neighbouring pairs of a text, with the number of its field. An index of them
//! finds substrings of one or two characters, for which an index of trigrams has nothing.

use std::collections::BTreeSet;

/// One or two characters that stand next to each other in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gram {
    /// The field's place among the text fields of its kind of thing.
    pub field: usize,
    pub first: char,
    pub second: Option<char>,
}

impl Gram {
    /// The gram that finds `term` in the field; `None` where the term is not of one or two characters.
    pub fn of(field: usize, term: &str) -> Option<Self> {
        let mut characters = term.chars();
        let gram = Self { field, first: characters.next()?, second: characters.next() };
        characters.next().is_none().then_some(gram)
    }

    /// The gram as a number of its own: 21 bits for each character, the field above them.
    pub fn number(&self) -> i64 {
        // One more than the code point, so that no second character is told from any.
        let second = self.second.map_or(0, |character| i64::from(u32::from(character)) + 1);
        (self.field as i64) << 42 | i64::from(u32::from(self.first)) << 21 | second
    }
}

/// All different grams of the fields, ordered by field.
pub fn grams(fields: &[String]) -> BTreeSet<Gram> {
    let mut grams = BTreeSet::new();
    for (field, text) in fields.iter().enumerate() {
        let followers = text.chars().skip(1).map(Some).chain([None]);
        for (first, second) in text.chars().zip(followers) {
            grams.insert(Gram { field, first, second: None });
            grams.insert(Gram { field, first, second });
        }
    }
    grams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_are_told_apart_by_field_and_length() {
        let grams = grams(&["ab".into(), "b".into(), String::new()]);
        let told: Vec<_> = grams.iter().map(|gram| (gram.field, gram.first, gram.second)).collect();
        assert_eq!(told, [(0, 'a', None), (0, 'a', Some('b')), (0, 'b', None), (1, 'b', None)]);
    }

    #[test]
    fn a_gram_comes_once() {
        assert_eq!(grams(&["aaaa".into()]).len(), 2);
    }

    #[test]
    fn terms_of_other_lengths_have_none() {
        assert_eq!(Gram::of(1, ""), None);
        assert_eq!(Gram::of(1, "abc"), None);
        assert_eq!(Gram::of(1, "é"), Some(Gram { field: 1, first: 'é', second: None }));
        assert_eq!(Gram::of(0, "ab"), Some(Gram { field: 0, first: 'a', second: Some('b') }));
    }

    #[test]
    fn numbers_are_different_and_positive() {
        let ends = ['\u{1}', 'a', char::MAX];
        let mut grams = Vec::new();
        for field in [0, 1, 4] {
            for first in ends {
                grams.extend([None, Some('\u{1}'), Some(char::MAX)].map(|second| Gram { field, first, second }));
            }
        }
        let numbers: BTreeSet<i64> = grams.iter().map(Gram::number).collect();
        assert_eq!(numbers.len(), grams.len());
        assert!(numbers.iter().all(|number| *number > 0));
        assert_eq!(Gram::of(1, "ab").unwrap().number(), (1 << 42) | (0x61 << 21) | 0x63);
    }
}
