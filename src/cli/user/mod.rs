//! `rollbook user`: manages the users who can sign in, with their roles and communities.

mod create;
mod erase;
mod groups;
mod list;

use std::io::{self, Write as _};

use clap::{ArgGroup, Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::domain::community::Community;
use crate::domain::role::Roles;
use crate::domain::user::{User, UserKey};
use crate::service::Service;
use crate::service::users::UserPatch;

use super::operator::{
    ReasonArgs, community_set, escaped, find_user, format_communities, format_roles, parse_community, role_parser,
    union_of, with_directory,
};
use super::password;

/// The arguments of `rollbook user`.
#[derive(Debug, Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create a user
    ///
    /// The command prompts for the password, or reads it from the first line of standard input.
    Create(create::CreateUser),
    /// Print all users, one per line, with fields separated by tabs
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Print a user
    Show {
        /// The user's ID or username
        user: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the groups that a user is in, one per line, with fields separated by tabs
    Groups(groups::ListJoinedGroups),
    /// Enable a disabled user
    Enable {
        /// The user's ID or username
        user: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Disable a user and revoke the user's tokens: nobody can sign in as the user
    Disable {
        /// The user's ID or username
        user: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Delete a user, remove the user from all groups and revoke the user's tokens
    Delete {
        /// The user's ID or username
        user: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Erase a user for good: delete the user and empty every personal field, also in the journal
    ///
    /// This cannot be undone. Backups of the database still hold the user, and reasons of changes may name the user.
    Erase(erase::EraseUser),
    /// Set a user's password and revoke the user's tokens
    ///
    /// The command prompts for the password, or reads it from the first line of standard input.
    SetPassword {
        /// The user's ID or username
        user: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Replace a user's roles
    SetRoles(SetRoles),
    /// Replace the communities that a user is limited to
    SetCommunities(SetCommunities),
    /// Reset a user's failed sign-ins, which unlocks a locked user
    Unlock {
        /// The user's ID or username
        user: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true))]
struct SetRoles {
    /// The user's ID or username
    user: String,
    /// A role that the user gets; repeat the flag for several roles
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser(), group = "to")]
    roles: Vec<Roles>,
    /// Remove all roles
    #[arg(long, group = "to")]
    none: bool,
    #[command(flatten)]
    reason: ReasonArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true))]
struct SetCommunities {
    /// The user's ID or username
    user: String,
    /// A community (GUID) that the user is limited to; repeat the flag for up to 100 communities
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community, group = "to")]
    communities: Vec<Community>,
    /// Remove the limit: the user sees every group
    #[arg(long, group = "to")]
    none: bool,
    #[command(flatten)]
    reason: ReasonArgs,
}

/// Runs the command and prints its result on standard output.
pub(super) async fn run(args: UserArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| args.command.run(service).await).await
}

impl UserCommand {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(service).await,
            Self::List { json } => list::list(service, json).await,
            Self::Show { user, json } => list::show(service, &user, json).await,
            Self::Groups(list) => list.run(service).await,
            Self::Enable { user, reason } => {
                print_change(&set_active(service, &user, true, &reason).await?, "is enabled")
            }
            Self::Disable { user, reason } => {
                let user = set_active(service, &user, false, &reason).await?;
                print_change(&user, "is disabled; the user's tokens are revoked within 5 seconds")
            }
            Self::Delete { user, reason } => {
                let user = find_user(service, &user).await?;
                service.delete_user(&reason.permit()?, UserKey::Id(user.fields.id.clone())).await?;
                print_change(&user, "was deleted; the user's tokens are revoked within 5 seconds")
            }
            Self::Erase(command) => command.run(service).await,
            Self::SetPassword { user, reason } => set_password(service, &user, &reason).await,
            Self::SetRoles(SetRoles { user, roles, none: _, reason }) => {
                let id = find_user(service, &user).await?.fields.id;
                let changed = service.set_user_roles(&reason.permit()?, id, union_of(&roles)).await?;
                let now = match changed.fields.roles {
                    Roles::NONE => "has no roles".to_owned(),
                    roles => format!("has the roles {}", format_roles(roles)),
                };
                print_change(&changed, &now)
            }
            Self::SetCommunities(SetCommunities { user, communities, none: _, reason }) => {
                let (to, id) = (community_set(communities)?, find_user(service, &user).await?.fields.id);
                let changed = service.set_user_communities(&reason.permit()?, id, to).await?;
                let now = match &changed.fields.communities {
                    none if none.is_empty() => "is not limited to communities".to_owned(),
                    communities => format!("is limited to the communities {}", format_communities(communities)),
                };
                print_change(&changed, &now)
            }
            Self::Unlock { user, reason } => {
                let user = find_user(service, &user).await?;
                service.unlock_user(&reason.permit()?, &UserKey::Id(user.fields.id.clone())).await?;
                print_change(&user, "may try to sign in again")
            }
        }
    }
}

/// Reads a new password and sets it.
async fn set_password(service: &Service, named: &str, reason: &ReasonArgs) -> anyhow::Result<()> {
    let id = find_user(service, named).await?.fields.id;
    let patch = UserPatch { password: Some(password::read_new()?), ..UserPatch::default() };
    let user = service.patch_user(&reason.permit()?, id, patch).await?;
    print_change(&user, "has a new password; older tokens are revoked within 5 seconds")
}

/// Enables or disables a user.
async fn set_active(service: &Service, named: &str, active: bool, reason: &ReasonArgs) -> anyhow::Result<User> {
    let id = find_user(service, named).await?.fields.id;
    let patch = UserPatch { active: Some(active), ..UserPatch::default() };
    Ok(service.patch_user(&reason.permit()?, id, patch).await?)
}

/// Prints a sentence: the user, then `change`.
fn print_change(user: &User, change: &str) -> anyhow::Result<()> {
    let (username, id) = (escaped(&user.fields.username), &user.fields.id);
    Ok(writeln!(io::stdout(), "The user {username} (ID {id}) {change}.")?)
}
