//! How groups and users lie in tables: the names that statements are made of.

use std::fmt;
use std::hash::Hash;

use crate::domain::query::{GroupField, UserField};

/// The alias of the listed thing's own table in every statement.
pub const THING: &str = "t";

/// A kind of thing with lists: its tables and the columns of its fields.
pub trait Listing: Send + Sync + 'static {
    /// Its own fields, as queries name them.
    type Field: Copy + fmt::Debug + PartialEq + Eq + Hash + Send + Sync + 'static;
    /// The table of the things; its key is `uid`, its tombstones have `deleted`.
    const TABLE: &'static str;
    /// The table of their xp entries; its `owner` is the `uid`.
    const XP_TABLE: &'static str;
    /// The index of substrings of three characters or more.
    const TEXT_TABLE: &'static str;
    /// The index of shorter ones.
    const GRAMS_TABLE: &'static str;
    /// The column of each field.
    fn column(field: Self::Field) -> Column;
    /// The kind of the journal's entries of its changes.
    const JOURNALED_AS: &'static str;
    /// The fields that the text index holds, in the order of its columns.
    const TEXT_FIELDS: &'static [Self::Field];
    /// What a list is ordered by after all else; `Uid` alone needs no more. An index has all of this order.
    const TIES: &'static [Self::Field];
}

/// A column, by what it is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnKind,
    /// Whether an index leads with it, so that equal values and ranges are found without a scan and lists are read
    /// in its order.
    pub indexed: bool,
    /// Whether no two live things share a value: what follows it in an order counts for nothing.
    pub unique: bool,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// Whether every change of it is in the journal.
    pub journaled: bool,
}

impl Column {
    const fn new(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, indexed: false, unique: false, nullable: false, journaled: true }
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

    const fn traced(self) -> Self {
        Self { journaled: false, ..self }
    }
}

/// What a column's values are compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Folded text.
    Text,
    Integer,
    /// Microseconds.
    Instant,
    Boolean,
}

/// Groups, as [`Listing`].
#[derive(Debug)]
pub struct Groups;

impl Listing for Groups {
    type Field = GroupField;
    const TABLE: &'static str = "groups";
    const XP_TABLE: &'static str = "group_xp";
    const TEXT_TABLE: &'static str = "group_text";
    const GRAMS_TABLE: &'static str = "group_grams";
    const JOURNALED_AS: &'static str = "group";
    const TEXT_FIELDS: &'static [GroupField] = &[GroupField::Id, GroupField::Name, GroupField::Description];
    const TIES: &'static [GroupField] = &[GroupField::Name, GroupField::Id];

    fn column(field: GroupField) -> Column {
        match field {
            GroupField::Uid => Column::new("uid", ColumnKind::Integer).unique(),
            GroupField::Id => Column::new("id_key", ColumnKind::Text).unique(),
            GroupField::Name => Column::new("name_key", ColumnKind::Text).indexed(),
            GroupField::Description => Column::new("description_key", ColumnKind::Text).nullable(),
        }
    }
}

/// Users, as [`Listing`].
#[derive(Debug)]
pub struct Users;

impl Listing for Users {
    type Field = UserField;
    const TABLE: &'static str = "users";
    const XP_TABLE: &'static str = "user_xp";
    const TEXT_TABLE: &'static str = "user_text";
    const GRAMS_TABLE: &'static str = "user_grams";
    const JOURNALED_AS: &'static str = "user";
    const TEXT_FIELDS: &'static [UserField] =
        &[UserField::Id, UserField::Username, UserField::FirstName, UserField::LastName, UserField::Email];
    const TIES: &'static [UserField] = &[UserField::LastName, UserField::FirstName, UserField::Id];

    fn column(field: UserField) -> Column {
        match field {
            UserField::Id => Column::new("id_key", ColumnKind::Text).unique(),
            UserField::Username => Column::new("username_key", ColumnKind::Text).unique(),
            UserField::FirstName => Column::new("first_name_key", ColumnKind::Text).indexed(),
            UserField::LastName => Column::new("last_name_key", ColumnKind::Text).indexed(),
            UserField::Email => Column::new("email_key", ColumnKind::Text).indexed(),
            UserField::Phone => Column::new("phone_key", ColumnKind::Text).nullable(),
            UserField::Active => Column::new("active", ColumnKind::Boolean),
            UserField::TermsAccepted => Column::new("terms_accepted", ColumnKind::Instant).nullable(),
            UserField::Created => Column::new("created", ColumnKind::Instant).indexed(),
            UserField::LastActive => Column::new("last_active", ColumnKind::Instant).indexed().nullable().traced(),
            UserField::PasswordSet => Column::new("password_set", ColumnKind::Instant).indexed().nullable(),
            UserField::FailedAttempts => Column::new("failed_attempts", ColumnKind::Integer).traced(),
        }
    }
}
