//! Restores the group that has every user, and undoes ten thousand changes.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::http::Method;
use serde_json::{Value, json};

use super::people::{self, EVERYBODY};
use super::report::{Goal, Row, Section};
use super::support::generate;
use super::target::{Target, millis};
use super::timing::percentiles;

/// The number of changes that are undone.
const CHANGES: usize = 10_000;
const GROUPS: &str = "/rollbook/v1/groups";

/// Measures both in each of the directories. They take turns.
pub(crate) async fn measure(large: &Target, small: &Target, turns: usize) -> anyhow::Result<Section> {
    let mut figures: [Vec<[Duration; 4]>; 2] = Default::default();
    for turn in 0..turns {
        for (target, figures) in [large, small].into_iter().zip(&mut figures) {
            figures.push(once(target, turn).await?);
        }
    }
    let kinds = [
        ("restore the group that everybody is in", Some(100.0)),
        ("undo as many new members of one group as there are users, 10,000 at most", None),
        ("undo 10,000 new groups", None),
        ("undo that: restore 10,000 groups", None),
    ];
    let median = |figures: &[[Duration; 4]], at: usize| {
        let mut took: Vec<_> = figures.iter().map(|figures| figures[at]).collect();
        millis(percentiles(&mut took).0)
    };
    let rows = kinds.into_iter().enumerate().map(|(at, (what, limit))| {
        let row = Row::new(what, median(&figures[0], at)).baseline(median(&figures[1], at));
        limit.map_or(row.clone(), |limit| row.goal(Goal::Under(limit)))
    });
    Ok(Section::new("Restore and undo", "median ms", "1,000 groups", rows.collect()))
}

/// Returns the duration of each step. The directory is afterwards as it was, but for tombstones.
async fn once(target: &Target, turn: usize) -> anyhow::Result<[Duration; 4]> {
    let everybody = format!("{GROUPS}/{}", generate::id(EVERYBODY));
    let group = json_of(&target.change(Method::GET, &everybody, None).await?.body)?;
    let number = group["uid"].as_i64().context("the group has no number")?;
    target.change(Method::DELETE, &everybody, None).await?;
    let restored = target.change(Method::POST, &format!("{GROUPS}/uid:{number}/restore"), None).await?.took;

    let id = format!("benchmark-undo-{turn}");
    let group = format!("{GROUPS}/{id}");
    target.change(Method::PUT, &group, Some(&json!({ "name": "Undone" }))).await?;
    let users: Vec<_> = (0..CHANGES.min(target.size.users())).map(people::id).collect();
    target.change(Method::PATCH, &format!("{group}/members"), Some(&json!({ "add": users }))).await?;
    let since = latest(target, "membership.added", users.len()).await?;
    let added = json!({ "group": id, "type": "membership.added", "since": since });
    let (members, _) = undo(target, &added, users.len()).await?;
    target.change(Method::DELETE, &group, None).await?;

    for number in 0..CHANGES {
        let body = json!({ "name": format!("Undone {number}"), "xp": { "Number": number } });
        target.change(Method::PUT, &format!("{GROUPS}/{id}-{number}"), Some(&body)).await?;
    }
    let since = latest(target, "group.created", CHANGES).await?;
    let (groups, operation) = undo(target, &json!({ "type": "group.created", "since": since }), CHANGES).await?;
    let (again, operation) = undo(target, &json!({ "operation": operation }), CHANGES).await?;
    undo(target, &json!({ "operation": operation }), CHANGES).await?;
    Ok([restored, members, groups, again])
}

/// Undoes the changes, of which there must be this number. Returns the duration, and the operation of the undo.
async fn undo(target: &Target, body: &Value, count: usize) -> anyhow::Result<(Duration, Value)> {
    let response = target.change(Method::POST, "/rollbook/v1/undo", Some(body)).await?;
    let mut undone = json_of(&response.body)?;
    ensure!(undone["undone"] == count, "{} changes were undone, not {count}", undone["undone"]);
    Ok((response.took, undone["operation"].take()))
}

/// Returns the time of the change of this type that is so many changes back.
async fn latest(target: &Target, kind: &str, count: usize) -> anyhow::Result<Value> {
    let (mut time, mut after) = (Value::Null, String::new());
    for _ in 0..count.div_ceil(1_000) {
        let uri = format!("/rollbook/v1/changes?order=desc&limit=1000&type={kind}{after}");
        let mut page = json_of(&target.change(Method::GET, &uri, None).await?.body)?;
        after = format!("&after={}", page["next"].as_str().context("the feed ends")?);
        let last = page["changes"].as_array_mut().and_then(Vec::pop).context("the feed has too few changes")?;
        time = last["time"].clone();
    }
    Ok(time)
}

fn json_of(body: &[u8]) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(body)?)
}
