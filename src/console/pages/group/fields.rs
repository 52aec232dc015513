//! The form of a group's fields: what it shows, and the body of the API that it stands for.

use crate::domain::community::{Community, Visibility};
use crate::domain::group::Group;
use crate::http::entities;
use crate::http::request::error::{Error, Result};
use crate::http::request::fields::Fields as Body;
use crate::json::Json;
use crate::service::complete_groups::CompleteGroup;

use crate::console::form::{Fields, indented, problems};
use crate::console::messages::{self as m, group as t};
use crate::console::ui;

/// The beginning of the name of a label's field; the tag of its language follows.
const LABEL: &str = "labels.";

/// A label of the form.
pub(super) struct LabelField {
    pub tag: String,
    /// The name of the language.
    pub language: String,
    pub text: String,
    pub is_right_to_left: bool,
    /// Whether it is the label in the default language, which is the group's name.
    pub is_name: bool,
}

/// The form as it is shown.
pub(super) struct GroupForm {
    pub labels: Vec<LabelField>,
    pub new_tag: String,
    pub new_label: String,
    pub id: String,
    pub description: String,
    pub communities: String,
    pub xp: String,
    pub reason: String,
    pub version: String,
    /// What is wrong, by the name of the field.
    problems: Vec<(String, String)>,
}

impl GroupForm {
    /// The form with the fields of the group, as the user sees them.
    pub(super) fn of(group: &Group, default: &str, visibility: &Visibility) -> Self {
        let communities: Vec<_> = visibility.seen(&group.fields.communities).map(Community::to_string).collect();
        let labels = group.fields.labels.iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect();
        Self {
            labels: label_fields(labels, default),
            id: group.fields.id.to_string(),
            description: group.fields.description.clone().unwrap_or_default(),
            communities: communities.join("\n"),
            xp: group.fields.xp.as_ref().map(|xp| indented(xp.as_str())).unwrap_or_default(),
            version: group.version.to_string(),
            ..Self::empty(default)
        }
    }

    /// The form of a new group.
    pub(super) fn empty(default: &str) -> Self {
        Self {
            labels: label_fields(Vec::new(), default),
            new_tag: String::new(),
            new_label: String::new(),
            id: String::new(),
            description: String::new(),
            communities: String::new(),
            xp: String::new(),
            reason: String::new(),
            version: String::new(),
            problems: Vec::new(),
        }
    }

    /// The form as it was filled in.
    pub(super) fn filled(fields: &Fields, default: &str) -> Self {
        let own = |name: &'static str| fields.text(name).to_owned();
        let labels = fields.with_prefix(LABEL).map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect();
        Self {
            labels: label_fields(labels, default),
            new_tag: own("newTag"),
            new_label: own("newLabel"),
            id: own("id"),
            description: own("description"),
            communities: own("communities"),
            xp: own("xp"),
            reason: own("reason"),
            version: own("version"),
            problems: Vec::new(),
        }
    }

    /// The form with what is wrong in it. Fails with the error if it is not about its fields.
    pub(super) fn with_problems(mut self, error: Error) -> Result<Self> {
        self.problems = problems(error)?;
        Ok(self)
    }

    /// The form over another version of the group.
    pub(super) fn over_version(self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self }
    }

    /// What is wrong with the field; an empty text if nothing is.
    pub(super) fn problem(&self, field: &str) -> &str {
        self.problems.iter().find(|(name, _)| name == field).map_or("", |(_, problem)| problem)
    }

    /// Whether anything is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The number of the labels.
    pub(super) fn label_count(&self) -> String {
        let count = self.labels.iter().filter(|label| !label.text.is_empty()).count() as u64;
        t::labels(count)
    }
}

/// The fields of the labels: the default language first, then the others by name.
fn label_fields(mut labels: Vec<(String, String)>, default: &str) -> Vec<LabelField> {
    if !labels.iter().any(|(tag, _)| tag.eq_ignore_ascii_case(default)) {
        labels.push((default.to_owned(), String::new()));
    }
    let mut fields: Vec<_> = labels
        .into_iter()
        .map(|(tag, text)| LabelField {
            language: m::language(&tag),
            is_right_to_left: ui::is_right_to_left(&tag),
            is_name: tag.eq_ignore_ascii_case(default),
            tag,
            text,
        })
        .collect();
    fields.sort_by(|one, other| other.is_name.cmp(&one.is_name).then_with(|| one.language.cmp(&other.language)));
    fields
}

/// Reads the form as the body of the API's PUT or POST. Fails with `Invalid`, which names what is wrong.
pub(super) fn read(fields: &Fields) -> Result<CompleteGroup> {
    let text = |text: &str| Json::String(text.to_owned());
    let mut labels: Vec<_> = fields.with_prefix(LABEL).collect();
    if let (Some(tag), Some(label)) = (fields.filled("newTag"), fields.filled("newLabel")) {
        labels.push((tag, label));
    }
    let labels = labels.into_iter().filter(|(_, label)| !label.trim().is_empty());
    let labels = labels.map(|(tag, label)| (tag.to_owned(), text(label.trim()))).collect();
    let mut body = vec![("labels".to_owned(), Json::Object(labels))];
    if let Some(id) = fields.filled("id") {
        body.push(("id".to_owned(), text(id)));
    }
    if let Some(description) = fields.filled("description") {
        body.push(("description".to_owned(), text(description)));
    }
    if fields.has("communities") {
        body.push(("communities".to_owned(), fields.words("communities")));
    }
    body.extend(fields.json("xp")?.map(|xp| ("xp".to_owned(), xp)));
    if let Some(version) = fields.filled("version") {
        body.push(("version".to_owned(), Json::Number(version.into())));
    }
    entities::group(Body::new(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_is_the_body_of_the_api() {
        let group = read(&fields(&[
            ("labels.en", "Support "),
            ("labels.de", ""),
            ("newTag", "it"),
            ("newLabel", "Assistenza"),
            ("description", ""),
            ("communities", "a6dfbbee-4866-422a-8f83-6b8533375e7d\r\n"),
            ("xp", "{\"b\": 1.0, \"a\": 2}"),
            ("version", "57"),
        ]))
        .unwrap();
        let labels = group.naming.labels.unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("en", "Support"), ("it", "Assistenza")]);
        assert_eq!(group.xp.unwrap().as_str(), "{\"b\":1.0,\"a\":2}");
        assert_eq!((group.identity.version, group.description), (Some(57), None));
        assert_eq!(group.communities.unwrap().len(), 1);
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        let wrong = fields(&[("labels.en", "x"), ("xp", "{\n \"a\": 1\n \"b\": 2}")]);
        let form = GroupForm::filled(&wrong, "en").with_problems(read(&wrong).unwrap_err()).unwrap();
        assert!(form.problem("xp").contains("line 3") && form.problem("labels").is_empty(), "{}", form.problem("xp"));
        let nameless = fields(&[("labels.en", " ")]);
        let form = GroupForm::filled(&nameless, "en").with_problems(read(&nameless).unwrap_err()).unwrap();
        assert!(!form.problem("labels").is_empty());
    }
}
