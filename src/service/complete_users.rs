//! Use cases of complete users: Rollbook's own API reads and writes all fields of a user at once, roles and communities
//! included (docs/rollbook.md, section 7).

use crate::domain::caller::{Permit, ReadUsers, WriteUsers};
use crate::domain::community::{Communities, Visibility};
use crate::domain::error::{Error, Result};
use crate::domain::id::Id;
use crate::domain::membership::{JoinedGroupKey, JoinedGroupQuery};
use crate::domain::role::Roles;
use crate::domain::target::Target;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User, UserFields, UserKey};
use crate::domain::xp::Xp;
use crate::store::UserUpdate;

use super::Service;
use super::complete_groups::{Identity, merged_xp};
use super::users::{live, not_found};

/// A complete user in POST and PUT. The API has checked the limits of the fields.
#[derive(Clone, Debug)]
pub(crate) struct CompleteUser {
    /// The number and version that the body names.
    pub identity: Identity,
    /// The ID. `None`: a generated ID on POST, the ID of the path or of the stored user on PUT.
    pub id: Option<Id>,
    /// The name to sign in with.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The email address.
    pub email: String,
    /// The phone number.
    pub phone: Option<String>,
    /// When the user accepted the terms.
    pub terms_accepted: Option<Timestamp>,
    /// Whether the user may sign in. `None`: yes for a new user, no change on PUT.
    pub active: Option<bool>,
    /// The extended properties, not empty.
    pub xp: Option<Xp>,
    /// The roles. `None`: none for a new user, no change on PUT.
    pub roles: Option<Roles>,
    /// The communities. `None`: none for a new user, no change on PUT.
    pub communities: Option<Communities>,
}

/// A merge patch of a user (RFC 7396). An outer `None` is an absent field, an inner `None` is null.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserChange {
    /// The number and version that the body names.
    pub identity: Identity,
    /// The new ID.
    pub id: Option<Id>,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<Option<String>>,
    /// When the user accepted the terms.
    pub terms_accepted: Option<Option<Timestamp>>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// The extended properties to merge into the present ones.
    pub xp: Option<Option<Xp>>,
    /// All roles.
    pub roles: Option<Roles>,
    /// All communities.
    pub communities: Option<Communities>,
}

/// A user, and the number of live groups that they are in and the caller may see.
#[derive(Clone, Debug)]
pub(crate) struct CountedUser {
    /// The user.
    pub user: User,
    /// The number of groups; `None` if counting them costs too much.
    pub groups: Option<u64>,
}

impl Service {
    /// Returns the user with the key, also a deleted one if the key is its number, and the number of their groups. Fails
    /// with `NotFound`.
    pub(crate) async fn counted_user(&self, permit: &Permit<ReadUsers>, key: &UserKey) -> Result<CountedUser> {
        self.count_groups(key, &permit.caller().visibility).await
    }

    /// Returns the number of groups that the user with the key is in, which the answer to a write shows: 0 if there is
    /// no such user, `None` if counting them costs too much.
    pub(crate) async fn group_count(&self, permit: &Permit<WriteUsers>, key: &UserKey) -> Result<Option<u64>> {
        match self.count_groups(key, &permit.caller().visibility).await {
            Ok(counted) => Ok(counted.groups),
            Err(Error::NotFound(..)) => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }

    async fn count_groups(&self, key: &UserKey, visibility: &Visibility) -> Result<CountedUser> {
        let query = JoinedGroupQuery {
            visibility: visibility.clone(),
            user: key.clone(),
            key: JoinedGroupKey::Uid,
            descending: false,
            after: None,
            limit: 1,
        };
        match self.store.list_joined_groups(query).await {
            Ok((user, page)) => Ok(CountedUser { user, groups: page.total }),
            Err(Error::ListTooCostly) => {
                let user = self.store.user(key).await?.ok_or_else(|| not_found(key))?;
                Ok(CountedUser { user, groups: None })
            }
            Err(error) => Err(error),
        }
    }

    /// Creates a complete user. Fails with `AlreadyExists`, `UsernameTaken`, `InsecurePassword`, `PreconditionFailed` if
    /// the body names a version, or `Forbidden` if the caller does not hold a role that the user would get.
    pub(crate) async fn create_complete_user(
        &self,
        permit: &Permit<WriteUsers>,
        user: CompleteUser,
        password: Option<Secret>,
    ) -> Result<User> {
        let id = user.id.clone().unwrap_or_else(|| self.new_id());
        let (hash, at) = (self.hash_password(password.as_ref()).await?, self.clock.now());
        self.write_user(permit, Target::New, move |_| {
            user.identity.check(None)?;
            let password_set = hash.as_ref().map(|_| at);
            let fields = UserFields { password_set, ..created(&user, id.clone()) };
            Ok(UserUpdate { fields, password_hash: hash.clone() })
        })
        .await
    }

    /// Replaces a user, or creates them if the key is an ID that no user has. Fails with `Invalid`, `NotFound` for an
    /// unknown number or username, `AlreadyDeleted`, `AlreadyExists`, `UsernameTaken`, `PreconditionFailed`, or
    /// `Forbidden` if the caller does not hold a role that the user has or would get.
    pub(crate) async fn put_complete_user(
        &self,
        permit: &Permit<WriteUsers>,
        key: UserKey,
        user: CompleteUser,
    ) -> Result<User> {
        let own = key.clone();
        self.write_user(permit, key, move |present| {
            let fields = match (present, &own) {
                (None, UserKey::Id(id)) => {
                    user.identity.check(None)?;
                    created(&user, user.id.clone().unwrap_or_else(|| id.clone()))
                }
                _ => {
                    let present = live(present, &own)?;
                    user.identity.check(Some((present.uid, present.version)))?;
                    replaced(&user, &present.fields)
                }
            };
            Ok(UserUpdate { fields, password_hash: None })
        })
        .await
    }

    /// Merges a patch into a user. Fails with `Invalid`, `NotFound`, `AlreadyDeleted`, `AlreadyExists`, `UsernameTaken`,
    /// `PreconditionFailed`, or `Forbidden` as PUT does.
    pub(crate) async fn change_complete_user(
        &self,
        permit: &Permit<WriteUsers>,
        key: UserKey,
        change: UserChange,
    ) -> Result<User> {
        let own = key.clone();
        self.write_user(permit, key, move |present| {
            let present = live(present, &own)?;
            change.identity.check(Some((present.uid, present.version)))?;
            Ok(UserUpdate { fields: merged(&change, &present.fields)?, password_hash: None })
        })
        .await
    }

    /// Sets the password of a user, which ends their tokens. Fails with `NotFound`, `AlreadyDeleted`,
    /// `InsecurePassword`, `PreconditionFailed`, or `Forbidden` if the caller does not hold a role of the user.
    pub(crate) async fn set_user_password(
        &self,
        permit: &Permit<WriteUsers>,
        key: UserKey,
        password: Secret,
    ) -> Result<()> {
        let (hash, at, own) = (self.hash_password(Some(&password)).await?, self.clock.now(), key.clone());
        let write = self.write_user(permit, key, move |present| {
            let fields = UserFields { password_set: Some(at), ..live(present, &own)?.fields.clone() };
            Ok(UserUpdate { fields, password_hash: hash.clone() })
        });
        write.await.map(drop)
    }
}

/// The fields of a new user without a password.
fn created(user: &CompleteUser, id: Id) -> UserFields {
    UserFields {
        id,
        username: user.username.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.clone(),
        phone: user.phone.clone(),
        terms_accepted: user.terms_accepted,
        active: user.active.unwrap_or(true),
        xp: user.xp.clone(),
        roles: user.roles.unwrap_or(Roles::NONE),
        communities: user.communities.clone().unwrap_or_default(),
        generation: 0,
        password_set: None,
    }
}

fn replaced(user: &CompleteUser, present: &UserFields) -> UserFields {
    UserFields {
        active: user.active.unwrap_or(present.active),
        // An empty xp is shown as `{}`, whether it is stored or not.
        xp: user.xp.clone().or_else(|| present.xp.clone().filter(Xp::is_empty)),
        roles: user.roles.unwrap_or(present.roles),
        communities: user.communities.clone().unwrap_or_else(|| present.communities.clone()),
        generation: present.generation,
        password_set: present.password_set,
        ..created(user, user.id.clone().unwrap_or_else(|| present.id.clone()))
    }
}

fn merged(change: &UserChange, present: &UserFields) -> Result<UserFields> {
    fn or<T: Clone>(changed: Option<&T>, present: &T) -> T {
        changed.unwrap_or(present).clone()
    }
    Ok(UserFields {
        id: or(change.id.as_ref(), &present.id),
        username: or(change.username.as_ref(), &present.username),
        first_name: or(change.first_name.as_ref(), &present.first_name),
        last_name: or(change.last_name.as_ref(), &present.last_name),
        email: or(change.email.as_ref(), &present.email),
        phone: or(change.phone.as_ref(), &present.phone),
        terms_accepted: or(change.terms_accepted.as_ref(), &present.terms_accepted),
        active: or(change.active.as_ref(), &present.active),
        xp: match &change.xp {
            Some(patch) => merged_xp(present.xp.as_ref(), patch.as_ref())?,
            None => present.xp.clone(),
        },
        roles: or(change.roles.as_ref(), &present.roles),
        communities: or(change.communities.as_ref(), &present.communities),
        generation: present.generation,
        password_set: present.password_set,
    })
}
