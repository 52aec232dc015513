//! Performs operations at the server, and compares every response and the whole state with the model.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value as Json, json};

use super::callers::{ASSIGNMENTS, Callers, GROUPS, USERS};
use super::directory::{Directory, Expected, Group};
use super::operations::{NAMES, Operation, USER_IDS};
use crate::support::{CORE, Caller, Reply, core_groups};

/// A number that no group has.
const NOBODY: i64 = 1_000_000_000;

/// The server with its two callers, and the expected state.
pub(super) struct Apis {
    callers: Callers,
    model: Directory,
    /// The numbers of all groups so far, ascending.
    numbers: Vec<i64>,
}

impl Apis {
    /// Empties the directory through its APIs. Numbers continue.
    pub(super) async fn emptied(callers: Callers) -> Self {
        let mut numbers = core_groups(&callers.admin).await;
        numbers.sort_unstable();
        callers.empty().await;
        Self { callers, model: Directory::default(), numbers }
    }

    /// Performs the operation at the server and in the model; the responses must be equal.
    pub(super) async fn perform(&mut self, limited: bool, operation: Operation) -> TestCaseResult {
        let (observed, before) = (format!("{operation:?} limited: {limited}"), self.model.groups.len());
        let reply = self.callers.send(limited, &operation, |nth| self.number(nth)).await;
        let expected = self.expect(limited, operation);
        agree(&observed, &reply, &expected)?;
        if self.model.groups.len() > before { self.learn(&reply).await } else { Ok(()) }
    }

    fn expect(&mut self, limited: bool, operation: Operation) -> Expected {
        let nth = |nth: Index| (!self.model.groups.is_empty()).then(|| nth.index(self.model.groups.len()));
        match operation {
            Operation::Post(draft) => self.model.post(limited, draft),
            Operation::Put(id, draft) => self.model.put(limited, id, draft),
            Operation::Patch(id, patch) => self.model.patch(limited, id, patch),
            Operation::Delete(id) => self.model.delete(limited, id),
            Operation::Get(id) => self.model.get(limited, id),
            Operation::Assign(group, user) => self.model.assign(limited, group, user),
            Operation::Unassign(group, user) => self.model.unassign(limited, group, user),
            Operation::Assignments(group, user) => {
                let items = self.model.assignments(limited, group, user).into_iter().take(20).collect();
                Expected { status: 200, code: "", body: json!({ "Items": Json::Array(items) }) }
            }
            Operation::PostUser(id, username) => self.model.post_user(id, username),
            Operation::PatchUser(uri, id, username) => self.model.patch_user(uri, id, username),
            Operation::DeleteUser(id) => self.model.delete_user(id),
            Operation::Add(group) => self.model.add(limited, group),
            Operation::Edit(at, group) => {
                let at = nth(at);
                self.model.edit(limited, at, group)
            }
            Operation::DeleteNumber(at) => {
                let at = nth(at);
                self.model.delete_number(limited, at)
            }
            Operation::GetNumber(at) => self.model.get_number(limited, nth(at)),
        }
    }

    fn number(&self, nth: &Index) -> i64 {
        let groups = &self.model.groups;
        if groups.is_empty() { NOBODY } else { nth.get(groups).number }
    }

    /// Records what only the server knows about a new group: its number, and its ID if the server generated it.
    async fn learn(&mut self, reply: &Reply) -> TestCaseResult {
        let new: Vec<_> = core_groups(&self.callers.admin)
            .await
            .into_iter()
            .filter(|number| !self.numbers.contains(number))
            .collect();
        prop_assert!(matches!(new[..], [number] if self.numbers.iter().all(|own| *own < number)), "{:?}", new);
        self.numbers.extend(&new);
        let all = self.callers.admin.get(&format!("{GROUPS}?pageSize=100")).await.is(200).ids();
        let unknown = |id: &String| self.model.live().all(|group| group.id != *id);
        let ids: Vec<_> = all.into_iter().filter(unknown).collect();
        let group = self.model.groups.last_mut().expect("the new group");
        group.number = new[0];
        if group.id.is_empty() {
            group.id = ids.concat();
            prop_assert!(reply["ID"].is_null() || reply["ID"] == group.id.as_str(), "{}", reply.text);
        }
        prop_assert!(ids.len() <= 1, "{:?}", ids);
        Ok(())
    }

    /// Compares everything that both APIs return with the model.
    pub(super) async fn compare(&self) -> TestCaseResult {
        for limited in [false, true] {
            self.compare_lists(limited).await?;
            self.compare_numbers(limited).await?;
        }
        let users = self.callers.admin.get(&format!("{USERS}?sortBy=ID&pageSize=100")).await.is(200).ids();
        let mut expected: Vec<_> = self.model.users.iter().filter(|user| !user.deleted).map(|user| user.id).collect();
        expected.sort_by_key(|id| id.to_lowercase());
        prop_assert_eq!(users, expected);
        Ok(())
    }

    async fn compare_lists(&self, limited: bool) -> TestCaseResult {
        let caller = self.callers.acting(limited);
        let mut visible: Vec<_> = self.model.live().filter(|group| group.visible(limited)).collect();
        visible.sort_by_key(|group| (group.name().to_lowercase(), group.id.to_lowercase()));
        same_list(caller, GROUPS, &[], &visible.iter().map(|group| group.at_ordercloud()).collect::<Vec<_>>()).await?;
        for name in NAMES {
            let term = name.to_lowercase();
            let named = visible.iter().filter(|group| group.name().to_lowercase().contains(&term));
            let named: Vec<_> = named.map(|group| group.at_ordercloud()).collect();
            same_list(caller, GROUPS, &[("search", name), ("searchOn", "Name")], &named).await?;
        }
        let ones = visible.iter().filter(|group| group.xp.as_ref().is_some_and(|xp| has_one(&xp["a"])));
        let ones: Vec<_> = ones.map(|group| group.at_ordercloud()).collect();
        same_list(caller, GROUPS, &[("xp.a", "1")], &ones).await?;
        for user in USER_IDS.iter().copied().map(Some).chain([None]) {
            let parameters: Vec<_> = user.map(|user| ("userID", user)).into_iter().collect();
            same_list(caller, ASSIGNMENTS, &parameters, &self.model.assignments(limited, None, user)).await?;
        }
        Ok(())
    }

    async fn compare_numbers(&self, limited: bool) -> TestCaseResult {
        let caller = self.callers.acting(limited);
        let mut visible: Vec<_> = self.model.live().filter(|group| group.visible(limited)).collect();
        visible.sort_by_key(|group| group.number);
        let expected: Vec<_> = visible.iter().map(|group| group.at_core()).collect();
        for list in ["list-all", "list?pageSize=100"] {
            let reply = caller.get(&format!("{CORE}/{list}")).await.is(200);
            let observed: Vec<_> = reply.json().as_array().expect("an array").iter().map(without_dates).collect();
            prop_assert_eq!(&observed, &expected, "{}", list);
            prop_assert!(list == "list-all" || reply.total() == expected.len() as u64);
        }
        // A delete returns tombstones and counts members; this one would delete groups that have none.
        for group in self.model.groups.iter().filter(|group| group.deleted || self.model.members(group).count() > 0) {
            let reply = caller.delete(&format!("{CORE}/{}", group.number)).await;
            agree(&format!("{group:?}"), &reply, &self.deletion(limited, group))?;
        }
        Ok(())
    }

    /// The expected response to a delete by a group's number that deletes nothing.
    fn deletion(&self, limited: bool, group: &Group) -> Expected {
        let (status, code, body) = match group.deleted {
            _ if !group.visible(limited) => (404, "not_found", Json::Null),
            true => (410, "already_deleted", Json::Null),
            false => (409, "has_users", self.model.members(group).count().into()),
        };
        Expected { status, code, body }
    }
}

/// Compares status and code, and the body as far as the model knows it.
fn agree(observed: &str, reply: &Reply, expected: &Expected) -> TestCaseResult {
    let as_expected = reply.status == expected.status && expected.code == reply.code();
    prop_assert!(as_expected, "{}: {:?}, and not {} {}", observed, expected, reply.status, reply.text);
    let body = match (expected.code, &expected.body) {
        (_, Json::Null) => return Ok(()),
        ("NotFound", _) => reply["Errors"][0]["Data"]["ObjectType"].clone(),
        ("has_users", users) => {
            let description = reply["Description"].as_str().unwrap_or_default();
            prop_assert!(description.starts_with(&format!("The group has {users} user")), "{}", description);
            return Ok(());
        }
        (_, body) if body.get("Items").is_some() => json!({ "Items": reply["Items"] }),
        _ => without_dates(reply.json()),
    };
    // Compared as text: the order of fields counts.
    prop_assert_eq!(body.to_string(), expected.body.to_string(), "{}", observed);
    Ok(())
}

async fn same_list(caller: &Caller, path: &str, parameters: &[(&str, &str)], expected: &[Json]) -> TestCaseResult {
    let query: Vec<_> = parameters.iter().copied().chain([("pageSize", "100")]).collect();
    let reply = caller.list(path, &query).await.is(200);
    let observed = reply["Items"].as_array().cloned().unwrap_or_default();
    prop_assert_eq!(
        Json::from(observed).to_string(),
        Json::from(expected.to_vec()).to_string(),
        "{} {:?}",
        path,
        parameters
    );
    prop_assert_eq!(reply.total(), expected.len() as u64);
    Ok(())
}

fn has_one(value: &Json) -> bool {
    match value {
        Json::Number(number) => number.as_f64() == Some(1.0),
        Json::Array(items) => items.iter().any(has_one),
        _ => false,
    }
}

/// The Core API's group without its dates, which the model does not know.
fn without_dates(group: &Json) -> Json {
    let mut group = group.clone();
    for date in ["CreatedDate", "LastUpdated"] {
        group.as_object_mut().and_then(|members| members.shift_remove(date));
    }
    group
}
