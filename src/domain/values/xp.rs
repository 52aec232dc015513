//! Extended properties (`xp`): a JSON object that callers define, and the entries for filters and sorts.

use std::sync::Arc;

use super::decimal::Decimal;
use super::text::fold;
use super::time::Timestamp;
use crate::json::Json;

/// An xp document within the limits, as compact JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xp(Arc<str>);

impl Xp {
    /// The maximum size, in bytes of compact JSON.
    pub const MAX_BYTES: usize = 8_000;
    /// The maximum number of leaf values: scalars, nulls, empty arrays and empty objects.
    pub const MAX_LEAVES: usize = 500;

    /// Returns the JSON object as a document. Fails with the broken rule (docs/ordercloud.md, section 5).
    pub fn new(json: &Json) -> Result<Self, String> {
        if !matches!(json, Json::Object(_)) {
            return Err("must be an object or null".to_owned());
        }
        let text = json.to_string();
        if text.len() > Self::MAX_BYTES {
            return Err(format!("must not be longer than {} bytes of JSON", Self::MAX_BYTES));
        }
        if count_leaves(json) > Self::MAX_LEAVES {
            return Err(format!("must not hold more than {} values", Self::MAX_LEAVES));
        }
        Ok(Self(text.into()))
    }

    /// Returns this document merged with `patch` (see [`Json::merged`]). Fails with the limit that the result exceeds.
    pub fn merged(&self, patch: &Self) -> Result<Self, String> {
        Self::new(&self.to_json().merged(patch.to_json()))
    }

    /// Returns the present document, or an empty one, after the merge patch (see [`Json::merge_patched`]). Fails with the
    /// limit that the result exceeds.
    pub fn merge_patched(present: Option<&Self>, patch: &Self) -> Result<Self, String> {
        let present = present.map_or_else(|| Json::Object(Vec::new()), Self::to_json);
        Self::new(&present.merge_patched(patch.to_json()))
    }

    /// Whether the document is `{}`.
    pub fn is_empty(&self) -> bool {
        &*self.0 == "{}"
    }

    /// The compact JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document as a JSON value.
    pub fn to_json(&self) -> Json {
        Json::parse(self.0.as_bytes()).unwrap_or(Json::Null)
    }

    /// Returns a document read from a store, without checking it: that was done before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// The entries of the document for filters and sorts: one for each distinct value at each path.
    pub fn entries(&self) -> Vec<XpEntry> {
        let mut entries = Vec::new();
        if let Json::Object(fields) = self.to_json() {
            for (name, value) in &fields {
                add_entries(name, value, &mut entries);
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.value.compare(&b.value)));
        entries.dedup();
        entries
    }
}

fn count_leaves(json: &Json) -> usize {
    match json {
        Json::Array(items) if !items.is_empty() => items.iter().map(count_leaves).sum(),
        Json::Object(fields) if !fields.is_empty() => fields.iter().map(|(_, value)| count_leaves(value)).sum(),
        _ => 1,
    }
}

/// A value at a path. The elements of an array have the path of the array.
#[derive(Clone, Debug, PartialEq)]
pub struct XpEntry {
    /// The names of the nested objects' fields, joined by dots.
    pub path: String,
    /// The value.
    pub value: XpValue,
}

/// A value for filters and sorts. A null has no entry, because it counts as absent.
#[derive(Clone, Debug, PartialEq)]
pub enum XpValue {
    /// An array or object, which is present but equal to nothing.
    Container,
    /// A JSON number: its value, and its case-folded text for comparison as text.
    Number(Decimal, String),
    /// A JSON string or boolean, case-folded.
    Text(String),
}

impl XpValue {
    /// Compares by the sort order of lists: arrays and objects, then numbers by value, then text.
    pub fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |value: &Self| match value {
            Self::Container => 0,
            Self::Number(..) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Number(a, a_text), Self::Number(b, b_text)) => a.cmp(b).then_with(|| a_text.cmp(b_text)),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

fn add_entries(path: &str, value: &Json, entries: &mut Vec<XpEntry>) {
    let mut push = |value| entries.push(XpEntry { path: path.to_owned(), value });
    match value {
        Json::Null => {}
        Json::Bool(value) => push(XpValue::Text(value.to_string())),
        Json::Number(spelling) => push(XpValue::Number(Decimal::from_json_number(spelling), fold(spelling))),
        Json::String(text) => push(XpValue::Text(fold(text))),
        Json::Array(items) => {
            push(XpValue::Container);
            items.iter().for_each(|item| add_entries(path, item, entries));
        }
        Json::Object(fields) => {
            push(XpValue::Container);
            fields.iter().for_each(|(name, value)| add_entries(&format!("{path}.{name}"), value, entries));
        }
    }
}

/// Parses the operand of a filter as an instant (see [`Timestamp::parse_iso`]). Case folding makes its `T` and `Z`
/// lower case, which it accepts.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    Timestamp::parse_iso(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xp(text: &str) -> Result<Xp, String> {
        Xp::new(&Json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn limits_are_exact() {
        let of_bytes = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
        assert!(xp(&of_bytes(8_000)).is_ok());
        assert!(xp(&of_bytes(8_001)).is_err());
        let of_values = |values: usize| format!(r#"{{"a":[{}1]}}"#, "1,".repeat(values - 1));
        assert!(xp(&of_values(500)).is_ok());
        assert!(xp(&of_values(501)).is_err());
        assert!(xp("[]").is_err() && xp("1").is_err());
    }

    #[test]
    fn a_merge_keeps_to_the_limits() {
        let [base, patch] = [r#"{"a":{"b":1},"c":2}"#, r#"{"a":{"d":[]},"c":null}"#].map(|text| xp(text).unwrap());
        assert_eq!(base.merged(&patch).unwrap().as_str(), r#"{"a":{"b":1,"d":[]},"c":null}"#);
        let halves = ["a", "b"].map(|name| xp(&format!(r#"{{"{name}":"{}"}}"#, "x".repeat(5_000))).unwrap());
        assert!(halves[0].merged(&halves[1]).is_err());
        assert!(xp("{}").unwrap().is_empty() && !base.is_empty());
    }

    #[test]
    fn array_elements_share_a_path_and_duplicates_merge() {
        let document = xp(r#"{"Items":[{"Sku":"A"},{"Sku":"a"},{"Sku":5},null],"n":null,"a.b":true,"e":[]}"#).unwrap();
        let entry = |path: &str, value| XpEntry { path: path.to_owned(), value };
        assert_eq!(
            document.entries(),
            [
                entry("Items", XpValue::Container),
                entry("Items.Sku", XpValue::Number(Decimal::from_json_number("5"), "5".into())),
                entry("Items.Sku", XpValue::Text("a".into())),
                entry("a.b", XpValue::Text("true".into())),
                entry("e", XpValue::Container),
            ]
        );
    }

    #[test]
    fn instants_are_parsed_from_folded_text() {
        assert!(parse_instant("2015-01-01t00:00:00z").is_some());
    }
}
