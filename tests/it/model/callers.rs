//! Performs operations at a server.

use proptest::sample::Index;
use serde_json::{Value as Json, json};

use super::operations::{Draft, Labelled, Operation, Patch};
use crate::support::{A, CORE, Caller, FULL, Reply, Server, user_body};

/// The path of groups.
pub(crate) const GROUPS: &str = "/v1/usergroups";
/// The path of assignments.
pub(crate) const ASSIGNMENTS: &str = "/v1/usergroups/assignments";
/// The path of users.
pub(crate) const USERS: &str = "/v1/adminusers";

/// The two callers at a server: one who is not limited, and one who is limited to community A.
#[derive(Clone)]
pub(crate) struct Callers {
    /// The caller who is not limited.
    pub admin: Caller,
    /// The caller limited to community A.
    pub limited: Caller,
}

impl Callers {
    /// Both callers at a server.
    pub(crate) async fn at(server: &Server) -> Self {
        Self { admin: server.admin().await, limited: server.token(&[FULL], &[A]).await }
    }

    /// The caller who is limited, or the other one.
    pub(crate) fn acting(&self, limited: bool) -> &Caller {
        if limited { &self.limited } else { &self.admin }
    }

    /// Empties the directory through its APIs.
    pub(crate) async fn empty(&self) {
        for path in [GROUPS, USERS] {
            for id in self.admin.get(&format!("{path}?pageSize=100")).await.is(200).ids() {
                self.admin.delete(&format!("{path}/{id}")).await.is(204);
            }
        }
    }

    /// Sends the request of an operation; `number` maps an index to a group's number.
    pub(crate) async fn send(&self, limited: bool, operation: &Operation, number: impl Fn(&Index) -> i64) -> Reply {
        let caller = self.acting(limited);
        match operation {
            Operation::Post(draft) => caller.post(GROUPS, &body(draft)).await,
            Operation::Put(id, draft) => caller.put(&format!("{GROUPS}/{id}"), &body(draft)).await,
            Operation::Patch(id, patch) => caller.patch(&format!("{GROUPS}/{id}"), &partial(patch)).await,
            Operation::Delete(id) => caller.delete(&format!("{GROUPS}/{id}")).await,
            Operation::Get(id) => caller.get(&format!("{GROUPS}/{id}")).await,
            Operation::Assign(group, user) => {
                caller.post(ASSIGNMENTS, &json!({ "UserGroupID": group, "UserID": user })).await
            }
            Operation::Unassign(group, user) => caller.delete(&format!("{GROUPS}/{group}/assignments/{user}")).await,
            Operation::Assignments(group, user) => {
                let parameters = [("userGroupID", group), ("userID", user)];
                let parameters: Vec<_> = parameters.into_iter().filter_map(|(name, id)| Some((name, (*id)?))).collect();
                caller.list(ASSIGNMENTS, &parameters).await
            }
            Operation::PostUser(id, username) => {
                let mut user = user_body(id);
                user["Username"] = (*username).into();
                self.admin.post(USERS, &user).await
            }
            Operation::PatchUser(uri, id, username) => {
                let body = present([("ID", id.map(Json::from)), ("Username", username.map(Json::from))]);
                self.admin.patch(&format!("{USERS}/{uri}"), &body).await
            }
            Operation::DeleteUser(id) => self.admin.delete(&format!("{USERS}/{id}")).await,
            Operation::Add(group) => caller.post(CORE, &labelled(None, group)).await,
            Operation::Edit(nth, group) => caller.post(CORE, &labelled(Some(number(nth)), group)).await,
            Operation::DeleteNumber(nth) => caller.delete(&format!("{CORE}/{}", number(nth))).await,
            Operation::GetNumber(nth) => caller.get(&format!("{CORE}/{}", number(nth))).await,
        }
    }
}

fn body(draft: &Draft) -> Json {
    let mut body = json!({ "Name": draft.name, "Description": draft.description, "xp": draft.xp });
    if let Some(id) = draft.id {
        body["ID"] = id.into();
    }
    body
}

fn partial(patch: &Patch) -> Json {
    present([
        ("ID", patch.id.map(Json::from)),
        ("Name", patch.name.map(Json::from)),
        ("Description", patch.description.map(Json::from)),
        ("xp", patch.xp.clone().map(Json::from)),
    ])
}

fn labelled(number: Option<i64>, group: &Labelled) -> Json {
    let labels: serde_json::Map<_, _> =
        group.labels.iter().map(|(tag, label)| ((*tag).to_owned(), (*label).into())).collect();
    present([
        ("ID", number.map(Json::from)),
        ("Labels", Some(Json::Object(labels).to_string().into())),
        ("Communities", group.communities.clone().map(Json::from)),
    ])
}

/// An object of the fields that are present.
fn present<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
