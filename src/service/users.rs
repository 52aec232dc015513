//! Users: OrderCloud's AdminUsers, and what the operator does with them.

use secrecy::ExposeSecret as _;

use crate::domain::community::Communities;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::Id;
use crate::domain::json::Json;
use crate::domain::query::{Listed, UserQuery};
use crate::domain::role::{Caller, Permit, ReadUsers, Roles, WriteUsers};
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User, UserFields, UserKey, is_secure_password};
use crate::domain::xp::Xp;
use crate::store::{UserWrite, Write};

use super::groups::patched_xp;
use super::{Service, log_change};

/// A whole user as POST and PUT tell it; members are within their limits.
#[derive(Clone, Debug)]
pub struct UserDraft {
    /// None = a generated ID on POST, the URI's on PUT.
    pub id: Option<Id>,
    pub username: String,
    /// None = no password on POST, the present one on PUT.
    pub password: Option<Secret>,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: Option<String>,
    pub terms_accepted: Option<Timestamp>,
    pub active: bool,
    pub xp: Option<Xp>,
}

/// The members that PATCH names; an inner `None` is a null.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    pub id: Option<Id>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<Option<String>>,
    pub terms_accepted: Option<Option<Timestamp>>,
    pub active: Option<bool>,
    /// Laid over the present xp, not put in its place.
    pub xp: Option<Option<Json>>,
}

impl Service {
    /// The live user with this ID.
    pub async fn user(&self, _permit: &Permit<ReadUsers>, id: &Id) -> Result<User> {
        self.store.user(&UserKey::Id(id.clone())).await?.ok_or_else(|| not_found(id))
    }

    /// The live user with this username, for the operator.
    pub async fn user_by_name(&self, _permit: &Permit<ReadUsers>, username: &str) -> Result<User> {
        let found = self.store.user(&UserKey::Username(username.to_owned())).await?;
        found.ok_or_else(|| Error::NotFound(Kind::User, username.to_owned()))
    }

    /// One page of the users that match.
    pub async fn list_users(&self, _permit: &Permit<ReadUsers>, query: UserQuery) -> Result<Listed<User>> {
        self.store.list_users(query).await
    }

    /// Fails with `NotFound` unless there is a live user with this ID.
    pub async fn expect_user(&self, _permit: &Permit<WriteUsers>, id: &Id) -> Result<()> {
        self.store.user(&UserKey::Id(id.clone())).await?.map(drop).ok_or_else(|| not_found(id))
    }

    /// Makes a user without roles (POST).
    pub async fn create_user(&self, permit: &Permit<WriteUsers>, draft: UserDraft) -> Result<User> {
        let id = draft.id.clone().unwrap_or_else(|| self.new_id());
        self.write_whole_user(permit, UserKey::New, id, draft).await
    }

    /// Puts a user in the place of the one with the URI's ID, or makes it (PUT). The password stays where none is
    /// sent; roles and communities always stay.
    pub async fn save_user(&self, permit: &Permit<WriteUsers>, uri: Id, draft: UserDraft) -> Result<User> {
        self.write_whole_user(permit, UserKey::Id(uri.clone()), uri, draft).await
    }

    async fn write_whole_user(
        &self,
        permit: &Permit<WriteUsers>,
        key: UserKey,
        id: Id,
        draft: UserDraft,
    ) -> Result<User> {
        let (hash, at) = (self.hashed_password(draft.password.as_ref()).await?, self.clock.now());
        self.write_user(permit.caller(), key, move |present| {
            let present = present.map(|user| &user.fields);
            let own_id = present.map_or(&id, |fields| &fields.id);
            Ok(UserWrite {
                fields: UserFields {
                    id: draft.id.as_ref().unwrap_or(own_id).clone(),
                    username: draft.username.clone(),
                    first_name: draft.first_name.clone(),
                    last_name: draft.last_name.clone(),
                    email: draft.email.clone(),
                    phone: draft.phone.clone(),
                    terms_accepted: draft.terms_accepted,
                    active: draft.active,
                    xp: draft.xp.clone(),
                    roles: present.map_or(Roles::NONE, |fields| fields.roles),
                    communities: present.map_or_else(Communities::new, |fields| fields.communities.clone()),
                    generation: present.map_or(0, |fields| fields.generation),
                    password_set: hash.as_ref().map(|_| at).or(present.and_then(|fields| fields.password_set)),
                },
                password_hash: hash.clone(),
            })
        })
        .await
    }

    /// Changes the members that the patch names (PATCH).
    pub async fn patch_user(&self, permit: &Permit<WriteUsers>, id: Id, patch: UserPatch) -> Result<User> {
        let (hash, at) = (self.hashed_password(patch.password.as_ref()).await?, self.clock.now());
        self.write_user(permit.caller(), UserKey::Id(id.clone()), move |present| {
            let mut fields = present.ok_or_else(|| not_found(&id))?.fields.clone();
            let set = |field: &mut String, value: &Option<String>| {
                if let Some(value) = value {
                    field.clone_from(value);
                }
            };
            set(&mut fields.username, &patch.username);
            set(&mut fields.first_name, &patch.first_name);
            set(&mut fields.last_name, &patch.last_name);
            set(&mut fields.email, &patch.email);
            if let Some(id) = &patch.id {
                fields.id = id.clone();
            }
            if let Some(phone) = &patch.phone {
                fields.phone.clone_from(phone);
            }
            if let Some(terms_accepted) = patch.terms_accepted {
                fields.terms_accepted = terms_accepted;
            }
            if let Some(active) = patch.active {
                fields.active = active;
            }
            if let Some(xp) = &patch.xp {
                fields.xp = patched_xp(fields.xp.as_ref(), xp.as_ref())?;
            }
            if hash.is_some() {
                fields.password_set = Some(at);
            }
            Ok(UserWrite { fields, password_hash: hash.clone() })
        })
        .await
    }

    /// Deletes a user (DELETE).
    pub async fn delete_user(&self, permit: &Permit<WriteUsers>, id: Id) -> Result<()> {
        let caller = permit.caller();
        let (rights, key) = (caller.roles, UserKey::Id(id.clone()));
        let edit = move |found: Option<&User>| {
            outranks(rights, found.ok_or_else(|| not_found(&id))?)?;
            Ok(Write::Delete)
        };
        self.store_user(caller, key, edit).await.map(drop)
    }

    /// Ends all tokens of a user.
    pub async fn revoke_user_tokens(&self, permit: &Permit<WriteUsers>, id: Id) -> Result<()> {
        self.change_user(permit, id, |fields| fields.generation += 1).await.map(drop)
    }

    /// Forgets a user's failed sign-ins, so that a locked one may try again.
    pub async fn unlock_user(&self, permit: &Permit<WriteUsers>, id: &Id) -> Result<()> {
        let user = self.store.user(&UserKey::Id(id.clone())).await?.ok_or_else(|| not_found(id))?;
        outranks(permit.caller().roles, &user)?;
        if self.store.unlock(user.uid).await? { Ok(()) } else { Err(not_found(id)) }
    }

    /// Gives the user exactly these roles (the operator).
    pub async fn set_user_roles(&self, permit: &Permit<WriteUsers>, id: Id, roles: Roles) -> Result<User> {
        self.change_user(permit, id, move |fields| fields.roles = roles).await
    }

    /// Limits the user to these communities, or lifts the limit where there are none (the operator).
    pub async fn set_user_communities(&self, permit: &Permit<WriteUsers>, id: Id, to: Communities) -> Result<User> {
        self.change_user(permit, id, move |fields| fields.communities.clone_from(&to)).await
    }

    async fn change_user(
        &self,
        permit: &Permit<WriteUsers>,
        id: Id,
        change: impl Fn(&mut UserFields) + Send + Sync + 'static,
    ) -> Result<User> {
        let key = UserKey::Id(id.clone());
        self.write_user(permit.caller(), key, move |present| {
            let mut fields = present.ok_or_else(|| not_found(&id))?.fields.clone();
            change(&mut fields);
            Ok(UserWrite { fields, password_hash: None })
        })
        .await
    }

    /// Writes a user by the rule, and ends the user's tokens where the change asks for it.
    async fn write_user(
        &self,
        caller: &Caller,
        key: UserKey,
        edit: impl Fn(Option<&User>) -> Result<UserWrite> + Send + Sync + 'static,
    ) -> Result<User> {
        let rights = caller.roles;
        let edit = move |found: Option<&User>| {
            let mut write = edit(found)?;
            if let Some(present) = found {
                outranks(rights, present)?;
                write.fields.generation += i64::from(ends_tokens(&present.fields, &write));
            }
            Ok(Write::Put(write))
        };
        self.store_user(caller, key, edit).await
    }

    /// Has the store write a user, lets tokens be looked at anew, and says so in the log.
    async fn store_user(
        &self,
        caller: &Caller,
        key: UserKey,
        edit: impl Fn(Option<&User>) -> Result<Write<UserWrite>> + Send + Sync + 'static,
    ) -> Result<User> {
        let operation = self.operation(caller);
        let written = self.store.write_user(operation.clone(), key, Box::new(edit)).await;
        self.tokens.standing_changed();
        let written = written?;
        log_change(&operation, "user", written.uid, written.version);
        Ok(written)
    }

    async fn hashed_password(&self, password: Option<&Secret>) -> Result<Option<String>> {
        let Some(password) = password else { return Ok(None) };
        if !is_secure_password(password.expose_secret()) {
            return Err(Error::InsecurePassword);
        }
        self.passwords.hash(password).await.map(Some)
    }
}

/// Changing a user takes every role that the user has: nobody becomes more by changing somebody's password.
pub(super) fn outranks(rights: Roles, user: &User) -> Result<()> {
    if rights.cover(user.fields.roles) {
        Ok(())
    } else {
        Err(Error::Forbidden { sufficient: user.fields.roles, assigned: rights })
    }
}

/// A new password, a role taken away or a deactivation ends the tokens made before.
pub(super) fn ends_tokens(before: &UserFields, after: &UserWrite) -> bool {
    let fields = &after.fields;
    after.password_hash.is_some() || !fields.roles.contains(before.roles) || before.active && !fields.active
}

fn not_found(id: &Id) -> Error {
    Error::NotFound(Kind::User, id.to_string())
}
