//! Provisioning users: a user as an identity provider sees them is edited in the transaction, and becomes the fields of the
//! directory again.

use crate::domain::caller::{Permit, WriteUsers};
use crate::domain::community::Communities;
use crate::domain::contacts::{Contact, EMAIL_TYPES, PHONE_TYPES, preferred};
use crate::domain::error::{Error, Result, Violation};
use crate::domain::id::Id;
use crate::domain::role::Roles;
use crate::domain::target::Target;
use crate::domain::user::{User, UserFields, UserKey, UserUid};
use crate::domain::xp::Xp;
use crate::service::Service;
use crate::service::users::live;
use crate::store::UserUpdate;

/// The broken rule of a required value that the identity provider did not send.
const REQUIRED: &str = "is required: map an attribute of the identity provider to it";

/// A user as an identity provider sees them. Roles, communities and passwords are not among it: they never come from there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProvisionedUser {
    /// The name to sign in with.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The email addresses; at least one.
    pub emails: Vec<Contact>,
    /// The phone numbers.
    pub phone_numbers: Vec<Contact>,
    /// Whether the user may sign in.
    pub active: bool,
    /// The ID in the other APIs; `None` = a new user gets a generated one.
    pub id: Option<Id>,
    /// The extended properties.
    pub xp: Option<Xp>,
}

impl ProvisionedUser {
    /// The user with these fields.
    pub(crate) fn of(fields: &UserFields) -> Self {
        let only = |value: &String| Contact {
            value: value.clone(),
            kind: Some("work".to_owned()),
            primary: true,
            display: None,
        };
        Self {
            username: fields.username.clone(),
            first_name: fields.first_name.clone(),
            last_name: fields.last_name.clone(),
            emails: vec![only(&fields.email)],
            phone_numbers: fields.phone.iter().map(only).collect(),
            active: fields.active,
            id: Some(fields.id.clone()),
            xp: fields.xp.clone(),
        }
    }

    /// Empties what a complete user replaces: the optional attributes that identity providers keep. (Whether they may sign in,
    /// the ID and the extended properties stay unless they are named.)
    pub(crate) fn empty(&mut self) {
        self.emails.clear();
        self.phone_numbers.clear();
    }

    /// A user of whom nothing is known.
    fn new() -> Self {
        Self { active: true, ..Self::default() }
    }

    /// The fields of the user, who is new or has the present ones. Fails with `Invalid` if one is missing.
    fn fields(self, present: Option<&UserFields>, new_id: &Id) -> Result<UserFields> {
        let value =
            |contacts: &[Contact], types: &[&str]| Some(contacts.get(preferred(contacts, types)?)?.value.clone());
        let email = value(&self.emails, EMAIL_TYPES).unwrap_or_default();
        let phone = value(&self.phone_numbers, PHONE_TYPES);
        let required = [
            ("Username", &self.username),
            ("FirstName", &self.first_name),
            ("LastName", &self.last_name),
            ("Email", &email),
        ];
        let missing = required.into_iter().filter(|(_, value)| value.is_empty());
        let missing: Vec<_> = missing.map(|(field, _)| Violation::new(field, REQUIRED)).collect();
        if !missing.is_empty() {
            return Err(Error::Invalid(missing));
        }
        Ok(UserFields {
            id: self.id.unwrap_or_else(|| new_id.clone()),
            username: self.username,
            first_name: self.first_name,
            last_name: self.last_name,
            email,
            phone,
            terms_accepted: present.and_then(|fields| fields.terms_accepted),
            active: self.active,
            xp: self.xp,
            roles: present.map_or(Roles::NONE, |fields| fields.roles),
            communities: present.map_or_else(Communities::new, |fields| fields.communities.clone()),
            generation: present.map_or(0, |fields| fields.generation),
            password_set: present.and_then(|fields| fields.password_set),
        })
    }
}

impl Service {
    /// Creates a user, or changes the live one with the number, by an edit, which may be called several times. Fails as the
    /// edit does, with `Invalid` if the user lacks what the directory requires, and with `NotFound`, `AlreadyDeleted`,
    /// `AlreadyExists`, `UsernameTaken`, `PreconditionFailed`, or `Forbidden` if the caller does not hold a role of the
    /// user. A deactivation ends the user's tokens.
    pub(crate) async fn provision_user(
        &self,
        permit: &Permit<WriteUsers>,
        user: Option<UserUid>,
        edit: impl Fn(&mut ProvisionedUser) -> Result<()> + Send + Sync + 'static,
    ) -> Result<User> {
        let new_id = self.new_id();
        let key = user.map(UserKey::Uid);
        let target = key.clone().map_or(Target::New, Target::from);
        self.write_user(permit, target, move |present| {
            let present = key.as_ref().map(|key| live(present, key)).transpose()?.map(|user| &user.fields);
            let mut user = present.map_or_else(ProvisionedUser::new, ProvisionedUser::of);
            edit(&mut user)?;
            Ok(UserUpdate { fields: user.fields(present, &new_id)?, password_hash: None })
        })
        .await
    }
}
