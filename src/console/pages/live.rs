//! Changes as they happen, as Server-Sent Events: each has the lines of the page of changes.

use std::ops::ControlFlow;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::stream::unfold;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::domain::caller::{Permit, ReadChanges};
use crate::domain::history::{CHANGES_MAX, Order};
use crate::http::followers::Place;
use crate::http::request::error::{Error, ListError, Result};
use crate::http::request::extract::Query;
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::{ApiState, lists};
use crate::service::{FeedReader, ReadPart};

use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::messages::{fields as f, timeline as tl};
use crate::console::timeline::{Line, Of, Timeline};
use crate::console::ui;

/// The time between two checks whether the session goes on. Each is followed by a comment, which shows that the connection
/// lives.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);
/// A comment, which browsers ignore.
const COMMENT: &[u8] = b":\n\n";
/// Tells proxies that they must not hold the events back.
const NOT_BUFFERED: (&str, &str) = ("x-accel-buffering", "no");

#[derive(Template)]
#[template(path = "timeline_line.html")]
struct LinePart<'a> {
    timeline: &'a Timeline,
    line: &'a Line,
}

/// The changes behind the cursor of the request, until the browser leaves, the session ends or the server stops.
pub(in crate::console) async fn events(
    State(api): State<ApiState>,
    visit: Page,
    headers: HeaderMap,
    Query(parameters): Query,
) -> Answer {
    let permit = visit.permit::<ReadChanges>()?;
    let cursors = FeedCursors::of(api.service.directory());
    let mut query = lists::feed(&api.service, &permit, &parameters, &[]).await?;
    (query.order, query.limit) = (Order::Ascending, CHANGES_MAX);
    if let Some(id) = headers.get("last-event-id").and_then(|id| id.to_str().ok()) {
        let wrong = || Error::from(ListError::Type("Last-Event-ID".to_owned()));
        query.after = Some(cursors.decode(id).ok_or_else(wrong)?);
    }
    let place = api.followers.admit()?;
    let mut reader = api.service.follow(&permit, query);
    // A position that is gone is an error of the request, after which a browser does not ask again.
    let first = reader.read(&permit).await?;
    let mut checks = interval(CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower { api, visit, reader, cursors, checks, _place: place };
    let first = follower.event(&first)?.unwrap_or(Bytes::from_static(COMMENT));
    let chunks = unfold((follower, Some(first)), async |(mut follower, first)| {
        let chunk = match first {
            Some(first) => first,
            None => follower.next().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(chunk), (follower, None)))
    });
    let head = [(CONTENT_TYPE.as_str(), "text/event-stream"), NOT_BUFFERED];
    Ok((head, Body::from_stream(chunks)).into_response())
}

/// An open page of changes.
struct Follower {
    api: ApiState,
    visit: Page,
    reader: FeedReader,
    cursors: FeedCursors,
    checks: Interval,
    _place: Place,
}

impl Follower {
    /// The next bytes of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                ready = self.reader.ready() => {
                    let ControlFlow::Continue(_) = ready else { return None };
                    let permit = self.permit().await.ok()?;
                    let part = self.reader.read(&permit).await.ok()?;
                    if let Some(event) = self.event(&part).ok()? {
                        return Some(event);
                    }
                }
                _ = self.checks.tick() => {
                    self.permit().await.ok()?;
                    return Some(Bytes::from_static(COMMENT));
                }
            }
        }
    }

    /// A permit with the visitor's present rights. Fails if the session has ended.
    async fn permit(&mut self) -> Result<Permit<ReadChanges>> {
        self.visit.signed_in = self.api.service.is_still_signed_in(&self.visit.signed_in).await?;
        self.visit.permit()
    }

    /// The event with the lines of what was read, the newest first. If nothing of it is selected, it tells the position
    /// alone; `None` if there is none.
    fn event(&self, part: &ReadPart) -> Result<Option<Bytes>> {
        let mut changes: Vec<_> = part.changes().map(|feed| &feed.change).collect();
        changes.reverse();
        let timeline = Timeline::new(&self.visit, Of::Directory, changes);
        let Some(position) = self.reader.position() else { return Ok(None) };
        let kind = if timeline.is_empty() { "cursor" } else { "lines" };
        let mut event = format!("id: {}\nevent: {kind}\ndata: ", self.cursors.encode(position));
        for line in timeline.days.iter().flat_map(|day| &day.lines) {
            let html = LinePart { timeline: &timeline, line }.render().map_err(Error::internal)?;
            event += &html.replace(['\n', '\r'], " ");
        }
        event += "\n\n";
        Ok(Some(event.into()))
    }
}
