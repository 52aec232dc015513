//! What a change makes of an entity, and what is derived from it. All stores share these rules for groups, users,
//! clients and long-lived tokens.

use crate::domain::community::Communities;
use crate::domain::entity::Entity;
use crate::domain::error::{Error, Result};
use crate::domain::id::UID_MAX;
use crate::domain::labels::{Labels, Tag};
use crate::domain::time::Timestamp;
use crate::domain::xp::Xp;
use crate::store::Mutation;
use crate::store::copy::Table;

use super::codec::community_names;
use super::columns::Record;
use super::counters::Counter;

/// A group, user, client or long-lived token, as the stores keep and change it.
pub(crate) trait StoredEntity: Entity + Record + Clone + Send + Sync {
    /// The key that finds an entity of this kind.
    type Key: Send + Sync + 'static;
    /// The update function that the caller passes into the transaction.
    type Update: Send + Sync + 'static;
    /// What an update function receives in addition to the entity.
    type Context: Default + Send;
    /// The new values that an update function returns.
    type Fields: Send + Sync;

    /// The counter of the live entities of this kind.
    const COUNTER: Option<Counter> = None;
    /// The tables of derived rows; `None` if the kind has no lists.
    const DERIVED: Option<DerivedTables> = None;
    /// The columns that are unique among the live entities; the ID first.
    const UNIQUE: &'static [Unique<Self>];
    /// The column of the secret's hash, if the hash is not a field of the entity.
    const SECRET_COLUMN: Option<&'static str> = None;

    /// Returns the column and value that the key looks up.
    fn lookup(key: &Self::Key) -> Lookup;
    /// Calls the update function with the current entity.
    fn apply(update: &Self::Update, current: Option<&Self>, context: Self::Context) -> Result<Mutation<Self::Fields>>;
    /// Whether a live entity would not change with these fields.
    fn is_unchanged_by(&self, fields: &Self::Fields) -> bool;
    /// Returns a live entity with these fields: a new one, or `current`, live or deleted. The second value is to be
    /// written to [`StoredEntity::SECRET_COLUMN`]; `None` keeps the stored one.
    fn with_fields(fields: Self::Fields, current: Option<Self>, stamp: &Stamp<'_>) -> (Self, Option<String>);
    /// Returns the entity as a tombstone.
    fn tombstone(self, stamp: &Stamp<'_>) -> Self;
    /// Whether the entity was emptied for good, so that nothing is left to be changed or restored.
    fn is_erased(&self) -> bool {
        false
    }
    /// Returns the values from which the derived rows of the live entity are made.
    fn sources(&self) -> Sources<'_> {
        Sources::default()
    }
}

/// The tables of the derived rows of one kind of entity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DerivedTables {
    /// The table of links to communities; `None` if entities of this kind have none.
    pub links: Option<&'static Table>,
    /// The table of labels; `None` if entities of this kind have none.
    pub labels: Option<&'static Table>,
    /// The table of xp entries.
    pub xp: &'static Table,
    /// The table of the n-gram index, for search terms of one and two characters.
    pub ngrams: &'static str,
}

/// The values from which the derived rows of one live entity are made.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    /// The communities that the entity is linked to; `None` if its kind has no links.
    pub communities: Option<&'a Communities>,
    /// The labels; `None` if entities of this kind have none.
    pub labels: Option<&'a Labels>,
    /// The xp document.
    pub xp: Option<&'a Xp>,
    /// The folded texts that a search reads, in the order of [`Listing::TEXT_FIELDS`](super::tables::Listing).
    pub texts: Vec<String>,
}

/// Returns the sources of the derived rows of the entity; `None` if it is deleted, because only live entities have any.
pub(crate) fn live_sources<E: StoredEntity>(entity: Option<&E>) -> Option<Sources<'_>> {
    entity.filter(|entity| entity.is_live()).map(E::sources)
}

/// Returns the communities whose links are to be deleted and those whose links are to be inserted, as columns store
/// them.
pub(crate) fn changed_links(was: Option<&Sources<'_>>, is: Option<&Sources<'_>>) -> (Vec<String>, Vec<String>) {
    let none = Communities::new();
    let was = was.and_then(|sources| sources.communities).unwrap_or(&none);
    let is = is.and_then(|sources| sources.communities).unwrap_or(&none);
    (community_names(was.difference(is)), community_names(is.difference(was)))
}

/// Returns the labels whose rows are to be inserted instead of the former ones; `None` if they do not change. No labels
/// if the entity has none any more.
pub(crate) fn changed_labels<'a>(was: Option<&Sources<'_>>, is: Option<&Sources<'a>>) -> Option<Option<&'a Labels>> {
    let (was, is) = (was.and_then(|sources| sources.labels), is.and_then(|sources| sources.labels));
    (was != is).then_some(is)
}

/// Returns the xp document, if one exists.
pub(crate) fn xp_of<'a>(sources: Option<&Sources<'a>>) -> Option<&'a Xp> {
    sources.and_then(|sources| sources.xp)
}

/// How an entity is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lookup {
    /// By number, among live and deleted entities.
    Uid(i64),
    /// By the value of a column of [`StoredEntity::UNIQUE`], among the live entities.
    Unique(&'static str, String),
}

/// A column whose values are unique among the live entities of a kind.
pub(crate) struct Unique<E> {
    /// The name of the column.
    pub column: &'static str,
    /// The name of the unique index.
    pub index: &'static str,
    /// Returns the error for a change that the index refuses.
    pub refusal: fn(&E) -> Error,
}

impl<E: Entity> Unique<E> {
    /// The unique ID of an entity, with the name of its index.
    pub(crate) const fn id(index: &'static str) -> Self {
        Self { column: "id_key", index, refusal: |entity| Error::AlreadyExists(E::KIND, entity.id().to_owned()) }
    }
}

/// The number, time and version that a change sets on an entity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    /// The entity's number: the current one, or a new one.
    pub uid: i64,
    /// The time of the change.
    pub at: Timestamp,
    /// The version after the change; the first is 1.
    pub version: i64,
    /// The language whose label is a group's Name.
    pub language: &'a Tag,
    /// Whether an entity that was deleted gets its former memberships back.
    pub returns_memberships: bool,
}

/// The result of a mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied<E> {
    /// The entity did not change.
    Unchanged(E),
    /// The new state of the entity, to be stored and journaled, and the value for [`StoredEntity::SECRET_COLUMN`]: an
    /// outer `None` keeps the stored one, an inner `None` removes it.
    Changed(E, Option<Option<String>>),
}

/// Returns the time to record for a change at `at` of an entity that last changed at `last`: the later of the two.
/// Times do not go back even if the clock was set back.
pub(crate) fn not_before(last: Option<Timestamp>, at: Timestamp) -> Timestamp {
    last.map_or(at, |last| last.max(at))
}

/// Fails for a number above the maximum, because an import would refuse it.
fn check_number(uid: i64) -> Result<()> {
    let taken = || Error::invalid("ID", format!("cannot be given: the highest number there is, {UID_MAX}, is taken"));
    if uid <= UID_MAX { Ok(()) } else { Err(taken()) }
}

/// Fails with `AlreadyDeleted` if the mutation puts fields on a deleted entity. Only a batch may do that.
pub(crate) fn refuse_deleted<E: StoredEntity>(mutation: &Mutation<E::Fields>, current: Option<&E>) -> Result<()> {
    match (mutation, current) {
        (Mutation::Put(_), Some(current)) if !current.is_live() => Err(Error::AlreadyDeleted),
        _ => Ok(()),
    }
}

/// Applies a mutation. `uid` is the number of `current`, or a new number if `current` is `None`. Fields put on a
/// deleted entity restore it without its former memberships, which the caller deletes and journals. Fails if no number
/// is left, with `NotDeleted` for the restore of a live entity, and with `AlreadyErased` for an erased one.
pub(crate) fn after<E: StoredEntity>(
    mutation: Mutation<E::Fields>,
    current: Option<&E>,
    uid: i64,
    language: &Tag,
    at: Timestamp,
) -> Result<Applied<E>> {
    let at = not_before(current.map(E::updated), at);
    let returns_memberships = matches!(mutation, Mutation::Restore(_));
    let stamp = Stamp { uid, at, version: current.map_or(0, E::version) + 1, language, returns_memberships };
    match (mutation, current) {
        (Mutation::Put(_) | Mutation::Restore(_), Some(current)) if current.is_erased() => Err(Error::AlreadyErased),
        (Mutation::Put(fields), Some(current)) if current.is_live() && current.is_unchanged_by(&fields) => {
            Ok(Applied::Unchanged(current.clone()))
        }
        (Mutation::Put(fields), current) => {
            check_number(uid)?;
            let (entity, secret) = E::with_fields(fields, current.cloned(), &stamp);
            Ok(Applied::Changed(entity, secret.map(Some)))
        }
        (Mutation::Restore(_), Some(current)) if current.is_live() => Err(Error::NotDeleted),
        (Mutation::Restore(fields), Some(current)) => {
            let (entity, _) = E::with_fields(fields, Some(current.clone()), &stamp);
            Ok(Applied::Changed(entity, Some(None)))
        }
        (Mutation::Delete, Some(current)) => Ok(Applied::Changed(current.clone().tombstone(&stamp), None)),
        (Mutation::Delete | Mutation::Restore(_), None) => Err(Error::internal(anyhow::anyhow!(
            "an update function deleted or restored an entity that does not exist"
        ))),
    }
}

/// Returns the error for a number that another entity of the kind has or had.
pub(crate) fn number_taken<E: Entity>() -> Error {
    Error::invalid("uid", format!("is another {}'s, or was", E::NAME))
}

/// Returns by how much a change from `before` to `after` changes the number of live entities: -1, 0 or 1.
pub(crate) fn live_difference<E: Entity>(before: Option<&E>, after: &E) -> i64 {
    i64::from(after.is_live()) - i64::from(before.is_some_and(E::is_live))
}

/// Whether the change restores a deleted entity.
pub(crate) fn is_restored<E: Entity>(before: Option<&E>, after: &E) -> bool {
    before.is_some_and(|before| !before.is_live()) && after.is_live()
}
