//! The bodies of users (docs/rollbook.md, section 7).

use crate::domain::role::Roles;
use crate::domain::user::{EMAIL_MAX, Secret, TEXT_MAX};
use crate::http::request::error::Result;
use crate::http::request::fields::{FieldReader, Fields};
use crate::json::Json;
use crate::service::complete_users::{CompleteUser, UserChange};

use super::{communities, identity, skip, xp};

/// The fields of a user that only responses set.
const READ_ONLY_OF_USERS: [&str; 8] =
    ["passwordSet", "groupCount", "lockedUntil", "failedSignIns", "lastActive", "created", "updated", "deleted"];

/// Reads a new user and their password, for POST. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn new_user(fields: Fields) -> Result<(CompleteUser, Option<Secret>)> {
    let mut reader = FieldReader::new(fields);
    let password = reader.text("password", usize::MAX).flatten().map(Secret::from);
    let user = complete(&mut reader);
    reader.finish_known((user, password))
}

/// Reads a complete user, for PUT. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn user(fields: Fields) -> Result<CompleteUser> {
    let mut reader = FieldReader::new(fields);
    refuse_password(&mut reader);
    let user = complete(&mut reader);
    reader.finish_known(user)
}

/// Reads a merge patch of a user (RFC 7396). Fails with `Invalid` or `InvalidBody`.
pub(crate) fn user_change(fields: Fields) -> Result<UserChange> {
    let mut reader = FieldReader::new(fields);
    refuse_password(&mut reader);
    skip(&mut reader, &READ_ONLY_OF_USERS);
    let change = UserChange {
        identity: identity(&mut reader),
        id: reader.id("id"),
        username: reader.patched_text("username", TEXT_MAX),
        first_name: reader.patched_text("firstName", TEXT_MAX),
        last_name: reader.patched_text("lastName", TEXT_MAX),
        email: reader.patched_text("email", EMAIL_MAX),
        phone: reader.text("phone", TEXT_MAX),
        terms_accepted: reader.timestamp("termsAccepted"),
        active: reader.bool("active"),
        xp: xp(&mut reader),
        roles: roles(&mut reader),
        communities: communities(&mut reader),
    };
    reader.finish_known(change)
}

/// Reads a new password. Its strength is not checked. Fails with `Invalid` or `InvalidBody`.
pub(crate) fn password(fields: Fields) -> Result<Secret> {
    let mut reader = FieldReader::new(fields);
    let password = reader.required_text("password", usize::MAX).into();
    reader.finish_known(password)
}

fn complete(reader: &mut FieldReader) -> CompleteUser {
    skip(reader, &READ_ONLY_OF_USERS);
    CompleteUser {
        identity: identity(reader),
        id: reader.id("id"),
        username: reader.required_text("username", TEXT_MAX),
        first_name: reader.required_text("firstName", TEXT_MAX),
        last_name: reader.required_text("lastName", TEXT_MAX),
        email: reader.required_text("email", EMAIL_MAX),
        phone: reader.text("phone", TEXT_MAX).flatten(),
        terms_accepted: reader.timestamp("termsAccepted").flatten(),
        active: reader.bool("active"),
        xp: xp(reader).flatten().filter(|xp| !xp.is_empty()),
        roles: roles(reader),
        communities: communities(reader),
    }
}

fn refuse_password(reader: &mut FieldReader) {
    if reader.take("password").is_some() {
        reader.violate("password", "is set by PUT of /users/{user}/password");
    }
}

/// Reads a set of roles; `None` if it is absent.
fn roles(reader: &mut FieldReader) -> Option<Roles> {
    let rule = || "must be an array of names of roles".to_owned();
    let role = |item: &Json| match item {
        Json::String(name) => name.parse::<Roles>().map_err(|broken| format!("names '{name:.40}': {broken}")),
        _ => Err(rule()),
    };
    let parsed = match reader.take("roles")? {
        Json::Array(items) => items.iter().try_fold(Roles::NONE, |all, item| Ok(all.with(role(item)?))),
        _ => Err(rule()),
    };
    parsed.map_err(|rule| reader.violate("roles", rule)).ok()
}
