//! The first start (docs/console.md, section 3): whoever has the code that the server printed makes the first
//! administrator.

use std::sync::Arc;

use crate::auth::digest::sha256_hex;
use crate::auth::random;
use crate::domain::caller::Caller;
use crate::domain::error::{Error, ResourceKind, Result, Violation};
use crate::domain::journal::Channel;
use crate::domain::role::Roles;
use crate::domain::text::broken_required_rule;
use crate::domain::user::{EMAIL_MAX, Secret, TEXT_MAX, User};

use super::Service;
use super::complete_groups::Identity;
use super::complete_users::CompleteUser;

/// For how many minutes a setup code is good.
pub(crate) const SETUP_MINUTES: i64 = 30;

/// The first administrator.
#[derive(Clone, Debug)]
pub(crate) struct FirstAdministrator {
    /// The name to sign in with.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The email address.
    pub email: String,
    /// The password.
    pub password: Secret,
}

impl FirstAdministrator {
    /// Fails with `Invalid`, which has all violations.
    fn check(&self) -> Result<()> {
        let fields = [
            ("username", &self.username, TEXT_MAX),
            ("first name", &self.first_name, TEXT_MAX),
            ("last name", &self.last_name, TEXT_MAX),
            ("e-mail", &self.email, EMAIL_MAX),
        ];
        let violation = |(name, text, max): (&'static str, &String, usize)| {
            broken_required_rule(text, max).map(|rule| Violation::new(name, rule))
        };
        let violations: Vec<_> = fields.into_iter().filter_map(violation).collect();
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }
}

impl Service {
    /// Whether a live user has FullAccess.
    pub(crate) async fn has_administrator(&self) -> Result<bool> {
        self.store.has_administrator().await
    }

    /// Returns a new setup code, which is good on every node for [`SETUP_MINUTES`]; `None` if there is an administrator.
    pub(crate) async fn new_setup_code(&self) -> Result<Option<Secret>> {
        if self.has_administrator().await? {
            return Ok(None);
        }
        let (code, now) = (random::token()?, self.clock.now());
        self.store.keep_setup_code(&sha256_hex(&code), now.plus_seconds(SETUP_MINUTES * 60), now).await?;
        Ok(Some(code.into()))
    }

    /// Whether the setup code is good now.
    pub(crate) async fn is_setup_code(&self, code: &str) -> Result<bool> {
        let known = self.store.setup_code(&sha256_hex(code), self.clock.now()).await?;
        Ok(known.is_some() && !self.has_administrator().await?)
    }

    /// Creates the first administrator and uses up all setup codes. Fails with `NotFound` if the code is wrong, used or
    /// expired, or if there is an administrator. Refused fields and passwords leave the code good.
    pub(crate) async fn set_up(&self, code: &str, administrator: FirstAdministrator) -> Result<User> {
        let (hash, now) = (sha256_hex(code), self.clock.now());
        let missing = || Error::NotFound(ResourceKind::SetupPage, String::new());
        let expires = self.store.setup_code(&hash, now).await?.ok_or_else(missing)?;
        if self.has_administrator().await? {
            return Err(missing());
        }
        administrator.check()?;
        // Refuses the password before the code is used up.
        self.hash_password(Some(&administrator.password)).await?;
        if !self.store.use_setup_code(&hash, now).await? {
            return Err(missing());
        }
        let created = self.create_administrator(administrator, Channel::Console).await;
        if created.is_err() {
            self.store.keep_setup_code(&hash, expires, now).await?;
        }
        created
    }

    /// Creates a user with FullAccess. Fails with `Invalid`, `UsernameTaken` or `InsecurePassword`.
    pub(crate) async fn create_administrator(
        &self,
        administrator: FirstAdministrator,
        channel: Channel,
    ) -> Result<User> {
        administrator.check()?;
        let FirstAdministrator { username, first_name, last_name, email, password } = administrator;
        let user = CompleteUser {
            identity: Identity::default(),
            id: None,
            username,
            first_name,
            last_name,
            email,
            phone: None,
            terms_accepted: None,
            active: None,
            xp: None,
            roles: Some(Roles::FULL_ACCESS),
            communities: None,
        };
        let permit = Arc::new(Caller::operator(channel)).permit()?;
        self.create_complete_user(&permit, user, Some(password)).await
    }
}
