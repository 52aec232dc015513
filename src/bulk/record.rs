//! Parsing of a line to a record. A line with an unknown field is refused, unlike in the APIs, which ignore unknown
//! fields: otherwise an import would silently drop a misspelled field in every line of the file.

use serde_json::value::RawValue;

use crate::domain::community::{Communities, Community};
use crate::domain::group::{DESCRIPTION_MAX, GroupFields, GroupUid};
use crate::domain::id::UID_MAX;
use crate::domain::labels::{Labels, Tag};
use crate::domain::membership::Membership;
use crate::domain::role::Roles;
use crate::domain::text::without_bom;
use crate::domain::user::{EMAIL_MAX, TEXT_MAX, UserFields, UserUid};
use crate::domain::xp::Xp;
use crate::http::request::error::{Error, RequestError, Result};
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;
use crate::service::import::Record;

/// Parses a line. Ignores its number unless `keeps_numbers`. Fails with `InvalidBody` if the line is not an object with
/// exactly one of the fields `group`, `user` and `membership`, and with `Invalid` if a value breaks a rule.
pub(super) fn parse_record(line: &[u8], keeps_numbers: bool) -> Result<Record> {
    let line = without_bom(line);
    let json = Json::parse(line).map_err(|reason| RequestError::InvalidBody(not_json(line).unwrap_or(reason)))?;
    let Json::Object(fields) = json else { return Err(not_a_record()) };
    let Ok([(kind, Json::Object(fields))]) = <[_; 1]>::try_from(fields) else { return Err(not_a_record()) };
    let mut reader = FieldReader::new(Fields::new(fields)?);
    match kind.as_str() {
        "group" => group(uid(&mut reader, keeps_numbers), reader),
        "user" => user(uid(&mut reader, keeps_numbers), reader),
        "membership" => membership(reader),
        _ => Err(not_a_record()),
    }
}

/// An error with the column at which the line is not JSON; `None` if it is. The parser's own message is not used: it
/// counts lines from this line, and users of the import do not know it.
fn not_json(line: &[u8]) -> Option<String> {
    let error = serde_json::from_slice::<&RawValue>(line).err()?;
    Some(format!("is not JSON (column {})", error.column()))
}

/// The error for a line that is not a record.
fn not_a_record() -> Error {
    Error::Request(RequestError::InvalidBody(
        "a line is {\"group\":{…}}, {\"user\":{…}} or {\"membership\":{…}}".to_owned(),
    ))
}

fn group(uid: Option<GroupUid>, mut reader: FieldReader) -> Result<Record> {
    let id = reader.required_id("id");
    let labels = labels(&mut reader);
    let description = reader.text("description", DESCRIPTION_MAX).flatten();
    let (xp, communities) = (xp(&mut reader), communities(&mut reader));
    let fields = labels.map(|labels| GroupFields { id, labels, description, xp, communities });
    // `None` only if the labels are invalid, and then `finish_known` fails.
    let record = reader.finish_known(fields)?.map(|fields| Record::Group(uid, fields));
    record.ok_or_else(not_a_record)
}

fn user(uid: Option<UserUid>, mut reader: FieldReader) -> Result<Record> {
    let fields = UserFields {
        id: reader.required_id("id"),
        username: reader.required_text("username", TEXT_MAX),
        first_name: reader.required_text("first_name", TEXT_MAX),
        last_name: reader.required_text("last_name", TEXT_MAX),
        email: reader.required_text("email", EMAIL_MAX),
        phone: reader.text("phone", TEXT_MAX).flatten(),
        terms_accepted: reader.timestamp("terms_accepted").flatten(),
        active: reader.required_bool("active"),
        xp: xp(&mut reader),
        roles: roles(&mut reader),
        communities: communities(&mut reader),
        generation: 0,
        password_set: None,
    };
    reader.finish_known(Record::User(uid, fields))
}

fn membership(mut reader: FieldReader) -> Result<Record> {
    let membership = Membership { group: reader.required_id("group"), user: reader.required_id("user") };
    reader.finish_known(Record::Membership(membership))
}

/// Reads the number, unless it is not kept.
fn uid(reader: &mut FieldReader, is_kept: bool) -> Option<i64> {
    let read = |spelling: &str| spelling.parse().ok().filter(|uid| (1..=UID_MAX).contains(uid));
    let uid = match non_null(reader, "uid").filter(|_| is_kept)? {
        Json::Number(spelling) => read(&spelling),
        _ => None,
    };
    if uid.is_none() {
        reader.violate("uid", format!("must be a whole number from 1 to {UID_MAX}"));
    }
    uid
}

fn labels(reader: &mut FieldReader) -> Option<Labels> {
    let labels = match reader.take("labels") {
        None | Some(Json::Null) => Err("is required".to_owned()),
        Some(Json::Object(fields)) => fields.into_iter().map(label).collect::<Result<_, _>>().and_then(Labels::new),
        Some(_) => Err("must be an object of texts".to_owned()),
    };
    labels.map_err(|rule| reader.violate("labels", rule)).ok()
}

fn label((tag, text): (String, Json)) -> Result<(Tag, String), String> {
    match (Tag::parse(&tag), text) {
        (None, _) => Err(format!("contains '{tag:.40}', which is not a language tag")),
        (Some(tag), Json::String(text)) => Ok((tag, text)),
        (Some(_), _) => Err(format!("has no text for '{tag:.40}'")),
    }
}

fn xp(reader: &mut FieldReader) -> Option<Xp> {
    let json = non_null(reader, "xp")?;
    Xp::new(&json).map_err(|rule| reader.violate("xp", rule)).ok()
}

fn communities(reader: &mut FieldReader) -> Communities {
    let texts = texts(reader, "communities");
    let read: Option<Vec<_>> = texts.iter().map(|text| Community::parse(text)).collect();
    read.ok_or_else(|| "must be GUIDs".to_owned()).and_then(Community::set).unwrap_or_else(|rule| {
        reader.violate("communities", rule);
        Communities::new()
    })
}

fn roles(reader: &mut FieldReader) -> Roles {
    let read = texts(reader, "roles").iter().try_fold(Roles::NONE, |all, name| Ok(all.with(name.parse()?)));
    read.unwrap_or_else(|rule: String| {
        reader.violate("roles", rule);
        Roles::NONE
    })
}

/// The texts of an array; none if the field is absent or null.
fn texts(reader: &mut FieldReader, field: &'static str) -> Vec<String> {
    let Some(json) = non_null(reader, field) else { return Vec::new() };
    let texts = match json {
        Json::Array(items) => {
            items.into_iter().map(|item| if let Json::String(text) = item { Some(text) } else { None }).collect()
        }
        _ => None,
    };
    texts.unwrap_or_else(|| {
        reader.violate(field, "must be an array of texts");
        Vec::new()
    })
}

/// The field; `None` if it is absent or null.
fn non_null(reader: &mut FieldReader, field: &'static str) -> Option<Json> {
    reader.take(field).filter(|json| *json != Json::Null)
}

#[cfg(test)]
mod tests {
    use crate::http::request::error::DirectoryError;

    use super::*;

    fn refused(line: &str) -> String {
        match parse_record(line.as_bytes(), true) {
            Err(Error::Directory(DirectoryError::Invalid(violations))) => {
                violations.iter().map(|wrong| wrong.field).collect::<Vec<_>>().join(" ")
            }
            Err(Error::Request(RequestError::InvalidBody(reason))) => reason,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_rule_that_is_broken_is_reported() {
        assert_eq!(refused(r#"{"group":{}}"#), "id labels");
        let wrong = r#"{"group":{"uid":0,"id":"a b","labels":{"en":" "},"xp":[],"communities":["x"]}}"#;
        assert_eq!(refused(wrong), "uid id labels xp communities");
        assert_eq!(refused(r#"{"user":{"roles":["Emperor"]}}"#), "id username first_name last_name email active roles");
        assert_eq!(refused(r#"{"membership":{"group":"g"}}"#), "user");
        for uid in ["0", "1.0", "-1", "\"7\"", "9007199254740992", "9007199254740993", "1e3"] {
            let line = format!(r#"{{"group":{{"uid":{uid},"id":"g","labels":{{"en":"G"}}}}}}"#);
            assert_eq!(refused(&line), "uid", "{uid}");
            assert!(matches!(parse_record(line.as_bytes(), false), Ok(Record::Group(None, _))), "{uid}");
        }
        let last = br#"{"group":{"uid":9007199254740991,"id":"g","labels":{"en":"G"}}}"#;
        assert!(matches!(parse_record(last, true), Ok(Record::Group(Some(UID_MAX), _))));
        for labels in ["{}", "[]", "1", r#"{"e_n":"x"}"#, r#"{"en":1}"#, r#"{"en":"a","EN":"b"}"#] {
            assert_eq!(refused(&format!(r#"{{"group":{{"id":"g","labels":{labels}}}}}"#)), "labels", "{labels}");
        }
    }

    #[test]
    fn communities_are_limited() {
        let guids =
            |count: u128| (0..count).map(uuid::Uuid::from_u128).map(|guid| format!("\"{guid}\"")).collect::<Vec<_>>();
        let group = |count| {
            format!(r#"{{"group":{{"id":"g","labels":{{"en":"G"}},"communities":[{}]}}}}"#, guids(count).join(","))
        };
        assert!(parse_record(group(100).as_bytes(), true).is_ok());
        assert_eq!(refused(&group(101)), "communities");
    }

    #[test]
    fn lines_that_are_no_record_are_reported() {
        for line in ["{}", "[]", "", r#"{"group":1}"#, r#"{"groups":{}}"#, r#"{"group":{},"user":{}}"#, r#"{"a":1"#] {
            assert!(parse_record(line.as_bytes(), true).is_err(), "{line}");
        }
        assert_eq!(refused("not JSON"), "is not JSON (column 2)");
        assert_eq!(refused(r#"{"a":1"#), "is not JSON (column 6)");
        let unknown = refused(r#"{"membership":{"group":"g","user":"u","since":1}}"#);
        assert_eq!(unknown, "the member 'since' is not known");
        assert!(refused(r#"{"membership":{"group":"g","Group":"h","user":"u"}}"#).contains("twice"));
    }
}
