//! The members of a JSON object that somebody sent, read one by one. What breaks a rule is collected, so that one
//! answer tells it all.

use std::collections::HashSet;

use uuid::Uuid;

use super::error::{Error, Result, Violation};
use super::id::Id;
use super::json::Json;
use super::text;
use super::time::Timestamp;

/// The top-level members of a JSON object. Names are matched without regard to ASCII case.
#[derive(Debug, Default)]
pub struct Members(Vec<(String, Json)>);

impl Members {
    /// Takes an object's members; fails with `InvalidBody` where two names are equal but for case.
    pub fn new(members: Vec<(String, Json)>) -> Result<Self> {
        let mut names = HashSet::with_capacity(members.len());
        match members.iter().find(|(name, _)| !names.insert(name.to_ascii_lowercase())) {
            Some((name, _)) => Err(Error::InvalidBody(format!("the name '{name:.40}' stands twice in the body"))),
            None => Ok(Self(members)),
        }
    }

    /// The members of a body that has to be there; fails with `InvalidBody` where there is none.
    pub fn required(members: Option<Self>) -> Result<Self> {
        members.ok_or_else(|| Error::InvalidBody("there is no body".to_owned()))
    }
}

/// Reads members and collects the rules they break. Unknown members are ignored: nobody takes them.
///
/// What a method gives for a member that broke a rule is a placeholder; [`Reader::finish`] keeps it from being used.
#[derive(Debug)]
pub struct Reader {
    members: Vec<(String, Json)>,
    violations: Vec<Violation>,
}

const REQUIRED: &str = "is required";

impl Reader {
    /// Starts reading the members of a body.
    pub fn new(members: Members) -> Self {
        Self { members: members.0, violations: Vec::new() }
    }

    /// The value of the member `field` as it was sent, at most once; `None` where it is absent.
    pub fn take(&mut self, field: &'static str) -> Option<Json> {
        let at = self.members.iter().position(|(name, _)| name.eq_ignore_ascii_case(field))?;
        Some(self.members.swap_remove(at).1)
    }

    /// Notes that `field` breaks the rule told by `reason`.
    pub fn violate(&mut self, field: &'static str, reason: impl Into<String>) {
        self.violations.push(Violation::new(field, reason));
    }

    /// A text that must be there and not blank, of at most `max` characters.
    pub fn required_text(&mut self, field: &'static str, max: usize) -> String {
        match self.take(field) {
            None | Some(Json::Null) => self.refuse(field, REQUIRED),
            Some(value) => self.checked_text(field, value, |own| text::broken_required_rule(own, max)),
        }
    }

    /// A text of at most `max` characters: `None` where it is absent, `Some(None)` where it is null.
    pub fn text(&mut self, field: &'static str, max: usize) -> Option<Option<String>> {
        self.nullable(field, |reader, value| reader.checked_text(field, value, |own| text::broken_rule(own, max)))
    }

    /// A text that may be absent, but neither null nor blank; of at most `max` characters.
    pub fn patched_text(&mut self, field: &'static str, max: usize) -> Option<String> {
        let value = self.take(field)?;
        Some(self.checked_text(field, value, |own| text::broken_required_rule(own, max)))
    }

    /// A boolean that must be there.
    pub fn required_bool(&mut self, field: &'static str) -> bool {
        match self.take(field) {
            None | Some(Json::Null) => self.refuse(field, REQUIRED),
            Some(value) => self.checked_bool(field, &value),
        }
    }

    /// A boolean that may be absent, but not null.
    pub fn bool(&mut self, field: &'static str) -> Option<bool> {
        let value = self.take(field)?;
        Some(self.checked_bool(field, &value))
    }

    /// An ISO 8601 date or date and time: `None` where it is absent, `Some(None)` where it is null.
    pub fn timestamp(&mut self, field: &'static str) -> Option<Option<Timestamp>> {
        self.nullable(field, |reader, value| match &value {
            Json::String(text) if let Some(moment) = Timestamp::parse_iso(text) => moment,
            _ => reader.refuse_as(field, "must be an ISO 8601 date and time", Timestamp::from_micros(0)),
        })
    }

    /// An ID; `None` where it is absent, null or the empty text (docs/ordercloud.md, section 4).
    pub fn id(&mut self, field: &'static str) -> Option<Id> {
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

    /// An ID that must be there.
    pub fn required_id(&mut self, field: &'static str) -> Id {
        let known = self.violations.len();
        let id = self.id(field);
        if id.is_none() && self.violations.len() == known {
            self.violate(field, REQUIRED);
        }
        id.unwrap_or_else(|| Id::generated(Uuid::nil()))
    }

    /// An object: `None` where it is absent, `Some(None)` where it is null.
    pub fn object(&mut self, field: &'static str) -> Option<Option<Json>> {
        self.nullable(field, |reader, value| match value {
            Json::Object(_) => value,
            _ => reader.refuse_as(field, "must be an object or null", Json::Null),
        })
    }

    /// Gives `value` if every member was as it should be, else all that is wrong.
    pub fn finish<T>(self, value: T) -> Result<T> {
        if self.violations.is_empty() { Ok(value) } else { Err(Error::Invalid(self.violations)) }
    }

    /// As [`Self::finish`], but an unknown member is wrong, too: `InvalidBody` names the first that nobody took.
    pub fn finish_known<T>(self, value: T) -> Result<T> {
        match self.members.first() {
            Some((name, _)) => Err(Error::InvalidBody(format!("the member '{name:.40}' is not known"))),
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

    fn reader(text: &str) -> Reader {
        let Ok(Json::Object(members)) = Json::parse(text.as_bytes()) else { panic!("no object: {text}") };
        Reader::new(Members::new(members).unwrap())
    }

    fn fields(reader: Reader) -> Vec<&'static str> {
        match reader.finish(()) {
            Err(Error::Invalid(violations)) => violations.iter().map(|own| own.field).collect(),
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
        assert!(matches!(Members::new(twice), Err(Error::InvalidBody(_))));
    }

    #[test]
    fn absent_and_null_are_told_apart() {
        let mut body = reader(r#"{"Text":null,"When":null,"xp":null,"ID":null,"Key":""}"#);
        assert_eq!((body.text("Text", 9), body.text("Other", 9)), (Some(None), None));
        assert_eq!((body.timestamp("When"), body.timestamp("Then")), (Some(None), None));
        assert_eq!((body.object("xp"), body.object("yp")), (Some(None), None));
        assert_eq!((body.id("ID"), body.id("Key"), body.id("Nothing")), (None, None, None));
        assert_eq!((body.patched_text("Patched", 9), body.bool("Bool")), (None, None));
        assert!(body.finish(()).is_ok());
    }

    #[test]
    fn every_violation_is_told() {
        let mut body = reader(
            r#"{"Blank":" ","Number":1,"Long":"abcd","Null":null,"Flag":"true","When":"now","ID":"a b","xp":[]}"#,
        );
        body.required_text("Missing", 3);
        body.required_text("Blank", 3);
        body.text("Number", 3);
        body.text("Long", 3);
        body.patched_text("Null", 3);
        body.required_bool("NoFlag");
        body.bool("Flag");
        body.timestamp("When");
        body.id("ID");
        body.object("xp");
        let all = ["Missing", "Blank", "Number", "Long", "Null", "NoFlag", "Flag", "When", "ID", "xp"];
        assert_eq!(fields(body), all);
    }

    #[test]
    fn reads_dates() {
        let mut body = reader(r#"{"When":"2015-01-01T00:00:00Z"}"#);
        assert_eq!(body.timestamp("When"), Some(Timestamp::parse_iso("2015-01-01")));
    }
}
