//! The five operations on groups (docs/core.md, sections 2 and 3).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use tokio::task::yield_now;
use tokio::time::sleep;
use tracing::error;

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::change::EntityVersion;
use crate::domain::error::{Error, Result};
use crate::domain::group::{self, GroupSummary, GroupUid};
use crate::domain::journal::Channel;
use crate::http::entity_tag::entity_tag;
use crate::http::request::conditions::Conditions;
use crate::http::request::extract::{self, LooseQuery, Path};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::{JSON, JsonResponse};
use crate::http::response::representation::{Representation, shared};
use crate::http::{ApiState, Failure};
use crate::service::Service;

use super::bodies::{AddOrEdit, PathId};
use super::list as lists;
use super::wire::{Done, Group};

/// The path of all groups, for the `Location` of a new one.
const GROUPS_PATH: &str = "/api/admin/v1/users-groups";
/// The path of the paged list, for its links.
const LIST_PATH: &str = "/api/admin/v1/users-groups/list";
/// The number of groups that `list-all` reads before its response begins.
const FIRST_BATCH: u32 = 100;
/// The number of groups in each further batch of `list-all`, which is all that it keeps in memory.
const BATCH_SIZE: u32 = 1_000;
/// The maximum number of retries of a batch while the store is unavailable.
const MAX_RETRIES: u32 = 50;
/// The pause before each retry.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// The estimated size of a group in the array, in bytes.
const GROUP_BYTES: usize = 200;

/// Get a group
///
/// Deleted groups are not found, nor are groups outside the communities that the caller is limited to.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users-groups/{id}",
    operation_id = "getGroup",
    tag = "Groups",
    params(("id" = i64, Path, description = "The ID of the group", minimum = 1, example = 1)),
    responses((status = 200, description = "The group", body = Group))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path(PathId(id)): Path<PathId>,
    conditions: Conditions,
) -> Result<Response, Failure> {
    let group = api.service.group_by_uid(&permit, id).await?;
    let representation =
        shared(&group, api.channel, |group| Representation::new(&Group::from(group), entity_tag(api.channel, group)));
    conditions.answer(EntityVersion::of(&**group), representation?)
}

/// Get a page of groups
///
/// Groups that are not deleted and that the caller may see, ordered by ID.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users-groups/list",
    operation_id = "listGroups",
    tag = "Groups",
    params(
        ("page" = Option<u32>, Query, description = "Which page", minimum = 1, maximum = 2_147_483_647, example = 1),
        ("pageSize" = Option<u32>, Query, description = "Groups on a page", minimum = 1, maximum = 100, example = 20),
    ),
    responses((
        status = 200,
        description = "One page of groups",
        body = [Group],
        headers(
            ("X-Total-Count" = u64, description = "How many groups there are on all pages"),
            ("Link" = String, description = "Paths of the pages `next`, `prev`, `first` and `last` (RFC 8288)"),
        ),
    ))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    LooseQuery(query): LooseQuery,
) -> Result<impl IntoResponse, Failure> {
    let page = lists::read_page(&query)?;
    let result = api.service.list_groups(&permit, lists::by_number(page)).await?;
    let groups: Vec<_> = result.items.iter().map(Group::from).collect();
    Ok((lists::headers(LIST_PATH, page, result.total), JsonResponse(groups)))
}

/// Get all groups
///
/// Every group that is not deleted and that the caller may see, ordered by ID, however many there are. The answer is
/// sent while it is read: a group that changes meanwhile appears at most once, as it was at one moment of the answer.
/// Where reading fails half way, the connection is cut, so that the array never looks whole.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users-groups/list-all",
    operation_id = "listAllGroups",
    tag = "Groups",
    responses((status = 200, description = "All groups", body = [Group]))
)]
pub(super) async fn list_all(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
) -> Result<impl IntoResponse, Failure> {
    let first = api.service.groups_after(&permit, 0, FIRST_BATCH).await?;
    let body = Body::from_stream(all_groups(api.service, permit, first));
    Ok(([(CONTENT_TYPE, JSON)], body))
}

/// The part of the array that is not sent yet.
enum Unsent {
    /// The whole array. Its first batch is already read.
    All(Vec<GroupSummary>),
    /// The groups with higher numbers than this one.
    After(GroupUid),
    /// Nothing: the array is complete.
    Nothing,
}

/// The JSON array of all groups, starting with the `first` batch. Each batch is one chunk; only one is in memory at a
/// time.
fn all_groups(
    service: Arc<Service>,
    permit: Permit<ReadGroups>,
    first: Vec<GroupSummary>,
) -> impl Stream<Item = Result<Bytes>> {
    let chunks = stream::try_unfold((service, permit, Unsent::All(first)), |(service, permit, unsent)| async move {
        let (groups, begin) = match unsent {
            Unsent::All(first) => (first, true),
            Unsent::After(last) => {
                // Lets the server send the previous chunk first: an immediate error would discard it and the status.
                yield_now().await;
                (retry_while_unavailable(RETRY_PAUSE, || service.groups_after(&permit, last, BATCH_SIZE)).await?, false)
            }
            Unsent::Nothing => return Ok(None),
        };
        let unsent = groups.last().map_or(Unsent::Nothing, |last| Unsent::After(last.uid));
        Ok(Some((array_chunk(groups, begin)?, (service, permit, unsent))))
    });
    chunks.inspect_err(|error: &Error| error!(%error, "list-all response aborted"))
}

/// The result of `read`, which is retried while the store is unavailable: a response that has begun cannot become an
/// error response.
async fn retry_while_unavailable<T, F: Future<Output = Result<T>>>(pause: Duration, read: impl Fn() -> F) -> Result<T> {
    for _ in 0..MAX_RETRIES {
        match read().await {
            Err(Error::Unavailable(_)) => sleep(pause).await,
            result => return result,
        }
    }
    read().await
}

/// The groups as a chunk of the array. An empty batch ends the array.
fn array_chunk(groups: Vec<GroupSummary>, begin: bool) -> Result<Bytes> {
    let mut chunk = Vec::with_capacity(groups.len() * GROUP_BYTES + 1);
    if begin {
        chunk.push(b'[');
    }
    if groups.is_empty() {
        chunk.push(b']');
    }
    for (index, group) in groups.into_iter().enumerate() {
        if index > 0 || !begin {
            chunk.push(b',');
        }
        serde_json::to_writer(&mut chunk, &Group::from(group)).map_err(Error::internal)?;
    }
    Ok(chunk.into())
}

/// Add or edit a group
///
/// Without an ID, or with 0, a group is added; `Location` tells where it is. With the ID of a group, its labels are
/// replaced, and its communities where the body names them. The same values again change nothing, not even
/// `LastUpdated`.
#[utoipa::path(
    post,
    path = "/api/admin/v1/users-groups",
    operation_id = "addOrEditGroup",
    tag = "Groups",
    request_body = AddOrEdit,
    responses((
        status = 200,
        description = "Done",
        body = Done,
        headers(("Location" = String, description = "The path of the new group; not sent after an edit")),
    ))
)]
pub(super) async fn add_or_edit(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    extract::Body(fields): extract::Body,
) -> Result<Response, Failure> {
    let body = AddOrEdit::read(Fields::required(fields)?)?;
    let (service, render) = (&api.service, if body.id.is_none() { added } else { edited });
    write.respond(render, |permit| async move { service.put_labelled_group(&permit, body.into()).await }).await
}

/// The answer to the edit of a group.
fn edited(channel: Channel, group: &group::Group) -> Result<Answer> {
    Ok(Answer::json(StatusCode::OK, &Done::OK)?.tagged(entity_tag(channel, group)))
}

/// The answer to the addition of a group.
fn added(channel: Channel, group: &group::Group) -> Result<Answer> {
    Ok(edited(channel, group)?.created_at(format!("{GROUPS_PATH}/{}", group.uid)))
}

/// Delete a group
///
/// Marks the group as deleted; a group that has users stays. What is checked comes in this order: 404, 410, 409.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/users-groups/{id}",
    operation_id = "deleteGroup",
    tag = "Groups",
    params(("id" = i64, Path, description = "The ID of the group", minimum = 1, example = 1)),
    responses((status = 200, description = "Done", body = Done))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(PathId(id)): Path<PathId>,
) -> Result<Response, Failure> {
    let service = &api.service;
    write.respond(deleted, |permit| async move { service.delete_empty_group(&permit, id).await }).await
}

/// The answer to the deletion of a group.
fn deleted(_channel: Channel, (): &()) -> Result<Answer> {
    Answer::json(StatusCode::OK, &Done::OK)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    use crate::domain::time::Timestamp;

    fn group(uid: GroupUid) -> GroupSummary {
        let at = Timestamp::from_micros(0);
        GroupSummary { uid, created: at, updated: at, labels: r#"{"en":"A"}"#.to_owned() }
    }

    #[tokio::test]
    async fn a_response_that_has_begun_retries_while_the_store_is_unavailable() {
        let attempts = AtomicU32::new(0);
        let full_for = |times: u32| {
            let attempts = &attempts;
            move || {
                let before = attempts.fetch_add(1, Ordering::Relaxed);
                let full = || Error::Unavailable("full".to_owned());
                std::future::ready(if before < times { Err(full()) } else { Ok(before) })
            }
        };
        assert_eq!(retry_while_unavailable(Duration::ZERO, full_for(3)).await.unwrap(), 3);
        assert!(retry_while_unavailable(Duration::ZERO, full_for(1_000)).await.is_err());
        assert_eq!(attempts.into_inner(), 4 + MAX_RETRIES + 1);
    }

    #[test]
    fn the_chunks_form_an_array() {
        let whole = |batches: &[&[GroupUid]]| {
            let chunks = batches.iter().enumerate().map(|(at, batch)| {
                let groups: Vec<_> = batch.iter().copied().map(group).collect();
                array_chunk(groups, at == 0).unwrap()
            });
            let groups: Vec<serde_json::Value> = serde_json::from_slice(&chunks.collect::<Vec<_>>().concat()).unwrap();
            groups.iter().map(|group| group["ID"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(whole(&[&[]]), [0_i64; 0]);
        assert_eq!(whole(&[&[1], &[]]), [1]);
        assert_eq!(whole(&[&[1, 2], &[5], &[7, 9], &[]]), [1, 2, 5, 7, 9]);
    }
}
