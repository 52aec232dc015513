//! Changes of the group that has every user, compared with the same changes of small entities. They take turns.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::people::{EVERYBODY, TEN};
use super::report::{Goal, Row, Section};
use super::support::generate;
use super::target::{Target, millis};
use super::timing::percentiles;

const ASSIGNMENTS: &str = "/v1/usergroups/assignments";
/// The user who is added and removed.
const GUEST: &str = "benchmark-guest";

/// Adds a user to the group and removes the user, then the same with a group of ten.
pub(crate) async fn members(target: &Target, turns: usize) -> anyhow::Result<Section> {
    let guest = json!({ "Username": GUEST, "FirstName": "A", "LastName": "Guest", "Email": "guest@example.com",
                        "Active": true });
    target.change(Method::PUT, &format!("/v1/adminusers/{GUEST}"), Some(&guest)).await?;
    let groups = [generate::id(EVERYBODY), generate::id(TEN)];
    let mut took: [Vec<Duration>; 4] = Default::default();
    // The first turn is a warm-up.
    for turn in 0..=turns {
        for (at, group) in groups.iter().enumerate() {
            let body = json!({ "UserGroupID": group, "UserID": GUEST });
            let added = target.change(Method::POST, ASSIGNMENTS, Some(&body)).await?.took;
            let uri = format!("/v1/usergroups/{group}/assignments/{GUEST}");
            let removed = target.change(Method::DELETE, &uri, None).await?.took;
            if turn > 0 {
                took[at].push(added);
                took[2 + at].push(removed);
            }
        }
    }
    target.change(Method::DELETE, &format!("/v1/adminusers/{GUEST}"), None).await?;
    let [add_all, add_ten, remove_all, remove_ten] = took.map(|mut took| percentiles(&mut took));
    let row = |what, (median, p99), (ten, _)| {
        let goal = Goal::RatioUnder(1.2);
        Row::new(what, millis(median)).p99(millis(p99)).baseline(millis(ten)).goal(goal)
    };
    let rows = vec![row("add a member", add_all, add_ten), row("remove a member", remove_all, remove_ten)];
    Ok(Section::new("The group that everybody is in", "median ms", "group of ten", rows))
}

/// The present moment in the directory, as the URL of a read names it: the time of a change that is made now.
pub(crate) async fn now(target: &Target) -> anyhow::Result<String> {
    let uri = format!("/rollbook/v1/groups/{}", generate::id(TEN));
    let patch = json!({ "description": "Ten, before the benchmark" });
    target.change(Method::PATCH, &uri, Some(&patch)).await?;
    let response = target.change(Method::PATCH, &uri, Some(&json!({ "description": "Ten" }))).await?;
    let group: Value = serde_json::from_slice(&response.body)?;
    Ok(group["updated"].as_str().unwrap_or_default().to_owned())
}

/// Adds ten users to the group that has every user, removes them, and does the same with a group of ten. They take turns,
/// each change with ten users in one request.
pub(crate) async fn deltas(target: &Target, turns: usize) -> anyhow::Result<Section> {
    const GUESTS: usize = 10;
    let ids: Vec<_> = (0..GUESTS).map(|number| format!("{GUEST}-{number}")).collect();
    for id in &ids {
        let guest = json!({ "Username": id, "FirstName": "A", "LastName": "Guest", "Email": "guest@example.com",
                            "Active": true });
        target.change(Method::PUT, &format!("/v1/adminusers/{id}"), Some(&guest)).await?;
    }
    let groups = [generate::id(EVERYBODY), generate::id(TEN)];
    let mut took: [Vec<Duration>; 4] = Default::default();
    // The first turn is a warm-up.
    for turn in 0..=turns {
        for (at, group) in groups.iter().enumerate() {
            let uri = format!("/rollbook/v1/groups/{group}/members");
            let added = target.change(Method::PATCH, &uri, Some(&json!({ "add": ids }))).await?.took;
            let removed = target.change(Method::PATCH, &uri, Some(&json!({ "remove": ids }))).await?.took;
            if turn > 0 {
                took[at].push(added);
                took[2 + at].push(removed);
            }
        }
    }
    for id in &ids {
        target.change(Method::DELETE, &format!("/v1/adminusers/{id}"), None).await?;
    }
    let [add_all, add_ten, remove_all, remove_ten] = took.map(|mut took| percentiles(&mut took));
    let row = |what, (median, p99), (ten, _)| {
        let goal = Goal::RatioUnder(1.2);
        Row::new(what, millis(median)).p99(millis(p99)).baseline(millis(ten)).goal(goal)
    };
    let rows = vec![row("add ten members", add_all, add_ten), row("remove ten members", remove_all, remove_ten)];
    Ok(Section::new("The group that everybody is in", "median ms", "group of ten", rows))
}

/// Renames and patches the group, and does the same in the small directory.
pub(crate) async fn groups(large: &Target, small: &Target, turns: usize) -> anyhow::Result<Section> {
    let own = generate::id(EVERYBODY);
    let other = format!("{own}-renamed");
    let kinds: [(&str, [(&str, Value); 2]); 3] = [
        ("rename it", [(&own, json!({ "ID": other })), (&other, json!({ "ID": own }))]),
        ("change its Name", [(&own, json!({ "Name": "Everybody" })), (&own, json!({ "Name": "All of us" }))]),
        ("change its xp", [(&own, json!({ "xp": { "Floor": 1 } })), (&own, json!({ "xp": { "Floor": 2 } }))]),
    ];
    let mut rows = Vec::new();
    for (what, there_and_back) in kinds {
        let mut took: [Vec<Duration>; 2] = Default::default();
        for turn in 0..=turns {
            for (id, patch) in &there_and_back {
                for (target, took) in [large, small].into_iter().zip(&mut took) {
                    let response = target.change(Method::PATCH, &format!("/v1/usergroups/{id}"), Some(patch)).await?;
                    if turn > 0 {
                        took.push(response.took);
                    }
                }
            }
        }
        let [(median, p99), (small, _)] = took.map(|mut took| percentiles(&mut took));
        rows.push(Row::new(what, millis(median)).p99(millis(p99)).baseline(millis(small)).goal(Goal::Under(10.0)));
    }
    Ok(Section::new("The group that everybody is in", "median ms", "1,000 groups", rows))
}
