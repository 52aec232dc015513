//! Requests of the Core API: the ID in a path, and the bodies of its two POST operations (docs/core.md, sections 3 and
//! 5). Unknown fields are ignored. An error response names every broken rule.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::community::{Communities, Community};
use crate::domain::group::GroupUid;
use crate::domain::labels::{Labels, Tag};
use crate::domain::user::{Secret, TEXT_MAX};
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;
use crate::service::groups::LabelledGroup;

/// The ID of a group in a path: a positive 64-bit integer, in decimal digits only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PathId(pub GroupUid);

impl TryFrom<String> for PathId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && *number > 0);
        number.map(Self).ok_or("the ID of a group is a positive 64-bit integer")
    }
}

/// A group to add or to edit.
#[derive(Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "PascalCase", example = json!({ "Labels": r#"{"en":"Default Group","it":"Gruppo predefinito"}"# }))]
pub struct AddOrEdit {
    /// Absent, null or 0 adds a group; the ID of a group edits it.
    #[schema(rename = "ID", value_type = Option<i64>, example = 0, minimum = 0)]
    pub id: Option<GroupUid>,
    /// A string that holds a JSON object of 1 to 64 labels: BCP 47 language tag to text of 1 to 100 characters.
    #[schema(value_type = String, example = r#"{"en":"Default Group","it":"Gruppo predefinito"}"#)]
    pub labels: Labels,
    /// The communities that the group is linked to: at most 100 GUIDs. Absent or null leaves them alone. Whoever is limited to
    /// communities must name at least one of them when adding a group.
    #[schema(value_type = Option<Vec<String>>, example = json!(["a6dfbbee-4866-422a-8f83-6b8533375e7d"]))]
    pub communities: Option<Communities>,
}

impl AddOrEdit {
    /// Reads the body by the rules of docs/core.md, section 3. Fails with `Invalid`, which names every invalid field.
    pub fn read(fields: Fields) -> Result<Self> {
        let mut reader = FieldReader::new(fields);
        let id = optional_field(&mut reader, "ID", read_id).flatten();
        let communities = optional_field(&mut reader, "Communities", read_communities);
        let labels = match reader.take("Labels").filter(|json| *json != Json::Null) {
            Some(json) => read_labels(&json),
            None => Err("is required".to_owned()),
        };
        let labels = labels.unwrap_or_else(|rule| {
            reader.violate("Labels", rule);
            Labels::from_stored([])
        });
        reader.finish(Self { id, labels, communities })
    }
}

impl From<AddOrEdit> for LabelledGroup {
    fn from(body: AddOrEdit) -> Self {
        Self { uid: body.id, labels: body.labels, communities: body.communities }
    }
}

/// An optional field. `None` if it is absent, null or invalid; the reader records a violation if it is invalid.
fn optional_field<T>(reader: &mut FieldReader, field: &'static str, read: fn(&Json) -> Result<T, String>) -> Option<T> {
    let json = reader.take(field).filter(|json| *json != Json::Null)?;
    read(&json).map_err(|rule| reader.violate(field, rule)).ok()
}

/// Reads the ID of a group. `None` if it is 0, which means a new group.
fn read_id(json: &Json) -> Result<Option<GroupUid>, String> {
    let number = match json {
        Json::Number(spelling) => spelling.parse::<GroupUid>().ok().filter(|number| *number >= 0),
        _ => None,
    };
    let number = number.ok_or("must be a whole number, 0 or the ID of a group")?;
    Ok(Some(number).filter(|number| *number > 0))
}

/// Reads the communities. Returns the rule that they break.
fn read_communities(json: &Json) -> Result<Communities, String> {
    let Json::Array(items) = json else { return Err("must be an array of GUIDs".to_owned()) };
    let read = |item: &Json| match item {
        Json::String(text) => Community::parse(text).ok_or_else(|| format!("holds '{text:.60}', which is no GUID")),
        _ => Err("must hold nothing but GUIDs, as strings".to_owned()),
    };
    Community::set(items.iter().map(read).collect::<Result<Vec<_>, _>>()?)
}

/// Reads the labels. Returns the rule that they break.
fn read_labels(json: &Json) -> Result<Labels, String> {
    let Json::String(text) = json else { return Err("must be a string that holds a JSON object".to_owned()) };
    match Json::parse(text.as_bytes()) {
        Ok(Json::Object(fields)) => {
            Labels::new(fields.into_iter().map(|(tag, label)| read_label(tag, label)).collect::<Result<_, _>>()?)
        }
        Ok(_) => Err("must be a string that holds a JSON object".to_owned()),
        Err(reason) => Err(format!("must be a string that holds a JSON object: {reason}")),
    }
}

/// Reads one label. Returns the rule that it breaks.
fn read_label(tag: String, label: Json) -> Result<(Tag, String), String> {
    let language = Tag::parse(&tag).ok_or_else(|| format!("names '{tag:.60}', which is no BCP 47 language tag"))?;
    match label {
        Json::String(label) => Ok((language, label)),
        _ => Err(format!("is wrong in '{tag:.60}': the label must be a string")),
    }
}

/// Who signs in.
#[derive(Debug, ToSchema)]
pub(super) struct Logon {
    #[schema(example = "ada", min_length = 1, max_length = 100)]
    pub(super) username: String,
    #[schema(value_type = String, format = Password, example = "correct Horse 7", min_length = 1, max_length = 128)]
    pub(super) password: Secret,
}

impl Logon {
    /// Reads the body of a log-on. Fails with `Invalid`, which names every field that is missing, blank or too long.
    pub(super) fn read(fields: Fields) -> Result<Self> {
        let mut reader = FieldReader::new(fields);
        let username = reader.required_text("username", TEXT_MAX);
        let password = reader.required_password("password");
        reader.finish(Self { username, password })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::http::request::error::{DirectoryError, Error};

    fn read(text: &str) -> Result<AddOrEdit> {
        let Ok(Json::Object(fields)) = Json::parse(text.as_bytes()) else { panic!("no object: {text}") };
        AddOrEdit::read(Fields::new(fields)?)
    }

    fn wrong(text: &str) -> Vec<&'static str> {
        match read(text) {
            Err(Error::Directory(DirectoryError::Invalid(violations))) => {
                violations.iter().map(|wrong| wrong.field).collect()
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn absent_null_and_zero_ids_are_new_groups() {
        for id in ["", r#""ID":null,"#, r#""ID":0,"#, r#""id":-0,"#] {
            let body = read(&format!(r#"{{{id}"Labels":"{{\"en\":\"A\"}}"}}"#)).unwrap();
            assert_eq!((body.id, body.communities), (None, None), "{id}");
        }
        let body = read(r#"{"iD":7,"LABELS":"{\"it\":\"B\",\"en\":\"A\"}","communities":[]}"#).unwrap();
        assert_eq!((body.id, body.communities), (Some(7), Some(Communities::new())));
        assert_eq!(body.labels.iter().collect::<Vec<_>>(), [("en", "A"), ("it", "B")]);
    }

    #[test]
    fn every_invalid_field_is_reported() {
        for id in ["-1", "1.5", "\"7\"", "9223372036854775808", "true", "[]", "7.0"] {
            assert_eq!(wrong(&format!(r#"{{"ID":{id},"Labels":"{{\"en\":\"A\"}}"}}"#)), ["ID"], "{id}");
        }
        for labels in [
            "null",
            "{}",
            r#""""#,
            r#""{}""#,
            r#""[]""#,
            r#""{""#,
            r#""{\"en\":1}""#,
            r#""{\"en\":\" \"}""#,
            r#""{\"e_n\":\"A\"}""#,
        ] {
            assert_eq!(wrong(&format!(r#"{{"Labels":{labels}}}"#)), ["Labels"], "{labels}");
        }
        assert_eq!(wrong(r#"{"Labels":"{\"en\":\"A\",\"en\":\"B\"}"}"#), ["Labels"]);
        assert_eq!(wrong(r#"{"Labels":"{\"en\":\"A\",\"EN\":\"B\"}"}"#), ["Labels"]);
        assert_eq!(wrong(r#"{"ID":"x","Communities":["nope"]}"#), ["ID", "Communities", "Labels"]);
        assert_eq!(wrong(r#"{"Labels":"{\"en\":\"A\"}","Communities":"x"}"#), ["Communities"]);
    }

    #[test]
    fn communities_are_guids_in_any_spelling() {
        let guid = "A6DFBBEE-4866-422A-8F83-6B8533375E7D";
        let body = read(&format!(r#"{{"Labels":"{{\"en\":\"A\"}}","Communities":["{guid}","{{{guid}}}"]}}"#)).unwrap();
        let communities: Vec<_> = body.communities.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(communities, ["a6dfbbee-4866-422a-8f83-6b8533375e7d"]);
    }

    #[test]
    fn path_ids_are_plain_positive_numbers() {
        let path_id = |text: &str| PathId::try_from(text.to_owned()).ok();
        assert_eq!(path_id("9223372036854775807"), Some(PathId(i64::MAX)));
        for bad in ["", "0", "-1", "+1", "1.0", "x", " 1", "9223372036854775808"] {
            assert_eq!(path_id(bad), None, "{bad}");
        }
    }
}
