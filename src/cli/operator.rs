//! What commands on a database share: the operator's rights, how a user is named, how things are printed.

use std::fmt::Display;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::config::DatabaseConfig;
use crate::domain::community::{Communities, Community};
use crate::domain::error::{Error, Result};
use crate::domain::id::Id;
use crate::domain::journal::Door;
use crate::domain::role::{Caller, Permission, Permit, ReadUsers, Roles};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::service::Service;
use crate::{Purpose, open};

/// Does `work` on the directory that the configuration names, and lets go of it.
pub async fn on_directory(
    database: &DatabaseConfig,
    work: impl AsyncFnOnce(&Service) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let service = open(database, Purpose::Command).await?;
    let done = work(&service).await;
    service.store().close().await;
    done
}

/// The operator may do everything; changes are told in the journal as made at the command line.
pub fn permit<P: Permission>() -> Result<Permit<P>> {
    Arc::new(Caller::operator(Door::CommandLine)).permit()
}

/// The live user with this ID or, where there is none, with this username.
pub async fn find_user(service: &Service, named: &str) -> Result<User> {
    let permit = permit::<ReadUsers>()?;
    if let Some(id) = Id::new(named) {
        match service.user(&permit, &id).await {
            Err(Error::NotFound(..)) => {}
            found => return found,
        }
    }
    service.user_by_name(&permit, named).await
}

/// Reads the value of `--community`.
pub fn parse_community(text: &str) -> Result<Community, String> {
    Community::parse(text).ok_or_else(|| "must be a GUID".to_owned())
}

/// Reads the value of `--role`; the help lists the names there are.
pub fn role_parser() -> impl TypedValueParser<Value = Roles> {
    PossibleValuesParser::new(Roles::NAMES.map(|(_, name)| name)).try_map(|name| name.parse::<Roles>())
}

/// Every role that is in one of the sets.
pub fn all_of(roles: &[Roles]) -> Roles {
    roles.iter().copied().fold(Roles::NONE, Roles::with)
}

/// The names of the roles, divided by commas; `-` for none.
pub fn shown_roles(roles: Roles) -> String {
    joined(roles.names())
}

/// The communities, divided by commas; `-` for none.
pub fn shown_communities(communities: &Communities) -> String {
    joined(communities.iter())
}

/// Text that came from a caller, with control characters escaped: it is printed on the operator's terminal.
pub fn shown(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    text.chars().map(escaped).collect()
}

/// A moment in UTC, by the second.
pub fn shown_time(moment: Timestamp) -> impl Display {
    moment.to_civil().strftime("%Y-%m-%dT%H:%M:%SZ")
}

fn joined(items: impl Iterator<Item = impl Display>) -> String {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    if items.is_empty() { "-".to_owned() } else { items.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(shown("a\u{1b}[2J\tü\u{9b}"), "a\\u{1b}[2J\\tü\\u{9b}");
    }

    #[test]
    fn nothing_is_a_dash() {
        assert_eq!(shown_roles(Roles::NONE), "-");
        assert_eq!(shown_roles(all_of(&[Roles::USER_READER, Roles::FULL_ACCESS])), "FullAccess,AdminUserReader");
    }
}
