//! `rollbook user create`.

use clap::Args;

use crate::cli::operator::{ReasonArgs, community_set, parse_community, parse_id, role_parser, union_of};
use crate::cli::password;
use crate::domain::community::Community;
use crate::domain::error::{Error, Violation};
use crate::domain::id::Id;
use crate::domain::role::Roles;
use crate::domain::text::{broken_required_rule, broken_rule};
use crate::domain::user::{EMAIL_MAX, TEXT_MAX};
use crate::service::Service;
use crate::service::users::UserDraft;

use super::print_change;

/// The arguments of `rollbook user create`.
#[derive(Debug, Args)]
pub(super) struct CreateUser {
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

impl CreateUser {
    /// Creates the user. Sets roles last: if a step fails, the user has fewer rights than requested, never more.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
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
