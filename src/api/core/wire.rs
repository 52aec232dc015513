//! Responses of the Core API (docs/core.md, sections 2 and 5).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::group::{self, GroupSummary, GroupUid};
use crate::domain::labels::Tag;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Group {
    /// Counted by the server from 1, never reused.
    #[serde(rename = "ID")]
    #[schema(value_type = i64, example = 7, minimum = 1)]
    id: GroupUid,
    /// UTC, whole seconds.
    #[schema(example = "2001-01-01T01:01:01Z", format = DateTime)]
    created_date: String,
    /// UTC, whole seconds.
    #[schema(example = "2001-01-01T01:01:01Z", format = DateTime)]
    last_updated: String,
    /// A string that holds a JSON object: language tag to label, tags in ascending order.
    #[schema(example = r#"{"en":"Default Group","it":"Gruppo predefinito"}"#)]
    labels: String,
}

impl From<&group::Group> for Group {
    fn from(group: &group::Group) -> Self {
        Self {
            id: group.uid,
            created_date: date(group.created),
            last_updated: date(group.updated),
            labels: group.fields.labels.to_string(),
        }
    }
}

impl From<GroupSummary> for Group {
    fn from(group: GroupSummary) -> Self {
        Self {
            id: group.uid,
            created_date: date(group.created),
            last_updated: date(group.updated),
            labels: group.labels,
        }
    }
}

/// The time in UTC, rounded down to whole seconds: `2001-01-01T01:01:01Z`.
fn date(moment: Timestamp) -> String {
    const MICROS: i64 = 1_000_000;
    let whole = Timestamp::from_micros(moment.as_micros().div_euclid(MICROS) * MICROS);
    format!("{}Z", whole.to_civil())
}

/// A user who signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Session)]
pub(super) struct LogonSession {
    /// Always false: nobody is made to change a password.
    #[schema(example = false)]
    must_change_password: bool,
    /// The bearer token of the calls that follow, a JWT. It opens every API of this server.
    #[schema(example = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJ1c3IiOiJhZGEifQ.c2ln")]
    token: String,
    /// The names of the user's roles.
    #[schema(example = json!(["AdminUserGroupAdmin"]))]
    roles: Vec<&'static str>,
    #[schema(example = "Ada")]
    name: String,
    #[schema(example = "Lovelace")]
    surname: String,
    #[schema(example = "Ada Lovelace")]
    full_name: String,
    /// The default language of the directory.
    #[schema(example = "en")]
    language: String,
}

impl LogonSession {
    /// The session of `user`, whose `token` grants `roles`.
    pub(super) fn new(token: String, user: User, roles: Roles, language: &Tag) -> Self {
        let (name, surname) = (user.fields.first_name, user.fields.last_name);
        Self {
            must_change_password: false,
            token,
            roles: roles.names().collect(),
            full_name: format!("{name} {surname}"),
            name,
            surname,
            language: language.as_str().to_owned(),
        }
    }
}

/// The plain positive response.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Done {
    #[schema(example = true)]
    success: bool,
}

impl Done {
    /// `{"Success":true}`.
    pub(super) const OK: Self = Self { success: true };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_whole_seconds() {
        assert_eq!(date(Timestamp::from_micros(978_310_861_999_999)), "2001-01-01T01:01:01Z");
        assert_eq!(date(Timestamp::from_micros(-1)), "1969-12-31T23:59:59Z");
        assert_eq!(date(Timestamp::from_micros(0)), "1970-01-01T00:00:00Z");
    }
}
