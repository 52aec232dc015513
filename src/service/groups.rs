//! Use cases of groups, for all APIs.

use std::sync::Arc;

use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::community::{Communities, Community, Visibility};
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupSummary, GroupUid};
use crate::domain::id::Id;
use crate::domain::labels::{Labels, Tag};
use crate::domain::query::{GroupField, GroupQuery, ListResult};
use crate::domain::target::Target;
use crate::domain::xp::Xp;
use crate::store::{CachedEntity, Mutation};

use super::Service;

/// The fields of a group in OrderCloud's POST and PUT. The API has checked their limits.
#[derive(Clone, Debug)]
pub struct GroupDraft {
    /// The ID. `None`: a generated ID on POST, the ID of the URI on PUT.
    pub id: Option<Id>,
    /// The label in the default language.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The extended properties.
    pub xp: Option<Xp>,
}

/// The fields of a group in OrderCloud's PATCH. An outer `None` is an absent field, an inner `None` is null.
#[derive(Clone, Debug, Default)]
pub struct GroupPatch {
    /// The new ID.
    pub id: Option<Id>,
    /// The label in the default language.
    pub name: Option<String>,
    /// The description.
    pub description: Option<Option<String>>,
    /// The extended properties to merge into the present ones.
    pub xp: Option<Option<Xp>>,
}

/// The fields of a group in Core's "add or edit".
#[derive(Clone, Debug)]
pub struct LabelledGroup {
    /// The number of the group to change. `None`: a new group.
    pub uid: Option<GroupUid>,
    /// All labels of the group.
    pub labels: Labels,
    /// All communities of the group. `None`: no change.
    pub communities: Option<Communities>,
}

impl Service {
    /// Returns the live group with this ID. Fails with `NotFound` if there is none that the caller may see.
    pub async fn group(&self, permit: &Permit<ReadGroups>, id: &Id) -> Result<Arc<CachedEntity<Group>>> {
        Self::visible(self.store.group(&GroupKey::Id(id.clone())).await?, &permit.caller().visibility, id.as_str())
    }

    /// Returns the live group with this number. Fails with `NotFound` if there is none that the caller may see.
    pub async fn group_by_uid(&self, permit: &Permit<ReadGroups>, uid: GroupUid) -> Result<Arc<CachedEntity<Group>>> {
        let current = self.store.group(&GroupKey::Uid(uid)).await?.filter(|group| group.deleted.is_none());
        Self::visible(current, &permit.caller().visibility, &uid.to_string())
    }

    /// Fails with `NotFound` if there is no live group with this ID that the caller may see.
    pub async fn expect_group(&self, permit: &Permit<WriteGroups>, id: &Id) -> Result<()> {
        let current = self.store.group(&GroupKey::Id(id.clone())).await?;
        Self::visible(current, &permit.caller().visibility, id.as_str()).map(drop)
    }

    fn visible(
        current: Option<Arc<CachedEntity<Group>>>,
        visibility: &Visibility,
        key: &str,
    ) -> Result<Arc<CachedEntity<Group>>> {
        current
            .filter(|group| visibility.sees(&group.fields.communities))
            .ok_or_else(|| Error::NotFound(ResourceKind::Group, key.to_owned()))
    }

    /// Returns one page of the groups that match the query and that the caller may see.
    pub async fn list_groups(&self, permit: &Permit<ReadGroups>, mut query: GroupQuery) -> Result<ListResult<Group>> {
        query.visibility = permit.caller().visibility.clone();
        self.store.list_groups(query).await
    }

    /// Returns one page of a walk through the groups that match the query and that the caller may see.
    pub async fn walk_groups(
        &self,
        permit: &Permit<ReadGroups>,
        query: CursorQuery<GroupField>,
    ) -> Result<CursorPage<Group>> {
        self.store.walk_groups(query.limited_to(&permit.caller().visibility)).await
    }

    /// Returns one page of the deleted groups that match the query and that the caller could see, the last deleted first.
    /// The query's filter has conditions on own fields alone, and its sort keys do not count.
    pub async fn walk_deleted_groups(
        &self,
        permit: &Permit<ReadGroups>,
        query: CursorQuery<GroupField>,
    ) -> Result<CursorPage<Group>> {
        self.store.walk_deleted_groups(query.limited_to(&permit.caller().visibility)).await
    }

    /// Returns the number of the live group with the key, for a filter; `None` if there is none that the caller may see.
    pub async fn group_number(&self, permit: &Permit<ReadGroups>, key: &GroupKey) -> Result<Option<GroupUid>> {
        let group = self.store.group(key).await?.filter(|group| group.deleted.is_none());
        Ok(group.filter(|group| permit.caller().visibility.sees(&group.fields.communities)).map(|group| group.uid))
    }

    /// Returns at most `limit` live groups that the caller may see, with a number above `after`, in the order of their
    /// numbers.
    pub async fn groups_after(
        &self,
        permit: &Permit<ReadGroups>,
        after: GroupUid,
        limit: u32,
    ) -> Result<Vec<GroupSummary>> {
        self.store.groups_after(after, limit, &permit.caller().visibility).await
    }

    /// Creates a group (OrderCloud's POST). Fails with `AlreadyExists` if the ID is used, and with
    /// `NotAuthorizedToAdmin` if the caller is limited to several communities.
    pub async fn create_group(&self, permit: &Permit<WriteGroups>, draft: GroupDraft) -> Result<Group> {
        let id = draft.id.clone().unwrap_or_else(|| self.new_id());
        let communities = default_communities(&permit.caller().visibility);
        let language = self.default_language().clone();
        let update = move |_: Option<&Group>| new_group(&language, &draft, id.clone(), communities.clone()?);
        self.write::<Group>(permit, Target::New, Box::new(update)).await
    }

    /// Replaces the fields of the group with the ID of the URI, or creates the group (OrderCloud's PUT). Fails with
    /// `AlreadyExists` if the new ID is used or if the caller may not see the group, and with `NotAuthorizedToAdmin` if a
    /// caller who is limited to several communities would create it.
    pub async fn save_group(&self, permit: &Permit<WriteGroups>, uri: Id, draft: GroupDraft) -> Result<Group> {
        let visibility = permit.caller().visibility.clone();
        let language = self.default_language().clone();
        let key = GroupKey::Id(uri.clone());
        let update = move |current: Option<&Group>| match current {
            Some(group) if visibility.sees(&group.fields.communities) => Ok(Mutation::Put(GroupFields {
                id: draft.id.clone().unwrap_or_else(|| group.fields.id.clone()),
                labels: group.fields.labels.with_name(&language, &draft.name),
                description: draft.description.clone(),
                xp: draft.xp.clone(),
                communities: group.fields.communities.clone(),
            })),
            Some(_) => Err(Error::AlreadyExists(ResourceKind::Group, uri.to_string())),
            None => {
                let id = draft.id.clone().unwrap_or_else(|| uri.clone());
                new_group(&language, &draft, id, default_communities(&visibility)?)
            }
        };
        self.write::<Group>(permit, key, Box::new(update)).await
    }

    /// Changes the fields of the patch (OrderCloud's PATCH). Fails with `NotFound`, `AlreadyExists` or `Invalid`.
    pub async fn patch_group(&self, permit: &Permit<WriteGroups>, id: Id, patch: GroupPatch) -> Result<Group> {
        let visibility = permit.caller().visibility.clone();
        let language = self.default_language().clone();
        let key = GroupKey::Id(id.clone());
        let update = move |current: Option<&Group>| {
            let Some(group) = current.filter(|group| visibility.sees(&group.fields.communities)) else {
                return Err(Error::NotFound(ResourceKind::Group, id.to_string()));
            };
            let mut fields = group.fields.clone();
            if let Some(id) = &patch.id {
                fields.id = id.clone();
            }
            if let Some(name) = &patch.name {
                fields.labels = fields.labels.with_name(&language, name);
            }
            if let Some(description) = &patch.description {
                fields.description = description.clone();
            }
            if let Some(xp) = &patch.xp {
                fields.xp = patched_xp(fields.xp.as_ref(), xp.as_ref())?;
            }
            Ok(Mutation::Put(fields))
        };
        self.write::<Group>(permit, key, Box::new(update)).await
    }

    /// Deletes a group, even if it has members (OrderCloud's DELETE). Fails with `NotFound`.
    pub async fn delete_group(&self, permit: &Permit<WriteGroups>, id: Id) -> Result<()> {
        let visibility = permit.caller().visibility.clone();
        let key = GroupKey::Id(id.clone());
        let update = move |current: Option<&Group>| match current {
            Some(group) if visibility.sees(&group.fields.communities) => Ok(Mutation::Delete),
            _ => Err(Error::NotFound(ResourceKind::Group, id.to_string())),
        };
        self.write::<Group>(permit, key, Box::new(update)).await.map(drop)
    }

    /// Creates a group, or replaces its labels and, if given, its communities (Core's "add or edit"). Fails with
    /// `Invalid` if there is no such group, or if a limited caller may not set these communities.
    pub async fn put_labelled_group(&self, permit: &Permit<WriteGroups>, group: LabelledGroup) -> Result<Group> {
        let visibility = permit.caller().visibility.clone();
        let key = group.uid.map_or(Target::New, |uid| Target::Key(GroupKey::Uid(uid)));
        let new_id = self.new_id();
        let update = move |current: Option<&Group>| {
            let Some(uid) = group.uid else {
                return Ok(Mutation::Put(GroupFields {
                    id: new_id.clone(),
                    labels: group.labels.clone(),
                    description: None,
                    xp: None,
                    communities: named_communities(&visibility, group.communities.as_ref())?,
                }));
            };
            let live = current.filter(|group| group.deleted.is_none());
            let Some(current) = live.filter(|group| visibility.sees(&group.fields.communities)) else {
                return Err(Error::invalid("ID", format!("is no group's: there is no group {uid} to edit")));
            };
            let mut fields = current.fields.clone();
            fields.labels = group.labels.clone();
            if let Some(communities) = &group.communities {
                fields.communities = replaced_communities(&visibility, &fields.communities, communities)?;
            }
            Ok(Mutation::Put(fields))
        };
        self.write::<Group>(permit, key, Box::new(update)).await
    }

    /// Deletes a group that has no live members (Core's DELETE). Fails with `NotFound`, `AlreadyDeleted` or `HasUsers`.
    pub async fn delete_empty_group(&self, permit: &Permit<WriteGroups>, uid: GroupUid) -> Result<()> {
        let visibility = permit.caller().visibility.clone();
        let update = move |current: Option<&Group>| {
            let Some(group) = current.filter(|group| visibility.sees(&group.fields.communities)) else {
                return Err(Error::NotFound(ResourceKind::Group, uid.to_string()));
            };
            match (group.deleted, group.members) {
                (Some(_), _) => Err(Error::AlreadyDeleted),
                (None, 0) => Ok(Mutation::Delete),
                (None, members) => Err(Error::HasUsers(members)),
            }
        };
        self.write::<Group>(permit, GroupKey::Uid(uid), Box::new(update)).await.map(drop)
    }
}

fn new_group(language: &Tag, draft: &GroupDraft, id: Id, communities: Communities) -> Result<Mutation<GroupFields>> {
    Ok(Mutation::Put(GroupFields {
        id,
        labels: Labels::named(language, draft.name.clone()),
        description: draft.description.clone(),
        xp: draft.xp.clone(),
        communities,
    }))
}

/// Merges the patch into the xp. `None`, i.e. null, clears the xp; an empty object changes nothing. Fails with
/// `Invalid` if the result is over the limit.
pub(super) fn patched_xp(present: Option<&Xp>, patch: Option<&Xp>) -> Result<Option<Xp>> {
    match (present, patch) {
        (_, None) => Ok(None),
        (None, Some(patch)) => Ok(Some(patch.clone()).filter(|patch| !patch.is_empty())),
        (Some(xp), Some(patch)) => xp.merged(patch).map(Some).map_err(|rule| Error::invalid("xp", rule)),
    }
}

/// The communities of a new group in an API without communities. The new group of a limited caller is linked to the
/// caller's community. Fails if the caller has several (docs/ordercloud.md, section 10).
pub(super) fn default_communities(visibility: &Visibility) -> Result<Communities> {
    match visibility.limit() {
        None => Ok(Communities::new()),
        Some(own) if own.len() == 1 => Ok(own.clone()),
        Some(_) => Err(Error::NotAuthorizedToAdmin),
    }
}

/// The communities of a new group in an API with communities. A limited caller must name at least one, and only its own
/// (docs/core.md, section 3).
pub(super) fn named_communities(visibility: &Visibility, named: Option<&Communities>) -> Result<Communities> {
    let named = named.cloned().unwrap_or_default();
    match visibility.limit() {
        Some(_) if named.is_empty() => {
            Err(Error::invalid("Communities", "is required of an administrator limited to communities"))
        }
        Some(own) if !named.is_subset(own) => Err(foreign_community()),
        _ => Ok(named),
    }
}

/// The communities of a changed group. A limited caller replaces only its own communities, and must keep at least one
/// of them (docs/core.md, section 3).
pub(super) fn replaced_communities(
    visibility: &Visibility,
    present: &Communities,
    named: &Communities,
) -> Result<Communities> {
    match visibility.limit() {
        None => Ok(named.clone()),
        Some(own) if !named.is_subset(own) => Err(foreign_community()),
        Some(_) if named.is_empty() => {
            Err(Error::invalid("Communities", "must keep at least one community that you administer"))
        }
        Some(own) => Community::set(present.difference(own).chain(named).copied())
            .map_err(|rule| Error::invalid("Communities", rule)),
    }
}

fn foreign_community() -> Error {
    Error::invalid("Communities", "names a community that you do not administer")
}
