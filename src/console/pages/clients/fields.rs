//! The forms of a client and of a long-lived token: what they show, and the bodies of the API that they stand for.

use crate::domain::client::{ACCESS_MINUTES_DEFAULT, Client};
use crate::domain::community::Community;
use crate::domain::error::Error as DirectoryError;
use crate::domain::long_lived_token::DAYS_DEFAULT;
use crate::domain::role::Roles;
use crate::http::entities::{self, ClientChange, NewClient};
use crate::http::request::error::{Error, Result};
use crate::http::request::fields::Fields as Body;
use crate::json::Json;

use super::Acting;
use crate::console::form::Fields;
use crate::console::messages::clients as t;

/// What is wrong with a form, by the name of the field.
#[derive(Default)]
pub(super) struct Problems(Vec<(&'static str, String)>);

impl Problems {
    /// What the error says of the fields. Fails with the error if it is not about them.
    fn of(error: Error) -> Result<Self> {
        match error {
            Error::Directory(DirectoryError::Invalid(violations)) => {
                let problem = |field, rule: &str| (field, t::problem(field, rule));
                Ok(Self(violations.into_iter().map(|own| problem(own.field, &own.reason)).collect()))
            }
            other => Err(other),
        }
    }

    fn with(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == field).map_or("", |(_, problem)| problem)
    }
}

/// A role of the form.
pub(super) struct RoleBox {
    pub name: &'static str,
    pub hint: &'static str,
    pub is_on: bool,
}

/// The form of a client as it is shown.
pub(super) struct ClientForm {
    pub name: String,
    pub roles: Vec<RoleBox>,
    pub communities: String,
    pub user: String,
    pub is_public: bool,
    pub access_minutes: String,
    pub refresh_minutes: String,
    pub refresh_rotation: bool,
    pub strict_members: bool,
    pub max_removal_percent: String,
    pub reason: String,
    pub version: String,
    problems: Problems,
}

impl ClientForm {
    /// The form of a new client, with the defaults of the API.
    pub(super) fn empty() -> Self {
        Self {
            name: String::new(),
            roles: role_boxes(Roles::NONE),
            communities: String::new(),
            user: String::new(),
            is_public: false,
            access_minutes: ACCESS_MINUTES_DEFAULT.to_string(),
            refresh_minutes: "0".to_owned(),
            refresh_rotation: false,
            strict_members: false,
            max_removal_percent: String::new(),
            reason: String::new(),
            version: String::new(),
            problems: Problems::default(),
        }
    }

    /// The form with the fields of the client, which acts as the user.
    pub(super) fn of(client: &Client, acting: Option<&Acting>) -> Self {
        let fields = &client.fields;
        let communities: Vec<_> = fields.communities.iter().map(Community::to_string).collect();
        Self {
            name: fields.name.clone(),
            roles: role_boxes(fields.roles),
            communities: communities.join("\n"),
            user: acting.map(|user| user.address.clone()).unwrap_or_default(),
            is_public: client.secret_hash.is_none(),
            access_minutes: fields.access_minutes.to_string(),
            refresh_minutes: fields.refresh_minutes.to_string(),
            refresh_rotation: fields.refresh_rotation,
            strict_members: fields.strict_members,
            max_removal_percent: fields.max_removal_percent.map(|percent| percent.to_string()).unwrap_or_default(),
            version: client.version.to_string(),
            ..Self::empty()
        }
    }

    /// The form as it was filled in.
    pub(super) fn filled(fields: &Fields) -> Self {
        let own = |name: &'static str| fields.text(name).to_owned();
        Self {
            name: own("name"),
            roles: role_boxes(Roles::from_names(fields.all("role"))),
            communities: own("communities"),
            user: own("user"),
            is_public: is_public(fields),
            access_minutes: own("accessMinutes"),
            refresh_minutes: own("refreshMinutes"),
            refresh_rotation: fields.has("refreshRotation"),
            strict_members: fields.has("strictMembers"),
            max_removal_percent: own("maxRemovalPercent"),
            reason: own("reason"),
            version: own("version"),
            problems: Problems::default(),
        }
    }

    /// The form with what is wrong in it. Fails with the error if it is not about its fields.
    pub(super) fn with_problems(self, error: Error) -> Result<Self> {
        Ok(Self { problems: Problems::of(error)?, ..self })
    }

    /// The form over another version of the client.
    pub(super) fn over_version(self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self }
    }

    /// What is wrong with the field; an empty text if nothing is.
    pub(super) fn problem(&self, field: &str) -> &str {
        self.problems.with(field)
    }

    /// Whether anything is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.0.is_empty()
    }

    /// The fields that are not the same in the other form: the name of the field, and both values.
    pub(super) fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let values = |form: &Self| {
            let roles: Vec<_> = form.roles.iter().filter(|role| role.is_on).map(|role| role.name).collect();
            [
                (t::NAME, form.name.clone()),
                (t::ROLES, roles.join("\n")),
                (t::COMMUNITIES, form.communities.clone()),
                (t::ACTS_AS, form.user.clone()),
                (t::ACCESS_MINUTES, form.access_minutes.clone()),
                (t::REFRESH_MINUTES, form.refresh_minutes.clone()),
                (t::REFRESH_ROTATION, t::yes_or_no(&form.refresh_rotation).to_owned()),
                (t::STRICT_MEMBERS, t::yes_or_no(&form.strict_members).to_owned()),
                (t::MAX_REMOVAL_PERCENT, form.max_removal_percent.clone()),
            ]
        };
        let pairs = values(self).into_iter().zip(values(other));
        pairs
            .map(|((field, own), (_, other))| (field, own, other))
            .filter(|(_, own, other)| own.trim() != other.trim())
            .collect()
    }
}

fn role_boxes(on: Roles) -> Vec<RoleBox> {
    let role = |(role, name)| RoleBox { name, hint: t::role(name), is_on: on.contains(role) };
    Roles::NAMES.into_iter().map(role).collect()
}

fn is_public(fields: &Fields) -> bool {
    fields.text("public") == "true"
}

/// Reads the form as the body of the API's POST. Fails with `Invalid`, which names what is wrong.
pub(super) fn read_new(fields: &Fields) -> Result<NewClient> {
    let mut body = common(fields);
    body.push(("public", Json::Bool(is_public(fields))));
    if let Some(user) = fields.filled("user") {
        body.push(("user", text(user)));
    }
    entities::client(object(body)?)
}

/// Reads the form as the body of the API's PATCH, with all that the form has. Fails with `Invalid`, which names what is
/// wrong.
pub(super) fn read_change(fields: &Fields) -> Result<ClientChange> {
    let mut body = common(fields);
    body.push(("user", fields.filled("user").map_or(Json::Null, text)));
    body.push(("version", Json::Number(fields.trimmed("version").into())));
    entities::client_change(object(body)?)
}

/// What both bodies have. A field with a number that is empty is no number.
fn common(fields: &Fields) -> Vec<(&'static str, Json)> {
    vec![
        ("name", text(fields.trimmed("name"))),
        ("roles", Json::Array(fields.all("role").map(text).collect())),
        ("communities", fields.words("communities")),
        ("accessMinutes", Json::Number(fields.trimmed("accessMinutes").into())),
        ("refreshMinutes", Json::Number(fields.trimmed("refreshMinutes").into())),
        ("refreshRotation", Json::Bool(fields.has("refreshRotation"))),
        ("strictMembers", Json::Bool(fields.has("strictMembers"))),
        (
            "maxRemovalPercent",
            fields.filled("maxRemovalPercent").map_or(Json::Null, |percent| Json::Number(percent.into())),
        ),
    ]
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn object(body: Vec<(&'static str, Json)>) -> Result<Body> {
    Body::new(body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The form of a long-lived token as it is shown.
pub(super) struct TokenForm {
    pub name: String,
    pub days: String,
    pub reason: String,
    problems: Problems,
}

impl TokenForm {
    /// The form of a new token, with the default of the API.
    pub(super) fn empty() -> Self {
        Self {
            name: String::new(),
            days: DAYS_DEFAULT.to_string(),
            reason: String::new(),
            problems: Problems::default(),
        }
    }

    /// The form as it was filled in.
    pub(super) fn filled(fields: &Fields) -> Self {
        let own = |name: &'static str| fields.text(name).to_owned();
        Self { name: own("name"), days: own("days"), reason: own("reason"), problems: Problems::default() }
    }

    /// The form with what is wrong in it. Fails with the error if it is not about its fields.
    pub(super) fn with_problems(self, error: Error) -> Result<Self> {
        Ok(Self { problems: Problems::of(error)?, ..self })
    }

    /// What is wrong with the field; an empty text if nothing is.
    pub(super) fn problem(&self, field: &str) -> &str {
        self.problems.with(field)
    }

    /// Whether anything is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.0.is_empty()
    }
}

/// Reads the form as the body of the API's POST: the name and the number of days. Fails with `Invalid`, which names what
/// is wrong.
pub(super) fn read_token(fields: &Fields) -> Result<(String, i64)> {
    let days = Json::Number(fields.trimmed("days").into());
    entities::token(object(vec![("name", text(fields.trimmed("name"))), ("days", days)])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::UserKey;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_is_the_body_of_the_api() {
        let filled = fields(&[
            ("name", " Shop "),
            ("role", "AdminUserReader"),
            ("role", "Auditor"),
            ("communities", "a6dfbbee-4866-422a-8f83-6b8533375e7d\r\n"),
            ("user", "uid:7"),
            ("public", "false"),
            ("accessMinutes", "600"),
            ("refreshMinutes", "0"),
            ("strictMembers", "true"),
            ("maxRemovalPercent", ""),
            ("version", "3"),
        ]);
        let new = read_new(&filled).unwrap();
        assert_eq!((&*new.draft.name, new.draft.access_minutes, new.public), ("Shop", 600, false));
        assert_eq!(new.draft.roles.names().collect::<Vec<_>>(), ["AdminUserReader", "Auditor"]);
        assert_eq!((new.draft.communities.len(), new.user), (1, Some(UserKey::Uid(7))));
        let ClientChange { patch, user } = read_change(&filled).unwrap();
        assert_eq!((patch.version, patch.strict_members, patch.refresh_rotation), (Some(3), Some(true), Some(false)));
        assert_eq!((patch.max_removal_percent, user), (Some(None), Some(Some(UserKey::Uid(7)))));
        assert_eq!(patch.enabled, None);
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        let wrong = fields(&[("name", " "), ("accessMinutes", ""), ("refreshMinutes", "x"), ("communities", "all")]);
        let form = ClientForm::filled(&wrong).with_problems(read_new(&wrong).unwrap_err()).unwrap();
        for field in ["name", "accessMinutes", "refreshMinutes", "communities"] {
            assert!(!form.problem(field).is_empty(), "{field}");
        }
        assert!(form.problem("user").is_empty() && form.communities == "all");
        let wrong = fields(&[("name", ""), ("days", "1.5")]);
        let form = TokenForm::filled(&wrong).with_problems(read_token(&wrong).unwrap_err()).unwrap();
        assert!(!form.problem("name").is_empty() && !form.problem("days").is_empty());
    }

    #[test]
    fn differences_of_two_forms_are_named() {
        let (theirs, mine) = (ClientForm::empty(), ClientForm { strict_members: true, ..ClientForm::empty() });
        assert!(theirs.differences(&ClientForm::empty()).is_empty());
        assert_eq!(theirs.differences(&mine), [(t::STRICT_MEMBERS, "no".to_owned(), "yes".to_owned())]);
    }
}
