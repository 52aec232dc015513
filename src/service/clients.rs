//! API clients: what the operator does with them.

use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::auth::digest::sha256_hex;
use crate::auth::random;
use crate::domain::client::{
    Client, ClientFields, ClientKey, ClientUid, LIFETIME_MAX, SECRET_MAX, SECRET_MIN, TEXT_MAX,
};
use crate::domain::community::Communities;
use crate::domain::error::{Error, Kind, Result, Violation};
use crate::domain::role::{Caller, ManageClients, Permit, Roles};
use crate::domain::text;
use crate::domain::user::{Secret, UserUid};
use crate::store::{ClientWrite, Write};

use super::{Service, log_change};

/// A new client.
#[derive(Clone, Debug)]
pub struct ClientDraft {
    /// None = a generated GUID.
    pub id: Option<String>,
    pub name: String,
    pub roles: Roles,
    pub communities: Communities,
    pub user: Option<UserUid>,
    /// None = a public client, which holds no secret.
    pub secret: Option<Secret>,
    pub access_minutes: i64,
    pub refresh_minutes: i64,
}

/// A new secret: 32 random bytes in base64url, 43 characters.
pub fn new_secret() -> Result<Secret> {
    random::token().map(Secret::from)
}

impl Service {
    /// Makes a client.
    pub async fn create_client(&self, permit: &Permit<ManageClients>, draft: ClientDraft) -> Result<Client> {
        check(&draft)?;
        let (hash, now) = (self.hashed_secret(draft.secret.as_ref()).await?, self.clock.now());
        let id = draft.id.clone().unwrap_or_else(|| self.ids.uuid(now).to_string());
        let edit = move |_: Option<&Client>| {
            Ok(Write::Put(ClientWrite {
                fields: ClientFields {
                    id: id.clone(),
                    name: draft.name.clone(),
                    roles: draft.roles,
                    communities: draft.communities.clone(),
                    user: draft.user,
                    access_minutes: draft.access_minutes,
                    refresh_minutes: draft.refresh_minutes,
                    enabled: true,
                    generation: 0,
                    secret_set: hash.as_ref().map(|_| now),
                },
                secret_hash: hash.clone(),
            }))
        };
        self.write_client(permit.caller(), ClientKey::New, edit).await
    }

    /// The `client_id` for the first client of a new directory. It follows from the first signing key, so that nodes
    /// that start at once on a new directory make one client, not one each.
    pub async fn first_client_id(&self) -> Result<String> {
        let first = self.certificates().await?.pop();
        let kid = first.ok_or_else(|| Error::internal(anyhow::anyhow!("the directory has no signing key")))?.kid;
        let digest = sha256_hex(&format!("the first client beside {kid}"));
        let id = Uuid::try_parse(digest.get(..32).unwrap_or_default()).map_err(Error::internal)?;
        Ok(id.to_string())
    }

    /// The live client with this `client_id`.
    pub async fn client(&self, _permit: &Permit<ManageClients>, id: &str) -> Result<Client> {
        self.store.client(&ClientKey::Id(id.to_owned())).await?.ok_or_else(|| not_found(id))
    }

    /// At most `limit` live clients with a number above `after`, in order of their numbers.
    pub async fn clients_after(
        &self,
        _permit: &Permit<ManageClients>,
        after: ClientUid,
        limit: u32,
    ) -> Result<Vec<Client>> {
        self.store.clients_after(after, limit).await
    }

    /// Gives a client a new secret and ends the tokens it got with the old one. The same secret again is no change.
    pub async fn set_client_secret(&self, permit: &Permit<ManageClients>, id: &str, secret: &Secret) -> Result<Client> {
        let present = self.client(permit, id).await?;
        if let Some(hash) = &present.secret_hash
            && self.passwords.verify(secret, Some(hash)).await?
        {
            return Ok(present);
        }
        let (hash, now) = (self.hashed_secret(Some(secret)).await?, self.clock.now());
        self.change_client(permit, id, move |write| {
            write.fields.secret_set = Some(now);
            write.fields.generation += 1;
            write.secret_hash.clone_from(&hash);
        })
        .await
    }

    /// Lets a client in again, or shuts it out and ends its tokens.
    pub async fn enable_client(&self, permit: &Permit<ManageClients>, id: &str, enabled: bool) -> Result<Client> {
        self.change_client(permit, id, move |write| {
            write.fields.generation += i64::from(write.fields.enabled && !enabled);
            write.fields.enabled = enabled;
        })
        .await
    }

    /// Deletes a client and ends its tokens.
    pub async fn delete_client(&self, permit: &Permit<ManageClients>, id: &str) -> Result<()> {
        let (key, missing) = (ClientKey::Id(id.to_owned()), id.to_owned());
        let edit = move |found: Option<&Client>| found.map(|_| Write::Delete).ok_or_else(|| not_found(&missing));
        self.write_client(permit.caller(), key, edit).await.map(drop)
    }

    async fn change_client(
        &self,
        permit: &Permit<ManageClients>,
        id: &str,
        change: impl Fn(&mut ClientWrite) + Send + Sync + 'static,
    ) -> Result<Client> {
        let (key, missing) = (ClientKey::Id(id.to_owned()), id.to_owned());
        let edit = move |found: Option<&Client>| {
            let fields = found.ok_or_else(|| not_found(&missing))?.fields.clone();
            let mut write = ClientWrite { fields, secret_hash: None };
            change(&mut write);
            Ok(Write::Put(write))
        };
        self.write_client(permit.caller(), key, edit).await
    }

    /// Writes a client by the rule, lets tokens be looked at anew, and says so in the log.
    async fn write_client(
        &self,
        caller: &Caller,
        key: ClientKey,
        edit: impl Fn(Option<&Client>) -> Result<Write<ClientWrite>> + Send + Sync + 'static,
    ) -> Result<Client> {
        let operation = self.operation(caller);
        let written = self.store.write_client(operation.clone(), key, Box::new(edit)).await;
        self.tokens.standing_changed();
        let written = written?;
        log_change(&operation, "client", written.uid, written.version);
        Ok(written)
    }

    async fn hashed_secret(&self, secret: Option<&Secret>) -> Result<Option<String>> {
        let Some(secret) = secret else { return Ok(None) };
        let chars = secret.expose_secret().chars().count();
        if !(SECRET_MIN..=SECRET_MAX).contains(&chars) || secret.expose_secret().contains('\0') {
            return Err(Error::invalid(
                "secret",
                format!("must have {SECRET_MIN} to {SECRET_MAX} characters, none of them NUL"),
            ));
        }
        self.passwords.hash(secret).await.map(Some)
    }
}

fn check(draft: &ClientDraft) -> Result<()> {
    let id_rule = draft.id.as_deref().and_then(|id| text::broken_required_rule(id, TEXT_MAX));
    let name_rule = text::broken_required_rule(&draft.name, TEXT_MAX);
    let out_of_range = |least: i64, minutes: i64| {
        let valid = (least..=LIFETIME_MAX).contains(&minutes);
        (!valid).then(|| format!("must be {least} to {LIFETIME_MAX} minutes"))
    };
    let violations: Vec<_> = [
        ("client_id", id_rule),
        ("name", name_rule),
        ("access-minutes", out_of_range(1, draft.access_minutes)),
        ("refresh-minutes", out_of_range(0, draft.refresh_minutes)),
    ]
    .into_iter()
    .filter_map(|(field, rule)| Some(Violation::new(field, rule?)))
    .collect();
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

fn not_found(id: &str) -> Error {
    Error::NotFound(Kind::Client, id.to_owned())
}
