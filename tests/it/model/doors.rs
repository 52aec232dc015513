//! Doing the operations at the server, and holding every answer and the whole state against the model.

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

/// The server with its two callers, and what should be in it.
pub struct Doors {
    callers: Callers,
    model: Directory,
    /// The numbers known, the highest last.
    numbers: Vec<i64>,
}

impl Doors {
    /// Empties the directory through its own doors. Numbers go on from where they are.
    pub async fn emptied(callers: Callers) -> Self {
        let mut numbers = core_groups(&callers.admin).await;
        numbers.sort_unstable();
        callers.empty().await;
        Self { callers, model: Directory::default(), numbers }
    }

    /// Does the operation at the server and in the model, which must answer alike.
    pub async fn perform(&mut self, limited: bool, operation: Operation) -> TestCaseResult {
        let (told, before) = (format!("{operation:?} limited: {limited}"), self.model.groups.len());
        let reply = self.callers.send(limited, &operation, |nth| self.number(nth)).await;
        let expected = self.expect(limited, operation);
        agree(&told, &reply, &expected)?;
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

    /// Learns what the server alone could say of the group just made: its number, and its ID where that was made up.
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
        let group = self.model.groups.last_mut().expect("the group just made");
        group.number = new[0];
        if group.id.is_empty() {
            group.id = ids.concat();
            prop_assert!(reply["ID"].is_null() || reply["ID"] == group.id.as_str(), "{}", reply.text);
        }
        prop_assert!(ids.len() <= 1, "{:?}", ids);
        Ok(())
    }

    /// Holds all that both doors tell against the model.
    pub async fn compare(&self) -> TestCaseResult {
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
        let mut seen: Vec<_> = self.model.live().filter(|group| group.seen(limited)).collect();
        seen.sort_by_key(|group| (group.name().to_lowercase(), group.id.to_lowercase()));
        same_list(caller, GROUPS, &[], &seen.iter().map(|group| group.at_ordercloud()).collect::<Vec<_>>()).await?;
        for name in NAMES {
            let term = name.to_lowercase();
            let named = seen.iter().filter(|group| group.name().to_lowercase().contains(&term));
            let named: Vec<_> = named.map(|group| group.at_ordercloud()).collect();
            same_list(caller, GROUPS, &[("search", name), ("searchOn", "Name")], &named).await?;
        }
        let ones = seen.iter().filter(|group| group.xp.as_ref().is_some_and(|xp| has_one(&xp["a"])));
        let ones: Vec<_> = ones.map(|group| group.at_ordercloud()).collect();
        same_list(caller, GROUPS, &[("xp.a", "1")], &ones).await?;
        for user in USER_IDS.iter().copied().map(Some).chain([None]) {
            let asked: Vec<_> = user.map(|user| ("userID", user)).into_iter().collect();
            same_list(caller, ASSIGNMENTS, &asked, &self.model.assignments(limited, None, user)).await?;
        }
        Ok(())
    }

    async fn compare_numbers(&self, limited: bool) -> TestCaseResult {
        let caller = self.callers.acting(limited);
        let mut seen: Vec<_> = self.model.live().filter(|group| group.seen(limited)).collect();
        seen.sort_by_key(|group| group.number);
        let expected: Vec<_> = seen.iter().map(|group| group.at_core()).collect();
        for list in ["list-all", "list?pageSize=100"] {
            let reply = caller.get(&format!("{CORE}/{list}")).await.is(200);
            let told: Vec<_> = reply.json().as_array().expect("an array").iter().map(without_dates).collect();
            prop_assert_eq!(&told, &expected, "{}", list);
            prop_assert!(list == "list-all" || reply.total() == expected.len() as u64);
        }
        // Deleting tells of tombstones and counts of members; it would delete what has none.
        for group in self.model.groups.iter().filter(|group| group.deleted || self.model.members(group).count() > 0) {
            let reply = caller.delete(&format!("{CORE}/{}", group.number)).await;
            agree(&format!("{group:?}"), &reply, &self.deletion(limited, group))?;
        }
        Ok(())
    }

    /// What deleting a group by its number is answered with where that deletes nothing.
    fn deletion(&self, limited: bool, group: &Group) -> Expected {
        let (status, code, body) = match group.deleted {
            _ if !group.seen(limited) => (404, "not_found", Json::Null),
            true => (410, "already_deleted", Json::Null),
            false => (409, "has_users", self.model.members(group).count().into()),
        };
        Expected { status, code, body }
    }
}

/// Status and code must be those expected, and the body as far as the model knows it.
fn agree(told: &str, reply: &Reply, expected: &Expected) -> TestCaseResult {
    let as_expected = reply.status == expected.status && expected.code == reply.code();
    prop_assert!(as_expected, "{}: {:?}, and not {} {}", told, expected, reply.status, reply.text);
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
    // As texts: the order of members counts.
    prop_assert_eq!(body.to_string(), expected.body.to_string(), "{}", told);
    Ok(())
}

async fn same_list(caller: &Caller, path: &str, asked: &[(&str, &str)], expected: &[Json]) -> TestCaseResult {
    let query: Vec<_> = asked.iter().copied().chain([("pageSize", "100")]).collect();
    let reply = caller.list(path, &query).await.is(200);
    let told = reply["Items"].as_array().cloned().unwrap_or_default();
    prop_assert_eq!(Json::from(told).to_string(), Json::from(expected.to_vec()).to_string(), "{} {:?}", path, asked);
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

/// The Core API's group but for its dates, which the model does not know.
fn without_dates(group: &Json) -> Json {
    let mut group = group.clone();
    for date in ["CreatedDate", "LastUpdated"] {
        group.as_object_mut().and_then(|members| members.shift_remove(date));
    }
    group
}
