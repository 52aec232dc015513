//! Deleting what has the most members and memberships, in a copy, while others write.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::http::Method;
use serde_json::json;
use tokio::sync::watch;

use super::file::Size;
use super::people::{self, BUSY, EVERYBODY};
use super::place::Place;
use super::report::{Aim, Row, Section};
use super::side::{Side, millis};
use super::support::generate;

/// How many others write meanwhile, each one thing after the other.
const WRITERS: usize = 4;
/// How long they write before, between and after.
const WHILE: Duration = Duration::from_secs(2);

/// What a deletion took, and what it did to others.
struct Deleted {
    took: Duration,
    /// The longest write of somebody else that was under way at some time of it.
    held_up: Duration,
    /// The longest of those of the two seconds before.
    usual: Duration,
}

/// When a write of somebody else began and ended.
type Span = (Instant, Instant);

/// Deletes the group that everybody is in, and the user in the most groups, in a copy of each directory.
pub async fn measure(large: (&Place, Size), small: (&Place, Size)) -> anyhow::Result<Section> {
    let ([group, user], [small_group, small_user]) = (of_copy(large).await?, of_copy(small).await?);
    let mut rows = Vec::new();
    let things = [
        ("delete the group that everybody is in", group, small_group, 10.0),
        ("delete the user in the most groups", user, small_user, 100.0),
    ];
    for (what, Deleted { took, held_up, usual }, small, limit) in things {
        rows.push(Row::new(what, millis(took)).beside(millis(small.took)).aim(Aim::Under(limit)).note("once"));
        let note = format!("usual: {:.1} ms at most", millis(usual));
        let row = Row::new("the longest wait of another write meanwhile", millis(held_up)).note(note);
        rows.push(row.beside(millis(small.held_up)).aim(Aim::Under(limit)));
    }
    Ok(Section::new("Deletions", "ms", "1,000 groups", rows))
}

async fn of_copy((place, size): (&Place, Size)) -> anyhow::Result<[Deleted; 2]> {
    let copy = place.sibling("copy")?;
    copy.remove().await?;
    place.copy_to(&copy).await?;
    let deleted = of(&copy, size).await;
    copy.remove().await?;
    deleted
}

async fn of(place: &Place, size: Size) -> anyhow::Result<[Deleted; 2]> {
    let side = Arc::new(Side::open(place, size).await?);
    let (stop, stopped) = watch::channel(false);
    let write = |number| tokio::spawn(write(Arc::clone(&side), number, stopped.clone()));
    let writers: Vec<_> = (0..WRITERS).map(write).collect();
    tokio::time::sleep(WHILE).await;
    let group = delete(&side, &format!("/v1/usergroups/{}", generate::id(EVERYBODY))).await;
    let user = delete(&side, &format!("/v1/adminusers/{}", people::id(BUSY))).await;
    stop.send(true)?;
    let mut spans = Vec::new();
    for writer in writers {
        spans.extend(writer.await??);
    }
    let deleted = [judged(group?, &spans), judged(user?, &spans)];
    Arc::into_inner(side).context("the writers have ended")?.close().await;
    Ok(deleted)
}

async fn delete(side: &Side, uri: &str) -> anyhow::Result<Span> {
    let began = Instant::now();
    side.change(Method::DELETE, uri, None).await?;
    let span = (began, Instant::now());
    tokio::time::sleep(WHILE).await;
    Ok(span)
}

fn judged((began, ended): Span, spans: &[Span]) -> Deleted {
    let longest = |from: Instant, until: Instant| {
        let overlapping = spans.iter().filter(|(began, ended)| *began <= until && *ended >= from);
        overlapping.map(|(began, ended)| *ended - *began).max().unwrap_or_default()
    };
    Deleted { took: ended - began, held_up: longest(began, ended), usual: longest(began - WHILE, began) }
}

/// Changes a group of its own again and again.
async fn write(side: Arc<Side>, number: usize, stopped: watch::Receiver<bool>) -> anyhow::Result<Vec<Span>> {
    let (uri, mut spans) = (format!("/v1/usergroups/{}", generate::id(10 + number)), Vec::new());
    while !*stopped.borrow() {
        let began = Instant::now();
        side.change(Method::PATCH, &uri, Some(&json!({ "xp": { "Turn": spans.len() } }))).await?;
        spans.push((began, Instant::now()));
    }
    Ok(spans)
}
