//! The tables and columns of groups and users that the statements of lists use.

use std::fmt;
use std::hash::Hash;

use crate::domain::query::{GroupField, UserField, label_tag};
use crate::store::copy::Value;

use super::columns::Record;

/// The alias of the listed entity's table in every statement.
pub(crate) const TABLE_ALIAS: &str = "t";

/// A kind of entity that has lists: its tables and the columns of its fields.
pub(crate) trait Listing: Send + Sync + 'static {
    /// The fields that queries can name.
    type Field: Copy + fmt::Debug + PartialEq + Eq + Hash + Send + Sync + 'static;
    /// The table of the entities. Its key is `uid`; its tombstones have a value in `deleted`.
    const TABLE: &'static str;
    /// The table of their xp entries. Its `owner` is the `uid`.
    const XP_TABLE: &'static str;
    /// The table of their links to communities. Its `owner` is the `uid`.
    const LINKS_TABLE: &'static str;
    /// How memberships name these entities.
    const MEMBERSHIPS: MembershipEnd;
    /// The trigram index, for search terms of three or more characters.
    const TEXT_TABLE: &'static str;
    /// The n-gram index, for search terms of one and two characters.
    const NGRAMS_TABLE: &'static str;
    /// The table of the entries at the path: values in xp, or labels.
    fn entries_table(_path: &str) -> &'static str {
        Self::XP_TABLE
    }
    /// Returns the column of the field.
    fn column(field: Self::Field) -> FieldColumn;
    /// Whether communities limit who sees entities of this kind.
    const IS_LIMITED: bool;
    /// The kind of journal entries for changes of these entities.
    const JOURNALED_AS: &'static str;
    /// The fields in the trigram index, in the order of its columns.
    const TEXT_FIELDS: &'static [Self::Field];
    /// The fields that order entities with equal sort values. After a unique field none is needed. An index covers this
    /// order.
    const TIES: &'static [Self::Field];
    /// The field of the number, which breaks the ties of walks by cursor.
    const UID: Self::Field;
}

/// Returns the texts of the entity for the text index: the values of the columns of [`Listing::TEXT_FIELDS`], where NULL
/// is empty.
pub(crate) fn searchable_texts<L: Listing, E: Record>(entity: &E) -> Vec<String> {
    let text = |field: &L::Field| {
        let name = L::column(*field).name;
        let column = E::COLUMNS.iter().find(|column| column.name == name)?;
        match column.field.value(entity) {
            Value::Text(text) => Some(text),
            Value::Null | Value::Integer(_) => None,
        }
    };
    L::TEXT_FIELDS.iter().map(|field| text(field).unwrap_or_default()).collect()
}

/// A column that lists filter and sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldColumn {
    /// The name of the column.
    pub name: &'static str,
    /// How its values compare.
    pub kind: ColumnKind,
    /// Whether an index starts with the column, so that equal values and ranges are found without a table scan and
    /// lists are read in its order.
    pub indexed: bool,
    /// Whether values are unique among live entities, so that no further sort field matters.
    pub unique: bool,
    /// Whether the column is nullable.
    pub nullable: bool,
    /// Which entries of the journal tell of changes of the column.
    pub upkeep: Upkeep,
    /// The narrow table, with the `uid` as its `owner`, in which PostgreSQL indexes the column instead.
    pub side_table: Option<&'static str>,
}

/// How memberships name one kind of entities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MembershipEnd {
    /// The column of its numbers.
    pub own: &'static str,
    /// The column of the numbers at the other end.
    pub other: &'static str,
    /// The kind of journal entries for changes of the entities at the other end.
    pub other_journaled_as: &'static str,
}

/// Which entries of the journal tell of all changes of a set of entities, so that a cached set can be kept up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upkeep {
    /// Those of the entities themselves.
    Entity,
    /// Those of memberships too: of the one end with this number, or of all.
    Memberships(Option<i64>),
    /// None: the set is not to be cached.
    Unknown,
}

impl Upkeep {
    /// What tells of the changes of either set.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Entity, other) => other,
            (own, Self::Entity) => own,
            (Self::Memberships(a), Self::Memberships(b)) => Self::Memberships(a.filter(|_| a == b)),
        }
    }
}

impl FieldColumn {
    const fn new(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, indexed: false, unique: false, nullable: false, upkeep: Upkeep::Entity, side_table: None }
    }

    const fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    const fn unique(self) -> Self {
        Self { indexed: true, unique: true, ..self }
    }

    const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    const fn counted(self, side_table: &'static str) -> Self {
        Self { upkeep: Upkeep::Memberships(None), side_table: Some(side_table), ..self }
    }

    const fn unjournaled(self) -> Self {
        Self { upkeep: Upkeep::Unknown, ..self }
    }
}

/// How the values of a column compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Folded text.
    Text,
    /// An integer.
    Integer,
    /// A time, in microseconds.
    Instant,
    /// A boolean.
    Boolean,
}

/// The lists of groups.
#[derive(Debug)]
pub(crate) struct Groups;

impl Listing for Groups {
    type Field = GroupField;
    const TABLE: &'static str = "groups";
    const XP_TABLE: &'static str = "group_xp";
    const LINKS_TABLE: &'static str = "group_communities";
    const MEMBERSHIPS: MembershipEnd =
        MembershipEnd { own: "group_uid", other: "user_uid", other_journaled_as: Users::JOURNALED_AS };
    const TEXT_TABLE: &'static str = "group_text";
    const NGRAMS_TABLE: &'static str = "group_ngrams";
    const IS_LIMITED: bool = true;
    const JOURNALED_AS: &'static str = "group";
    const TEXT_FIELDS: &'static [GroupField] = GroupField::SEARCHABLE;
    const TIES: &'static [GroupField] = &[GroupField::Name, GroupField::Id];
    const UID: GroupField = GroupField::Uid;

    fn entries_table(path: &str) -> &'static str {
        if label_tag(path).is_some() { "group_label_entries" } else { Self::XP_TABLE }
    }

    fn column(field: GroupField) -> FieldColumn {
        match field {
            GroupField::Uid => FieldColumn::new("uid", ColumnKind::Integer).unique(),
            GroupField::Id => FieldColumn::new("id_key", ColumnKind::Text).unique(),
            GroupField::Name => FieldColumn::new("name_key", ColumnKind::Text).indexed(),
            GroupField::Description => FieldColumn::new("description_key", ColumnKind::Text).nullable(),
            GroupField::Created => FieldColumn::new("created", ColumnKind::Instant).indexed(),
            GroupField::Updated => FieldColumn::new("updated", ColumnKind::Instant).indexed(),
            GroupField::Members => FieldColumn::new("members", ColumnKind::Integer).indexed().counted("group_sizes"),
        }
    }
}

/// The lists of users.
#[derive(Debug)]
pub(crate) struct Users;

impl Listing for Users {
    type Field = UserField;
    const TABLE: &'static str = "users";
    const XP_TABLE: &'static str = "user_xp";
    const LINKS_TABLE: &'static str = "user_communities";
    const MEMBERSHIPS: MembershipEnd =
        MembershipEnd { own: "user_uid", other: "group_uid", other_journaled_as: Groups::JOURNALED_AS };
    const TEXT_TABLE: &'static str = "user_text";
    const NGRAMS_TABLE: &'static str = "user_ngrams";
    const IS_LIMITED: bool = false;
    const JOURNALED_AS: &'static str = "user";
    const TEXT_FIELDS: &'static [UserField] = UserField::SEARCHABLE;
    const TIES: &'static [UserField] = &[UserField::LastName, UserField::FirstName, UserField::Id];
    const UID: UserField = UserField::Uid;

    fn column(field: UserField) -> FieldColumn {
        match field {
            UserField::Uid => FieldColumn::new("uid", ColumnKind::Integer).unique(),
            UserField::Id => FieldColumn::new("id_key", ColumnKind::Text).unique(),
            UserField::Username => FieldColumn::new("username_key", ColumnKind::Text).unique(),
            UserField::FirstName => FieldColumn::new("first_name_key", ColumnKind::Text).indexed(),
            UserField::LastName => FieldColumn::new("last_name_key", ColumnKind::Text).indexed(),
            UserField::Email => FieldColumn::new("email_key", ColumnKind::Text).indexed(),
            UserField::Phone => FieldColumn::new("phone_key", ColumnKind::Text).nullable(),
            UserField::Active => FieldColumn::new("active", ColumnKind::Boolean),
            UserField::TermsAccepted => FieldColumn::new("terms_accepted", ColumnKind::Instant).nullable(),
            UserField::Created => FieldColumn::new("created", ColumnKind::Instant).indexed(),
            UserField::LastActive => {
                FieldColumn::new("last_active", ColumnKind::Instant).indexed().nullable().unjournaled()
            }
            UserField::PasswordSet => FieldColumn::new("password_set", ColumnKind::Instant).indexed().nullable(),
            UserField::FailedAttempts => FieldColumn::new("failed_attempts", ColumnKind::Integer).unjournaled(),
            UserField::LockedUntil => {
                FieldColumn::new("locked_until", ColumnKind::Instant).indexed().nullable().unjournaled()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::group::Group;
    use crate::domain::user::User;
    use crate::store::sql::columns::Field;

    fn columns_are_folded_texts<L: Listing, E: Record>() {
        for field in L::TEXT_FIELDS {
            let name = L::column(*field).name;
            let column = E::COLUMNS.iter().find(|column| column.name == name);
            let is_folded =
                column.is_some_and(|column| matches!(column.field, Field::Folded(_) | Field::OptionalFolded(_)));
            assert!(is_folded, "{field:?}");
        }
    }

    #[test]
    fn searchable_fields_have_columns_of_folded_text() {
        columns_are_folded_texts::<Groups, Group>();
        columns_are_folded_texts::<Users, User>();
    }
}
