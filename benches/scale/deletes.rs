//! Deletes the group with the most members and the user with the most memberships, in a copy, under concurrent writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::http::Method;
use serde_json::json;
use tokio::sync::watch;

use super::data::database_url::DatabaseUrl;
use super::data::file::Size;
use super::people::{self, BUSY, EVERYBODY};
use super::report::{Goal, Row, Section};
use super::support::generate;
use super::target::{Target, millis};

/// The number of concurrent writers, each of which sends one write after the other.
const WRITERS: usize = 4;
/// How long they write before, between and after the deletions.
const WRITE_TIME: Duration = Duration::from_secs(2);

/// The duration of a deletion, and its effect on other writes.
struct DeleteFigures {
    took: Duration,
    /// The longest other write that was in flight during the deletion.
    longest: Duration,
    /// The longest other write of the two seconds before.
    usual: Duration,
}

/// The begin and the end of another write.
type Span = (Instant, Instant);

/// Deletes the group that has every user, and the user in the most groups, in a copy of each directory.
pub(crate) async fn measure(large: (&DatabaseUrl, Size), small: (&DatabaseUrl, Size)) -> anyhow::Result<Section> {
    let ([group, user], [small_group, small_user]) = (of_copy(large).await?, of_copy(small).await?);
    let mut rows = Vec::new();
    let entities = [
        ("delete the group that everybody is in", group, small_group, 10.0),
        ("delete the user in the most groups", user, small_user, 100.0),
    ];
    for (what, DeleteFigures { took, longest, usual }, small, limit) in entities {
        rows.push(Row::new(what, millis(took)).baseline(millis(small.took)).goal(Goal::Under(limit)).note("once"));
        let note = format!("usual: {:.1} ms at most", millis(usual));
        let row = Row::new("the longest wait of another write meanwhile", millis(longest)).note(note);
        rows.push(row.baseline(millis(small.longest)).goal(Goal::Under(limit)));
    }
    Ok(Section::new("Deletions", "ms", "1,000 groups", rows))
}

async fn of_copy((database_url, size): (&DatabaseUrl, Size)) -> anyhow::Result<[DeleteFigures; 2]> {
    let copy = database_url.sibling("copy")?;
    copy.remove().await?;
    database_url.copy_to(&copy).await?;
    let deleted = of(&copy, size).await;
    copy.remove().await?;
    deleted
}

async fn of(database_url: &DatabaseUrl, size: Size) -> anyhow::Result<[DeleteFigures; 2]> {
    let target = Arc::new(Target::open(database_url, size).await?);
    let (stop, stopped) = watch::channel(false);
    let write = |number| tokio::spawn(write(Arc::clone(&target), number, stopped.clone()));
    let writers: Vec<_> = (0..WRITERS).map(write).collect();
    tokio::time::sleep(WRITE_TIME).await;
    let group = delete(&target, &format!("/v1/usergroups/{}", generate::id(EVERYBODY))).await;
    let user = delete(&target, &format!("/v1/adminusers/{}", people::id(BUSY))).await;
    stop.send(true)?;
    let mut spans = Vec::new();
    for writer in writers {
        spans.extend(writer.await??);
    }
    let deleted = [figures_of(group?, &spans), figures_of(user?, &spans)];
    Arc::into_inner(target).context("the writers have ended")?.close().await;
    Ok(deleted)
}

async fn delete(target: &Target, uri: &str) -> anyhow::Result<Span> {
    let began = Instant::now();
    target.change(Method::DELETE, uri, None).await?;
    let span = (began, Instant::now());
    tokio::time::sleep(WRITE_TIME).await;
    Ok(span)
}

fn figures_of((began, ended): Span, spans: &[Span]) -> DeleteFigures {
    let longest = |from: Instant, until: Instant| {
        let overlapping = spans.iter().filter(|(began, ended)| *began <= until && *ended >= from);
        overlapping.map(|(began, ended)| *ended - *began).max().unwrap_or_default()
    };
    DeleteFigures { took: ended - began, longest: longest(began, ended), usual: longest(began - WRITE_TIME, began) }
}

/// Changes the writer's own group repeatedly.
async fn write(target: Arc<Target>, number: usize, stopped: watch::Receiver<bool>) -> anyhow::Result<Vec<Span>> {
    let (uri, mut spans) = (format!("/v1/usergroups/{}", generate::id(10 + number)), Vec::new());
    while !*stopped.borrow() {
        let began = Instant::now();
        target.change(Method::PATCH, &uri, Some(&json!({ "xp": { "Turn": spans.len() } }))).await?;
        spans.push((began, Instant::now()));
    }
    Ok(spans)
}
