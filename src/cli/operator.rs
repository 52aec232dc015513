//! What commands on a database share: the operator's identity and rights, the reason of a change, parsers of arguments,
//! and formats of output.

use std::fmt::Display;
use std::fs;
use std::sync::{Arc, LazyLock};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;
use jiff::tz::{Offset, TimeZone};
use rustix::process::getuid;
use rustix::system::uname;

use crate::config::DatabaseConfig;
use crate::domain::actor::NamedActor;
use crate::domain::address;
use crate::domain::caller::{Caller, Permission, Permit, ReadUsers};
use crate::domain::change::ChangeContext;
use crate::domain::community::{Communities, Community};
use crate::domain::error::{Error, Result};
use crate::domain::group::GroupKey;
use crate::domain::id::Id;
use crate::domain::journal::{Channel, Operator};
use crate::domain::reason::Reason;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey};
use crate::service::Service;
use crate::{Purpose, open};

/// Opens the directory that the configuration names, runs `work` on it, and closes it.
pub(super) async fn with_directory(
    database: &DatabaseConfig,
    work: impl AsyncFnOnce(&Service) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let service = open(database, Purpose::Command).await?;
    let result = work(&service).await;
    service.close().await;
    result
}

/// The argument of every command that makes changes which the journal records.
#[derive(Args, Debug, Default)]
pub(super) struct ReasonArgs {
    /// Why you make the change: 1 to 500 characters, which the journal keeps with the change
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: Option<Reason>,
}

impl ReasonArgs {
    /// A permit for changes with this reason, as [`permit`].
    pub(super) fn permit<P: Permission>(&self) -> Result<Permit<P>> {
        self.permit_through(Channel::CommandLine)
    }

    /// As [`ReasonArgs::permit`], for changes that the journal records with another channel.
    pub(super) fn permit_through<P: Permission>(&self, channel: Channel) -> Result<Permit<P>> {
        let caller = Caller { operator: Some(operator()), ..Caller::operator(channel) };
        let context = ChangeContext { reason: self.reason.clone(), ..ChangeContext::default() };
        Ok(Arc::new(caller).permit()?.accompanied_by(context))
    }
}

/// A permit of the operator, who may do everything. The journal records changes with the channel of the command line,
/// and with the user and machine that run the command.
pub(super) fn permit<P: Permission>() -> Result<Permit<P>> {
    ReasonArgs::default().permit()
}

/// The user and machine that run this command. The user is the real one of the process. Environment variables are not
/// used, because the caller can set them.
fn operator() -> Operator {
    let uid = getuid().as_raw();
    let users = fs::read("/etc/passwd").unwrap_or_default();
    let user = user_name(&String::from_utf8_lossy(&users), uid).unwrap_or_else(|| uid.to_string());
    Operator { user, host: uname().nodename().to_string_lossy().into_owned() }
}

/// The name of the user with the number in the text of a file of users, as /etc/passwd is.
fn user_name(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let (name, rest) = line.split_once(':')?;
        let number = rest.split(':').nth(1)?;
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Parses the value of `--reason`.
fn parse_reason(text: &str) -> Result<Reason, String> {
    Reason::new(text)
}

/// The live user with this ID or, if no user has the ID, with this username; or with the address that begins with `uid:` or
/// `username:`, as everywhere. Fails with `NotFound`.
pub(super) async fn find_user(service: &Service, named: &str) -> Result<User> {
    let permit = permit::<ReadUsers>()?;
    if let Some(key @ (UserKey::Uid(_) | UserKey::Username(_))) = address::user_key(named) {
        return service.live_user(&permit, &key).await;
    }
    if let Some(id) = Id::new(named) {
        match service.user(&permit, &id).await {
            Err(Error::NotFound(..)) => {}
            result => return result,
        }
    }
    service.user_by_name(&permit, named).await
}

/// Parses the value of `--id`.
pub(super) fn parse_id(text: &str) -> Result<Id, String> {
    Id::new(text).ok_or_else(|| format!("must be 1 to {} letters, digits, hyphens and underscores", Id::MAX))
}

/// Parses the address of a group.
pub(super) fn parse_group(text: &str) -> Result<GroupKey, String> {
    address::group_key(text).ok_or_else(|| "must be the ID of a group, or 'uid:' and its number".to_owned())
}

/// Parses the address of a user.
pub(super) fn parse_user(text: &str) -> Result<UserKey, String> {
    let rule = "must be the ID of a user, 'uid:' and the number, or 'username:' and the username";
    address::user_key(text).ok_or_else(|| rule.to_owned())
}

/// Parses a moment: a date, or a date and a time, in the local time zone unless it has an offset.
pub(super) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let rule = "must be a date or a time, e.g. 2026-03-01 or 2026-03-01T08:00:00+01:00";
    let offset = |local| LOCAL.to_zoned(local).map_or(0, |zoned| zoned.offset().seconds());
    Timestamp::parse_iso_in(text, offset).ok_or_else(|| rule.to_owned())
}

/// Parses the value of `--community`.
pub(super) fn parse_community(text: &str) -> Result<Community, String> {
    Community::parse(text).ok_or_else(|| "must be a GUID".to_owned())
}

/// The values of `--community` as a set. Fails with `Invalid` if there are too many.
pub(super) fn community_set(given: Vec<Community>) -> Result<Communities> {
    Community::set(given).map_err(|rule| Error::invalid("--community", rule))
}

/// The parser of `--role`; it lists the valid names in the help.
pub(super) fn role_parser() -> impl TypedValueParser<Value = Roles> {
    PossibleValuesParser::new(Roles::NAMES.map(|(_, name)| name)).try_map(|name| name.parse::<Roles>())
}

/// The union of the sets.
pub(super) fn union_of(roles: &[Roles]) -> Roles {
    roles.iter().copied().fold(Roles::NONE, Roles::with)
}

/// The names of the roles, separated by commas; `-` if there are none.
pub(super) fn format_roles(roles: Roles) -> String {
    joined(roles.names())
}

/// The communities, separated by commas; `-` if there are none.
pub(super) fn format_communities(communities: &Communities) -> String {
    joined(communities.iter())
}

/// Who made a change: the user, the client or the person at the command line; `-` if that is not known.
pub(super) fn format_actor(actor: Option<&NamedActor>) -> String {
    let Some(NamedActor { user, client, operator }) = actor else { return "-".to_owned() };
    let user = user.as_ref().map(|user| format!("user {}", user.id));
    let client = || client.as_ref().map(|client| format!("client {}", client.name));
    let operator = || operator.as_ref().map(|own| format!("operator {}@{}", own.user, own.host));
    escaped(&user.or_else(client).or_else(operator).unwrap_or_else(|| "-".to_owned()))
}

/// The text with control characters escaped, because callers choose it and the operator's terminal prints it.
pub(super) fn escaped(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    text.chars().map(escape).collect()
}

/// The time zone of the person at the command line: the variable TZ, otherwise that of the system, otherwise UTC.
static LOCAL: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

/// The time in the local time zone, in whole seconds, with its offset from UTC: `Z` for none.
pub(super) fn format_time(moment: Timestamp) -> String {
    format_time_in(moment, &LOCAL)
}

fn format_time_in(moment: Timestamp, zone: &TimeZone) -> String {
    let offset = jiff::Timestamp::from_second(moment.as_seconds()).map_or(Offset::UTC, |own| zone.to_offset(own));
    let local = moment.to_civil().saturating_add(SignedDuration::from_secs(offset.seconds().into()));
    let local = local.strftime("%Y-%m-%dT%H:%M:%S");
    match offset.seconds() {
        0 => format!("{local}Z"),
        seconds => {
            let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
            format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
}

/// The items separated by commas; `-` if there are none.
fn joined(items: impl Iterator<Item = impl Display>) -> String {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    if items.is_empty() { "-".to_owned() } else { items.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(escaped("a\u{1b}[2J\tü\u{9b}"), "a\\u{1b}[2J\\tü\\u{9b}");
    }

    #[test]
    fn the_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\n# comment\nada:x:1000:0:Ada:/home/ada:/bin/sh\n";
        let name = |uid| user_name(users, uid);
        assert_eq!((name(0).as_deref(), name(1000).as_deref(), name(1)), (Some("root"), Some("ada"), None));
        let operator = operator();
        assert!(!operator.user.is_empty() && !operator.host.is_empty());
    }

    #[test]
    fn times_are_local_with_their_offset() {
        let moment = Timestamp::parse_iso("2026-07-01T12:00:00.9Z").unwrap();
        let zone = |rule: &str| TimeZone::posix(rule).unwrap();
        for (rule, shown) in [
            ("UTC0", "2026-07-01T12:00:00Z"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T14:00:00+02:00"),
            ("NST3:30", "2026-07-01T08:30:00-03:30"),
        ] {
            assert_eq!(format_time_in(moment, &zone(rule)), shown);
        }
        let never = Timestamp::from_micros(i64::MIN);
        assert_eq!(format_time_in(never, &TimeZone::UTC), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn nothing_is_a_dash() {
        assert_eq!(format_roles(Roles::NONE), "-");
        assert_eq!(format_roles(union_of(&[Roles::USER_READER, Roles::FULL_ACCESS])), "FullAccess,AdminUserReader");
    }
}
