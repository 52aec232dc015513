//! Long polling: a request that waits for a change (docs/rollbook.md, section 11).

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::domain::caller::{Permit, ReadChanges};
use crate::domain::history::{FeedPage, FeedQuery};
use crate::http::ApiState;
use crate::http::request::caller::Token;
use crate::http::request::error::Result;

use super::Follower;

/// Returns a part of the feed, and the permit with which it was read. If nothing is there, waits for at most `seconds`
/// until something is; the part is empty if the time is over or the server stops. Fails as soon as the token is ended.
pub(in crate::api::rollbook) async fn part(
    api: ApiState,
    permit: Permit<ReadChanges>,
    token: Token,
    query: FeedQuery,
    seconds: u32,
) -> Result<(FeedPage, Permit<ReadChanges>)> {
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    let page = api.service.changes(&permit, query.clone()).await?;
    if !page.changes.is_empty() || page.more || seconds == 0 {
        return Ok((page, permit));
    }
    let (mut follower, after) = (Follower::new(api, token)?, page.next.or(query.after));
    let mut reader = follower.api.service.follow(&permit, FeedQuery { after, ..query });
    loop {
        tokio::select! {
            () = sleep_until(deadline) => break,
            () = follower.tick() => follower.check().await?,
            ready = reader.ready() => {
                let ControlFlow::Continue(since) = ready else { break };
                let permit = follower.permit(since).await?;
                let part = reader.read(&permit).await?;
                let changes: Vec<_> = part.changes().cloned().collect();
                if !changes.is_empty() {
                    let (next, more) = (reader.position().cloned(), reader.has_more());
                    return Ok((FeedPage { changes, next, more }, permit));
                }
            }
        }
    }
    Ok((FeedPage { changes: Vec::new(), next: reader.position().cloned(), more: false }, permit))
}
