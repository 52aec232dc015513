//! `rollbook user`: manages the users who can sign in, with their roles and communities.

use std::io::{self, Write as _};

use clap::{ArgGroup, Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::domain::caller::{Permit, ReadUsers};
use crate::domain::community::Community;
use crate::domain::error::{Error, Violation};
use crate::domain::id::Id;
use crate::domain::query::{Comparison, Condition, Field, Filter, Operand, Page, Sort, Test, UserField, UserQuery};
use crate::domain::role::Roles;
use crate::domain::text::{broken_required_rule, broken_rule};
use crate::domain::time::Timestamp;
use crate::domain::user::{EMAIL_MAX, TEXT_MAX, User, UserKey};
use crate::domain::xp::Xp;
use crate::service::Service;
use crate::service::users::{UserDraft, UserPatch};

use super::json;
use super::operator::{
    ReasonArgs, community_set, escaped, find_user, format_communities, format_roles, format_time, parse_community,
    permit, role_parser, union_of, with_directory,
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
    Create(CreateUser),
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
struct CreateUser {
    /// The name that the user signs in with; unique without regard to case
    #[arg(long)]
    username: String,
    /// The user's first name
    #[arg(long, value_name = "NAME")]
    first_name: String,
    /// The user's last name
    #[arg(long, value_name = "NAME")]
    last_name: String,
    /// The user's email address; it need not be unique
    #[arg(long)]
    email: String,
    /// The user's ID: 1 to 100 letters, digits, hyphens and underscores; generated if it is not given
    #[arg(long, value_parser = parse_id)]
    id: Option<Id>,
    /// The user's phone number
    #[arg(long)]
    phone: Option<String>,
    /// A role of the user; repeat the flag for several roles
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser())]
    roles: Vec<Roles>,
    /// A community (GUID) that the user is limited to; repeat the flag for up to 100 communities
    ///
    /// Without this flag, the user is not limited.
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community)]
    communities: Vec<Community>,
    /// Create the user without a password
    ///
    /// Nobody can sign in as this user until a password is set.
    #[arg(long)]
    no_password: bool,
    #[command(flatten)]
    reason: ReasonArgs,
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
            Self::List { json } => list(service, json).await,
            Self::Show { user, json } => show(service, &user, json).await,
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

impl CreateUser {
    /// Creates the user. Sets roles last: if a step fails, the user has fewer rights than requested, never more.
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (permit, draft) = (self.reason.permit()?, self.draft()?);
        let (roles, communities) = (union_of(&self.roles), community_set(self.communities)?);
        let mut user = service.create_user(&permit, draft).await?;
        if !communities.is_empty() {
            user = service.set_user_communities(&permit, user.fields.id, communities).await?;
        }
        if !roles.is_empty() {
            user = service.set_user_roles(&permit, user.fields.id, roles).await?;
        }
        print_change(&user, "was created")
    }

    /// The draft of the user. Reads the password only if all arguments are valid. Fails with every broken rule.
    fn draft(&self) -> anyhow::Result<UserDraft> {
        let rules = [
            ("--username", broken_required_rule(&self.username, TEXT_MAX)),
            ("--first-name", broken_required_rule(&self.first_name, TEXT_MAX)),
            ("--last-name", broken_required_rule(&self.last_name, TEXT_MAX)),
            ("--email", broken_required_rule(&self.email, EMAIL_MAX)),
            ("--phone", self.phone.as_deref().and_then(|phone| broken_rule(phone, TEXT_MAX))),
        ];
        let broken = rules.into_iter().filter_map(|(flag, rule)| Some(Violation::new(flag, rule?)));
        let violations: Vec<_> = broken.collect();
        if !violations.is_empty() {
            return Err(Error::Invalid(violations).into());
        }
        Ok(UserDraft {
            id: self.id.clone(),
            username: self.username.clone(),
            password: if self.no_password { None } else { Some(password::read_new()?) },
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            terms_accepted: None,
            active: true,
            xp: None,
        })
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

/// Prints a user, one property per line, or as one JSON object.
async fn show(service: &Service, named: &str, json: bool) -> anyhow::Result<()> {
    let user = find_user(service, named).await?;
    if json {
        return json::print(&json::user(&user)?);
    }
    let fields = &user.fields;
    let time = |moment: Option<Timestamp>| moment.map_or_else(|| "-".to_owned(), |at| format_time(at).to_string());
    let text = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), escaped);
    let (roles, communities) = (format_roles(fields.roles), format_communities(&fields.communities));
    for (name, value) in [
        ("number", user.uid.to_string()),
        ("ID", fields.id.to_string()),
        ("username", escaped(&fields.username)),
        ("first name", escaped(&fields.first_name)),
        ("last name", escaped(&fields.last_name)),
        ("email", escaped(&fields.email)),
        ("phone", text(fields.phone.as_deref())),
        ("state", state(&user, service.is_locked(&user)).to_owned()),
        ("failed sign-ins", user.failed_attempts.to_string()),
        ("roles", roles),
        ("communities", communities),
        ("xp", text(fields.xp.as_ref().map(Xp::as_str))),
        ("password set", time(fields.password_set)),
        ("last active", time(user.last_active)),
        ("created", time(Some(user.created))),
        ("updated", time(Some(user.updated))),
    ] {
        writeln!(io::stdout(), "{:17}{value}", format!("{name}:"))?;
    }
    Ok(())
}

/// Prints all users, ordered by ID.
async fn list(service: &Service, json: bool) -> anyhow::Result<()> {
    let permit = permit::<ReadUsers>()?;
    let mut out = io::stdout();
    if !json {
        writeln!(out, "ID\tUSERNAME\tSTATE\tFAILED_SIGN_INS\tROLES\tCOMMUNITIES")?;
    }
    let mut users = users_after(service, &permit, None).await?;
    while let Some(last) = users.last() {
        let last = last.fields.id.clone();
        for user in &users {
            match json {
                true => json::print(&json::user(user)?)?,
                false => writeln!(out, "{}", line(user, service.is_locked(user)))?,
            }
        }
        users = users_after(service, &permit, Some(&last)).await?;
    }
    Ok(())
}

/// The next page of users, ordered by ID, after `last`. A page starts from an ID and not from a page number, so that
/// users who are created or deleted meanwhile do not shift others out of the list.
async fn users_after(service: &Service, permit: &Permit<ReadUsers>, last: Option<&Id>) -> anyhow::Result<Vec<User>> {
    let after = |id: &Id| {
        let operand = Operand { text: id.key(), number: None, instant: None, boolean: None };
        Condition::Any(Field::Own(UserField::Id), vec![Test::Compare(Comparison::Greater, operand)])
    };
    let query = UserQuery {
        filter: Filter { search: None, conditions: last.map(after).into_iter().collect() },
        sort: vec![Sort { field: Field::Own(UserField::Id), descending: false }],
        page: Page { number: 1, size: Page::MAX_SIZE },
    };
    Ok(service.list_users(permit, query).await?.items)
}

/// Whether the user may sign in, as a word.
fn state(user: &User, is_locked: bool) -> &'static str {
    match (user.fields.active, is_locked) {
        (false, _) => "inactive",
        (true, true) => "locked",
        (true, false) => "active",
    }
}

/// The line of a user in the list.
fn line(user: &User, is_locked: bool) -> String {
    let (fields, state) = (&user.fields, state(user, is_locked));
    let (roles, communities) = (format_roles(fields.roles), format_communities(&fields.communities));
    format!("{}\t{}\t{state}\t{}\t{roles}\t{communities}", fields.id, escaped(&fields.username), user.failed_attempts)
}

/// Prints a sentence: the user, then `change`.
fn print_change(user: &User, change: &str) -> anyhow::Result<()> {
    let (username, id) = (escaped(&user.fields.username), &user.fields.id);
    Ok(writeln!(io::stdout(), "The user {username} (ID {id}) {change}.")?)
}

/// Parses the value of `--id`.
pub(super) fn parse_id(text: &str) -> Result<Id, String> {
    Id::new(text).ok_or_else(|| format!("must be 1 to {} letters, digits, hyphens and underscores", Id::MAX))
}
