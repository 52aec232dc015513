//! Use cases of API clients.

use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::auth::digest::sha256_hex;
use crate::auth::random;
use crate::domain::caller::{ManageClients, Permit, ReadClients};
use crate::domain::client::{
    Client, ClientFields, ClientKey, ClientUid, LIFETIME_MAX, PERCENT_MAX, SECRET_MAX, SECRET_MIN, TEXT_MAX,
    is_valid_secret,
};
use crate::domain::community::Communities;
use crate::domain::error::{Error, ResourceKind, Result, Violation};
use crate::domain::role::Roles;
use crate::domain::target::Target;
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User, UserKey, UserUid};
use crate::store::{ClientUpdate, Mutation};

use super::Service;

/// The fields of a new client.
#[derive(Clone, Debug)]
pub struct ClientDraft {
    /// The `client_id`. `None`: a generated GUID.
    pub id: Option<String>,
    /// The name, for people.
    pub name: String,
    /// The roles of the client's own tokens. For the tokens of users, they limit the user's roles unless they are
    /// empty.
    pub roles: Roles,
    /// The communities that the client is limited to. Empty: no limit.
    pub communities: Communities,
    /// The user as whom the client acts with its own tokens.
    pub user: Option<UserUid>,
    /// The secret. `None`: a public client, which has no secret.
    pub secret: Option<Secret>,
    /// The lifetime of access tokens, in minutes, from 1.
    pub access_minutes: i64,
    /// The lifetime of refresh tokens, in minutes. 0: the client gets no refresh tokens.
    pub refresh_minutes: i64,
    /// Whether each use of a refresh token returns a new one.
    pub refresh_rotation: bool,
    /// Whether the client may get tokens.
    pub enabled: bool,
    /// Whether SCIM refuses a change of members that names unknown users.
    pub strict_members: bool,
    /// The maximum share of a group's members that one SCIM request may remove, in percent, from 0. `None`: no limit.
    pub max_removal_percent: Option<i64>,
}

/// The fields of a client to change, and what the client must be. `None`: no change, and no such condition.
#[derive(Clone, Debug, Default)]
pub struct ClientPatch {
    /// The `client_id`, which never changes.
    pub own_id: Option<String>,
    /// Whether the client is public, which never changes.
    pub own_public: Option<bool>,
    /// The version that the client must have.
    pub version: Option<i64>,
    /// The name, for people.
    pub name: Option<String>,
    /// The roles, as in [`ClientDraft::roles`].
    pub roles: Option<Roles>,
    /// The communities that the client is limited to. Empty: no limit.
    pub communities: Option<Communities>,
    /// The lifetime of access tokens, in minutes, from 1.
    pub access_minutes: Option<i64>,
    /// The lifetime of refresh tokens, in minutes. 0: the client gets no refresh tokens.
    pub refresh_minutes: Option<i64>,
    /// Whether each use of a refresh token returns a new one.
    pub refresh_rotation: Option<bool>,
    /// Whether the client may get tokens.
    pub enabled: Option<bool>,
    /// The user as whom the client acts with its own tokens. `Some(None)`: it acts in its own name.
    pub user: Option<Option<UserUid>>,
    /// Whether SCIM refuses a change of members that names unknown users.
    pub strict_members: Option<bool>,
    /// The maximum share of members that one SCIM request may remove, in percent, from 0. `Some(None)`: no limit.
    pub max_removal_percent: Option<Option<i64>>,
}

impl ClientPatch {
    /// Fails with `Invalid` or `PreconditionFailed` unless the client is as the patch says.
    fn check(&self, client: &Client) -> Result<()> {
        if self.own_id.as_ref().is_some_and(|id| *id != client.fields.id) {
            return Err(Error::invalid("id", "never changes"));
        }
        if self.own_public.is_some_and(|public| public != client.secret_hash.is_none()) {
            return Err(Error::invalid("public", "never changes: create another client"));
        }
        match self.version.is_some_and(|version| version != client.version) {
            true => Err(Error::PreconditionFailed),
            false => Ok(()),
        }
    }

    /// Changes the fields, and ends the tokens that have more rights than the client has now or act for another user.
    /// Communities end no token, because every request reads the present ones.
    fn apply(self, fields: &mut ClientFields) {
        let before = fields.clone();
        fields.name = self.name.unwrap_or_else(|| before.name.clone());
        fields.roles = self.roles.unwrap_or(before.roles);
        fields.communities = self.communities.unwrap_or_else(|| before.communities.clone());
        fields.access_minutes = self.access_minutes.unwrap_or(before.access_minutes);
        fields.refresh_minutes = self.refresh_minutes.unwrap_or(before.refresh_minutes);
        fields.refresh_rotation = self.refresh_rotation.unwrap_or(before.refresh_rotation);
        fields.enabled = self.enabled.unwrap_or(before.enabled);
        fields.user = self.user.unwrap_or(before.user);
        fields.strict_members = self.strict_members.unwrap_or(before.strict_members);
        fields.max_removal_percent = self.max_removal_percent.unwrap_or(before.max_removal_percent);
        end_tokens(&before, fields);
    }
}

/// Ends the tokens that have more rights than the changed fields give, or act for another user (docs/rollbook.md,
/// section 8).
pub(super) fn end_tokens(before: &ClientFields, after: &mut ClientFields) {
    let is_disabled = before.enabled && !after.enabled;
    let changes_user = after.user != before.user;
    // A client without roles does not limit the tokens of users.
    let limits_users = before.roles.is_empty() && !after.roles.is_empty();
    let ends_tokens = is_disabled || changes_user || limits_users || !after.roles.contains(before.roles);
    after.generation += i64::from(ends_tokens);
    after.long_lived_generation += i64::from(is_disabled || changes_user);
}

/// A client with its new secret, which is shown once and not stored.
#[derive(Clone, Debug)]
pub struct NewSecret {
    /// The client.
    pub client: Client,
    /// The secret.
    pub secret: Secret,
}

/// Generates a secret: 32 random bytes in base64url, 43 characters. Fails if the system has no random bytes.
pub fn new_secret() -> Result<Secret> {
    random::token().map(Secret::from)
}

impl Service {
    /// Creates a client. Callers who may do so hold every role and every community, so they may give any. Fails with
    /// `Invalid` if a field violates a rule, under the names of Rollbook's own API (`client_id` for the ID), with
    /// `AlreadyExists` if the ID is used, and with `NotFound` if the user does not exist.
    pub async fn create_client(&self, permit: &Permit<ManageClients>, draft: ClientDraft) -> Result<Client> {
        let id_rule = draft.id.as_deref().and_then(|id| text::broken_required_rule(id, TEXT_MAX));
        id_rule.map_or(Ok(()), |rule| Err(Error::invalid("client_id", rule)))?;
        let hash = match &draft.secret {
            Some(secret) => Some(self.hash_secret(secret).await?),
            None => None,
        };
        let now = self.clock.now();
        let id = draft.id.clone().unwrap_or_else(|| self.ids.uuid(now).to_string());
        let fields = ClientFields {
            id,
            name: draft.name,
            roles: draft.roles,
            communities: draft.communities,
            user: draft.user,
            access_minutes: draft.access_minutes,
            refresh_minutes: draft.refresh_minutes,
            refresh_rotation: draft.refresh_rotation,
            enabled: draft.enabled,
            strict_members: draft.strict_members,
            max_removal_percent: draft.max_removal_percent,
            generation: 0,
            long_lived_generation: 0,
            secret_set: hash.as_ref().map(|_| now),
        };
        check_fields(&fields)?;
        let update = ClientUpdate { fields, secret_hash: hash };
        let update = move |_: Option<&Client>| Ok(Mutation::Put(update.clone()));
        self.write::<Client>(permit, Target::New, Box::new(update)).await
    }

    /// Whether the directory has a live client.
    pub async fn has_clients(&self, _permit: &Permit<ManageClients>) -> Result<bool> {
        self.store.has_clients().await
    }

    /// Returns the `client_id` for the first client of a new directory. It is derived from the first signing key, so
    /// that nodes that start at the same time on a new directory create one client, not one each. Fails if there is no
    /// key.
    pub async fn first_client_id(&self) -> Result<String> {
        let first = self.certificates().await?.pop();
        let kid = first.ok_or_else(|| Error::internal(anyhow::anyhow!("the directory has no signing key")))?.kid;
        let digest = sha256_hex(&format!("the first client beside {kid}"));
        let id = Uuid::try_parse(digest.get(..32).unwrap_or_default()).map_err(Error::internal)?;
        Ok(id.to_string())
    }

    /// Returns the live client with this `client_id`. Fails with `NotFound`.
    pub async fn client(&self, _permit: &Permit<ReadClients>, id: &str) -> Result<Client> {
        self.live_client(id).await
    }

    /// Returns the live client with this `client_id`, for an operation that has checked its permit. Fails with
    /// `NotFound`.
    pub(super) async fn live_client(&self, id: &str) -> Result<Client> {
        self.store.client(&ClientKey::Id(id.to_owned())).await?.ok_or_else(|| not_found(id))
    }

    /// Returns the number of the live user with the key, as whom a client is to act. Fails with `Invalid` if there is none.
    pub async fn acting_user(&self, _permit: &Permit<ManageClients>, key: &UserKey) -> Result<UserUid> {
        let user = self.store.user(key).await?.filter(|user| user.deleted.is_none());
        user.map(|user| user.uid).ok_or_else(|| Error::invalid("user", "does not exist"))
    }

    /// Returns at most `limit` live clients with a number above `after`, in the order of their numbers.
    pub async fn clients_after(
        &self,
        _permit: &Permit<ReadClients>,
        after: ClientUid,
        limit: u32,
    ) -> Result<Vec<Client>> {
        self.store.clients_after(after, limit).await
    }

    /// Returns the user as whom the client acts with its own tokens, if it has one. The user may be deleted.
    pub async fn user_of_client(&self, _permit: &Permit<ReadClients>, client: &Client) -> Result<Option<User>> {
        match client.fields.user {
            Some(uid) => self.store.user(&UserKey::Uid(uid)).await,
            None => Ok(None),
        }
    }

    /// Sets the secret of a client and ends its tokens. Does nothing if it is the present secret. Fails with
    /// `NotFound`, or with `Invalid` if the secret violates its rule.
    pub async fn set_client_secret(&self, permit: &Permit<ManageClients>, id: &str, secret: &Secret) -> Result<Client> {
        let present = self.live_client(id).await?;
        if let Some(hash) = &present.secret_hash
            && self.passwords.verify(secret, Some(hash)).await?
        {
            return Ok(present);
        }
        let (hash, now) = (self.hash_secret(secret).await?, self.clock.now());
        self.change_client(permit, id, move |_, update| {
            replace_secret(update, &hash, now);
            Ok(())
        })
        .await
    }

    /// Gives a client a new secret, which is returned once, and ends its access and refresh tokens. Fails with
    /// `NotFound`, or with `PublicClient`.
    pub async fn rotate_client_secret(&self, permit: &Permit<ManageClients>, id: &str) -> Result<NewSecret> {
        let secret = new_secret()?;
        let (hash, now) = (self.hash_secret(&secret).await?, self.clock.now());
        let rotate = move |client: &Client, update: &mut ClientUpdate| {
            if client.secret_hash.is_none() {
                return Err(Error::PublicClient(client.fields.id.clone()));
            }
            replace_secret(update, &hash, now);
            Ok(())
        };
        let client = self.change_client(permit, id, rotate).await?;
        Ok(NewSecret { client, secret })
    }

    /// Changes a client. A removed role ends its access and refresh tokens; disabling it and another user end long-lived
    /// ones as well. Fails with `NotFound` for an unknown client or user, with `PreconditionFailed`, or with `Invalid` if a
    /// field violates a rule.
    pub async fn patch_client(&self, permit: &Permit<ManageClients>, id: &str, patch: ClientPatch) -> Result<Client> {
        let change = move |client: &Client, update: &mut ClientUpdate| {
            patch.check(client)?;
            patch.clone().apply(&mut update.fields);
            Ok(())
        };
        self.change_client(permit, id, change).await
    }

    /// Deletes a client and ends its tokens. Fails with `NotFound`.
    pub async fn delete_client(&self, permit: &Permit<ManageClients>, id: &str) -> Result<()> {
        let (key, missing) = (ClientKey::Id(id.to_owned()), id.to_owned());
        let update =
            move |current: Option<&Client>| current.map(|_| Mutation::Delete).ok_or_else(|| not_found(&missing));
        self.write::<Client>(permit, key, Box::new(update)).await.map(drop)
    }

    async fn change_client(
        &self,
        permit: &Permit<ManageClients>,
        id: &str,
        change: impl Fn(&Client, &mut ClientUpdate) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Client> {
        let (key, missing) = (ClientKey::Id(id.to_owned()), id.to_owned());
        let update = move |current: Option<&Client>| {
            let client = current.ok_or_else(|| not_found(&missing))?;
            let mut update = ClientUpdate { fields: client.fields.clone(), secret_hash: None };
            change(client, &mut update)?;
            check_fields(&update.fields)?;
            Ok(Mutation::Put(update))
        };
        self.write::<Client>(permit, key, Box::new(update)).await
    }

    async fn hash_secret(&self, secret: &Secret) -> Result<String> {
        if !is_valid_secret(secret.expose_secret()) {
            return Err(Error::invalid(
                "secret",
                format!("must have {SECRET_MIN} to {SECRET_MAX} characters, none of them NUL"),
            ));
        }
        self.passwords.hash(secret).await
    }
}

/// Sets a new hash of the secret, and ends the access and refresh tokens.
fn replace_secret(update: &mut ClientUpdate, hash: &str, now: Timestamp) {
    update.fields.secret_set = Some(now);
    update.fields.generation += 1;
    update.secret_hash = Some(hash.to_owned());
}

fn check_fields(fields: &ClientFields) -> Result<()> {
    let name_rule = text::broken_required_rule(&fields.name, TEXT_MAX);
    let out_of_range = |min: i64, minutes: i64| {
        let valid = (min..=LIFETIME_MAX).contains(&minutes);
        (!valid).then(|| format!("must be {min} to {LIFETIME_MAX} minutes"))
    };
    let rotates_nothing = fields.refresh_rotation && fields.refresh_minutes == 0;
    let acts_by_itself = fields.secret_set.is_none() && fields.user.is_some();
    let no_percent = fields.max_removal_percent.is_some_and(|percent| !(0..=PERCENT_MAX).contains(&percent));
    let violations: Vec<_> = [
        ("name", name_rule),
        ("accessMinutes", out_of_range(1, fields.access_minutes)),
        ("refreshMinutes", out_of_range(0, fields.refresh_minutes)),
        ("refreshRotation", rotates_nothing.then(|| "needs refresh tokens".to_owned())),
        ("user", acts_by_itself.then(|| "is not for a public client, which gets no tokens of its own".to_owned())),
        ("maxRemovalPercent", no_percent.then(|| format!("must be 0 to {PERCENT_MAX}"))),
    ]
    .into_iter()
    .filter_map(|(field, rule)| Some(Violation::new(field, rule?)))
    .collect();
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

fn not_found(id: &str) -> Error {
    Error::NotFound(ResourceKind::Client, id.to_owned())
}
