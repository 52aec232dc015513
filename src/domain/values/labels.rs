//! Labels: the names of a group by language.

use std::fmt;

use oxilangtag::LanguageTag;

use super::text;
use crate::json::write_string;

/// A BCP 47 language tag in its original case. `==` is sensitive to case, because a new case is a change to store;
/// [`Tag::same_language`] is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// Parses a well-formed tag (RFC 5646, section 2.1); `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        LanguageTag::parse(text).ok().map(|tag| Self(tag.into_inner().to_owned()))
    }

    /// The tag in its original case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both tags are the same without regard to case. `en` and `en-US` are different languages.
    pub fn same_language(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// The labels of a group: at least one, sorted by the lower-case tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<(Tag, String)>);

impl Labels {
    /// The maximum number of labels of a group.
    pub const MAX: usize = 64;
    /// The maximum length of a label, and so of a group's Name, in characters.
    pub const MAX_CHARS: usize = 100;

    /// Checks and sorts the labels. Fails with the broken rule (docs/core.md, section 3).
    pub fn new(mut labels: Vec<(Tag, String)>) -> Result<Self, String> {
        if labels.is_empty() {
            return Err("must hold at least one label".to_owned());
        }
        if labels.len() > Self::MAX {
            return Err(format!("must not hold more than {} labels", Self::MAX));
        }
        for (tag, label) in &labels {
            if let Some(rule) = text::broken_required_rule(label, Self::MAX_CHARS) {
                return Err(format!("is wrong in '{}': the label {rule}", tag.as_str()));
            }
        }
        labels.sort_by_cached_key(|(tag, _)| tag.key());
        match labels.windows(2).find(|pair| pair[0].0.same_language(&pair[1].0)) {
            Some(pair) => Err(format!("must not name the language '{}' twice", pair[0].0.as_str())),
            None => Ok(Self(labels)),
        }
    }

    /// Returns the labels of a new group with only a name, as the label in the default language. Does not check the
    /// name.
    pub fn named(default_language: &Tag, name: String) -> Self {
        Self(vec![(default_language.clone(), name)])
    }

    /// Returns the labels with `name` as the label in the default language. Does not check the name.
    pub fn with_name(&self, default_language: &Tag, name: &str) -> Self {
        let mut labels = self.0.clone();
        match labels.iter_mut().find(|(tag, _)| tag.same_language(default_language)) {
            Some((_, label)) => name.clone_into(label),
            None => {
                let key = default_language.key();
                let at = labels.partition_point(|(tag, _)| tag.key() < key);
                labels.insert(at, (default_language.clone(), name.to_owned()));
            }
        }
        Self(labels)
    }

    /// Returns the labels with these changes: a text sets the label of the language, `None` removes it. Fails with the
    /// broken rule.
    pub fn merged(&self, changes: &[(Tag, Option<String>)]) -> Result<Self, String> {
        let changed = |tag: &Tag| changes.iter().any(|(language, _)| language.same_language(tag));
        let kept = self.0.iter().filter(|(tag, _)| !changed(tag)).cloned();
        let set = changes.iter().filter_map(|(tag, label)| Some((tag.clone(), label.clone()?)));
        Self::new(kept.chain(set).collect())
    }

    /// The group's Name: the label in the default language; the first label if there is none.
    pub fn name(&self, default_language: &Tag) -> &str {
        let own = self.0.iter().find(|(tag, _)| tag.same_language(default_language));
        own.or(self.0.first()).map_or("", |(_, label)| label)
    }

    /// The pairs of tag and label, sorted by tag.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, label)| (tag.as_str(), label.as_str()))
    }

    /// Returns labels read from a store, without checking or sorting them: that was done before they were stored.
    pub fn from_stored(labels: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(labels.into_iter().map(|(tag, label)| (Tag(tag), label)).collect())
    }
}

impl fmt::Display for Labels {
    /// Writes a JSON object from tag to label, sorted by tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (tag, label)) in self.iter().enumerate() {
            f.write_str(if at == 0 { "{" } else { "," })?;
            write_string(f, tag)?;
            f.write_str(":")?;
            write_string(f, label)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Tag {
        Tag::parse(text).unwrap()
    }

    fn labels(pairs: &[(&str, &str)]) -> Result<Labels, String> {
        Labels::new(pairs.iter().map(|(language, label)| (tag(language), (*label).to_owned())).collect())
    }

    #[test]
    fn are_ordered_by_tag_and_unique_without_case() {
        let ordered = labels(&[("it", "Gruppo"), ("EN", "Group"), ("en-US", "Group!")]).unwrap();
        let tags: Vec<_> = ordered.iter().map(|(tag, _)| tag).collect();
        assert_eq!(tags, ["EN", "en-US", "it"]);
        assert!(labels(&[("en", "a"), ("EN", "b")]).is_err());
        assert!(labels(&[]).is_err());
        assert!(labels(&[("en", " ")]).is_err());
        assert!(Tag::parse("en_US").is_none() && Tag::parse("").is_none());
    }

    #[test]
    fn are_printed_as_json() {
        let both = labels(&[("it", "B"), ("en", "The \"A\"")]).unwrap();
        assert_eq!(both.to_string(), r#"{"en":"The \"A\"","it":"B"}"#);
    }

    #[test]
    fn the_name_is_the_default_language_or_the_first() {
        let both = labels(&[("de", "Gruppe"), ("it", "Gruppo")]).unwrap();
        assert_eq!(both.name(&tag("IT")), "Gruppo");
        assert_eq!(both.name(&tag("en")), "Gruppe");
        let renamed = both.with_name(&tag("en"), "Group");
        assert_eq!(renamed.iter().collect::<Vec<_>>(), [("de", "Gruppe"), ("en", "Group"), ("it", "Gruppo")]);
        assert_eq!(renamed.with_name(&tag("EN"), "G").name(&tag("en")), "G");
    }
}
