//! The fields of a form that a page sent.

use axum::extract::{FromRequest, Request};
use axum::response::Response;

use crate::domain::error::{Error as DirectoryError, Violation};
use crate::domain::reason::Reason;
use crate::http::request::error::{Error, Result};
use crate::http::request::extract;
use crate::http::{ApiState, Failure};
use crate::json::Json;

use super::error::kind_name;
use super::messages::{self, errors};

/// The field that a form has if its session had ended: it is shown again as it was filled in, and nothing is changed.
pub(super) const RESUMED: &str = "resumed";

/// The fields of a form in their order. Line ends are line feeds.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl FromRequest<ApiState> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &ApiState) -> Result<Self, Failure> {
        let extract::Form(pairs) = extract::Form::from_request(request, api).await?;
        Ok(Self::new(pairs))
    }
}

impl Fields {
    /// The fields with these names and values.
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        // A browser sends the lines of a text area with CR LF.
        let normal = |value: String| if value.contains('\r') { value.replace("\r\n", "\n") } else { value };
        Self(pairs.into_iter().map(|(name, value)| (name, normal(value))).collect())
    }

    /// The first value of the field; an empty text if the form has none.
    pub(super) fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// The first value of the field without white space around it.
    pub(super) fn trimmed<'a>(&'a self, name: &'a str) -> &'a str {
        self.text(name).trim()
    }

    /// The first value of the field without white space around it; `None` if nothing is left.
    pub(super) fn filled<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        Some(self.trimmed(name)).filter(|text| !text.is_empty())
    }

    /// All values of a field that stands several times in a form.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// The field as JSON; `None` if it is empty. Fails with `Invalid`, which says where it does not follow JSON.
    pub(super) fn json(&self, name: &'static str) -> Result<Option<Json>> {
        let parsed = self.filled(name).map(|text| Json::parse(text.as_bytes()));
        let wrong = |problem: String| DirectoryError::invalid(name, messages::group::not_json(&problem));
        Ok(parsed.transpose().map_err(wrong)?)
    }

    /// The words of the field as an array of texts.
    pub(super) fn words(&self, name: &str) -> Json {
        Json::Array(self.text(name).split_whitespace().map(|word| Json::String(word.to_owned())).collect())
    }

    /// Whether the form has the field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The fields whose names begin with the prefix: the rest of the name, and the value.
    pub(super) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, &**value)))
    }

    /// Whether the form is shown again after a sign-in, and nothing is to be changed.
    pub(super) fn is_resumed(&self) -> bool {
        self.has(RESUMED)
    }

    /// The reason for the change; `None` if the field is empty. Fails with `Invalid` if it is too long.
    pub(super) fn reason(&self) -> Result<Option<Reason>> {
        let reason = |text| Reason::new(text).map_err(|rule| DirectoryError::invalid("reason", rule));
        Ok(self.filled("reason").map(reason).transpose()?)
    }
}

/// A form as it is shown: the values of its fields, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    fields: Fields,
    problems: Vec<(String, String)>,
}

impl Form {
    /// The form with these values.
    pub(super) fn new(fields: Fields) -> Self {
        Self { fields, problems: Vec::new() }
    }

    /// The form with what is wrong in it. Fails with the error if it is not about its fields.
    pub(super) fn with_problems(mut self, error: Error) -> Result<Self> {
        self.problems = problems(error)?;
        Ok(self)
    }

    /// The form with the field set to the value.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let own = &mut self.fields.0;
        own.retain(|(field, _)| field != name);
        own.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of the field; an empty text if it has none.
    pub(super) fn value<'a>(&'a self, name: &'a str) -> &'a str {
        self.fields.text(name)
    }

    /// All values of the field, a line each.
    pub(super) fn lines(&self, name: &str) -> String {
        self.fields.all(name).collect::<Vec<_>>().join("\n")
    }

    /// Whether a box with this name and value is ticked.
    pub(super) fn is_ticked(&self, name: &str, value: &str) -> bool {
        self.fields.all(name).any(|own| own == value)
    }

    /// What is wrong with the field; an empty text if nothing is.
    pub(super) fn problem(&self, field: &str) -> &str {
        self.problems.iter().find(|(name, _)| name == field).map_or("", |(_, problem)| problem)
    }

    /// Whether anything is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }
}

/// What is wrong with the fields of a form, by their names. Fails with the error if it is about something else.
pub(super) fn problems(error: Error) -> Result<Vec<(String, String)>> {
    let problem = |own: Violation| (own.field.to_owned(), errors::violation(own.field, &own.reason));
    Ok(match error {
        Error::Directory(DirectoryError::Invalid(violations)) => violations.into_iter().map(problem).collect(),
        Error::Directory(DirectoryError::AlreadyExists(kind, id)) => {
            vec![("id".to_owned(), errors::exists(kind_name(kind), &id))]
        }
        Error::Directory(DirectoryError::UsernameTaken) => {
            vec![("username".to_owned(), errors::USERNAME_TAKEN.to_owned())]
        }
        Error::Directory(DirectoryError::InsecurePassword) => {
            vec![("password".to_owned(), messages::PASSWORD_RULE.to_owned())]
        }
        other => return Err(other),
    })
}

/// JSON with one field on a line. It is the text itself if that would change anything, such as the spelling of a number: what
/// the form shows is what it saves.
pub(super) fn indented(text: &str) -> String {
    let value: std::result::Result<serde_json::Value, _> = serde_json::from_str(text);
    let indented = value.and_then(|value| serde_json::to_string_pretty(&value));
    let is_same = |other: &String| Json::parse(other.as_bytes()) == Json::parse(text.as_bytes());
    indented.ok().filter(is_same).unwrap_or_else(|| text.to_owned())
}

/// The answer to a form: a page, or the way to the next one.
pub(super) type Answer = Result<Response, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_name() {
        let pairs = [("u", "1"), ("u", "2"), ("labels.en", "Team"), ("text", "a\r\nb"), ("reason", " ")];
        let fields = Fields::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(fields.all("u").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(fields.with_prefix("labels.").collect::<Vec<_>>(), [("en", "Team")]);
        assert_eq!((fields.text("text"), fields.text("none"), fields.filled("reason")), ("a\nb", "", None));
        assert!(fields.reason().unwrap().is_none() && !fields.is_resumed());
    }

    #[test]
    fn extra_data_is_shown_as_it_is_saved() {
        assert_eq!(indented(r#"{"b":1,"a":[]}"#), "{\n  \"b\": 1,\n  \"a\": []\n}");
        for exact in [r#"{"a":1.50}"#, r#"{"a":12345678901234567890123}"#, r#"{"a":1e400}"#] {
            assert_eq!(indented(exact), exact);
        }
    }
}
