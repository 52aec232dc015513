//! Extended properties (`xp`): a JSON object of the caller's own, and the entries by which it is filtered and sorted.

use std::sync::Arc;

use super::json::Json;
use super::text::fold;
use super::time::Timestamp;

/// An xp document, printed compactly; within the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xp(Arc<str>);

impl Xp {
    /// The most bytes of compact JSON.
    pub const MAX_BYTES: usize = 8_000;
    /// The most leaf values: scalars, nulls, and arrays and objects with nothing in them.
    pub const MAX_LEAVES: usize = 500;

    /// Takes an object as an xp; fails with the rule that is broken (docs/ordercloud.md, section 5).
    pub fn new(json: &Json) -> Result<Self, String> {
        if !matches!(json, Json::Object(_)) {
            return Err("must be an object or null".to_owned());
        }
        let text = json.to_string();
        if text.len() > Self::MAX_BYTES {
            return Err(format!("must not be longer than {} bytes of JSON", Self::MAX_BYTES));
        }
        if leaves(json) > Self::MAX_LEAVES {
            return Err(format!("must not hold more than {} values", Self::MAX_LEAVES));
        }
        Ok(Self(text.into()))
    }

    /// The compact JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document as a value.
    pub fn to_json(&self) -> Json {
        Json::parse(self.0.as_bytes()).unwrap_or(Json::Null)
    }

    /// A document that a store kept: checked when it was written.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// What filters and sorting see of the document: one entry for each different value at each path.
    pub fn entries(&self) -> Vec<XpEntry> {
        let mut entries = Vec::new();
        if let Json::Object(members) = self.to_json() {
            for (name, value) in &members {
                explode(name, value, &mut entries);
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.value.order(&b.value)));
        entries.dedup();
        entries
    }
}

fn leaves(json: &Json) -> usize {
    match json {
        Json::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        Json::Object(members) if !members.is_empty() => members.iter().map(|(_, value)| leaves(value)).sum(),
        _ => 1,
    }
}

/// A value at a path. Segments are joined by dots; arrays are transparent, so that every element of an array
/// stands at the array's own path.
#[derive(Clone, Debug, PartialEq)]
pub struct XpEntry {
    pub path: String,
    pub value: XpValue,
}

/// A value as filters and sorting see it. Nulls have no entry: they are as good as absent.
#[derive(Clone, Debug, PartialEq)]
pub enum XpValue {
    /// An array or object stands here: present, and nothing more.
    Container,
    /// A JSON number: its value, and its spelling for comparison as text.
    Number(f64, String),
    /// A JSON string or boolean, folded.
    Text(String),
}

impl XpValue {
    /// The order of values in a sort: objects and arrays lowest, then numbers by value, then text.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |value: &Self| match value {
            Self::Container => 0,
            Self::Number(..) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Number(a, a_text), Self::Number(b, b_text)) => a.total_cmp(b).then_with(|| a_text.cmp(b_text)),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

fn explode(path: &str, value: &Json, entries: &mut Vec<XpEntry>) {
    let mut push = |value| entries.push(XpEntry { path: path.to_owned(), value });
    match value {
        Json::Null => {}
        Json::Bool(value) => push(XpValue::Text(value.to_string())),
        Json::Number(spelling) => push(XpValue::Number(spelling.parse().unwrap_or(0.0), fold(spelling))),
        Json::String(text) => push(XpValue::Text(fold(text))),
        Json::Array(items) => {
            push(XpValue::Container);
            items.iter().for_each(|item| explode(path, item, entries));
        }
        Json::Object(members) => {
            push(XpValue::Container);
            members.iter().for_each(|(name, value)| explode(&format!("{path}.{name}"), value, entries));
        }
    }
}

/// Reads text as a number the way filters do: a plain decimal or exponent form of a finite double.
pub fn parse_number(text: &str) -> Option<f64> {
    let plausible = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| plausible && number.is_finite())
}

/// Reads text as an instant the way filters do (see [`Timestamp::parse_iso`]; folding lowered its `T` and `Z`).
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
    fn entries_see_through_arrays_and_merge_repeats() {
        let document = xp(r#"{"Items":[{"Sku":"A"},{"Sku":"a"},{"Sku":5},null],"n":null,"a.b":true,"e":[]}"#).unwrap();
        let entry = |path: &str, value| XpEntry { path: path.to_owned(), value };
        assert_eq!(
            document.entries(),
            [
                entry("Items", XpValue::Container),
                entry("Items.Sku", XpValue::Number(5.0, "5".into())),
                entry("Items.Sku", XpValue::Text("a".into())),
                entry("a.b", XpValue::Text("true".into())),
                entry("e", XpValue::Container),
            ]
        );
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(parse_number("1e2"), Some(100.0));
        for text in ["inf", "NaN", "", "1_0", "0x1", "1e999", " 1"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
        assert!(parse_instant("2015-01-01t00:00:00z").is_some());
    }
}
