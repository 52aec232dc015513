//! The columns of long-lived tokens and what a change makes of one.

use crate::domain::error::Result;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenFields, LongLivedTokenKey};
use crate::domain::text::fold;
use crate::store::{LongLivedTokenUpdate, Mutation, UpdateFn};

use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::entity::{Lookup, Stamp, StoredEntity, Unique};
use crate::store::sql::rows::{Columns, optional_time, string, time};

/// The condition of tokens that have not ended. They may have expired. It expresses for many tokens what
/// `service::tokens::long_lived` checks for one: disabling a client or a user raises its generation.
pub(crate) const NOT_ENDED: &str = "long_lived_tokens.deleted IS NULL AND EXISTS (SELECT 1 FROM clients c \
     WHERE c.uid = long_lived_tokens.client_uid AND c.deleted IS NULL \
     AND c.long_lived_generation = long_lived_tokens.client_generation \
     AND coalesce(c.user_uid, 0) = coalesce(long_lived_tokens.user_uid, 0)) \
     AND (long_lived_tokens.user_uid IS NULL OR EXISTS (SELECT 1 FROM users u \
     WHERE u.uid = long_lived_tokens.user_uid AND u.deleted IS NULL \
     AND u.generation = long_lived_tokens.user_generation))";

impl Record for LongLivedToken {
    const TABLE: &'static str = "long_lived_tokens";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("uid", Field::Integer(|token| token.uid)),
        Column::new("id", Field::Text(|token| &token.fields.id)),
        Column::new("name", Field::Text(|token| &token.fields.name)),
        Column::journaled_as("client", "client_uid", Field::Integer(|token| token.fields.client)),
        Column::new("client_generation", Field::Integer(|token| token.fields.client_generation)),
        Column::journaled_as("user", "user_uid", Field::OptionalInteger(|token| token.fields.user)),
        Column::new("user_generation", Field::Integer(|token| token.fields.user_generation)),
        Column::new("expires", Field::Time(|token| token.fields.expires)),
        Column::insert_only("created", Field::Time(|token| token.created)),
        Column::new("updated", Field::Time(|token| token.updated)),
        Column::new("deleted", Field::OptionalTime(|token| token.deleted)),
        Column::new("version", Field::Integer(|token| token.version)),
        // The journal contains neither secrets nor the data of sign-ins.
        Column::untracked("hash", Field::Text(|token| &token.hash)),
        Column::untracked("last_used", Field::OptionalTime(|token| token.last_used)),
        Column::new("id_key", Field::Folded(|token| &token.fields.id)),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            uid: row.integer(index!("uid"))?,
            fields: LongLivedTokenFields {
                id: string(row, index!("id"))?,
                name: string(row, index!("name"))?,
                client: row.integer(index!("client_uid"))?,
                client_generation: row.integer(index!("client_generation"))?,
                user: row.optional_integer(index!("user_uid"))?,
                user_generation: row.integer(index!("user_generation"))?,
                expires: time(row, index!("expires"))?,
            },
            hash: string(row, index!("hash"))?,
            created: time(row, index!("created"))?,
            updated: time(row, index!("updated"))?,
            deleted: optional_time(row, index!("deleted"))?,
            version: row.integer(index!("version"))?,
            last_used: optional_time(row, index!("last_used"))?,
        })
    }
}

impl StoredEntity for LongLivedToken {
    type Key = LongLivedTokenKey;
    type Update = UpdateFn<Self, LongLivedTokenUpdate>;
    type Context = ();
    type Fields = LongLivedTokenUpdate;
    const UNIQUE: &'static [Unique<Self>] = &[Unique::id("long_lived_tokens_id")];

    fn lookup(key: &LongLivedTokenKey) -> Lookup {
        match key {
            LongLivedTokenKey::Id(id) => Lookup::Unique("id_key", fold(id)),
            LongLivedTokenKey::Uid(uid) => Lookup::Uid(*uid),
        }
    }

    fn apply(update: &Self::Update, current: Option<&Self>, (): ()) -> Result<Mutation<LongLivedTokenUpdate>> {
        update(current)
    }

    fn is_unchanged_by(&self, update: &LongLivedTokenUpdate) -> bool {
        self.fields == update.fields && self.hash == update.hash
    }

    fn with_fields(update: LongLivedTokenUpdate, current: Option<Self>, stamp: &Stamp<'_>) -> (Self, Option<String>) {
        let LongLivedTokenUpdate { fields, hash } = update;
        let &Stamp { uid, at, version, .. } = stamp;
        let (created, last_used) = current.map_or((at, None), |current| (current.created, current.last_used));
        (Self { uid, fields, hash, created, updated: at, deleted: None, version, last_used }, None)
    }

    fn tombstone(self, stamp: &Stamp<'_>) -> Self {
        Self { updated: stamp.at, deleted: Some(stamp.at), version: stamp.version, ..self }
    }
}
