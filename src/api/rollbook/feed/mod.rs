//! Followers of the feed: requests that wait for a change, streams of Server-Sent Events, and batches of CloudEvents
//! (docs/rollbook.md, section 11).

pub(super) mod cloud_events;
pub(super) mod stream;
pub(super) mod wait;

use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::domain::caller::{Permit, ReadChanges};
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::http::followers::Place;
use crate::http::request::accept::preferred;
use crate::http::request::caller::Token;
use crate::http::request::error::Result;

/// The media types of the feed.
const FORMS: [&str; 3] = ["application/json", stream::EVENT_STREAM, cloud_events::BATCH];
/// The time between two checks of a follower's token.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum age of a token's status at a check, in seconds. With the interval it is below the four seconds within
/// which a follower of an ended token is refused.
const STATUS_AGE: i64 = 2;

/// The form in which the feed is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One part, as JSON.
    Json,
    /// A stream of Server-Sent Events.
    Stream,
    /// One part, as a batch of CloudEvents.
    CloudEvents,
}

impl Form {
    /// The form that the client prefers: JSON unless it names another.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match preferred(headers, &FORMS) {
            Some(1) => Self::Stream,
            Some(2) => Self::CloudEvents,
            _ => Self::Json,
        }
    }
}

/// One who follows the feed: a place among them, and the token, which is checked again and again.
pub(super) struct Follower {
    api: ApiState,
    token: Token,
    checks: Interval,
    _place: Place,
}

impl Follower {
    /// Takes a place. Fails with `Unavailable` if none is free.
    pub(super) fn new(api: ApiState, token: Token) -> Result<Self> {
        let place = api.followers.admit()?;
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { api, token, checks, _place: place })
    }

    /// Waits until the token is to be checked again.
    async fn tick(&mut self) {
        self.checks.tick().await;
    }

    /// Fails if the token was ended a few seconds ago or earlier.
    async fn check(&self) -> Result<()> {
        let since = self.api.service.now().plus_seconds(-STATUS_AGE);
        self.token.permit_since::<ReadChanges>(&self.api, since).await.map(drop)
    }

    /// A permit with the caller's rights at `since` or later; `None` = now.
    async fn permit(&self, since: Option<Timestamp>) -> Result<Permit<ReadChanges>> {
        self.token.permit_since(&self.api, since.unwrap_or_else(|| self.api.service.now())).await
    }
}
