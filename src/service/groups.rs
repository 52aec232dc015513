//! Groups: what both APIs read and write of them.

use std::sync::Arc;

use crate::domain::community::{Communities, Visibility};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::group::{Group, GroupFields, GroupKey, GroupUid, Outline};
use crate::domain::id::Id;
use crate::domain::json::Json;
use crate::domain::labels::{Labels, Tag};
use crate::domain::query::{GroupQuery, Listed};
use crate::domain::role::{Caller, Permit, ReadGroups, WriteGroups};
use crate::domain::shared::Shared;
use crate::domain::xp::Xp;
use crate::store::Write;

use super::{Service, log_change};

/// A whole group as OrderCloud's POST and PUT tell it; members are within their limits.
#[derive(Clone, Debug)]
pub struct GroupDraft {
    /// None = a generated ID on POST, the URI's on PUT.
    pub id: Option<Id>,
    pub name: String,
    pub description: Option<String>,
    pub xp: Option<Xp>,
}

/// The members that OrderCloud's PATCH names; an inner `None` is a null.
#[derive(Clone, Debug, Default)]
pub struct GroupPatch {
    pub id: Option<Id>,
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    /// Laid over the present xp, not put in its place.
    pub xp: Option<Option<Json>>,
}

/// A group as Core's "add or edit" tells it.
#[derive(Clone, Debug)]
pub struct LabelledGroup {
    /// None = a new group.
    pub uid: Option<GroupUid>,
    pub labels: Labels,
    /// None = as they are.
    pub communities: Option<Communities>,
}

impl Service {
    /// The live group with this ID, if the caller may see it.
    pub async fn group(&self, permit: &Permit<ReadGroups>, id: &Id) -> Result<Arc<Shared<Group>>> {
        self.seen(self.store.group(&GroupKey::Id(id.clone())).await?, &permit.caller().visibility, id.as_str())
    }

    /// The live group with this number, if the caller may see it.
    pub async fn group_by_uid(&self, permit: &Permit<ReadGroups>, uid: GroupUid) -> Result<Arc<Shared<Group>>> {
        let found = self.store.group(&GroupKey::Uid(uid)).await?.filter(|group| group.deleted.is_none());
        self.seen(found, &permit.caller().visibility, &uid.to_string())
    }

    /// Fails with `NotFound` unless there is a live group with this ID that the caller may see.
    pub async fn expect_group(&self, permit: &Permit<WriteGroups>, id: &Id) -> Result<()> {
        let found = self.store.group(&GroupKey::Id(id.clone())).await?;
        self.seen(found, &permit.caller().visibility, id.as_str()).map(drop)
    }

    fn seen(
        &self,
        found: Option<Arc<Shared<Group>>>,
        visibility: &Visibility,
        key: &str,
    ) -> Result<Arc<Shared<Group>>> {
        found
            .filter(|group| visibility.sees(&group.fields.communities))
            .ok_or_else(|| Error::NotFound(Kind::Group, key.to_owned()))
    }

    /// One page of the groups that match, of those the caller may see.
    pub async fn list_groups(&self, permit: &Permit<ReadGroups>, mut query: GroupQuery) -> Result<Listed<Group>> {
        query.visibility = permit.caller().visibility.clone();
        self.store.list_groups(query).await
    }

    /// At most `limit` visible groups with a number above `after`, in order of their numbers.
    pub async fn groups_after(&self, permit: &Permit<ReadGroups>, after: GroupUid, limit: u32) -> Result<Vec<Outline>> {
        self.store.groups_after(after, limit, &permit.caller().visibility).await
    }

    /// Makes a group (OrderCloud's POST).
    pub async fn create_group(&self, permit: &Permit<WriteGroups>, draft: GroupDraft) -> Result<Group> {
        let caller = permit.caller();
        let id = draft.id.clone().unwrap_or_else(|| self.new_id());
        let communities = communities_of_new(&caller.visibility);
        let language = self.default_language().clone();
        let edit = move |_: Option<&Group>| put_new(&language, &draft, id.clone(), communities.clone()?);
        self.write_group(caller, GroupKey::New, edit).await
    }

    /// Puts a group in the place of the one with the URI's ID, or makes it (OrderCloud's PUT).
    pub async fn save_group(&self, permit: &Permit<WriteGroups>, uri: Id, draft: GroupDraft) -> Result<Group> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let language = self.default_language().clone();
        let key = GroupKey::Id(uri.clone());
        let edit = move |found: Option<&Group>| match found {
            Some(group) if visibility.sees(&group.fields.communities) => Ok(Write::Put(GroupFields {
                id: draft.id.clone().unwrap_or_else(|| group.fields.id.clone()),
                labels: group.fields.labels.with_name(&language, &draft.name),
                description: draft.description.clone(),
                xp: draft.xp.clone(),
                communities: group.fields.communities.clone(),
            })),
            Some(_) => Err(Error::AlreadyExists(Kind::Group, uri.to_string())),
            None => {
                let id = draft.id.clone().unwrap_or_else(|| uri.clone());
                put_new(&language, &draft, id, communities_of_new(&visibility)?)
            }
        };
        self.write_group(caller, key, edit).await
    }

    /// Changes the members that the patch names (OrderCloud's PATCH).
    pub async fn patch_group(&self, permit: &Permit<WriteGroups>, id: Id, patch: GroupPatch) -> Result<Group> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let language = self.default_language().clone();
        let key = GroupKey::Id(id.clone());
        let edit = move |found: Option<&Group>| {
            let Some(group) = found.filter(|group| visibility.sees(&group.fields.communities)) else {
                return Err(Error::NotFound(Kind::Group, id.to_string()));
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
            Ok(Write::Put(fields))
        };
        self.write_group(caller, key, edit).await
    }

    /// Deletes a group, members or not (OrderCloud's DELETE).
    pub async fn delete_group(&self, permit: &Permit<WriteGroups>, id: Id) -> Result<()> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let key = GroupKey::Id(id.clone());
        let edit = move |found: Option<&Group>| match found {
            Some(group) if visibility.sees(&group.fields.communities) => Ok(Write::Delete),
            _ => Err(Error::NotFound(Kind::Group, id.to_string())),
        };
        self.write_group(caller, key, edit).await.map(drop)
    }

    /// Makes a group, or replaces the labels and perhaps the communities of one (Core's "add or edit").
    pub async fn put_labelled_group(&self, permit: &Permit<WriteGroups>, group: LabelledGroup) -> Result<Group> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let key = group.uid.map_or(GroupKey::New, GroupKey::Uid);
        let new_id = self.new_id();
        let edit = move |found: Option<&Group>| {
            let Some(uid) = group.uid else {
                return Ok(Write::Put(GroupFields {
                    id: new_id.clone(),
                    labels: group.labels.clone(),
                    description: None,
                    xp: None,
                    communities: named_communities(&visibility, group.communities.as_ref())?,
                }));
            };
            let live = found.filter(|group| group.deleted.is_none());
            let Some(own) = live.filter(|group| visibility.sees(&group.fields.communities)) else {
                return Err(Error::invalid("ID", format!("is no group's: there is no group {uid} to edit")));
            };
            let mut fields = own.fields.clone();
            fields.labels = group.labels.clone();
            if let Some(communities) = &group.communities {
                fields.communities = replaced_communities(&visibility, &fields.communities, communities)?;
            }
            Ok(Write::Put(fields))
        };
        self.write_group(caller, key, edit).await
    }

    /// Deletes a group that has no live members (Core's DELETE).
    pub async fn delete_empty_group(&self, permit: &Permit<WriteGroups>, uid: GroupUid) -> Result<()> {
        let caller = permit.caller();
        let visibility = caller.visibility.clone();
        let edit = move |found: Option<&Group>| {
            let Some(group) = found.filter(|group| visibility.sees(&group.fields.communities)) else {
                return Err(Error::NotFound(Kind::Group, uid.to_string()));
            };
            match (group.deleted, group.members) {
                (Some(_), _) => Err(Error::AlreadyDeleted),
                (None, 0) => Ok(Write::Delete),
                (None, members) => Err(Error::HasUsers(members)),
            }
        };
        self.write_group(caller, GroupKey::Uid(uid), edit).await.map(drop)
    }

    /// Writes a group by the rule, and says so in the log.
    async fn write_group(
        &self,
        caller: &Caller,
        key: GroupKey,
        edit: impl Fn(Option<&Group>) -> Result<Write<GroupFields>> + Send + Sync + 'static,
    ) -> Result<Group> {
        let operation = self.operation(caller);
        let written = self.store.write_group(operation.clone(), key, Box::new(edit)).await?;
        log_change(&operation, "group", written.uid, written.version);
        Ok(written)
    }
}

fn put_new(language: &Tag, draft: &GroupDraft, id: Id, communities: Communities) -> Result<Write<GroupFields>> {
    Ok(Write::Put(GroupFields {
        id,
        labels: Labels::named(language, draft.name.clone()),
        description: draft.description.clone(),
        xp: draft.xp.clone(),
        communities,
    }))
}

/// An xp with the patch laid over it; a null clears it, and an empty object changes nothing.
pub(super) fn patched_xp(present: Option<&Xp>, patch: Option<&Json>) -> Result<Option<Xp>> {
    let Some(patch) = patch else { return Ok(None) };
    let merged = match (present, patch) {
        (Some(xp), patch) => xp.to_json().merged(patch.clone()),
        (None, Json::Object(members)) if members.is_empty() => return Ok(None),
        (None, patch) => patch.clone(),
    };
    Xp::new(&merged).map(Some).map_err(|rule| Error::invalid("xp", rule))
}

/// Where the API has no word for communities: a limited caller's new group is linked to the caller's community,
/// which must be one (docs/ordercloud.md, section 10).
fn communities_of_new(visibility: &Visibility) -> Result<Communities> {
    match visibility.limit() {
        None => Ok(Communities::new()),
        Some(own) if own.len() == 1 => Ok(own.clone()),
        Some(_) => Err(Error::NotAuthorizedToAdmin),
    }
}

/// The communities of a new group where the API names them: a limited caller must name some, and only its own
/// (docs/core.md, section 3).
fn named_communities(visibility: &Visibility, named: Option<&Communities>) -> Result<Communities> {
    let named = named.cloned().unwrap_or_default();
    match visibility.limit() {
        Some(_) if named.is_empty() => {
            Err(Error::invalid("Communities", "is required of an administrator limited to communities"))
        }
        Some(own) if !named.is_subset(own) => Err(foreign_community()),
        _ => Ok(named),
    }
}

/// The communities of an edited group: a limited caller replaces its own alone, and must leave one of them
/// (docs/core.md, section 3).
fn replaced_communities(visibility: &Visibility, present: &Communities, named: &Communities) -> Result<Communities> {
    match visibility.limit() {
        None => Ok(named.clone()),
        Some(own) if !named.is_subset(own) => Err(foreign_community()),
        Some(_) if named.is_empty() => {
            Err(Error::invalid("Communities", "must keep at least one community that you administer"))
        }
        Some(own) => Ok(present.difference(own).chain(named).copied().collect()),
    }
}

fn foreign_community() -> Error {
    Error::invalid("Communities", "names a community that you do not administer")
}
