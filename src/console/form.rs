//! The fields of a form that a page sent.

use axum::extract::{FromRequest, Request};
use axum::response::Response;

use crate::domain::reason::Reason;
use crate::http::request::error::{DirectoryError, Result};
use crate::http::request::extract::Form;
use crate::http::{ApiState, Failure};

/// The field that a form has if its session had ended: it is shown again as it was filled in, and nothing is changed.
pub(super) const RESUMED: &str = "resumed";

/// The fields of a form in their order. Line ends are line feeds.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl FromRequest<ApiState> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &ApiState) -> Result<Self, Failure> {
        let Form(pairs) = Form::from_request(request, api).await?;
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
}
