//! Use cases of complete groups: Rollbook's own API reads and writes all fields of a group at once (docs/rollbook.md,
//! section 3).

use std::sync::Arc;

use crate::domain::address;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::community::{Communities, Visibility};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupFields, GroupKey};
use crate::domain::id::Id;
use crate::domain::labels::{Labels, Tag};
use crate::domain::target::Target;
use crate::domain::xp::Xp;
use crate::store::{CachedEntity, Mutation};

use super::Service;
use super::groups::{default_communities, named_communities, replaced_communities};

/// The number and version that a body names. They must be those of the stored entity.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity {
    /// The number.
    pub uid: Option<i64>,
    /// The version, which acts as a precondition.
    pub version: Option<i64>,
}

impl Identity {
    /// Fails with `Invalid` for another number, and with `PreconditionFailed` for another version. `current` is the
    /// number and version of the stored entity; `None` = there is none.
    pub(crate) fn check(self, current: Option<(i64, i64)>) -> Result<()> {
        if self.uid.is_some_and(|uid| current.is_none_or(|(own, _)| own != uid)) {
            return Err(Error::invalid("uid", "is not the number of the entity, which never changes"));
        }
        match self.version.is_some_and(|version| current.is_none_or(|(_, own)| own != version)) {
            true => Err(Error::PreconditionFailed),
            false => Ok(()),
        }
    }
}

/// The names of a group in a body: labels, a Name, or both.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    /// The labels; `None` = the Name is the only one.
    pub labels: Option<Labels>,
    /// The Name. If there are labels, it must be the Name that they make.
    pub name: Option<String>,
}

impl Naming {
    /// Returns the labels. Fails with `Invalid` if the Name is not the one that the labels make.
    fn labels(&self, language: &Tag) -> Result<Labels> {
        match (&self.labels, &self.name) {
            (Some(labels), Some(name)) if labels.name(language) != name => Err(name_differs()),
            (Some(labels), _) => Ok(labels.clone()),
            (None, Some(name)) => Ok(Labels::named(language, name.clone())),
            (None, None) => Err(Error::invalid("labels", "is required, or name")),
        }
    }
}

/// A complete group in POST and PUT.
#[derive(Clone, Debug)]
pub(crate) struct CompleteGroup {
    /// The number and version that the body names.
    pub identity: Identity,
    /// The ID. `None`: a generated ID on POST, the ID of the path or of the stored group on PUT.
    pub id: Option<Id>,
    /// The labels or the Name.
    pub naming: Naming,
    /// The description.
    pub description: Option<String>,
    /// The extended properties, not empty.
    pub xp: Option<Xp>,
    /// The communities. `None`: the caller's own on POST, the present ones on PUT.
    pub communities: Option<Communities>,
}

/// A merge patch of a group (RFC 7396). An outer `None` is an absent field, an inner `None` is null.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupChange {
    /// The number and version that the body names.
    pub identity: Identity,
    /// The new ID.
    pub id: Option<Id>,
    /// The new label in the default language.
    pub name: Option<String>,
    /// The new labels by language; `None` removes a label.
    pub labels: Vec<(Tag, Option<String>)>,
    /// The description.
    pub description: Option<Option<String>>,
    /// The extended properties to merge into the present ones.
    pub xp: Option<Option<Xp>>,
    /// The communities, which replace those that the caller may see.
    pub communities: Option<Communities>,
}

impl Service {
    /// Returns the group with the key, also a deleted one if the key is its number. Fails with `NotFound` if there is
    /// none or the caller may not see it.
    pub(crate) async fn group_by_key(
        &self,
        permit: &Permit<ReadGroups>,
        key: &GroupKey,
    ) -> Result<Arc<CachedEntity<Group>>> {
        let visibility = &permit.caller().visibility;
        let group = self.store.group(key).await?;
        group.filter(|group| visibility.sees(&group.fields.communities)).ok_or_else(|| not_found(key))
    }

    /// Creates a complete group. Fails with `Invalid`, `AlreadyExists` if the ID is used, `PreconditionFailed` if the
    /// body names a version, or `NotAuthorizedToAdmin` if a caller limited to several communities names none.
    pub(crate) async fn create_complete_group(
        &self,
        permit: &Permit<WriteGroups>,
        group: CompleteGroup,
    ) -> Result<Group> {
        let id = group.id.clone().unwrap_or_else(|| self.new_id());
        let (visibility, language) = (permit.caller().visibility.clone(), self.default_language().clone());
        let update = move |_: Option<&Group>| created(&group, id.clone(), &visibility, &language);
        self.write::<Group>(permit, Target::New, Box::new(update)).await
    }

    /// Replaces a group, or creates it if the key is an ID that no group has. Fails with `Invalid`, `NotFound` for an
    /// unknown number, `AlreadyDeleted`, `AlreadyExists` if another group has the ID or if the caller may not see the
    /// group with it, or `PreconditionFailed`.
    pub(crate) async fn put_complete_group(
        &self,
        permit: &Permit<WriteGroups>,
        key: GroupKey,
        group: CompleteGroup,
    ) -> Result<Group> {
        let (visibility, language) = (permit.caller().visibility.clone(), self.default_language().clone());
        let own = key.clone();
        let update = move |current: Option<&Group>| match (current, &own) {
            (Some(current), _) if visibility.sees(&current.fields.communities) => {
                let current = live(current)?;
                group.identity.check(Some((current.uid, current.version)))?;
                replaced(&group, current, &visibility, &language)
            }
            (Some(_), GroupKey::Id(id)) => Err(Error::AlreadyExists(ResourceKind::Group, id.to_string())),
            (None, GroupKey::Id(id)) => {
                created(&group, group.id.clone().unwrap_or_else(|| id.clone()), &visibility, &language)
            }
            (_, GroupKey::Uid(_)) => Err(not_found(&own)),
        };
        self.write::<Group>(permit, key, Box::new(update)).await
    }

    /// Merges a patch into a group. Fails with `Invalid`, `NotFound`, `AlreadyDeleted`, `AlreadyExists` if another group
    /// has the ID, or `PreconditionFailed`.
    pub(crate) async fn change_complete_group(
        &self,
        permit: &Permit<WriteGroups>,
        key: GroupKey,
        change: GroupChange,
    ) -> Result<Group> {
        let (visibility, language) = (permit.caller().visibility.clone(), self.default_language().clone());
        let own = key.clone();
        let update = move |current: Option<&Group>| {
            let current = live(visible(current, &visibility, &own)?)?;
            change.identity.check(Some((current.uid, current.version)))?;
            merged(&change, current, &visibility, &language)
        };
        self.write::<Group>(permit, key, Box::new(update)).await
    }

    /// Deletes a group. Fails with `NotFound`, `AlreadyDeleted`, `PreconditionFailed`, or, with `only_if_empty`,
    /// `HasUsers`.
    pub(crate) async fn delete_complete_group(
        &self,
        permit: &Permit<WriteGroups>,
        key: GroupKey,
        only_if_empty: bool,
    ) -> Result<()> {
        let visibility = permit.caller().visibility.clone();
        let own = key.clone();
        let update = move |current: Option<&Group>| {
            let current = live(visible(current, &visibility, &own)?)?;
            match current.members {
                members if only_if_empty && members > 0 => Err(Error::HasUsers(members)),
                _ => Ok(Mutation::Delete),
            }
        };
        self.write::<Group>(permit, key, Box::new(update)).await.map(drop)
    }
}

fn created(group: &CompleteGroup, id: Id, visibility: &Visibility, language: &Tag) -> Result<Mutation<GroupFields>> {
    group.identity.check(None)?;
    let communities = match &group.communities {
        None => default_communities(visibility)?,
        named => named_communities(visibility, named.as_ref())?,
    };
    Ok(Mutation::Put(GroupFields {
        id,
        labels: group.naming.labels(language)?,
        description: group.description.clone(),
        xp: group.xp.clone(),
        communities,
    }))
}

fn replaced(
    group: &CompleteGroup,
    current: &Group,
    visibility: &Visibility,
    language: &Tag,
) -> Result<Mutation<GroupFields>> {
    let fields = &current.fields;
    Ok(Mutation::Put(GroupFields {
        id: group.id.clone().unwrap_or_else(|| fields.id.clone()),
        labels: group.naming.labels(language)?,
        description: group.description.clone(),
        // An empty xp is shown as `{}`, whether it is stored or not.
        xp: group.xp.clone().or_else(|| fields.xp.clone().filter(Xp::is_empty)),
        communities: replaced_or_present(group.communities.as_ref(), &fields.communities, visibility)?,
    }))
}

fn merged(
    change: &GroupChange,
    current: &Group,
    visibility: &Visibility,
    language: &Tag,
) -> Result<Mutation<GroupFields>> {
    let mut fields = current.fields.clone();
    if let Some(id) = &change.id {
        fields.id = id.clone();
    }
    if !change.labels.is_empty() {
        fields.labels = fields.labels.merged(&change.labels).map_err(|rule| Error::invalid("labels", rule))?;
    }
    if let Some(name) = &change.name {
        match change.labels.is_empty() {
            true => fields.labels = fields.labels.with_name(language, name),
            false if fields.labels.name(language) != name => return Err(name_differs()),
            false => {}
        }
    }
    if let Some(description) = &change.description {
        fields.description = description.clone();
    }
    if let Some(patch) = &change.xp {
        fields.xp = merged_xp(fields.xp.as_ref(), patch.as_ref())?;
    }
    fields.communities = replaced_or_present(change.communities.as_ref(), &fields.communities, visibility)?;
    Ok(Mutation::Put(fields))
}

/// Merges a patch into an xp (RFC 7396). `None`, i.e. null, clears the xp. Fails with `Invalid` if the result is over
/// the limit.
pub(super) fn merged_xp(present: Option<&Xp>, patch: Option<&Xp>) -> Result<Option<Xp>> {
    match patch {
        None => Ok(None),
        Some(patch) if patch.is_empty() => Ok(present.cloned()),
        Some(patch) => {
            let merged = Xp::merge_patched(present, patch).map_err(|rule| Error::invalid("xp", rule))?;
            Ok(Some(merged).filter(|merged| !merged.is_empty()))
        }
    }
}

fn replaced_or_present(
    named: Option<&Communities>,
    present: &Communities,
    visibility: &Visibility,
) -> Result<Communities> {
    named.map_or_else(|| Ok(present.clone()), |named| replaced_communities(visibility, present, named))
}

/// Returns the group that the key found. Fails with `NotFound` if there is none or the caller may not see it.
pub(super) fn visible<'a>(current: Option<&'a Group>, visibility: &Visibility, key: &GroupKey) -> Result<&'a Group> {
    current.filter(|group| visibility.sees(&group.fields.communities)).ok_or_else(|| not_found(key))
}

/// Fails with `AlreadyDeleted` if the group is deleted.
fn live(group: &Group) -> Result<&Group> {
    if group.deleted.is_none() { Ok(group) } else { Err(Error::AlreadyDeleted) }
}

fn name_differs() -> Error {
    Error::invalid("name", "is not the Name that the labels make: send one of them")
}

pub(super) fn not_found(key: &GroupKey) -> Error {
    Error::NotFound(ResourceKind::Group, address::of_group(key))
}
