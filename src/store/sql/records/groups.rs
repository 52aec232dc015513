//! The columns of groups and what a change makes of a group.

use crate::domain::error::Result;
use crate::domain::group::{Group, GroupFields, GroupKey, GroupSummary};
use crate::domain::xp::Xp;
use crate::store::{Mutation, UpdateFn};

use crate::store::sql::codec::{communities_from_text, labels_from_text};
use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::counters::Counter;
use crate::store::sql::derived::{GROUP_LABELS, GROUP_LINKS, GROUP_XP};
use crate::store::sql::entity::{DerivedTables, Lookup, Sources, Stamp, StoredEntity, Unique};
use crate::store::sql::rows::{Columns, decoded, id, optional_string, optional_time, string, time};
use crate::store::sql::tables::{Groups, Listing as _, searchable_texts};

impl Record for Group {
    const TABLE: &'static str = Groups::TABLE;
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("uid", Field::Integer(|group| group.uid)),
        Column::new("id", Field::Text(|group| group.fields.id.as_str())),
        // The name follows from the labels.
        Column::unjournaled("name", Field::Text(|group| &group.name)),
        Column::new("labels", Field::Labels(|group| &group.fields.labels)),
        Column::new("description", Field::OptionalText(|group| group.fields.description.as_deref())),
        Column::new("xp", Field::Xp(|group| group.fields.xp.as_ref())),
        Column::new("communities", Field::Communities(|group| &group.fields.communities)),
        Column::insert_only("created", Field::Time(|group| group.created)),
        Column::new("updated", Field::Time(|group| group.updated)),
        Column::new("deleted", Field::OptionalTime(|group| group.deleted)),
        Column::new("version", Field::Integer(|group| group.version)),
        // The count follows from the memberships.
        Column::unjournaled("members", Field::Integer(|group| group.members)),
        Column::unjournaled("members_version", Field::Integer(|group| group.members_version)),
        Column::new("id_key", Field::Folded(|group| group.fields.id.as_str())),
        Column::new("name_key", Field::Folded(|group| &group.name)),
        Column::new("description_key", Field::OptionalFolded(|group| group.fields.description.as_deref())),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            uid: row.integer(index!("uid"))?,
            name: string(row, index!("name"))?,
            fields: GroupFields {
                id: id(row, index!("id"))?,
                labels: decoded(row, index!("labels"), labels_from_text)?,
                description: optional_string(row, index!("description"))?,
                xp: optional_string(row, index!("xp"))?.map(Xp::from_stored),
                communities: decoded(row, index!("communities"), communities_from_text)?,
            },
            created: time(row, index!("created"))?,
            updated: time(row, index!("updated"))?,
            deleted: optional_time(row, index!("deleted"))?,
            version: row.integer(index!("version"))?,
            members: row.integer(index!("members"))?,
            members_version: row.integer(index!("members_version"))?,
        })
    }
}

impl StoredEntity for Group {
    type Key = GroupKey;
    type Update = UpdateFn<Self, GroupFields>;
    type Context = ();
    type Fields = GroupFields;
    const COUNTER: Option<Counter> = Some(Counter::Groups);
    const DERIVED: Option<DerivedTables> = Some(DerivedTables {
        links: Some(&GROUP_LINKS),
        labels: Some(&GROUP_LABELS),
        xp: &GROUP_XP,
        ngrams: Groups::NGRAMS_TABLE,
    });
    const UNIQUE: &'static [Unique<Self>] = &[Unique::id("groups_id")];

    fn lookup(key: &GroupKey) -> Lookup {
        match key {
            GroupKey::Id(id) => Lookup::Unique("id_key", id.key()),
            GroupKey::Uid(uid) => Lookup::Uid(*uid),
        }
    }

    fn apply(update: &Self::Update, current: Option<&Self>, (): ()) -> Result<Mutation<GroupFields>> {
        update(current)
    }

    fn is_unchanged_by(&self, fields: &GroupFields) -> bool {
        self.fields == *fields
    }

    fn with_fields(fields: GroupFields, current: Option<Self>, stamp: &Stamp<'_>) -> (Self, Option<String>) {
        let &Stamp { uid, at, version, language, returns_memberships } = stamp;
        // The members of a deleted group are counted as those of a live one, so they can come back at once.
        let (members, members_version) = match &current {
            Some(current) if current.deleted.is_none() || returns_memberships => {
                (current.members, current.members_version)
            }
            Some(current) => (0, current.members_version + 1),
            None => (0, 0),
        };
        let (name, created) = (fields.labels.name(language).to_owned(), current.map_or(at, |current| current.created));
        (Self { uid, name, fields, created, updated: at, deleted: None, version, members, members_version }, None)
    }

    fn tombstone(self, stamp: &Stamp<'_>) -> Self {
        Self { updated: stamp.at, deleted: Some(stamp.at), version: stamp.version, ..self }
    }

    fn sources(&self) -> Sources<'_> {
        Sources {
            communities: Some(&self.fields.communities),
            labels: Some(&self.fields.labels),
            xp: self.fields.xp.as_ref(),
            texts: searchable_texts::<Groups, _>(self),
        }
    }
}

/// The list of all groups reads only these columns of a group's row.
impl Record for GroupSummary {
    const TABLE: &'static str = Groups::TABLE;
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("uid", Field::Integer(|group| group.uid)),
        Column::new("created", Field::Time(|group| group.created)),
        Column::new("updated", Field::Time(|group| group.updated)),
        Column::new("labels", Field::Text(|group| &group.labels)),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            uid: row.integer(index!("uid"))?,
            created: time(row, index!("created"))?,
            updated: time(row, index!("updated"))?,
            labels: string(row, index!("labels"))?,
        })
    }
}
