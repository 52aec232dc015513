//! The bodies of writes (RFC 7644, sections 3.3 and 3.5; docs/scim.md, sections 4 and 7). POST and PUT are read as a PATCH of
//! all attributes, so that each attribute is read, and its limits are checked, in one place.

use axum::extract::{FromRequest, Request};

use crate::domain::contacts::Contact;
use crate::domain::error::{self, Error as DirectoryError, Violation};
use crate::domain::id::Id;
use crate::domain::text::{broken_required_rule, broken_rule};
use crate::domain::user::{EMAIL_MAX, TEXT_MAX};
use crate::domain::xp::Xp;
use crate::http::Failure;
use crate::http::request::error::{Error, RequestError, Result};
use crate::http::request::extract::JsonText;
use crate::json::Json;
use crate::service::provisioning::ProvisionedUser;

use super::patch::{Part, UserDelta, ValuesDelta, user_attributes, user_patch};
use super::paths::parse_path;
use super::wire::SCIM;

/// A body that is a JSON object. Rejects with `InvalidBody`, also if there is none, and with `UnsupportedMediaType` if it is
/// neither `application/scim+json` nor `application/json`.
pub(super) struct Body(pub Vec<(String, Json)>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let refused = |reason: &str| Failure::from(RequestError::InvalidBody(reason.to_owned()));
        let JsonText(text) = JsonText::read(request, &[SCIM, "application/json"]).await?;
        let text = text.ok_or_else(|| refused("there is none"))?;
        match Json::parse(&text).map_err(RequestError::InvalidBody)? {
            Json::Object(fields) => Ok(Self(fields)),
            _ => Err(refused("it must be a JSON object")),
        }
    }
}

/// A change of one attribute of a user, within its limits.
#[derive(Clone, Debug)]
enum Edit {
    Username(String),
    FirstName(String),
    LastName(String),
    Emails(ValuesDelta),
    PhoneNumbers(ValuesDelta),
    Active(bool),
    Id(Id),
    Xp(Option<Xp>),
}

/// What a request makes of a user.
#[derive(Clone, Debug)]
pub(super) struct UserEdits {
    /// Whether what the request does not name is emptied: the optional attributes of the standard schemas.
    replaces: bool,
    edits: Vec<Edit>,
}

/// Reads a new user. What is null counts as absent (RFC 7643, section 2.5).
pub(super) fn new_user(fields: Vec<(String, Json)>) -> Result<UserEdits> {
    whole(fields, false)
}

/// Reads a complete user, for PUT.
pub(super) fn complete_user(fields: Vec<(String, Json)>) -> Result<UserEdits> {
    whole(fields, true)
}

/// Reads a PATCH of a user.
pub(super) fn user_changes(fields: Vec<(String, Json)>) -> Result<UserEdits> {
    Ok(UserEdits { replaces: false, edits: edits(user_patch(Json::Object(fields), &parse_path)?)? })
}

fn whole(fields: Vec<(String, Json)>, replaces: bool) -> Result<UserEdits> {
    let given = fields.into_iter().filter(|(_, value)| *value != Json::Null).collect();
    Ok(UserEdits { replaces, edits: edits(user_attributes(given, &parse_path)?)? })
}

/// Checks the limits of all deltas. Fails with every one that is broken.
fn edits(deltas: Vec<UserDelta>) -> Result<Vec<Edit>> {
    let (mut edits, mut violations) = (Vec::with_capacity(deltas.len()), Vec::new());
    for delta in deltas {
        match edit(delta) {
            Ok(edit) => edits.extend(edit),
            Err(violation) => violations.push(violation),
        }
    }
    if violations.is_empty() { Ok(edits) } else { Err(Error::Directory(DirectoryError::Invalid(violations))) }
}

fn edit(delta: UserDelta) -> Result<Option<Edit>, Violation> {
    Ok(Some(match delta {
        UserDelta::UserName(text) => Edit::Username(required("userName", text, TEXT_MAX)?),
        UserDelta::GivenName(text) => Edit::FirstName(required("name.givenName", text, TEXT_MAX)?),
        UserDelta::FamilyName(text) => Edit::LastName(required("name.familyName", text, TEXT_MAX)?),
        UserDelta::Emails(delta) => Edit::Emails(contacts("emails", delta, EMAIL_MAX)?),
        UserDelta::PhoneNumbers(delta) => Edit::PhoneNumbers(contacts("phoneNumbers", delta, TEXT_MAX)?),
        UserDelta::Active(active) => Edit::Active(active),
        UserDelta::Key(text) => Edit::Id(Id::new(text).ok_or_else(|| Violation::new("key", Id::RULE))?),
        UserDelta::Xp(text) => Edit::Xp(text.map(xp).transpose()?),
        UserDelta::ExternalId(_) | UserDelta::Free(..) => return Ok(None),
    }))
}

fn required(attribute: &'static str, text: String, max: usize) -> Result<String, Violation> {
    match broken_required_rule(&text, max) {
        Some(rule) => Err(Violation::new(attribute, rule)),
        None => Ok(text),
    }
}

fn optional(attribute: &'static str, text: Option<&str>, max: usize) -> Result<(), Violation> {
    text.and_then(|text| broken_rule(text, max)).map_or(Ok(()), |rule| Err(Violation::new(attribute, rule)))
}

/// Reads extended properties, which are sent as a text that holds a JSON object.
fn xp(text: String) -> Result<Xp, Violation> {
    let json = Json::parse(text.as_bytes()).map_err(|_| Violation::new("xp", "must be the text of a JSON object"))?;
    Xp::new(&json).map_err(|rule| Violation::new("xp", rule))
}

/// Checks the texts of email addresses or phone numbers.
fn contacts(attribute: &'static str, delta: ValuesDelta, max: usize) -> Result<ValuesDelta, Violation> {
    let contact = |contact: &Contact| {
        optional(attribute, Some(&contact.value), max)?;
        optional(attribute, contact.kind.as_deref(), TEXT_MAX)?;
        optional(attribute, contact.display.as_deref(), TEXT_MAX)
    };
    let part = |part: &Part| match part {
        Part::Value(text) => optional(attribute, Some(text), max),
        Part::Kind(text) | Part::Display(text) => optional(attribute, text.as_deref(), TEXT_MAX),
        Part::Primary(_) => Ok(()),
    };
    match &delta {
        ValuesDelta::Add(all) | ValuesDelta::Exactly(all) => all.iter().try_for_each(contact)?,
        ValuesDelta::Set { selected, parts } => {
            let of_filters = selected.iter().flatten().flat_map(|selector| &selector.0);
            parts.iter().chain(of_filters).try_for_each(part)?;
        }
        ValuesDelta::Remove(_) | ValuesDelta::RemoveAll => {}
    }
    Ok(delta)
}

impl UserEdits {
    /// Makes the changes of a user, in their order. Fails with `NoTarget` if one of them selects an address or number that
    /// the user does not have.
    pub(super) fn apply(&self, user: &mut ProvisionedUser) -> error::Result<()> {
        if self.replaces {
            user.empty();
        }
        self.edits.iter().try_for_each(|edit| edit.apply(user))
    }
}

impl Edit {
    fn apply(&self, user: &mut ProvisionedUser) -> error::Result<()> {
        let contacts = |delta: &ValuesDelta, present: &mut Vec<Contact>| {
            delta.clone().apply(present).map_err(|error| DirectoryError::NoTarget(error.detail))
        };
        match self {
            Self::Username(name) => user.username.clone_from(name),
            Self::FirstName(name) => user.first_name.clone_from(name),
            Self::LastName(name) => user.last_name.clone_from(name),
            Self::Emails(delta) => contacts(delta, &mut user.emails)?,
            Self::PhoneNumbers(delta) => contacts(delta, &mut user.phone_numbers)?,
            Self::Active(active) => user.active = *active,
            Self::Id(id) => user.id = Some(id.clone()),
            Self::Xp(xp) => user.xp.clone_from(xp),
        }
        Ok(())
    }
}
