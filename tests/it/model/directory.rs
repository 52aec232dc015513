//! The expected directory: the rules of docs/core.md and docs/ordercloud.md on plain vectors.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::operations::{Draft, Labelled, Patch};
use crate::support::A;

/// A group, live or deleted.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Assigned by the server: gaps are allowed.
    pub number: i64,
    /// The ID.
    pub id: String,
    /// The labels by language tag.
    pub labels: BTreeMap<&'static str, &'static str>,
    /// The description.
    pub description: Option<&'static str>,
    /// The xp document.
    pub xp: Option<Json>,
    /// The linked communities.
    pub communities: BTreeSet<&'static str>,
    /// Indexes of users, live or deleted.
    pub members: BTreeSet<usize>,
    /// Whether the group is deleted.
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub(super) struct User {
    /// The ID.
    pub id: &'static str,
    /// The username.
    pub username: &'static str,
    /// Whether the user is deleted.
    pub deleted: bool,
}

/// The expected response to an operation. A body of null is not compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected {
    /// The status.
    pub status: u16,
    /// Empty for a success. If there are two, separated by `|`, either is accepted.
    pub code: &'static str,
    /// The body.
    pub body: Json,
}

fn good(status: u16, body: Json) -> Expected {
    Expected { status, code: "", body }
}

fn bad(status: u16, code: &'static str) -> Expected {
    Expected { status, code, body: Json::Null }
}

fn missing(object: &'static str) -> Expected {
    Expected { body: object.into(), ..bad(404, "NotFound") }
}

fn conflict(id: bool, username: bool) -> Option<Expected> {
    match (id, username) {
        (false, false) => None,
        (true, _) => Some(bad(409, "IdExists")),
        (false, true) => Some(bad(409, "User.UsernameMustBeUnique")),
    }
}

/// All groups and users that ever existed.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// All groups, in the order of creation.
    pub groups: Vec<Group>,
    /// All users, in the order of creation.
    pub users: Vec<User>,
}

impl Group {
    /// The name: the label in English, otherwise the first label.
    pub(super) fn name(&self) -> &'static str {
        self.labels.get("en").or_else(|| self.labels.values().next()).expect("a label")
    }

    /// The group as the OrderCloud API returns it.
    pub(super) fn at_ordercloud(&self) -> Json {
        json!({ "ID": self.id, "Name": self.name(), "Description": self.description, "xp": self.xp })
    }

    /// The group as the Core API returns it, without dates.
    pub(super) fn at_core(&self) -> Json {
        let labels = serde_json::to_string(&self.labels).expect("plain texts");
        json!({ "ID": self.number, "Labels": labels })
    }

    /// Whether the caller sees the group; `limited` is the caller limited to community A.
    pub(super) fn visible(&self, limited: bool) -> bool {
        !limited || self.communities.contains(A)
    }

    fn put(&mut self, draft: Draft) {
        self.labels.insert("en", draft.name);
        (self.description, self.xp) = (draft.description, draft.xp);
    }
}

impl Directory {
    /// The groups that are not deleted.
    pub(super) fn live(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.deleted)
    }

    /// The live members of a group.
    pub(super) fn members<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a User> {
        group.members.iter().map(|user| &self.users[*user]).filter(|user| !user.deleted)
    }

    fn group(&self, id: &str) -> Option<usize> {
        self.groups.iter().position(|group| !group.deleted && group.id.eq_ignore_ascii_case(id))
    }

    fn visible(&self, limited: bool, id: &str) -> Option<usize> {
        self.group(id).filter(|at| self.groups[*at].visible(limited))
    }

    fn user(&self, id: &str) -> Option<usize> {
        self.users.iter().position(|user| !user.deleted && user.id.eq_ignore_ascii_case(id))
    }

    /// A new group, without a number yet; the server generates an ID if it is empty.
    fn create(&mut self, limited: bool, id: &str, draft: Draft, status: u16) -> Expected {
        if self.group(id).is_some() {
            return bad(409, "IdExists");
        }
        let mut group = Group {
            number: 0,
            id: id.to_owned(),
            labels: BTreeMap::new(),
            description: None,
            xp: None,
            communities: limited.then_some(A).into_iter().collect(),
            members: BTreeSet::new(),
            deleted: false,
        };
        group.put(draft);
        let body = if id.is_empty() { Json::Null } else { group.at_ordercloud() };
        self.groups.push(group);
        good(status, body)
    }

    /// OrderCloud's POST of a group.
    pub(super) fn post(&mut self, limited: bool, draft: Draft) -> Expected {
        self.create(limited, draft.id.unwrap_or_default(), draft, 201)
    }

    /// OrderCloud's PUT of a group.
    pub(super) fn put(&mut self, limited: bool, uri: &str, draft: Draft) -> Expected {
        let Some(at) = self.group(uri) else {
            return self.create(limited, draft.id.unwrap_or(uri), draft, 200);
        };
        let taken = draft.id.and_then(|id| self.group(id)).is_some_and(|other| other != at);
        if taken || !self.groups[at].visible(limited) {
            return bad(409, "IdExists");
        }
        let group = &mut self.groups[at];
        group.id = draft.id.map_or_else(|| group.id.clone(), str::to_owned);
        group.put(draft);
        good(200, group.at_ordercloud())
    }

    /// OrderCloud's PATCH of a group.
    pub(super) fn patch(&mut self, limited: bool, uri: &str, patch: Patch) -> Expected {
        let Some(at) = self.visible(limited, uri) else { return missing("UserGroup") };
        if patch.id.and_then(|id| self.group(id)).is_some_and(|other| other != at) {
            return bad(409, "IdExists");
        }
        let group = &mut self.groups[at];
        group.id = patch.id.map_or_else(|| group.id.clone(), str::to_owned);
        group.labels.extend(patch.name.map(|name| ("en", name)));
        group.description = patch.description.unwrap_or(group.description);
        match patch.xp {
            None => {}
            Some(None) => group.xp = None,
            Some(Some(Json::Object(members))) if members.is_empty() => {}
            Some(Some(patch)) => merge(group.xp.get_or_insert_with(|| Map::new().into()), patch),
        }
        good(200, group.at_ordercloud())
    }

    /// OrderCloud's DELETE of a group.
    pub(super) fn delete(&mut self, limited: bool, uri: &str) -> Expected {
        let Some(at) = self.visible(limited, uri) else { return missing("UserGroup") };
        self.groups[at].deleted = true;
        good(204, Json::Null)
    }

    /// OrderCloud's GET of a group.
    pub(super) fn get(&self, limited: bool, uri: &str) -> Expected {
        self.visible(limited, uri).map_or(missing("UserGroup"), |at| good(200, self.groups[at].at_ordercloud()))
    }

    /// OrderCloud's POST of an assignment.
    pub(super) fn assign(&mut self, limited: bool, group: &str, user: &str) -> Expected {
        match (self.visible(limited, group), self.user(user)) {
            (None, _) => missing("UserGroup"),
            (_, None) => missing("User"),
            (Some(group), Some(user)) => {
                self.groups[group].members.insert(user);
                good(204, Json::Null)
            }
        }
    }

    /// OrderCloud's DELETE of an assignment.
    pub(super) fn unassign(&mut self, limited: bool, group: &str, user: &str) -> Expected {
        match (self.visible(limited, group), self.user(user)) {
            (None, _) => missing("UserGroup"),
            (_, None) => missing("User"),
            (Some(group), Some(user)) if self.groups[group].members.remove(&user) => good(204, Json::Null),
            _ => missing("UserGroupAssignment"),
        }
    }

    /// The assignments that a caller sees, in their order.
    pub(super) fn assignments(&self, limited: bool, group: Option<&str>, user: Option<&str>) -> Vec<Json> {
        let parameters = |id: &str, parameters: Option<&str>| {
            parameters.is_none_or(|parameters| parameters.eq_ignore_ascii_case(id))
        };
        let groups = self.live().filter(|own| own.visible(limited) && parameters(&own.id, group));
        let mut pairs: Vec<_> = groups
            .flat_map(|group| self.members(group).map(move |user| (group.id.as_str(), user.id)))
            .filter(|(_, id)| parameters(id, user))
            .collect();
        pairs.sort_by_key(|(group, user)| (group.to_lowercase(), user.to_lowercase()));
        pairs.into_iter().map(|(group, user)| json!({ "UserGroupID": group, "UserID": user })).collect()
    }

    /// OrderCloud's POST of a user.
    pub(super) fn post_user(&mut self, id: &'static str, username: &'static str) -> Expected {
        if let Some(conflict) = conflict(self.user(id).is_some(), self.has_username(username, None)) {
            return conflict;
        }
        self.users.push(User { id, username, deleted: false });
        good(201, Json::Null)
    }

    /// OrderCloud's PATCH of a user.
    pub(super) fn patch_user(
        &mut self,
        uri: &str,
        id: Option<&'static str>,
        username: Option<&'static str>,
    ) -> Expected {
        let Some(at) = self.user(uri) else { return missing("User") };
        let taken = id.and_then(|id| self.user(id)).is_some_and(|other| other != at);
        let username_taken = username.is_some_and(|username| self.has_username(username, Some(at)));
        if let Some(conflict) = conflict(taken, username_taken) {
            return conflict;
        }
        let user = &mut self.users[at];
        (user.id, user.username) = (id.unwrap_or(user.id), username.unwrap_or(user.username));
        good(200, Json::Null)
    }

    fn has_username(&self, username: &str, but: Option<usize>) -> bool {
        let same = |user: &User| !user.deleted && user.username.to_lowercase() == username.to_lowercase();
        self.users.iter().enumerate().any(|(at, user)| same(user) && Some(at) != but)
    }

    /// OrderCloud's DELETE of a user.
    pub(super) fn delete_user(&mut self, uri: &str) -> Expected {
        let Some(at) = self.user(uri) else { return missing("User") };
        self.users[at].deleted = true;
        good(204, Json::Null)
    }

    /// The Core API's add of a group.
    pub(super) fn add(&mut self, limited: bool, Labelled { labels, communities }: Labelled) -> Expected {
        let communities: BTreeSet<_> = communities.into_iter().flatten().collect();
        if limited && communities != BTreeSet::from([A]) {
            return bad(400, "invalid_data");
        }
        self.groups.push(Group {
            number: 0,
            id: String::new(),
            labels: labels.into_iter().collect(),
            description: None,
            xp: None,
            communities,
            members: BTreeSet::new(),
            deleted: false,
        });
        good(200, json!({ "Success": true }))
    }

    /// The Core API's edit of the group at this index, or of one that does not exist.
    pub(super) fn edit(
        &mut self,
        limited: bool,
        at: Option<usize>,
        Labelled { labels, communities }: Labelled,
    ) -> Expected {
        let group = at.map(|at| &mut self.groups[at]).filter(|group| !group.deleted && group.visible(limited));
        let named: Option<BTreeSet<_>> = communities.map(|named| named.into_iter().collect());
        let refused = limited && named.as_ref().is_some_and(|named| *named != BTreeSet::from([A]));
        let Some(group) = group.filter(|_| !refused) else { return bad(400, "invalid_data") };
        group.labels = labels.into_iter().collect();
        match named {
            // The limited caller names A, which is linked already; the caller may not replace the other links.
            Some(named) if !limited => group.communities = named,
            _ => {}
        }
        good(200, json!({ "Success": true }))
    }

    /// The Core API's delete of the group at this index, or of one that does not exist.
    pub(super) fn delete_number(&mut self, limited: bool, at: Option<usize>) -> Expected {
        let visible = at.filter(|at| self.groups[*at].visible(limited));
        let Some(at) = visible else { return bad(404, "not_found") };
        if self.groups[at].deleted {
            return bad(410, "already_deleted");
        }
        match self.members(&self.groups[at]).count() {
            0 => self.groups[at].deleted = true,
            members => return Expected { body: members.into(), ..bad(409, "has_users") },
        }
        good(200, json!({ "Success": true }))
    }

    /// The Core API's read of the group at this index, or of one that does not exist.
    pub(super) fn get_number(&self, limited: bool, at: Option<usize>) -> Expected {
        let visible = at.map(|at| &self.groups[at]).filter(|group| !group.deleted && group.visible(limited));
        visible.map_or(bad(404, "not_found"), |group| good(200, group.at_core()))
    }
}

/// Objects merge at every level, everything else is replaced, and a null is stored.
fn merge(own: &mut Json, patch: Json) {
    match (own, patch) {
        (Json::Object(own), Json::Object(patch)) => {
            for (name, value) in patch {
                match own.get_mut(&name) {
                    Some(member) => merge(member, value),
                    None => drop(own.insert(name, value)),
                }
            }
        }
        (own, patch) => *own = patch,
    }
}
