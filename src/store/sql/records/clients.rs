//! The columns of API clients and what a change makes of a client.

use crate::domain::client::{Client, ClientFields, ClientKey};
use crate::domain::error::Result;
use crate::domain::text::fold;
use crate::domain::user::UserUid;
use crate::store::{ClientUpdate, Mutation, UpdateFn};

use crate::store::sql::codec::communities_from_text;
use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::entity::{Lookup, Stamp, StoredEntity, Unique};
use crate::store::sql::rows::{Columns, decoded, flag, optional_string, optional_time, roles, string, time};

impl Record for Client {
    const TABLE: &'static str = "clients";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("uid", Field::Integer(|client| client.uid)),
        Column::new("id", Field::Text(|client| &client.fields.id)),
        Column::new("name", Field::Text(|client| &client.fields.name)),
        Column::new("roles", Field::Roles(|client| client.fields.roles)),
        Column::new("communities", Field::Communities(|client| &client.fields.communities)),
        Column::journaled_as("user", "user_uid", Field::OptionalInteger(|client| client.fields.user)),
        Column::new("access_minutes", Field::Integer(|client| client.fields.access_minutes)),
        Column::new("refresh_minutes", Field::Integer(|client| client.fields.refresh_minutes)),
        Column::new("refresh_rotation", Field::Flag(|client| client.fields.refresh_rotation)),
        Column::new("enabled", Field::Flag(|client| client.fields.enabled)),
        Column::new("strict_members", Field::Flag(|client| client.fields.strict_members)),
        Column::new("max_removal_percent", Field::OptionalInteger(|client| client.fields.max_removal_percent)),
        Column::new("generation", Field::Integer(|client| client.fields.generation)),
        Column::new("long_lived_generation", Field::Integer(|client| client.fields.long_lived_generation)),
        Column::new("secret_set", Field::OptionalTime(|client| client.fields.secret_set)),
        Column::insert_only("created", Field::Time(|client| client.created)),
        Column::new("updated", Field::Time(|client| client.updated)),
        Column::new("deleted", Field::OptionalTime(|client| client.deleted)),
        Column::new("version", Field::Integer(|client| client.version)),
        // The journal contains no secrets.
        Column::unjournaled("secret_hash", Field::OptionalText(|client| client.secret_hash.as_deref())),
        Column::new("id_key", Field::Folded(|client| &client.fields.id)),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            uid: row.integer(index!("uid"))?,
            fields: ClientFields {
                id: string(row, index!("id"))?,
                name: string(row, index!("name"))?,
                roles: roles(row, index!("roles"))?,
                communities: decoded(row, index!("communities"), communities_from_text)?,
                user: row.optional_integer(index!("user_uid"))?,
                access_minutes: row.integer(index!("access_minutes"))?,
                refresh_minutes: row.integer(index!("refresh_minutes"))?,
                refresh_rotation: flag(row, index!("refresh_rotation"))?,
                enabled: flag(row, index!("enabled"))?,
                strict_members: flag(row, index!("strict_members"))?,
                max_removal_percent: row.optional_integer(index!("max_removal_percent"))?,
                generation: row.integer(index!("generation"))?,
                long_lived_generation: row.integer(index!("long_lived_generation"))?,
                secret_set: optional_time(row, index!("secret_set"))?,
            },
            created: time(row, index!("created"))?,
            updated: time(row, index!("updated"))?,
            deleted: optional_time(row, index!("deleted"))?,
            version: row.integer(index!("version"))?,
            secret_hash: optional_string(row, index!("secret_hash"))?,
        })
    }
}

/// Returns the user for whom the client begins to act with this mutation.
pub(crate) fn new_user(current: Option<&Client>, mutation: &Mutation<ClientUpdate>) -> Option<UserUid> {
    let Mutation::Put(update) = mutation else { return None };
    update.fields.user.filter(|user| current.is_none_or(|current| current.fields.user != Some(*user)))
}

impl StoredEntity for Client {
    type Key = ClientKey;
    type Update = UpdateFn<Self, ClientUpdate>;
    type Context = ();
    type Fields = ClientUpdate;
    const UNIQUE: &'static [Unique<Self>] = &[Unique::id("clients_id")];

    fn lookup(key: &ClientKey) -> Lookup {
        match key {
            ClientKey::Id(id) => Lookup::Unique("id_key", fold(id)),
            ClientKey::Uid(uid) => Lookup::Uid(*uid),
        }
    }

    fn apply(update: &Self::Update, current: Option<&Self>, (): ()) -> Result<Mutation<ClientUpdate>> {
        update(current)
    }

    fn is_unchanged_by(&self, update: &ClientUpdate) -> bool {
        self.fields == update.fields && update.secret_hash.is_none()
    }

    fn with_fields(update: ClientUpdate, current: Option<Self>, stamp: &Stamp<'_>) -> (Self, Option<String>) {
        let ClientUpdate { fields, secret_hash } = update;
        let &Stamp { uid, at, version, .. } = stamp;
        let client = match current {
            Some(current) => Self {
                fields,
                secret_hash: secret_hash.or(current.secret_hash),
                updated: at,
                deleted: None,
                version,
                ..current
            },
            None => Self { uid, fields, secret_hash, created: at, updated: at, deleted: None, version },
        };
        (client, None)
    }

    fn tombstone(self, stamp: &Stamp<'_>) -> Self {
        Self { updated: stamp.at, deleted: Some(stamp.at), version: stamp.version, ..self }
    }
}
