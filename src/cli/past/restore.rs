//! `rollbook restore`: undoes the deletion of a group or user.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::domain::error::Error;
use crate::domain::group::GroupKey;
use crate::domain::id::Id;
use crate::domain::restore::RestoredMemberships;
use crate::domain::text::broken_required_rule;
use crate::domain::user::{TEXT_MAX, UserKey};
use crate::service::restore::NewIdentity;

use crate::cli::operator::{ReasonArgs, escaped, parse_id, with_directory};

/// The arguments of `rollbook restore`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    #[command(subcommand)]
    command: RestoreCommand,
}

#[derive(Debug, Subcommand)]
enum RestoreCommand {
    /// Restore a deleted group, with every member who is not deleted
    Group {
        /// The group's number, which a deletion does not change
        #[arg(value_parser = parse_number)]
        uid: i64,
        /// A new ID, if another group has the old one by now
        #[arg(long, value_name = "NEW", value_parser = parse_id)]
        id: Option<Id>,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Restore a deleted user in every group that is not deleted, without a password and tokens
    User {
        /// The user's number, which a deletion does not change
        #[arg(value_parser = parse_number)]
        uid: i64,
        /// A new ID, if another user has the old one by now
        #[arg(long, value_name = "NEW", value_parser = parse_id)]
        id: Option<Id>,
        /// A new username, if another user has the old one by now
        #[arg(long, value_name = "NEW")]
        username: Option<String>,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

/// Runs the command and prints what came back on standard output.
pub(in crate::cli) async fn run(RestoreArgs { command }: RestoreArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| match command {
        RestoreCommand::Group { uid, id, reason } => {
            let restored = service.restore_group(&reason.permit()?, GroupKey::Uid(uid), id).await?;
            let name = restored.entity.fields.id.as_str();
            print_restored("group", name, restored.memberships, ("members", "users"))
        }
        RestoreCommand::User { uid, id, username, reason } => {
            if let Some(rule) = username.as_deref().and_then(|username| broken_required_rule(username, TEXT_MAX)) {
                return Err(Error::invalid("--username", rule).into());
            }
            let new = NewIdentity { id, username };
            let restored = service.restore_user(&reason.permit()?, UserKey::Uid(uid), new).await?;
            let name = restored.entity.fields.id.as_str();
            print_restored("user", name, restored.memberships, ("groups", "groups"))
        }
    })
    .await
}

/// Prints one line. `others` are the words for what came back and what did not.
fn print_restored(
    kind: &str,
    name: &str,
    memberships: RestoredMemberships,
    (back, gone): (&str, &str),
) -> anyhow::Result<()> {
    let count = memberships.gone.map_or_else(|| "more than 10000".to_owned(), |gone| gone.to_string());
    let returned = memberships.returned;
    let name = escaped(name);
    Ok(writeln!(io::stdout(), "The {kind} {name} is back, with {returned} {back}; {count} {gone} are deleted.")?)
}

/// Parses the number of a group or user, alone or as an address: `7` or `uid:7`.
fn parse_number(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix("uid:").unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be the number of a deleted group or user, e.g. 7 or uid:7".to_owned())
}
