//! Use cases of users: OrderCloud's AdminUsers, and the commands of the operator.

use secrecy::ExposeSecret as _;

use crate::domain::address;
use crate::domain::caller::{Caller, Permit, ReadGroups, ReadUsers, WriteUsers};
use crate::domain::community::Communities;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::id::Id;
use crate::domain::query::{Condition, Field, ListResult, UserField, UserQuery};
use crate::domain::role::Roles;
use crate::domain::target::Target;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User, UserFields, UserKey, UserUid, is_secure_password};
use crate::domain::xp::Xp;
use crate::store::{CurrentUser, Mutation, UserUpdate};

use super::Service;
use super::groups::patched_xp;

/// The fields of a user in POST and PUT. The API has checked their limits.
#[derive(Clone, Debug)]
pub struct UserDraft {
    /// The ID. `None`: a generated ID on POST, the ID of the URI on PUT.
    pub id: Option<Id>,
    /// The name to sign in with.
    pub username: String,
    /// The password. `None`: no password on POST, no change on PUT.
    pub password: Option<Secret>,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The e-mail address.
    pub email: String,
    /// The phone number.
    pub phone: Option<String>,
    /// When the user accepted the terms.
    pub terms_accepted: Option<Timestamp>,
    /// Whether the user may sign in.
    pub active: bool,
    /// The extended properties.
    pub xp: Option<Xp>,
}

/// The fields of a user in PATCH. An outer `None` is an absent field, an inner `None` is null.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// The new ID.
    pub id: Option<Id>,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The new password.
    pub password: Option<Secret>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<Option<String>>,
    /// When the user accepted the terms.
    pub terms_accepted: Option<Option<Timestamp>>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// The extended properties to merge into the present ones.
    pub xp: Option<Option<Xp>>,
}

impl Service {
    /// Returns the live user with this ID. Fails with `NotFound`.
    pub async fn user(&self, _permit: &Permit<ReadUsers>, id: &Id) -> Result<User> {
        let key = UserKey::Id(id.clone());
        self.store.user(&key).await?.ok_or_else(|| not_found(&key))
    }

    /// Returns the user for whom the caller acts, if there is one. Every caller may know this user.
    pub async fn own_user(&self, caller: &Caller) -> Result<Option<User>> {
        match caller.actor.user {
            Some(uid) => self.store.user(&UserKey::Uid(uid)).await,
            None => Ok(None),
        }
    }

    /// Returns the live user with the key. Fails with `NotFound`.
    pub(crate) async fn live_user(&self, _permit: &Permit<ReadUsers>, key: &UserKey) -> Result<User> {
        self.store.user(key).await?.filter(|user| user.deleted.is_none()).ok_or_else(|| not_found(key))
    }

    /// Returns the live user with this username, for the operator. Fails with `NotFound`.
    pub async fn user_by_name(&self, _permit: &Permit<ReadUsers>, username: &str) -> Result<User> {
        let key = UserKey::Username(username.to_owned());
        self.store.user(&key).await?.ok_or_else(|| Error::NotFound(ResourceKind::User, username.to_owned()))
    }

    /// Returns one page of the users that match the query.
    pub async fn list_users(&self, _permit: &Permit<ReadUsers>, query: UserQuery) -> Result<ListResult<User>> {
        self.store.list_users(query).await
    }

    /// Returns one page of a walk through the users that match the query. Of communities and groups, the filter uses
    /// those that the caller may see.
    pub async fn walk_users(
        &self,
        permit: &Permit<ReadUsers>,
        query: CursorQuery<UserField>,
    ) -> Result<CursorPage<User>> {
        self.store.walk_users(query.limited_to(&permit.caller().visibility)).await
    }

    /// Returns one page of the deleted users that match the query, the last deleted first. The query's filter has
    /// conditions on own fields alone, and its sort keys do not count.
    pub async fn walk_deleted_users(
        &self,
        permit: &Permit<ReadUsers>,
        query: CursorQuery<UserField>,
    ) -> Result<CursorPage<User>> {
        self.store.walk_deleted_users(query.limited_to(&permit.caller().visibility)).await
    }

    /// Returns the number of the live user with the key, for a filter; `None` if there is none.
    pub async fn user_number(&self, _permit: &Permit<ReadGroups>, key: &UserKey) -> Result<Option<UserUid>> {
        let user = self.store.user(key).await?.filter(|user| user.deleted.is_none());
        Ok(user.map(|user| user.uid))
    }

    /// The condition that a user is locked now because of failed sign-ins.
    pub fn locked_now(&self) -> Condition<UserField> {
        Condition::after(Field::Own(UserField::LockedUntil), self.clock.now())
    }

    /// Fails with `NotFound` if there is no live user with this ID.
    pub async fn expect_user(&self, _permit: &Permit<WriteUsers>, id: &Id) -> Result<()> {
        let key = UserKey::Id(id.clone());
        self.store.user(&key).await?.map(drop).ok_or_else(|| not_found(&key))
    }

    /// Creates a user without roles (POST). Fails with `AlreadyExists`, `UsernameTaken` or `InsecurePassword`.
    pub async fn create_user(&self, permit: &Permit<WriteUsers>, draft: UserDraft) -> Result<User> {
        let id = draft.id.clone().unwrap_or_else(|| self.new_id());
        self.write_whole_user(permit, Target::New, id, draft).await
    }

    /// Replaces the fields of the user with the ID of the URI, or creates the user (PUT). The password changes only if
    /// one is sent. Roles and communities do not change. Fails with `AlreadyExists`, `UsernameTaken`,
    /// `InsecurePassword` or `Forbidden`.
    pub async fn save_user(&self, permit: &Permit<WriteUsers>, uri: Id, draft: UserDraft) -> Result<User> {
        self.write_whole_user(permit, UserKey::Id(uri.clone()), uri, draft).await
    }

    async fn write_whole_user(
        &self,
        permit: &Permit<WriteUsers>,
        target: impl Into<Target<UserKey>>,
        id: Id,
        draft: UserDraft,
    ) -> Result<User> {
        let (hash, at) = (self.hash_password(draft.password.as_ref()).await?, self.clock.now());
        self.write_user(permit, target, move |present| {
            let present = present.map(|user| &user.fields);
            let own_id = present.map_or(&id, |fields| &fields.id);
            Ok(UserUpdate {
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

    /// Changes the fields of the patch (PATCH). Fails with `NotFound`, `AlreadyExists`, `UsernameTaken`,
    /// `InsecurePassword`, `Forbidden` or `Invalid`.
    pub async fn patch_user(&self, permit: &Permit<WriteUsers>, id: Id, patch: UserPatch) -> Result<User> {
        let (hash, at) = (self.hash_password(patch.password.as_ref()).await?, self.clock.now());
        let key = UserKey::Id(id);
        self.write_user(permit, key.clone(), move |present| {
            let mut fields = live(present, &key)?.fields.clone();
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
            Ok(UserUpdate { fields, password_hash: hash.clone() })
        })
        .await
    }

    /// Deletes a user (DELETE). Fails with `NotFound`, `AlreadyDeleted` or `Forbidden`.
    pub async fn delete_user(&self, permit: &Permit<WriteUsers>, key: UserKey) -> Result<()> {
        let (rights, own) = (permit.caller().roles, key.clone());
        let update = move |current: Option<CurrentUser<'_>>| {
            let current = current.ok_or_else(|| not_found(&own))?;
            live(Some(current.user), &own)?;
            check_outranks(rights, current)?;
            Ok(Mutation::Delete)
        };
        self.write::<User>(permit, key, Box::new(update)).await.map(drop)
    }

    /// Ends all tokens of a user, and returns the user. Fails with `NotFound`, `AlreadyDeleted` or `Forbidden`.
    pub async fn revoke_user_tokens(&self, permit: &Permit<WriteUsers>, key: UserKey) -> Result<User> {
        self.change_user(permit, key, |fields| fields.generation += 1).await
    }

    /// Whether the user is locked now because of failed sign-ins.
    pub fn is_locked(&self, user: &User) -> bool {
        user.is_locked(self.clock.now())
    }

    /// Resets the count of failed sign-ins, which unlocks the user. Fails with `NotFound`, `AlreadyDeleted` or
    /// `Forbidden`, and with `PreconditionFailed` for a conditional request.
    pub async fn unlock_user(&self, permit: &Permit<WriteUsers>, key: &UserKey) -> Result<()> {
        permit.refuse_condition()?;
        let found = self.store.user(key).await?;
        let user = live(found.as_ref(), key)?;
        check_covers(permit.caller().roles, user.fields.roles)?;
        if self.store.unlock(self.operation(permit), user.uid).await? { Ok(()) } else { Err(not_found(key)) }
    }

    /// Sets the roles of the user, for the operator. Fails with `NotFound` or `Forbidden`.
    pub async fn set_user_roles(&self, permit: &Permit<WriteUsers>, id: Id, roles: Roles) -> Result<User> {
        self.change_user(permit, UserKey::Id(id), move |fields| fields.roles = roles).await
    }

    /// Sets the communities that the user is limited to, for the operator. An empty set removes the limit. Fails with
    /// `NotFound` or `Forbidden`.
    pub async fn set_user_communities(&self, permit: &Permit<WriteUsers>, id: Id, to: Communities) -> Result<User> {
        self.change_user(permit, UserKey::Id(id), move |fields| fields.communities.clone_from(&to)).await
    }

    async fn change_user(
        &self,
        permit: &Permit<WriteUsers>,
        key: UserKey,
        change: impl Fn(&mut UserFields) + Send + Sync + 'static,
    ) -> Result<User> {
        let own = key.clone();
        self.write_user(permit, key, move |present| {
            let mut fields = live(present, &own)?.fields.clone();
            change(&mut fields);
            Ok(UserUpdate { fields, password_hash: None })
        })
        .await
    }

    /// Writes a user with the update function, and ends the user's tokens if the change requires it. Fails with
    /// `Forbidden` if the caller would give or take roles that they do not hold.
    pub(super) async fn write_user(
        &self,
        permit: &Permit<WriteUsers>,
        target: impl Into<Target<UserKey>>,
        update: impl Fn(Option<&User>) -> Result<UserUpdate> + Send + Sync + 'static,
    ) -> Result<User> {
        let rights = permit.caller().roles;
        let update = move |current: Option<CurrentUser<'_>>| {
            let mut update = update(current.map(|present| present.user))?;
            if let Some(present) = current {
                check_outranks(rights, present)?;
                update.fields.generation += i64::from(ends_tokens(&present.user.fields, &update));
            }
            check_covers(rights, update.fields.roles)?;
            Ok(Mutation::Put(update))
        };
        self.write::<User>(permit, target, Box::new(update)).await
    }

    /// Returns the hash of the password, if there is one. Fails with `InsecurePassword`.
    pub(super) async fn hash_password(&self, password: Option<&Secret>) -> Result<Option<String>> {
        let Some(password) = password else { return Ok(None) };
        if !is_secure_password(password.expose_secret()) {
            return Err(Error::InsecurePassword);
        }
        self.passwords.hash(password).await.map(Some)
    }
}

/// Fails with `Forbidden` if `rights` do not cover every role of the user and of the clients that act for the user. So
/// nobody gains roles by changing the password of another user, and nobody removes roles that they could not assign
/// (docs/ordercloud.md, section 3).
pub(super) fn check_outranks(rights: Roles, present: CurrentUser<'_>) -> Result<()> {
    check_covers(rights, present.user.fields.roles.with(present.client_roles))
}

/// Fails with `Forbidden` if `rights` do not cover the needed roles.
pub(super) fn check_covers(rights: Roles, needed: Roles) -> Result<()> {
    if rights.covers(needed) { Ok(()) } else { Err(Error::Forbidden { sufficient: needed, assigned: rights }) }
}

/// Whether the change ends the present tokens: a new password, a removed role or a deactivation does.
pub(super) fn ends_tokens(before: &UserFields, after: &UserUpdate) -> bool {
    let fields = &after.fields;
    after.password_hash.is_some() || !fields.roles.contains(before.roles) || before.active && !fields.active
}

/// Returns the live user that was found by the key. Fails with `NotFound` or `AlreadyDeleted`.
pub(super) fn live<'a>(user: Option<&'a User>, key: &UserKey) -> Result<&'a User> {
    match user {
        Some(user) if user.deleted.is_none() => Ok(user),
        Some(_) => Err(Error::AlreadyDeleted),
        None => Err(not_found(key)),
    }
}

pub(super) fn not_found(key: &UserKey) -> Error {
    Error::NotFound(ResourceKind::User, address::of_user(key))
}
