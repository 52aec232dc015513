//! The feed as Server-Sent Events (docs/rollbook.md, section 11).

use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use tokio::time::Instant;

use crate::api::rollbook::wire::Change;
use crate::domain::caller::{Caller, Permit, ReadChanges};
use crate::domain::history::{FeedChange, FeedPosition, FeedQuery};
use crate::http::ApiState;
use crate::http::request::caller::Token;
use crate::http::request::error::{Error, Result};
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::response::json::render_json;
use crate::service::{FeedReader, ReadPart};

use super::Follower;

/// The media type of the stream.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
/// The header with the cursor of the last event that a client got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies that they must not hold the events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// The time after which a comment shows that the connection lives.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);
/// A comment, which readers ignore.
const COMMENT: &[u8] = b":\n\n";
/// The length in bytes from which on events are sent separately.
const CHUNK_BYTES: usize = 64 * 1024;

/// The cursor of the last event that the client got, if it says so.
pub(in crate::api::rollbook) fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or("?")).filter(|id| !id.is_empty())
}

/// Answers with all changes from the query's position on, and goes on until the client leaves, its token is ended or the
/// server stops. Fails if the first part cannot be read.
pub(in crate::api::rollbook) async fn events(
    api: ApiState,
    permit: Permit<ReadChanges>,
    token: Token,
    query: FeedQuery,
) -> Result<Response> {
    let cursors = FeedCursors::of(api.service.directory());
    let follower = Follower::new(api, token)?;
    let sent = query.after.clone();
    let mut reader = follower.api.service.follow(&permit, query);
    let first = reader.read(&permit).await?;
    let mut events = Events { follower, reader, cursors, part: Vec::new(), sent, written: Instant::now() };
    events.take(&first, permit.caller())?;
    let chunks = unfold((events, true), async |(mut events, is_first)| {
        let chunk = if is_first { Bytes::from_static(COMMENT) } else { events.next().await? };
        Some((Ok::<_, std::convert::Infallible>(chunk), (events, false)))
    });
    let head = [(CONTENT_TYPE, EVENT_STREAM), (X_ACCEL_BUFFERING, "no")];
    Ok((head, Body::from_stream(chunks)).into_response())
}

/// The events of one stream. Of the changes that were read, at most one part waits here until the client reads.
struct Events {
    follower: Follower,
    reader: FeedReader,
    cursors: FeedCursors,
    /// The events of the last part that are not sent yet, the last ones first.
    part: Vec<Bytes>,
    /// The position of the last event.
    sent: Option<FeedPosition>,
    /// When something was last sent.
    written: Instant,
}

impl Events {
    /// The next bytes of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.chunk().or_else(|| self.comment_if_due()) {
                self.written = Instant::now();
                return Some(bytes);
            }
            tokio::select! {
                ready = self.reader.ready() => {
                    let ControlFlow::Continue(since) = ready else { return None };
                    let permit = self.follower.permit(since).await.ok()?;
                    let part = self.reader.read(&permit).await.ok()?;
                    self.take(&part, permit.caller()).ok()?;
                }
                () = self.follower.tick() => {
                    self.follower.check().await.ok()?;
                    let moved = self.moved();
                    self.part.extend(moved);
                }
            }
        }
    }

    /// Some of the events that wait.
    fn chunk(&mut self) -> Option<Bytes> {
        let first = self.part.pop()?;
        if first.len() >= CHUNK_BYTES || self.part.is_empty() {
            return Some(first);
        }
        let mut chunk = BytesMut::from(&*first);
        while let Some(event) = self.part.pop_if(|event| chunk.len() + event.len() <= CHUNK_BYTES) {
            chunk.extend_from_slice(&event);
        }
        Some(chunk.freeze())
    }

    fn comment_if_due(&self) -> Option<Bytes> {
        (self.written.elapsed() >= COMMENT_INTERVAL).then(|| Bytes::from_static(COMMENT))
    }

    /// Takes the events of a part that was read.
    fn take(&mut self, part: &ReadPart, caller: &Caller) -> Result<()> {
        if let Some(last) = part.changes().last() {
            self.sent = Some(last.position());
        }
        // Whoever shares a part sees all of it, so all get the same bytes.
        let rendered = part.page.derived::<OnceLock<Rendered>>().ok_or_else(other_events)?;
        let rendered = match rendered.get() {
            Some(rendered) => rendered,
            None => {
                let new = Rendered::new(&part.page.changes, &self.cursors, caller)?;
                rendered.get_or_init(|| new)
            }
        };
        self.part =
            part.selected.chunk_by(|one, next| one + 1 == *next).rev().map(|run| rendered.events(run)).collect();
        Ok(())
    }

    /// An event that tells the cursor alone, if the reader has moved on past changes that the client does not get.
    fn moved(&mut self) -> Option<Bytes> {
        let position = self.reader.position()?;
        let place = |position: &FeedPosition| (position.transaction, position.change.seq);
        if self.sent.as_ref().is_some_and(|sent| place(sent) >= place(position)) {
            return None;
        }
        let event = format!("id: {}\nevent: cursor\ndata: {{}}\n\n", self.cursors.encode(position));
        self.sent = Some(position.clone());
        Some(event.into())
    }
}

/// The events of a part of the feed.
struct Rendered {
    /// All events.
    text: Bytes,
    /// Where each one begins in the text, and where the last one ends.
    bounds: Vec<usize>,
}

impl Rendered {
    fn new(changes: &[FeedChange], cursors: &FeedCursors, caller: &Caller) -> Result<Self> {
        let (mut text, mut bounds) = (BytesMut::new(), vec![0]);
        for feed in changes {
            write_event(&mut text, &cursors.encode(&feed.position()), &Change::new(&feed.change, caller)?)?;
            bounds.push(text.len());
        }
        Ok(Self { text: text.freeze(), bounds })
    }

    /// The events with these indexes, which follow each other. They are not copied.
    fn events(&self, run: &[usize]) -> Bytes {
        let bound = |index: usize| self.bounds.get(index).copied().unwrap_or(self.text.len());
        match run {
            [first, .., last] => self.text.slice(bound(*first)..bound(last + 1)),
            [only] => self.text.slice(bound(*only)..bound(only + 1)),
            [] => Bytes::new(),
        }
    }
}

/// Writes the event of a change.
fn write_event(text: &mut BytesMut, cursor: &str, change: &Change) -> Result<()> {
    text.extend_from_slice(format!("id: {cursor}\nevent: {}\ndata: ", change.kind).as_bytes());
    let start = text.len();
    text.extend_from_slice(&render_json(change)?);
    // Only white space between the values of an xp can be a line break: in a text it is escaped.
    text.iter_mut().skip(start).filter(|byte| matches!(**byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    text.extend_from_slice(b"\n\n");
    Ok(())
}

fn other_events() -> Error {
    Error::internal(anyhow::anyhow!("a part of the feed was rendered as something else"))
}
