//! JSON values that keep the order of fields and the digits of numbers.
//!
//! `serde_json` checks the syntax and parses strings, and refuses lone surrogates. This module adds the other limits
//! (docs/ordercloud.md, section 5): at most 64 levels, no duplicate names in one object, no numbers too large for a
//! double, no NUL characters.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value, displayed as the text that it was parsed from without insignificant white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number in its original notation; its value is a finite double.
    Number(Box<str>),
    /// A string without NUL characters.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// The fields of an object in their original order; names are unique.
    Object(Vec<(String, Json)>),
}

/// The maximum nesting depth of arrays and objects.
pub const MAX_DEPTH: usize = 64;

impl Json {
    /// Parses one value in time linear in the length of the text. Fails with a message for the error response.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let valid: &RawValue = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        Parser { rest: valid.get() }.value(0)
    }

    /// The value of the field `name`, compared exactly. `None` if the value is no object or has no such field.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns this value merged with `patch`. Objects merge field by field at every level, and any other value is
    /// replaced. A null is stored and removes nothing (docs/ordercloud.md, section 5; unlike RFC 7396).
    pub fn merged(self, patch: Self) -> Self {
        match (self, patch) {
            (Self::Object(mut fields), Self::Object(patch)) => {
                let positions = fields.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
                let positions: std::collections::HashMap<_, _> = positions.collect();
                for (name, value) in patch {
                    match positions.get(&name).and_then(|at| fields.get_mut(*at)) {
                        Some((_, own)) => *own = std::mem::replace(own, Self::Null).merged(value),
                        None => fields.push((name, value)),
                    }
                }
                Self::Object(fields)
            }
            (_, patch) => patch,
        }
    }

    /// Returns this value after the JSON merge patch (RFC 7396): objects merge field by field at every level, a null
    /// removes the field, and any other value is replaced.
    pub fn merge_patched(self, patch: Self) -> Self {
        let Self::Object(patch) = patch else { return patch };
        let fields = if let Self::Object(fields) = self { fields } else { Vec::new() };
        let mut positions = std::collections::HashMap::with_capacity(fields.len());
        // A removed field stays as `None`, so that the positions of the others do not change.
        let mut slots: Vec<Option<(String, Self)>> = Vec::with_capacity(fields.len() + patch.len());
        for (name, value) in fields {
            positions.insert(name.clone(), slots.len());
            slots.push(Some((name, value)));
        }
        for (name, value) in patch {
            let at = positions.get(&name).copied();
            let own = at.and_then(|at| slots[at].take()).map_or(Self::Null, |(_, own)| own);
            let merged = if let Self::Null = value { None } else { Some((name, own.merge_patched(value))) };
            match at {
                Some(at) => slots[at] = merged,
                None => slots.push(merged),
            }
        }
        Self::Object(slots.into_iter().flatten().collect())
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
            Self::Object(fields) => {
                f.write_char('{')?;
                for (at, (name, value)) in fields.iter().enumerate() {
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
pub fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// Parses text that is known to be valid JSON, in one pass.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Parses the next value, which is inside `depth` arrays and objects.
    fn value(&mut self, depth: usize) -> Result<Json, String> {
        match self.peek() {
            Some(b'{') => self.nested(depth, Self::object),
            Some(b'[') => self.nested(depth, Self::array),
            Some(b'"') => self.string().map(Json::String),
            _ => self.scalar(),
        }
    }

    fn nested(
        &mut self,
        depth: usize,
        read: impl Fn(&mut Self, usize) -> Result<Json, String>,
    ) -> Result<Json, String> {
        if depth == MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.take(1);
        read(self, depth + 1)
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        let mut items = Vec::new();
        while !self.closes(b']') {
            items.push(self.value(depth)?);
        }
        Ok(Json::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        let mut fields = Vec::new();
        while !self.closes(b'}') {
            let name = self.string()?;
            self.skip(b':');
            fields.push((name, self.value(depth)?));
        }
        let mut names = HashSet::with_capacity(fields.len());
        match fields.iter().find(|(name, _)| !names.insert(name.as_str())) {
            Some((name, _)) => Err(format!("the name {} stands twice in one object", Json::String(name.clone()))),
            None => Ok(Json::Object(fields)),
        }
    }

    /// Takes the closing bracket if it is next and returns whether it was. If not, takes the comma if that is next.
    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.skip(bracket);
        if !closes {
            self.skip(b',');
        }
        closes
    }

    fn string(&mut self) -> Result<String, String> {
        self.peek();
        let quoted = self.take(quoted_length(self.rest.as_bytes()));
        let text: String = serde_json::from_str(quoted).map_err(|error| error.to_string())?;
        if text.contains('\0') { Err("a string holds a NUL character".to_owned()) } else { Ok(text) }
    }

    /// Parses a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<Json, String> {
        let end = self.rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(self.rest.len());
        match self.take(end) {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            number => match number.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Json::Number(number.into())),
                _ => Err(format!("the number {number:.40} is beyond a double")),
            },
        }
    }

    /// Skips white space and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.as_bytes().first().copied()
    }

    /// Takes `byte` if it is next, and returns whether it was.
    fn skip(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        if next {
            self.take(1);
        }
        next
    }

    /// Takes the next `bytes` bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }
}

/// The length in bytes of the string literal at the start of `text`, with its quotes.
fn quoted_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))) {
        at += offset + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        // The byte after a backslash does not end the string.
        at += 1;
    }
    text.len()
}

/// Returns the fields of a JSON object in their order. `None` if the text is not an object or a value is not a string.
pub fn string_fields(text: &str) -> Option<Vec<(String, String)>> {
    serde_json::from_str(text).ok().map(|ObjectFields(fields)| fields)
}

/// The fields of an object in their order, with duplicates.
struct ObjectFields<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ObjectFields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collect<T> {
            type Value = ObjectFields<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry().map_err(de::Error::custom)? {
                    fields.push(field);
                }
                Ok(ObjectFields(fields))
            }
        }
        deserializer.deserialize_map(Collect(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

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
    fn refuses_values_beyond_the_limits() {
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

    /// A slower parser for comparison, which reads each level with a `RawValue` for each value.
    fn level_by_level(raw: &RawValue, depth: usize) -> Result<Json, String> {
        let text = raw.get();
        let first = text.as_bytes()[0];
        if matches!(first, b'{' | b'[') && depth == MAX_DEPTH {
            return Err("depth".to_owned());
        }
        let no_nul = |text: String| if text.contains('\0') { Err("NUL".to_owned()) } else { Ok(text) };
        let broken = |error: serde_json::Error| error.to_string();
        match first {
            b'n' => Ok(Json::Null),
            b't' | b'f' => Ok(Json::Bool(first == b't')),
            b'"' => serde_json::from_str(text).map_err(broken).and_then(no_nul).map(Json::String),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
                items.into_iter().map(|item| level_by_level(item, depth + 1)).collect::<Result<_, _>>().map(Json::Array)
            }
            b'{' => {
                let ObjectFields::<&RawValue>(fields) = serde_json::from_str(text).map_err(broken)?;
                let names: HashSet<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
                if names.len() < fields.len() {
                    return Err("twice".to_owned());
                }
                let read = |(name, value)| Ok((no_nul(name)?, level_by_level(value, depth + 1)?));
                fields.into_iter().map(read).collect::<Result<_, String>>().map(Json::Object)
            }
            _ if text.parse().is_ok_and(f64::is_finite) => Ok(Json::Number(text.into())),
            _ => Err("number".to_owned()),
        }
    }

    /// The text of a JSON value, which is valid most of the time.
    fn text() -> impl Strategy<Value = String> {
        let space = || prop::sample::select(vec!["", "", "", " ", "\n\t", "\r "]);
        let scalar = prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1.50",
            "1e2",
            "-12.5E+3",
            "12345678901234567890.5",
            "1e400",
            "01",
            "1.",
            "-",
            r#""""#,
            r#""a""#,
            r#""\u0061""#,
            r#""é\"\\""#,
            r#""\\\\\"]},:""#,
            r#""\u0000""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            r#""\x""#,
            "\"\n\"",
            "nul",
            "",
        ]);
        let names =
            prop::sample::select(vec![r#""a""#, r#""b""#, r#""é""#, r#""\u0061""#, r#""c\"""#, r#""\u0000""#, "a"]);
        let leaf = (space(), scalar, space()).prop_map(|(before, scalar, after)| format!("{before}{scalar}{after}"));
        leaf.prop_recursive(5, 40, 4, move |inner| {
            let field = (space(), names.clone(), space(), inner.clone())
                .prop_map(|(before, name, after, value)| format!("{before}{name}{after}:{value}"));
            prop_oneof![
                (space(), prop::collection::vec(inner, 0..4))
                    .prop_map(|(own, all)| format!("[{own}{}]{own}", all.join(","))),
                (space(), prop::collection::vec(field, 0..4))
                    .prop_map(|(own, all)| format!("{own}{{{own}{}}}", all.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn parses_as_level_by_level_parsing_does(text in text(), levels in 0..70_usize) {
            let text = "[".repeat(levels) + &text + &"]".repeat(levels);
            let expected = serde_json::from_str(&text).map_err(|error| error.to_string());
            let expected = expected.and_then(|raw: &RawValue| level_by_level(raw, 0));
            match (parse(&text), expected) {
                (Ok(value), Ok(expected)) => prop_assert_eq!(value, expected),
                (Err(_), Err(_)) => {}
                (value, expected) => prop_assert!(false, "{} gave {:?}, not {:?}", text, value, expected),
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\u0019.e- \xc3\xa9".to_vec()), 0..40)) {
            let _ = Json::parse(&bytes);
        }
    }

    /// The time to parse a text does not grow with the number of arrays around it.
    #[test]
    fn nesting_costs_nothing() {
        let time = |levels: usize| {
            let text = format!("{}\"{}\"{}", "[".repeat(levels), "x".repeat(1_000_000), "]".repeat(levels));
            let timed = || {
                let begin = Instant::now();
                assert!(parse(&text).is_ok());
                begin.elapsed()
            };
            (0..5).map(|_| timed()).min().unwrap()
        };
        let (flat, nested) = (time(1), time(MAX_DEPTH));
        assert!(nested < 8 * flat, "{nested:?} for {MAX_DEPTH} levels, {flat:?} for one");
    }

    #[test]
    fn merging_keeps_fields_that_the_patch_omits() {
        let merged = |base: &str, patch: &str| parse(base).unwrap().merged(parse(patch).unwrap()).to_string();
        assert_eq!(
            merged(r#"{"a":1,"d":{"e":1,"f":2}}"#, r#"{"d":{"e":null},"b":[]}"#),
            r#"{"a":1,"d":{"e":null,"f":2},"b":[]}"#
        );
        assert_eq!(merged(r#"{"a":{"b":1}}"#, r#"{"a":[1]}"#), r#"{"a":[1]}"#);
        assert_eq!(merged(r#"{"a":[1,2]}"#, r#"{"a":{"b":1}}"#), r#"{"a":{"b":1}}"#);
    }

    #[test]
    fn merge_patches_follow_rfc_7396() {
        // The examples of appendix A, with objects and others.
        for (present, patch, merged) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            (r#"{"x":1,"y":2,"z":3}"#, r#"{"y":null,"x":4}"#, r#"{"x":4,"z":3}"#),
        ] {
            let json = |text: &str| Json::parse(text.as_bytes()).unwrap();
            assert_eq!(json(present).merge_patched(json(patch)).to_string(), merged, "{present} {patch}");
        }
    }
}
