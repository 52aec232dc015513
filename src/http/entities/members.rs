//! The bodies of changes of members (docs/rollbook.md, section 6). They may name 100,000 users. So they are not read as a
//! tree of JSON values: each address becomes a key at once, and the body is refused at the first one too many.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::domain::address;
use crate::domain::error::{Error as DirectoryError, Violation};
use crate::domain::membership::{MEMBERS_MAX, MembersChange};
use crate::domain::user::UserKey;
use crate::http::request::error::{RequestError, Result};

/// The fields of a delta.
const DELTA: [&str; 2] = ["add", "remove"];
/// The field of a complete list.
const COMPLETE: [&str; 1] = ["members"];

/// Reads a delta, for PATCH: `add`, `remove` or both. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn members_delta(text: Option<&[u8]>) -> Result<MembersChange> {
    let [add, remove] = lists(text, DELTA)?;
    if add.is_none() && remove.is_none() {
        return Err(DirectoryError::invalid("add", "is required, or remove").into());
    }
    Ok(MembersChange::Delta { add: add.unwrap_or_default(), remove: remove.unwrap_or_default() })
}

/// Reads the complete list of members, for PUT. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn all_members(text: Option<&[u8]>) -> Result<MembersChange> {
    let [members] = lists(text, COMPLETE)?;
    members.map(MembersChange::Exactly).ok_or_else(|| DirectoryError::invalid("members", "is required").into())
}

/// Reads an object with these lists of users; `None` for a list that is absent.
fn lists<const N: usize>(text: Option<&[u8]>, names: [&'static str; N]) -> Result<[Option<Vec<UserKey>>; N]> {
    let text = text.ok_or_else(|| RequestError::InvalidBody("there is no body".to_owned()))?;
    let mut reader = Reader { names, lists: [const { None }; N], left: MEMBERS_MAX, violation: None };
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = json.deserialize_map(&mut reader).and_then(|()| json.end());
    match (reader.violation, read) {
        (Some(violation), _) => Err(DirectoryError::Invalid(vec![violation]).into()),
        (None, Err(error)) => Err(RequestError::InvalidBody(error.to_string()).into()),
        (None, Ok(())) => Ok(reader.lists),
    }
}

/// Reads the lists of an object.
struct Reader<const N: usize> {
    names: [&'static str; N],
    lists: [Option<Vec<UserKey>>; N],
    /// How many users may still be named.
    left: usize,
    /// The first broken rule, which ends the reading.
    violation: Option<Violation>,
}

impl<'de, const N: usize> Visitor<'de> for &mut Reader<N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            let Some(at) = self.names.iter().position(|own| own.eq_ignore_ascii_case(&name)) else {
                return Err(A::Error::custom(format_args!("the member '{name:.40}' is not known")));
            };
            if self.lists[at].is_some() {
                return Err(A::Error::custom(format_args!("the name '{name:.40}' stands twice in the body")));
            }
            let (field, left, violation) = (self.names[at], &mut self.left, &mut self.violation);
            self.lists[at] = Some(fields.next_value_seed(Users { field, left, violation })?);
        }
        Ok(())
    }
}

/// Reads one list of users.
struct Users<'a> {
    field: &'static str,
    left: &'a mut usize,
    violation: &'a mut Option<Violation>,
}

impl<'de> DeserializeSeed<'de> for Users<'_> {
    type Value = Vec<UserKey>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<UserKey>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl Users<'_> {
    fn refuse<T, E: serde::de::Error>(self, rule: String) -> Result<T, E> {
        *self.violation = Some(Violation::new(self.field, rule));
        Err(E::custom("a rule is broken"))
    }
}

impl<'de> Visitor<'de> for Users<'_> {
    type Value = Vec<UserKey>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of users' addresses under '{}'", self.field)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<UserKey>, A::Error> {
        let mut users = Vec::new();
        while *self.left > 0 {
            let Some(text) = items.next_element::<Cow<'_, str>>()? else { return Ok(users) };
            match address::user_key(&text) {
                Some(key) => users.push(key),
                None => return self.refuse(format!("names '{text:.100}', which is no address of a user")),
            }
            *self.left -= 1;
        }
        match items.next_element::<IgnoredAny>()? {
            None => Ok(users),
            Some(IgnoredAny) => self.refuse(format!("must not name more than {MEMBERS_MAX} users, all lists together")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Id;
    use crate::http::request::error::Error;

    fn delta(text: &str) -> Result<MembersChange> {
        members_delta(Some(text.as_bytes()))
    }

    #[test]
    fn lists_of_addresses_become_keys() {
        let ada = || Id::new("ada").map(UserKey::Id).unwrap();
        let read = delta(r#"{ "remove": ["username:\u0061@x"], "ADD": ["ada", "uid:7"] }"#).unwrap();
        let add = vec![ada(), UserKey::Uid(7)];
        assert_eq!(read, MembersChange::Delta { add, remove: vec![UserKey::Username("a@x".to_owned())] });
        assert_eq!(delta(r#"{"add":[]}"#).unwrap(), MembersChange::Delta { add: vec![], remove: vec![] });
        assert_eq!(all_members(Some(br#"{"members":["ada"]}"#)).unwrap(), MembersChange::Exactly(vec![ada()]));
        assert_eq!(all_members(Some(br#"{"members":[]}"#)).unwrap(), MembersChange::Exactly(vec![]));
    }

    #[test]
    fn a_body_of_another_shape_is_refused() {
        let deep = format!("{{\"add\":{}", "[".repeat(100_000));
        for unreadable in [
            "",
            "null",
            "[]",
            "1",
            "{",
            r#"{"add":["a"]} x"#,
            r#"{"ad":["a"]}"#,
            r#"{"members":["a"]}"#,
            r#"{"add":"a"}"#,
            r#"{"add":null}"#,
            r#"{"add":[1]}"#,
            r#"{"add":[null]}"#,
            r#"{"add":["a"],"add":[]}"#,
            r#"{"add":["a"],"Add":[]}"#,
            r#"{"add":["\ud800"]}"#,
            &deep,
        ] {
            let refused = delta(unreadable);
            assert!(
                matches!(refused, Err(Error::Request(RequestError::InvalidBody(_)))),
                "{unreadable:.40} {refused:?}"
            );
        }
        assert!(matches!(members_delta(None), Err(Error::Request(RequestError::InvalidBody(_)))));
        for (invalid, field) in [
            ("{}", "add"),
            (r#"{"add":[],"remove":["a b"]}"#, "remove"),
            (r#"{"add":[""]}"#, "add"),
            (r#"{"add":["uid:x"]}"#, "add"),
            (r#"{"add":["username:a\u0000"]}"#, "add"),
        ] {
            let refused = delta(invalid);
            assert!(
                matches!(&refused, Err(Error::Directory(DirectoryError::Invalid(wrong))) if wrong[0].field == field),
                "{invalid} {refused:?}"
            );
        }
    }

    #[test]
    fn at_most_100_000_users_are_named_in_all_lists_together() {
        let users = |count: usize| vec!["\"uid:1\""; count].join(",");
        let text = |add, remove, rest: &str| format!(r#"{{"add":[{}],"remove":[{}]{rest}"#, users(add), users(remove));
        assert!(delta(&text(99_999, 1, "}")).is_ok());
        // What follows the first one too many is not read.
        let refused = delta(&text(99_999, 2, " no JSON"));
        assert!(
            matches!(&refused, Err(Error::Directory(DirectoryError::Invalid(wrong))) if wrong[0].field == "remove")
        );
        assert!(matches!(delta(&text(100_001, 0, "}")), Err(Error::Directory(DirectoryError::Invalid(_)))));
    }
}
