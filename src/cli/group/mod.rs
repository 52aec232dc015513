//! `rollbook group`: manages groups and their members.

mod create;
mod list;
mod members;

use std::io::{self, Write as _};

use clap::{Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::domain::caller::ReadGroups;
use crate::domain::group::GroupKey;
use crate::service::Service;

use super::operator::{ReasonArgs, parse_group, permit, with_directory};

/// The arguments of `rollbook group`.
#[derive(Debug, Args)]
pub(super) struct GroupArgs {
    #[command(subcommand)]
    command: GroupCommand,
}

#[derive(Debug, Subcommand)]
enum GroupCommand {
    /// Create a group
    Create(create::CreateGroup),
    /// Print all groups, one per line, with fields separated by tabs
    List(list::ListGroups),
    /// Print a group
    Show {
        /// The group's ID, or `uid:` and its number, which also finds a deleted group
        #[arg(value_parser = parse_group)]
        group: GroupKey,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete a group and remove all users from it
    Delete {
        /// The group's ID, or `uid:` and its number
        #[arg(value_parser = parse_group)]
        group: GroupKey,
        /// Refuse if the group has members
        #[arg(long)]
        if_empty: bool,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Print the members of a group, one per line, with fields separated by tabs
    Members(members::ListMembers),
    /// Add users to a group
    ///
    /// Who is a member already stays one. If one of the users does not exist, nobody is added.
    AddMember(members::ChangeMembers),
    /// Remove users from a group
    ///
    /// Who is no member is left out. If one of the users does not exist, nobody is removed.
    RemoveMember(members::ChangeMembers),
}

/// Runs the command and prints its result on standard output.
pub(super) async fn run(args: GroupArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| args.command.run(service).await).await
}

impl GroupCommand {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(service).await,
            Self::List(list) => list.run(service).await,
            Self::Show { group, json } => list::show(service, &group, json).await,
            Self::Delete { group, if_empty, reason } => {
                let id = service.group_by_key(&permit::<ReadGroups>()?, &group).await?.fields.id.clone();
                service.delete_complete_group(&reason.permit()?, group, if_empty).await?;
                Ok(writeln!(io::stdout(), "The group {id} was deleted.")?)
            }
            Self::Members(list) => list.run(service).await,
            Self::AddMember(change) => change.add(service).await,
            Self::RemoveMember(change) => change.remove(service).await,
        }
    }
}
