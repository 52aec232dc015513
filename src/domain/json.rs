//! JSON as it was spelled: members keep their order, numbers their digits.
//!
//! `serde_json` tokenises; the limits are ours (docs/ordercloud.md, section 5): at most 64 levels, no duplicate
//! name at any level, no number beyond a double, no NUL and no lone surrogate.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value that prints as it was read, without insignificant space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// The number's own spelling; it is a finite double.
    Number(Box<str>),
    String(String),
    Array(Vec<Json>),
    /// Members in the order sent; names are unique.
    Object(Vec<(String, Json)>),
}

/// The deepest that arrays and objects may be nested.
pub const MAX_DEPTH: usize = 64;

impl Json {
    /// Reads one value; fails with what is wrong, for the caller to be told.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        Self::from_raw(raw, 0)
    }

    fn from_raw(raw: &RawValue, depth: usize) -> Result<Self, String> {
        let text = raw.get();
        let first = text.as_bytes().first().copied().unwrap_or(b'n');
        if matches!(first, b'{' | b'[') && depth == MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let json_error = |error: serde_json::Error| error.to_string();
        match first {
            b'n' => Ok(Self::Null),
            b't' => Ok(Self::Bool(true)),
            b'f' => Ok(Self::Bool(false)),
            b'"' => read_string(raw).map(Self::String),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(json_error)?;
                items.into_iter().map(|item| Self::from_raw(item, depth + 1)).collect::<Result<_, _>>().map(Self::Array)
            }
            b'{' => {
                let Members::<&RawValue>(members) = serde_json::from_str(text).map_err(json_error)?;
                let mut names = HashSet::with_capacity(members.len());
                if let Some((name, _)) = members.iter().find(|(name, _)| !names.insert(name.as_str())) {
                    return Err(format!("the name {} stands twice in one object", Self::String(name.clone())));
                }
                drop(names);
                let read = |(name, value): (String, &RawValue)| Ok((no_nul(name)?, Self::from_raw(value, depth + 1)?));
                members.into_iter().map(read).collect::<Result<_, String>>().map(Self::Object)
            }
            _ => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Self::Number(text.into())),
                _ => Err(format!("the number {:.40} is beyond a double", text)),
            },
        }
    }

    /// The value of the member `name`, compared exactly.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// This value with `patch` laid over it: objects merge member by member at every level, everything else is
    /// replaced, and a null is stored, never a removal (docs/ordercloud.md, section 5; not RFC 7396).
    pub fn merged(self, patch: Self) -> Self {
        match (self, patch) {
            (Self::Object(mut members), Self::Object(patch)) => {
                for (name, value) in patch {
                    match members.iter_mut().find(|(own, _)| *own == name) {
                        Some((_, own)) => *own = std::mem::replace(own, Self::Null).merged(value),
                        None => members.push((name, value)),
                    }
                }
                Self::Object(members)
            }
            (_, patch) => patch,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(spelling) => f.write_str(spelling),
            Self::String(text) => write_string(f, text),
            Self::Array(items) => {
                f.write_char('[')?;
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        f.write_char(',')?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        f.write_char(',')?;
                    }
                    write_string(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

/// Writes text as a JSON string.
pub(super) fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

fn read_string(raw: &RawValue) -> Result<String, String> {
    serde_json::from_str(raw.get()).map_err(|error| error.to_string()).and_then(no_nul)
}

fn no_nul(text: String) -> Result<String, String> {
    if text.contains('\0') { Err("a string holds a NUL character".to_owned()) } else { Ok(text) }
}

/// The members of an object of strings, in their order; `None` for anything else.
pub fn string_members(text: &str) -> Option<Vec<(String, String)>> {
    serde_json::from_str(text).ok().map(|Members(members)| members)
}

/// The members of one object in their order, duplicates included.
struct Members<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collect<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry().map_err(de::Error::custom)? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Json, String> {
        Json::parse(text.as_bytes())
    }

    #[test]
    fn keeps_order_and_spelling() {
        let text = r#"{"b":1.0,"a":[1e2,-0,12345678901234567890.5,null,true],"é\n\"":{}}"#;
        assert_eq!(parse(text).unwrap().to_string(), text);
        assert_eq!(parse(" { \"a\" : [ 1 , 2 ] } ").unwrap().to_string(), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn refuses_what_the_contract_refuses() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(&deep(64)).is_ok());
        for bad in [
            &deep(65),
            &deep(10_000),
            "[".repeat(10_000).as_str(),
            r#"{"a":1,"a":2}"#,
            r#"{"x":{"a":1,"\u0061":2}}"#,
            "1e400",
            r#"{"a":[-1e999]}"#,
            r#""\u0000""#,
            r#"{"\u0000":1}"#,
            r#""\ud800""#,
            r#"{"\udc00":1}"#,
            "{",
            "",
            "{} {}",
            "01",
            "NaN",
        ] {
            assert!(parse(bad).is_err(), "{bad:.40}");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn merging_keeps_what_is_not_mentioned() {
        let merged = |base: &str, patch: &str| parse(base).unwrap().merged(parse(patch).unwrap()).to_string();
        assert_eq!(
            merged(r#"{"a":1,"d":{"e":1,"f":2}}"#, r#"{"d":{"e":null},"b":[]}"#),
            r#"{"a":1,"d":{"e":null,"f":2},"b":[]}"#
        );
        assert_eq!(merged(r#"{"a":{"b":1}}"#, r#"{"a":[1]}"#), r#"{"a":[1]}"#);
        assert_eq!(merged(r#"{"a":[1,2]}"#, r#"{"a":{"b":1}}"#), r#"{"a":{"b":1}}"#);
    }
}
