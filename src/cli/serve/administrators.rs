//! The first administrator among the users: preset by the environment, or made by whoever opens the link that the start
//! prints.

use std::fs;

use anyhow::{Context as _, bail};
use tracing::warn;

use crate::config::variable;
use crate::domain::caller::{Caller, Permit, ReadUsers};
use crate::domain::error::Error;
use crate::domain::journal::Channel;
use crate::domain::role::Roles;
use crate::domain::user::Secret;
use crate::service::Service;
use crate::service::setup::{FirstAdministrator, SETUP_MINUTES};

const USERNAME: &str = "ROLLBOOK_ADMIN_USERNAME";
const PASSWORD: &str = "ROLLBOOK_ADMIN_PASSWORD";
const EMAIL: &str = "ROLLBOOK_ADMIN_EMAIL";
/// The last name of a preset administrator, whose first name is the username.
const LAST_NAME: &str = "Administrator";

/// Reads the preset administrator from the environment; `None` if neither username nor password is set. Fails if only one
/// is, or if a file cannot be read.
pub(super) fn preset() -> anyhow::Result<Option<FirstAdministrator>> {
    match (value(USERNAME)?, value(PASSWORD)?) {
        (None, None) => Ok(None),
        (Some(_), None) => bail!("{USERNAME} is set and {PASSWORD} is not; set both or neither"),
        (None, Some(_)) => bail!("{PASSWORD} is set and {USERNAME} is not; set both or neither"),
        (Some(username), Some(password)) => Ok(Some(FirstAdministrator {
            first_name: username.clone(),
            last_name: LAST_NAME.to_owned(),
            email: value(EMAIL)?.unwrap_or_else(|| format!("{username}@localhost")),
            username,
            password: password.into(),
        })),
    }
}

/// The value of the variable, or the content of the file that the variable with `_FILE` behind its name names, without the
/// line end behind it.
fn value(name: &'static str) -> anyhow::Result<Option<String>> {
    let file = format!("{name}_FILE");
    match (variable(name)?, variable(&file)?) {
        (Some(_), Some(_)) => bail!("{name} and {file} are both set; set one of them"),
        (Some(value), None) => Ok(Some(value)),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let content =
                fs::read_to_string(&path).with_context(|| format!("{file} names {path}, which cannot be read"))?;
            let value = content.strip_suffix('\n').unwrap_or(&content);
            Ok(Some(value.strip_suffix('\r').unwrap_or(value).to_owned()))
        }
    }
}

/// Creates the preset administrator, if there is no user with the username. Fails if there is one without `FullAccess`, or
/// if a field or the password is refused. The password of a user who exists stays as it is.
pub(super) async fn ensure(service: &Service, preset: FirstAdministrator) -> anyhow::Result<()> {
    let permit = Caller::operator(Channel::Server);
    let permit: Permit<ReadUsers> = std::sync::Arc::new(permit).permit()?;
    let username = preset.username.clone();
    match service.user_by_name(&permit, &username).await {
        Ok(user) => return check(&username, user.fields.roles),
        Err(Error::NotFound(..)) => {}
        Err(error) => return Err(error.into()),
    }
    match service.create_administrator(preset, Channel::Server).await {
        Ok(_) => Ok(()),
        // Another node that started at the same time was faster.
        Err(Error::UsernameTaken) => check(&username, service.user_by_name(&permit, &username).await?.fields.roles),
        Err(Error::InsecurePassword) => bail!(
            "{PASSWORD} must have 10 to 128 characters of at least three of these kinds: capital letters, small \
             letters, digits, others"
        ),
        Err(Error::Invalid(violations)) => {
            let rules: Vec<_> = violations.iter().map(|own| format!("the {} {}", own.field, own.reason)).collect();
            bail!("the administrator of {USERNAME} cannot be created: {}", rules.join(", "))
        }
        Err(error) => Err(error.into()),
    }
}

fn check(username: &str, roles: Roles) -> anyhow::Result<()> {
    if !roles.contains(Roles::FULL_ACCESS) {
        bail!("the user {username} exists without FullAccess; set {USERNAME} to another one")
    }
    Ok(())
}

/// Returns the code of the setup page, if no user is an administrator. A database that cannot be written now is no reason
/// not to start.
pub(super) async fn setup_code(service: &Service) -> Option<Secret> {
    match service.new_setup_code().await {
        Ok(code) => code,
        Err(error) => {
            warn!(%error, "no link to make the first administrator could be prepared; the next start tries again");
            None
        }
    }
}

/// For how many minutes the link is good.
pub(super) const LINK_MINUTES: i64 = SETUP_MINUTES;
