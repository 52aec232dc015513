//! Histories and the feed of changes (docs/rollbook.md, section 11).

use std::str::FromStr;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};

use crate::domain::caller::{Permit, ReadChanges, ReadGroups, ReadUsers, SelectChanges};
use crate::domain::change_type::ChangeType;
use crate::domain::community::Visibility;
use crate::domain::cursor::{Position, SortValue};
use crate::domain::group::GroupKey;
use crate::domain::history::{
    CHANGES_MAX, ChangeFilter, ChangeId, FeedPosition, FeedQuery, HistoryOf, HistoryPage, HistoryQuery, Order, Span,
};
use crate::domain::journal::Channel;
use crate::http::limits::WAIT_SECONDS_MAX;
use crate::http::request::caller::Token;
use crate::http::request::cursor::{Binding, read_limit};
use crate::http::request::error::{ListError, Result};
use crate::http::request::extract::{Path, Query};
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};
use crate::service::Service;

use super::feed::cloud_events::CloudEvent;
use super::feed::{Form, cloud_events, stream, wait};
use super::wire::{Change, Changes, Spell, Spells};
use super::{address, parameters};

/// The maximum number of values of one parameter of the feed that can be repeated.
const VALUES_MAX: usize = 100;

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
    let (query, cursors) = history(&parameters, "history of a group")?;
    let (uid, page) = api.service.group_history(&permit, &key, query).await?;
    Ok(JsonResponse(history_page(&page, uid, &cursors, &permit)?))
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
    let (query, cursors) = history(&parameters, "history of a user")?;
    let (uid, page) = api.service.user_history(&permit, &key, query).await?;
    Ok(JsonResponse(history_page(&page, uid, &cursors, &permit)?))
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
    let mut query = feed(&api.service, &permit, &parameters, &cursors).await?;
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

/// Reads the parameters of a history, and returns what its cursors are bound to.
fn history(parameters: &[(String, String)], name: &str) -> Result<(HistoryQuery, Cursors)> {
    const KNOWN: [&str; 6] = ["limit", "after", "since", "until", "type", "order"];
    parameters::check_names(parameters, &KNOWN)?;
    let binding = Binding::new(name, bound(parameters));
    let after = match parameters::value(parameters, "after")? {
        None => None,
        Some(text) => Some(binding.decode(text).and_then(|place| change_id(&place)).ok_or_else(|| wrong("after"))?),
    };
    let (after, of) = after.unzip();
    let types = values(parameters, "type", |name| ChangeType::from_str(name).ok())?;
    let query = HistoryQuery {
        of: HistoryOf::Group(0),
        visibility: Visibility::All,
        span: span(parameters)?,
        types: (!types.is_empty()).then_some(types),
        order: order(parameters)?.unwrap_or(Order::Descending),
        after,
        limit: limit(parameters)?,
    };
    Ok((query, Cursors { binding, of }))
}

/// The cursors of a history. Each also has the number of the group or user whose history it is, last.
struct Cursors {
    binding: Binding,
    /// The number in the cursor of the request.
    of: Option<i64>,
}

/// The page of the history of the group or user with the number. Fails if the cursor was one of another.
fn history_page<P>(page: &HistoryPage, uid: i64, cursors: &Cursors, permit: &Permit<P>) -> Result<Changes> {
    if cursors.of.is_some_and(|of| of != uid) {
        return Err(wrong("after"));
    }
    let changes =
        page.changes.iter().map(|change| Change::new(change, permit.caller())).collect::<crate::domain::Result<_>>()?;
    let next = page.next.map(|ChangeId { seq, index }| {
        let place = [seq, index.into(), uid].map(SortValue::Integer).to_vec();
        cursors.binding.encode(&Position(place))
    });
    Ok(Changes { changes, next, more: page.more })
}

/// Reads the parameters of the feed. Groups, users and clients that the caller names must exist.
async fn feed(
    service: &Service,
    permit: &Permit<ReadChanges>,
    parameters: &[(String, String)],
    cursors: &FeedCursors,
) -> Result<FeedQuery> {
    const KNOWN: [&str; 13] = [
        "after",
        "since",
        "until",
        "limit",
        "order",
        "type",
        "group",
        "user",
        "actor",
        "client",
        "channel",
        "operation",
        "wait",
    ];
    parameters::check_names(parameters, &KNOWN)?;
    Ok(FeedQuery {
        visibility: Visibility::All,
        filter: filter(service, permit, parameters).await?,
        span: span(parameters)?,
        order: order(parameters)?.unwrap_or_default(),
        after: after(parameters, cursors)?,
        limit: limit(parameters)?,
        is_settled: true,
    })
}

/// Reads which changes the parameters select, apart from their times. Groups, users and clients must exist.
pub(super) async fn filter(
    service: &Service,
    permit: &Permit<impl SelectChanges>,
    parameters: &[(String, String)],
) -> Result<ChangeFilter> {
    let mut filter = ChangeFilter {
        types: values(parameters, "type", |name| ChangeType::from_str(name).ok())?,
        channels: values(parameters, "channel", |name| Channel::from_str(name).ok())?,
        operations: values(parameters, "operation", |name| Some(name.to_owned()))?,
        ..ChangeFilter::default()
    };
    for key in values(parameters, "group", |text| address::group(text).ok())? {
        filter.groups.push(service.named_group(permit, &key).await?.ok_or_else(|| wrong("group"))?);
    }
    for (name, numbers) in [("user", &mut filter.users), ("actor", &mut filter.actors)] {
        for key in values(parameters, name, address::user_key)? {
            numbers.push(service.named_user(permit, &key).await?.ok_or_else(|| wrong(name))?);
        }
    }
    for id in values(parameters, "client", |text| Some(text.to_owned()))? {
        filter.clients.push(service.named_client(permit, &id).await?.ok_or_else(|| wrong("client"))?);
    }
    Ok(filter)
}

/// The position that the parameter `after` names; `None` if it is absent.
pub(super) fn after(parameters: &[(String, String)], cursors: &FeedCursors) -> Result<Option<FeedPosition>> {
    let position = |text| cursors.decode(text).ok_or_else(|| wrong("after"));
    parameters::value(parameters, "after")?.map(position).transpose()
}

/// The change in the cursor of a history, and whose history it is.
fn change_id(place: &Position) -> Option<(ChangeId, i64)> {
    match place.0[..] {
        [SortValue::Integer(seq), SortValue::Integer(index), SortValue::Integer(of)] => {
            Some((ChangeId { seq, index: u32::try_from(index).ok()? }, of))
        }
        _ => None,
    }
}

/// The parameters that may not change from page to page.
fn bound(parameters: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let changing = |name: &str| ["limit", "after"].contains(&name);
    parameters.iter().filter(move |(name, _)| !changing(name)).map(|(name, value)| (&**name, &**value))
}

/// The times that the parameters `since` and `until` name.
pub(super) fn span(parameters: &[(String, String)]) -> Result<Span> {
    Ok(Span { since: parameters::moment(parameters, "since")?, until: parameters::moment(parameters, "until")? })
}

pub(super) fn order(parameters: &[(String, String)]) -> Result<Option<Order>> {
    match parameters::value(parameters, "order")? {
        None => Ok(None),
        Some("asc") => Ok(Some(Order::Ascending)),
        Some("desc") => Ok(Some(Order::Descending)),
        Some(_) => Err(wrong("order")),
    }
}

/// The value of the parameter `limit`.
pub(super) fn limit(parameters: &[(String, String)]) -> Result<u32> {
    Ok(read_limit(parameters::value(parameters, "limit")?).ok_or(ListError::PageSize)?)
}

/// The values of a parameter that can be repeated.
pub(super) fn values<T>(
    parameters: &[(String, String)],
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    let own = parameters.iter().filter(|(own, _)| own == name);
    let parsed = own.map(|(_, text)| match &**text {
        "" => Err(ListError::Empty(name).into()),
        text => parse(text).ok_or_else(|| wrong(name)),
    });
    let values = parsed.collect::<Result<Vec<_>>>()?;
    if values.len() > VALUES_MAX { Err(ListError::TooCostly.into()) } else { Ok(values) }
}

pub(super) fn wrong(name: &str) -> crate::http::request::error::Error {
    ListError::Type(name.to_owned()).into()
}
