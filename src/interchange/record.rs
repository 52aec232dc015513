//! Reading a line as a record. Unlike the APIs, which ignore members that they do not know, a line with one is refused:
//! a misspelled name would otherwise be lost without a word, in every line of the file.

use crate::domain::community::{Communities, Community};
use crate::domain::error::{Error, Result};
use crate::domain::group::{DESCRIPTION_MAX, GroupFields, GroupUid};
use crate::domain::json::Json;
use crate::domain::labels::{Labels, Tag};
use crate::domain::members::{Members, Reader};
use crate::domain::membership::Membership;
use crate::domain::role::Roles;
use crate::domain::user::{EMAIL_MAX, TEXT_MAX, UserFields};
use crate::domain::xp::Xp;
use crate::service::import::Record;

/// The highest number a group may be given: there must be numbers left for those that come after it.
const UID_MAX: GroupUid = 1 << 53;

/// What a line says. Fails with `InvalidBody` where it is no object with one of the three members `group`, `user` and
/// `membership`, and with `Invalid` where that breaks a rule.
pub fn record(line: &[u8]) -> Result<Record> {
    let Json::Object(members) = Json::parse(line).map_err(Error::InvalidBody)? else { return Err(no_record()) };
    let Ok([(kind, Json::Object(members))]) = <[_; 1]>::try_from(members) else { return Err(no_record()) };
    let reader = Reader::new(Members::new(members)?);
    match kind.as_str() {
        "group" => group(reader),
        "user" => user(reader),
        "membership" => membership(reader),
        _ => Err(no_record()),
    }
}

fn no_record() -> Error {
    Error::InvalidBody("a line is {\"group\":{…}}, {\"user\":{…}} or {\"membership\":{…}}".to_owned())
}

fn group(mut reader: Reader) -> Result<Record> {
    let uid = uid(&mut reader);
    let id = reader.required_id("id");
    let labels = labels(&mut reader);
    let description = reader.text("description", DESCRIPTION_MAX).flatten();
    let (xp, communities) = (xp(&mut reader), communities(&mut reader));
    let fields = labels.map(|labels| GroupFields { id, labels, description, xp, communities });
    // Without labels there is a violation, and nothing is given.
    let record = reader.finish_known(fields)?.map(|fields| Record::Group(uid, fields));
    record.ok_or_else(no_record)
}

fn user(mut reader: Reader) -> Result<Record> {
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
    reader.finish_known(Record::User(fields))
}

fn membership(mut reader: Reader) -> Result<Record> {
    let membership = Membership { group: reader.required_id("group"), user: reader.required_id("user") };
    reader.finish_known(Record::Membership(membership))
}

fn uid(reader: &mut Reader) -> Option<GroupUid> {
    let read = |spelling: &str| spelling.parse().ok().filter(|uid| (1..=UID_MAX).contains(uid));
    let uid = match given(reader, "uid")? {
        Json::Number(spelling) => read(&spelling),
        _ => None,
    };
    if uid.is_none() {
        reader.violate("uid", format!("must be a whole number from 1 to {UID_MAX}"));
    }
    uid
}

fn labels(reader: &mut Reader) -> Option<Labels> {
    let labels = match reader.take("labels") {
        None | Some(Json::Null) => Err("is required".to_owned()),
        Some(Json::Object(members)) => members.into_iter().map(label).collect::<Result<_, _>>().and_then(Labels::new),
        Some(_) => Err("must be an object of texts".to_owned()),
    };
    labels.map_err(|rule| reader.violate("labels", rule)).ok()
}

fn label((tag, text): (String, Json)) -> Result<(Tag, String), String> {
    match (Tag::parse(&tag), text) {
        (None, _) => Err(format!("names '{tag:.40}', which is no language tag")),
        (Some(tag), Json::String(text)) => Ok((tag, text)),
        (Some(_), _) => Err(format!("holds no text in '{tag:.40}'")),
    }
}

fn xp(reader: &mut Reader) -> Option<Xp> {
    let json = given(reader, "xp")?;
    Xp::new(&json).map_err(|rule| reader.violate("xp", rule)).ok()
}

fn communities(reader: &mut Reader) -> Communities {
    let texts = texts(reader, "communities");
    let communities: Option<_> = texts.iter().map(|text| Community::parse(text)).collect();
    communities.unwrap_or_else(|| {
        reader.violate("communities", "must be GUIDs");
        Communities::new()
    })
}

fn roles(reader: &mut Reader) -> Roles {
    let read = texts(reader, "roles").iter().try_fold(Roles::NONE, |all, name| Ok(all.with(name.parse()?)));
    read.unwrap_or_else(|rule: String| {
        reader.violate("roles", rule);
        Roles::NONE
    })
}

/// The texts of an array that may be absent or null.
fn texts(reader: &mut Reader, field: &'static str) -> Vec<String> {
    let Some(json) = given(reader, field) else { return Vec::new() };
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

/// The member, unless it is absent or null.
fn given(reader: &mut Reader, field: &'static str) -> Option<Json> {
    reader.take(field).filter(|json| *json != Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        match record(line.as_bytes()) {
            Err(Error::Invalid(violations)) => violations.iter().map(|wrong| wrong.field).collect::<Vec<_>>().join(" "),
            Err(Error::InvalidBody(reason)) => reason,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_rule_that_is_broken_is_told() {
        assert_eq!(refused(r#"{"group":{}}"#), "id labels");
        let wrong = r#"{"group":{"uid":0,"id":"a b","labels":{"en":" "},"xp":[],"communities":["x"]}}"#;
        assert_eq!(refused(wrong), "uid id labels xp communities");
        assert_eq!(refused(r#"{"user":{"roles":["Emperor"]}}"#), "id username first_name last_name email active roles");
        assert_eq!(refused(r#"{"membership":{"group":"g"}}"#), "user");
        for uid in ["1.0", "-1", "\"7\"", "9007199254740993", "1e3"] {
            assert_eq!(
                refused(&format!(r#"{{"group":{{"uid":{uid},"id":"g","labels":{{"en":"G"}}}}}}"#)),
                "uid",
                "{uid}"
            );
        }
        for labels in ["{}", "[]", "1", r#"{"e_n":"x"}"#, r#"{"en":1}"#, r#"{"en":"a","EN":"b"}"#] {
            assert_eq!(refused(&format!(r#"{{"group":{{"id":"g","labels":{labels}}}}}"#)), "labels", "{labels}");
        }
    }

    #[test]
    fn what_is_no_record_is_told() {
        for line in ["{}", "[]", "", r#"{"group":1}"#, r#"{"groups":{}}"#, r#"{"group":{},"user":{}}"#, r#"{"a":1"#] {
            assert!(record(line.as_bytes()).is_err(), "{line}");
        }
        let unknown = refused(r#"{"membership":{"group":"g","user":"u","since":1}}"#);
        assert_eq!(unknown, "the member 'since' is not known");
        assert!(refused(r#"{"membership":{"group":"g","Group":"h","user":"u"}}"#).contains("twice"));
    }
}
