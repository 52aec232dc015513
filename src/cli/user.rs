//! `rollbook user`: who can sign in, and what for.

use std::io::{self, Write as _};

use clap::{ArgGroup, Args, Subcommand};

use crate::config::DatabaseConfig;
use crate::domain::community::{Communities, Community};
use crate::domain::error::{Error, Violation};
use crate::domain::id::Id;
use crate::domain::query::{Comparison, Condition, Field, Filter, Operand, Page, Sort, Test, UserField, UserQuery};
use crate::domain::role::{Permit, ReadUsers, Roles, WriteUsers};
use crate::domain::text::{broken_required_rule, broken_rule};
use crate::domain::user::{EMAIL_MAX, TEXT_MAX, User};
use crate::service::Service;
use crate::service::users::{UserDraft, UserPatch};

use super::operator::{
    all_of, find_user, on_directory, parse_community, permit, role_parser, shown, shown_communities, shown_roles,
};
use super::password;

/// The arguments of `rollbook user`.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make a user; the password is asked for, or read as the first line of standard input
    Create(CreateUser),
    /// Print all users, one a line, fields divided by tabs
    List,
    /// Set a user's password and end the user's tokens; it is asked for, or read as the first line of standard input
    SetPassword {
        /// The user's ID or username
        user: String,
    },
    /// Give a user exactly these roles
    SetRoles(SetRoles),
    /// Limit a user to exactly these communities
    SetCommunities(SetCommunities),
    /// Forget a user's failed sign-ins, so that a locked one may try again
    Unlock {
        /// The user's ID or username
        user: String,
    },
}

#[derive(Debug, Args)]
struct CreateUser {
    /// The name to sign in with; unique without regard to case
    #[arg(long)]
    username: String,
    /// The user's first name
    #[arg(long, value_name = "NAME")]
    first_name: String,
    /// The user's last name
    #[arg(long, value_name = "NAME")]
    last_name: String,
    /// The user's email address; need not be unique
    #[arg(long)]
    email: String,
    /// 1 to 100 letters, digits, hyphens and underscores; made up where it is not given
    #[arg(long, value_parser = parse_id)]
    id: Option<Id>,
    /// The user's phone number
    #[arg(long)]
    phone: Option<String>,
    /// A role the user has; may be given again
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser())]
    roles: Vec<Roles>,
    /// A community (GUID) the user is limited to; may be given again. Without any, the user is not limited
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community)]
    communities: Vec<Community>,
    /// Make the user without a password: nobody can sign in as this user until one is set
    #[arg(long)]
    no_password: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true))]
struct SetRoles {
    /// The user's ID or username
    user: String,
    /// A role the user is to have; may be given again
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser(), group = "to")]
    roles: Vec<Roles>,
    /// Take all roles away
    #[arg(long, group = "to")]
    none: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true))]
struct SetCommunities {
    /// The user's ID or username
    user: String,
    /// A community (GUID) the user is to be limited to; may be given again
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community, group = "to")]
    communities: Vec<Community>,
    /// Lift the limit: the user sees every group
    #[arg(long, group = "to")]
    none: bool,
}

/// Does what was asked for and prints what came of it on standard output.
pub async fn run(args: UserArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    on_directory(database, async |service| args.command.run(service).await).await
}

impl UserCommand {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(service).await,
            Self::List => list(service).await,
            Self::SetPassword { user } => set_password(service, &user).await,
            Self::SetRoles(SetRoles { user, roles, none: _ }) => {
                let id = find_user(service, &user).await?.fields.id;
                let changed = service.set_user_roles(&permit::<WriteUsers>()?, id, all_of(&roles)).await?;
                let now = match changed.fields.roles {
                    Roles::NONE => "has no role any more".to_owned(),
                    roles => format!("has the roles {}", shown_roles(roles)),
                };
                tell(&changed, &now)
            }
            Self::SetCommunities(SetCommunities { user, communities, none: _ }) => {
                let (id, to) = (find_user(service, &user).await?.fields.id, communities.into_iter().collect());
                let changed = service.set_user_communities(&permit::<WriteUsers>()?, id, to).await?;
                let now = match &changed.fields.communities {
                    none if none.is_empty() => "is not limited to communities".to_owned(),
                    communities => format!("is limited to the communities {}", shown_communities(communities)),
                };
                tell(&changed, &now)
            }
            Self::Unlock { user } => {
                let found = find_user(service, &user).await?;
                service.unlock_user(&permit::<WriteUsers>()?, &found.fields.id).await?;
                tell(&found, "may try to sign in again")
            }
        }
    }
}

impl CreateUser {
    /// Roles come last: should a step fail, the user can do less than was asked for, never more.
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (permit, draft) = (permit::<WriteUsers>()?, self.draft()?);
        let (roles, communities) = (all_of(&self.roles), self.communities.into_iter().collect::<Communities>());
        let mut user = service.create_user(&permit, draft).await?;
        if !communities.is_empty() {
            user = service.set_user_communities(&permit, user.fields.id, communities).await?;
        }
        if !roles.is_empty() {
            user = service.set_user_roles(&permit, user.fields.id, roles).await?;
        }
        tell(&user, "was made")
    }

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

async fn set_password(service: &Service, named: &str) -> anyhow::Result<()> {
    let id = find_user(service, named).await?.fields.id;
    let patch = UserPatch { password: Some(password::read_new()?), ..UserPatch::default() };
    let user = service.patch_user(&permit::<WriteUsers>()?, id, patch).await?;
    tell(&user, "has a new password; tokens made before end within 5 seconds")
}

async fn list(service: &Service) -> anyhow::Result<()> {
    let permit = permit::<ReadUsers>()?;
    let mut out = io::stdout();
    writeln!(out, "ID\tUSERNAME\tSTATE\tFAILED_SIGN_INS\tROLES\tCOMMUNITIES")?;
    let mut users = users_after(service, &permit, None).await?;
    while let Some(last) = users.last() {
        let last = last.fields.id.clone();
        for user in &users {
            writeln!(out, "{}", line(user))?;
        }
        users = users_after(service, &permit, Some(&last)).await?;
    }
    Ok(())
}

/// The next users in order of their IDs. Each page starts from the last ID, not from a page number, so that users who
/// come or go meanwhile shift nobody out of the list.
async fn users_after(service: &Service, permit: &Permit<ReadUsers>, last: Option<&Id>) -> anyhow::Result<Vec<User>> {
    let beyond = |id: &Id| {
        let operand = Operand { text: id.key(), number: None, instant: None, boolean: None };
        Condition::Any(Field::Own(UserField::Id), vec![Test::Compare(Comparison::Greater, operand)])
    };
    let query = UserQuery {
        filter: Filter { search: None, conditions: last.map(beyond).into_iter().collect() },
        sort: vec![Sort { field: Field::Own(UserField::Id), descending: false }],
        page: Page { number: 1, size: Page::MAX_SIZE },
    };
    Ok(service.list_users(permit, query).await?.items)
}

fn line(user: &User) -> String {
    let fields = &user.fields;
    let state = if fields.active { "active" } else { "inactive" };
    let (roles, communities) = (shown_roles(fields.roles), shown_communities(&fields.communities));
    format!("{}\t{}\t{state}\t{}\t{roles}\t{communities}", fields.id, shown(&fields.username), user.failed_attempts)
}

fn tell(user: &User, news: &str) -> anyhow::Result<()> {
    let (username, id) = (shown(&user.fields.username), &user.fields.id);
    Ok(writeln!(io::stdout(), "The user {username} (ID {id}) {news}.")?)
}

fn parse_id(text: &str) -> Result<Id, String> {
    Id::new(text).ok_or_else(|| format!("must be 1 to {} letters, digits, hyphens and underscores", Id::MAX))
}
