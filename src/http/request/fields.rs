//! Reads the fields of a JSON object that a client sent. All violated rules are collected, so that one error response
//! reports them all.

use std::collections::HashSet;

use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::domain::error::Violation;
use crate::domain::id::Id;
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::domain::user::{PASSWORD_CHARS, Secret, normalize_secret};
use crate::json::Json;

use super::error::{DirectoryError, Error, RequestError, Result};

/// The top-level fields of a JSON object. Names are compared case-insensitively (ASCII).
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, Json)>);

impl Fields {
    /// Takes the fields of an object. Fails with `InvalidBody` if two names are equal case-insensitively.
    pub fn new(fields: Vec<(String, Json)>) -> Result<Self> {
        let mut names = HashSet::with_capacity(fields.len());
        match fields.iter().find(|(name, _)| !names.insert(name.to_ascii_lowercase())) {
            Some((name, _)) => {
                Err(RequestError::InvalidBody(format!("the name '{name:.40}' stands twice in the body")).into())
            }
            None => Ok(Self(fields)),
        }
    }

    /// Returns the fields of a mandatory body. Fails with `InvalidBody` if the request has no body.
    pub fn required(fields: Option<Self>) -> Result<Self> {
        fields.ok_or_else(|| Error::Request(RequestError::InvalidBody("there is no body".to_owned())))
    }
}

/// Reads fields and collects the rules that they violate. Unknown fields are ignored.
///
/// If a field violates a rule, its method returns a placeholder. [`FieldReader::finish`] then fails, so the placeholder
/// is never used.
#[derive(Debug)]
pub(crate) struct FieldReader {
    fields: Vec<(String, Json)>,
    violations: Vec<Violation>,
}

const REQUIRED: &str = "is required";

impl FieldReader {
    /// Starts reading the fields of a body.
    pub(crate) fn new(fields: Fields) -> Self {
        Self { fields: fields.0, violations: Vec::new() }
    }

    /// Removes the field and returns its value as it was sent, or `None` if the field is absent or already taken.
    pub(crate) fn take(&mut self, field: &'static str) -> Option<Json> {
        let index = self.fields.iter().position(|(name, _)| name.eq_ignore_ascii_case(field))?;
        Some(self.fields.swap_remove(index).1)
    }

    /// Records that `field` violates a rule. `reason` describes the rule for the client.
    pub(crate) fn violate(&mut self, field: &'static str, reason: impl Into<String>) {
        self.violations.push(Violation::new(field, reason));
    }

    /// A required text: not blank, at most `max` characters.
    pub(crate) fn required_text(&mut self, field: &'static str, max: usize) -> String {
        match self.take(field) {
            None | Some(Json::Null) => self.refuse(field, REQUIRED),
            Some(value) => self.checked_text(field, value, |text| text::broken_required_rule(text, max)),
        }
    }

    /// A nullable text of at most `max` characters: `None` if the field is absent, `Some(None)` if it is null.
    pub(crate) fn text(&mut self, field: &'static str, max: usize) -> Option<Option<String>> {
        self.nullable(field, |reader, value| reader.checked_text(field, value, |text| text::broken_rule(text, max)))
    }

    /// An optional text: neither null nor blank, at most `max` characters; `None` if the field is absent.
    pub(crate) fn patched_text(&mut self, field: &'static str, max: usize) -> Option<String> {
        let value = self.take(field)?;
        Some(self.checked_text(field, value, |text| text::broken_required_rule(text, max)))
    }

    /// A required password for a sign-in: not blank, at most 128 characters in the normalized form in which passwords
    /// are compared.
    pub(crate) fn required_password(&mut self, field: &'static str) -> Secret {
        let rule =
            |text: &str| text::broken_required_rule(normalize_secret(text).expose_secret(), *PASSWORD_CHARS.end());
        match self.take(field) {
            None | Some(Json::Null) => self.refuse::<String>(field, REQUIRED),
            Some(value) => self.checked_text(field, value, rule),
        }
        .into()
    }

    /// A required boolean.
    pub(crate) fn required_bool(&mut self, field: &'static str) -> bool {
        match self.take(field) {
            None | Some(Json::Null) => self.refuse(field, REQUIRED),
            Some(value) => self.checked_bool(field, &value),
        }
    }

    /// An optional boolean, not null; `None` if the field is absent.
    pub(crate) fn bool(&mut self, field: &'static str) -> Option<bool> {
        let value = self.take(field)?;
        Some(self.checked_bool(field, &value))
    }

    /// A nullable ISO 8601 date, or date and time (see [`Timestamp::parse_iso`]): `None` if the field is absent,
    /// `Some(None)` if it is null.
    pub(crate) fn timestamp(&mut self, field: &'static str) -> Option<Option<Timestamp>> {
        self.nullable(field, |reader, value| match &value {
            Json::String(text) if let Some(moment) = Timestamp::parse_iso(text) => moment,
            _ => reader.refuse_as(
                field,
                "must be an ISO 8601 date and time within the years 1 to 9999 in UTC",
                Timestamp::from_micros(0),
            ),
        })
    }

    /// An optional ID: `None` if the field is absent, null or the empty text (docs/ordercloud.md, section 4).
    pub(crate) fn id(&mut self, field: &'static str) -> Option<Id> {
        let id = match self.take(field)? {
            Json::Null => return None,
            Json::String(text) if text.is_empty() => return None,
            Json::String(text) => Id::new(text),
            _ => None,
        };
        if id.is_none() {
            self.violate(field, Id::RULE);
        }
        id
    }

    /// A required ID.
    pub(crate) fn required_id(&mut self, field: &'static str) -> Id {
        let violations_before = self.violations.len();
        let id = self.id(field);
        if id.is_none() && self.violations.len() == violations_before {
            self.violate(field, REQUIRED);
        }
        id.unwrap_or_else(|| Id::generated(Uuid::nil()))
    }

    /// Returns `value` if no field violated a rule. Otherwise fails with `Invalid`, which has all violations.
    pub(crate) fn finish<T>(self, value: T) -> Result<T> {
        if self.violations.is_empty() { Ok(value) } else { Err(DirectoryError::Invalid(self.violations).into()) }
    }

    /// Like [`Self::finish`], but fails with `InvalidBody` if a field was not read. The error names the first such
    /// field.
    pub(crate) fn finish_known<T>(self, value: T) -> Result<T> {
        match self.fields.first() {
            Some((name, _)) => Err(RequestError::InvalidBody(format!("the member '{name:.40}' is not known")).into()),
            None => self.finish(value),
        }
    }

    fn nullable<T>(&mut self, field: &'static str, read: impl FnOnce(&mut Self, Json) -> T) -> Option<Option<T>> {
        match self.take(field)? {
            Json::Null => Some(None),
            value => Some(Some(read(self, value))),
        }
    }

    fn checked_text(&mut self, field: &'static str, value: Json, rule: impl Fn(&str) -> Option<String>) -> String {
        let Json::String(text) = value else { return self.refuse(field, "must be a string") };
        match rule(&text) {
            Some(broken) => self.refuse(field, broken),
            None => text,
        }
    }

    fn checked_bool(&mut self, field: &'static str, value: &Json) -> bool {
        match value {
            Json::Bool(value) => *value,
            _ => self.refuse(field, "must be true or false"),
        }
    }

    fn refuse<T: Default>(&mut self, field: &'static str, reason: impl Into<String>) -> T {
        self.refuse_as(field, reason, T::default())
    }

    fn refuse_as<T>(&mut self, field: &'static str, reason: impl Into<String>, placeholder: T) -> T {
        self.violate(field, reason);
        placeholder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(text: &str) -> FieldReader {
        let Ok(Json::Object(fields)) = Json::parse(text.as_bytes()) else { panic!("no object: {text}") };
        FieldReader::new(Fields::new(fields).unwrap())
    }

    fn fields(reader: FieldReader) -> Vec<&'static str> {
        match reader.finish(()) {
            Err(Error::Directory(DirectoryError::Invalid(violations))) => {
                violations.iter().map(|violation| violation.field).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn names_match_without_case() {
        let mut body = reader(r#"{"name":"N","ACTIVE":true,"Id":"g1","unknown":1}"#);
        assert_eq!(body.required_text("Name", 100), "N");
        assert!(body.required_bool("Active"));
        assert_eq!(body.id("ID"), Id::new("g1"));
        assert_eq!(body.take("Name"), None);
        assert!(body.finish(()).is_ok());
        let twice = vec![("Name".to_owned(), Json::Null), ("nAME".to_owned(), Json::Null)];
        assert!(matches!(Fields::new(twice), Err(Error::Request(RequestError::InvalidBody(_)))));
    }

    #[test]
    fn absent_and_null_are_distinguished() {
        let mut body = reader(r#"{"Text":null,"When":null,"ID":null,"Key":""}"#);
        assert_eq!((body.text("Text", 9), body.text("Other", 9)), (Some(None), None));
        assert_eq!((body.timestamp("When"), body.timestamp("Then")), (Some(None), None));
        assert_eq!((body.id("ID"), body.id("Key"), body.id("Nothing")), (None, None, None));
        assert_eq!((body.patched_text("Patched", 9), body.bool("Bool")), (None, None));
        assert!(body.finish(()).is_ok());
    }

    #[test]
    fn every_violation_is_reported() {
        let mut body =
            reader(r#"{"Blank":" ","Number":1,"Long":"abcd","Null":null,"Flag":"true","When":"now","ID":"a b"}"#);
        body.required_text("Missing", 3);
        body.required_text("Blank", 3);
        body.text("Number", 3);
        body.text("Long", 3);
        body.patched_text("Null", 3);
        body.required_bool("NoFlag");
        body.bool("Flag");
        body.timestamp("When");
        body.id("ID");
        let all = ["Missing", "Blank", "Number", "Long", "Null", "NoFlag", "Flag", "When", "ID"];
        assert_eq!(fields(body), all);
    }

    #[test]
    fn reads_dates() {
        let mut body = reader(r#"{"When":"2015-01-01T00:00:00Z"}"#);
        assert_eq!(body.timestamp("When"), Some(Timestamp::parse_iso("2015-01-01")));
    }
}
