//! Histories and the feed of changes (docs/rollbook.md, section 11).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};

use crate::domain::caller::{Permit, ReadChanges, ReadGroups, ReadUsers};
use crate::domain::group::GroupKey;
use crate::domain::history::{CHANGES_MAX, HistoryPage, Order};
use crate::http::limits::WAIT_SECONDS_MAX;
use crate::http::request::caller::Token;
use crate::http::request::error::Result;
use crate::http::request::extract::{Path, Query};
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::request::parameters::wrong;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure, lists};

use super::feed::cloud_events::CloudEvent;
use super::feed::{Form, cloud_events, stream, wait};
use super::wire::{Change, Changes, Spell, Spells};
use super::{address, parameters};

/// Get a group's history
///
/// The changes of the group and of its memberships, the newest first unless `order=asc`. The `next` of a page is always
/// there once anything was read; `more` says whether to go on.
#[utoipa::path(
    get,
    path = "/rollbook/v1/groups/{group}/history",
    operation_id = "groups.history",
    tag = "Groups",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("limit" = Option<u32>, Query, description = "Changes on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
        ("since" = Option<String>, Query, description = "The first time, e.g. `2026-03-01T00:00:00Z`"),
        ("until" = Option<String>, Query, description = "The last time, e.g. `2026-03-31T23:59:59Z`"),
        ("type" = Option<String>, Query, description = "Only changes of this type, e.g. `membership.added`; can be repeated"),
        ("order" = Option<String>, Query, description = "`asc` for the oldest first, or `desc`", example = "desc"),
    ),
    responses((status = 200, description = "A part of the history", body = Changes))
)]
pub(super) async fn of_group(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path(address): Path<String>,
    Query(parameters): Query,
) -> Result<JsonResponse<Changes>, Failure> {
    let key = address::group(&address)?;
    Ok(JsonResponse(history_page(&permit, lists::group_history(&api.service, &permit, &key, &parameters).await?)?))
}

/// Get a user's history
///
/// The changes of the user and of their memberships of groups that the caller may see.
#[utoipa::path(
    get,
    path = "/rollbook/v1/users/{user}/history",
    operation_id = "users.history",
    tag = "Users",
    params(
        ("user" = String, Path, description = "ID of the user in any case, `uid:` and the number, or `username:` and the username", example = "ada"),
        ("limit" = Option<u32>, Query, description = "Changes on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
        ("since" = Option<String>, Query, description = "The first time, e.g. `2026-03-01T00:00:00Z`"),
        ("until" = Option<String>, Query, description = "The last time, e.g. `2026-03-31T23:59:59Z`"),
        ("type" = Option<String>, Query, description = "Only changes of this type, e.g. `membership.added`; can be repeated"),
        ("order" = Option<String>, Query, description = "`asc` for the oldest first, or `desc`", example = "desc"),
    ),
    responses((status = 200, description = "A part of the history", body = Changes))
)]
pub(super) async fn of_user(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    Path(address): Path<String>,
    Query(parameters): Query,
) -> Result<JsonResponse<Changes>, Failure> {
    let key = address::user(&address)?;
    Ok(JsonResponse(history_page(&permit, lists::user_history(&api.service, &permit, &key, &parameters).await?)?))
}

/// Get the history of a membership
///
/// Why the user is, or was, in the group: every uninterrupted membership with its start and end, and the changes that
/// began and ended it. A membership also ends with the deletion of the group or the user, and goes on when they are
/// restored.
#[utoipa::path(
    get,
    path = "/rollbook/v1/groups/{group}/members/{user}/history",
    operation_id = "members.history",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("user" = String, Path, description = "ID of the user in any case, `uid:` and the number, or `username:` and the username", example = "ada"),
    ),
    responses((status = 200, description = "The spells, the latest first", body = Spells))
)]
pub(super) async fn of_membership(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path((group, user)): Path<(String, String)>,
    Query(parameters): Query,
) -> Result<JsonResponse<Spells>, Failure> {
    parameters::check_names(&parameters, &[])?;
    let (group, user): (GroupKey, _) = (address::group(&group)?, address::user(&user)?);
    let spells = api.service.membership_spells(&permit, &group, &user).await?;
    let spells = spells.iter().map(|spell| Spell::new(spell, permit.caller())).collect::<crate::domain::Result<_>>()?;
    Ok(JsonResponse(Spells { spells }))
}

/// Read the feed of changes
///
/// All changes of the directory, the oldest first unless `order=desc`, in an order in which nothing appears later before
/// what was read. `next` is always there once anything was read, and moves past what was filtered out: keep it, and go on
/// from it. A cursor of another directory is 400, and one whose change is gone, as after a restored backup, is 410.
/// Callers limited to communities get the changes of groups that they may see now.
///
/// With `wait` an empty part waits for a change. `Accept: text/event-stream` gives Server-Sent Events that go on until the
/// connection ends: the cursor as `id`, the type as `event`, the change as `data`; `Last-Event-ID` wins over `after`.
/// `Accept: application/cloudevents-batch+json` gives CloudEvents 1.0, with the next cursor in `Link`.
#[utoipa::path(
    get,
    path = "/rollbook/v1/changes",
    operation_id = "changes.list",
    tag = "Changes",
    params(
        ("after" = Option<String>, Query, description = "The `next` of the part before, unchanged, e.g. `AVY4pxSH`"),
        ("since" = Option<String>, Query, description = "The first time, e.g. `2026-03-01T00:00:00Z`"),
        ("until" = Option<String>, Query, description = "The last time, e.g. `2026-03-31T23:59:59Z`"),
        ("limit" = Option<u32>, Query, description = "Changes in a part; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("wait" = Option<u32>, Query, description = "Seconds to wait for a change if there is none, without `until` and in ascending order", minimum = 0, maximum = 55, example = 0),
        ("Last-Event-ID" = Option<String>, Header, description = "For Server-Sent Events: the `id` of the last event, instead of `after`, e.g. `AVY4pxSH`"),
        ("order" = Option<String>, Query, description = "`asc`, or `desc` for the newest first", example = "asc"),
        ("type" = Option<String>, Query, description = "Only changes of this type; can be repeated, as all below, e.g. `membership.added`"),
        ("group" = Option<String>, Query, description = "Only changes of this group, e.g. `support`"),
        ("user" = Option<String>, Query, description = "Only changes of this user, e.g. `ada`"),
        ("actor" = Option<String>, Query, description = "Only changes that this user made, e.g. `ada`"),
        ("client" = Option<String>, Query, description = "Only changes made with a token of this client, e.g. `console`"),
        ("channel" = Option<String>, Query, description = "Only changes that came this way, e.g. `import`"),
        ("operation" = Option<String>, Query, description = "Only changes of this operation, e.g. `01977f2e-5a3c-7000-8000-0123456789ab`"),
    ),
    responses((status = 200, description = "A part of the feed", content(
        (Changes = "application/json"),
        (String = "text/event-stream", example = "id: AVY4pxSHAQ4\nevent: cursor\ndata: {}\n\n"),
        (Vec<CloudEvent> = "application/cloudevents-batch+json"),
    )))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadChanges>,
    token: Token,
    headers: HeaderMap,
    Query(parameters): Query,
) -> Result<Response, Failure> {
    let (form, directory) = (Form::of(&headers), api.service.directory());
    let cursors = FeedCursors::of(directory);
    let mut query = lists::feed(&api.service, &permit, &parameters, &["wait"]).await?;
    let wait = wait(&parameters)?;
    if (form == Form::Stream || wait > 0) && (query.order != Order::Ascending || query.span.until.is_some()) {
        // A part that ends at a time, or begins at the end, has no next change to wait for.
        return Err(wrong(if query.span.until.is_some() { "until" } else { "order" }).into());
    }
    if form == Form::Stream {
        if parameters::value(&parameters, "limit")?.is_none() {
            query.limit = CHANGES_MAX;
        }
        if let Some(id) = stream::last_event_id(&headers) {
            query.after = Some(cursors.decode(id).ok_or_else(|| wrong("Last-Event-ID"))?);
        }
        return Ok(stream::events(api, permit, token, query).await?);
    }
    let (page, permit) = wait::part(api, permit, token, query, wait).await?;
    let changes = page.changes.iter().map(|change| Change::new(&change.change, permit.caller()));
    let changes = changes.collect::<crate::domain::Result<Vec<_>>>()?;
    let next = page.next.as_ref().map(|position| cursors.encode(position));
    match form {
        Form::CloudEvents => Ok(cloud_events::batch(changes, next.as_deref(), directory, &parameters)?),
        _ => Ok(JsonResponse(Changes { changes, next, more: page.more }).into_response()),
    }
}

/// The number of seconds to wait for a change.
fn wait(parameters: &[(String, String)]) -> Result<u32> {
    let seconds = parameters::number(parameters, "wait")?.unwrap_or_default();
    if seconds > WAIT_SECONDS_MAX { Err(wrong("wait")) } else { Ok(seconds) }
}

/// The page of a history as the caller sees it.
fn history_page<P>(permit: &Permit<P>, (page, next): (HistoryPage, Option<String>)) -> Result<Changes> {
    let changes =
        page.changes.iter().map(|change| Change::new(change, permit.caller())).collect::<crate::domain::Result<_>>()?;
    Ok(Changes { changes, next, more: page.more })
}
