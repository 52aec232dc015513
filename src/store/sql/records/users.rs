//! The columns of users and what a change makes of a user.

use crate::domain::error::{Error, Result};
use crate::domain::role::Roles;
use crate::domain::text::fold;
use crate::domain::user::{User, UserFields, UserKey};
use crate::domain::xp::Xp;
use crate::store::copy::ColumnType;
use crate::store::{CurrentUser, Mutation, UserUpdate, UserUpdateFn};

use crate::store::sql::codec::communities_from_text;
use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::counters::Counter;
use crate::store::sql::derived::{USER_LINKS, USER_XP};
use crate::store::sql::entity::{DerivedTables, Lookup, Sources, Stamp, StoredEntity, Unique};
use crate::store::sql::rows::{Columns, decoded, flag, id, optional_string, optional_time, roles, string, time};
use crate::store::sql::tables::{Listing as _, Users, searchable_texts};

const PASSWORD_HASH: &str = "password_hash";

impl Record for User {
    const TABLE: &'static str = Users::TABLE;
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("uid", Field::Integer(|user| user.uid)),
        Column::new("id", Field::Text(|user| user.fields.id.as_str())),
        Column::new("username", Field::Text(|user| &user.fields.username)),
        Column::new("first_name", Field::Text(|user| &user.fields.first_name)),
        Column::new("last_name", Field::Text(|user| &user.fields.last_name)),
        Column::new("email", Field::Text(|user| &user.fields.email)),
        Column::new("phone", Field::OptionalText(|user| user.fields.phone.as_deref())),
        Column::new("terms_accepted", Field::OptionalTime(|user| user.fields.terms_accepted)),
        Column::new("active", Field::Flag(|user| user.fields.active)),
        Column::new("xp", Field::Xp(|user| user.fields.xp.as_ref())),
        Column::new("roles", Field::Roles(|user| user.fields.roles)),
        Column::new("communities", Field::Communities(|user| &user.fields.communities)),
        Column::new("generation", Field::Integer(|user| user.fields.generation)),
        Column::new("password_set", Field::OptionalTime(|user| user.fields.password_set)),
        Column::insert_only("created", Field::Time(|user| user.created)),
        Column::new("updated", Field::Time(|user| user.updated)),
        Column::new("deleted", Field::OptionalTime(|user| user.deleted)),
        Column::new("version", Field::Integer(|user| user.version)),
        Column::unjournaled("erased", Field::OptionalTime(|user| user.erased)),
        // Sign-ins update these columns. That does not count as a change of the user.
        Column::untracked("last_active", Field::OptionalTime(|user| user.last_active)),
        Column::untracked("failed_attempts", Field::Integer(|user| user.failed_attempts)),
        Column::untracked("locked_until", Field::OptionalTime(|user| user.locked_until)),
        Column::new(PASSWORD_HASH, Field::Unmapped(ColumnType::Text)),
        Column::new("id_key", Field::Folded(|user| user.fields.id.as_str())),
        Column::new("username_key", Field::Folded(|user| &user.fields.username)),
        Column::new("first_name_key", Field::Folded(|user| &user.fields.first_name)),
        Column::new("last_name_key", Field::Folded(|user| &user.fields.last_name)),
        Column::new("email_key", Field::Folded(|user| &user.fields.email)),
        Column::new("phone_key", Field::OptionalFolded(|user| user.fields.phone.as_deref())),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            uid: row.integer(index!("uid"))?,
            fields: UserFields {
                id: id(row, index!("id"))?,
                username: string(row, index!("username"))?,
                first_name: string(row, index!("first_name"))?,
                last_name: string(row, index!("last_name"))?,
                email: string(row, index!("email"))?,
                phone: optional_string(row, index!("phone"))?,
                terms_accepted: optional_time(row, index!("terms_accepted"))?,
                active: flag(row, index!("active"))?,
                xp: optional_string(row, index!("xp"))?.map(Xp::from_stored),
                roles: roles(row, index!("roles"))?,
                communities: decoded(row, index!("communities"), communities_from_text)?,
                generation: row.integer(index!("generation"))?,
                password_set: optional_time(row, index!("password_set"))?,
            },
            created: time(row, index!("created"))?,
            updated: time(row, index!("updated"))?,
            deleted: optional_time(row, index!("deleted"))?,
            version: row.integer(index!("version"))?,
            erased: optional_time(row, index!("erased"))?,
            last_active: optional_time(row, index!("last_active"))?,
            failed_attempts: row.integer(index!("failed_attempts"))?,
            locked_until: optional_time(row, index!("locked_until"))?,
        })
    }
}

impl StoredEntity for User {
    type Key = UserKey;
    type Update = UserUpdateFn;
    /// Every role of the live clients that act for the user.
    type Context = Roles;
    type Fields = UserUpdate;
    const COUNTER: Option<Counter> = Some(Counter::Users);
    const DERIVED: Option<DerivedTables> =
        Some(DerivedTables { links: Some(&USER_LINKS), labels: None, xp: &USER_XP, ngrams: Users::NGRAMS_TABLE });
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::id("users_id"),
        Unique { column: "username_key", index: "users_username", refusal: |_| Error::UsernameTaken },
    ];
    const SECRET_COLUMN: Option<&'static str> = Some(PASSWORD_HASH);

    fn lookup(key: &UserKey) -> Lookup {
        match key {
            UserKey::Id(id) => Lookup::Unique("id_key", id.key()),
            UserKey::Username(username) => Lookup::Unique("username_key", fold(username)),
            UserKey::Uid(uid) => Lookup::Uid(*uid),
        }
    }

    fn apply(update: &UserUpdateFn, current: Option<&Self>, client_roles: Roles) -> Result<Mutation<UserUpdate>> {
        update(current.map(|user| CurrentUser { user, client_roles }))
    }

    fn is_unchanged_by(&self, update: &UserUpdate) -> bool {
        self.fields == update.fields && update.password_hash.is_none()
    }

    fn with_fields(update: UserUpdate, current: Option<Self>, stamp: &Stamp<'_>) -> (Self, Option<String>) {
        let UserUpdate { fields, password_hash } = update;
        let &Stamp { uid, at, version, .. } = stamp;
        let user = match current {
            Some(current) => Self { fields, updated: at, deleted: None, version, ..current },
            None => Self {
                uid,
                fields,
                created: at,
                updated: at,
                deleted: None,
                version,
                erased: None,
                last_active: None,
                failed_attempts: 0,
                locked_until: None,
            },
        };
        (user, password_hash)
    }

    fn tombstone(self, stamp: &Stamp<'_>) -> Self {
        Self { updated: stamp.at, deleted: Some(stamp.at), version: stamp.version, ..self }
    }

    fn is_erased(&self) -> bool {
        self.erased.is_some()
    }

    fn sources(&self) -> Sources<'_> {
        Sources {
            communities: Some(&self.fields.communities),
            labels: None,
            xp: self.fields.xp.as_ref(),
            texts: searchable_texts::<Users, _>(self),
        }
    }
}
