//! The five operations on groups (docs/core.md, sections 2 and 3).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{AppendHeaders, IntoResponse};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use tokio::time::sleep;
use tracing::error;

use crate::domain::error::{Error, Result};
use crate::domain::group::{GroupUid, Outline};
use crate::domain::members::Members;
use crate::domain::role::{Permit, ReadGroups, WriteGroups};
use crate::http::answer::{Answer, JSON};
use crate::http::extract::{self, Path, Query};
use crate::http::{Api, Failure};
use crate::service::Service;

use super::bodies::{AddOrEdit, PathId};
use super::list as lists;
use super::wire::{Done, Group};

/// Where groups live; a new one is told to be below it.
const GROUPS: &str = "/api/admin/v1/users-groups";
/// The path of the paged list, for its links.
const LIST: &str = "/api/admin/v1/users-groups/list";
/// How many groups of `list-all` are read before its answer begins.
const FIRST: u32 = 100;
/// How many are read in one go from then on, and held at once.
const BATCH: u32 = 1_000;
/// How often a batch is asked for again that there was no room for, and after how long.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);
/// About how long a group is there.
const GROUP_BYTES: usize = 200;

/// Get a group
///
/// Deleted groups are not found, nor are groups outside the communities that the caller is limited to.
#[utoipa::path(
    get,
    path = "/api/admin/v1/users-groups/{id}",
    operation_id = "getGroup",
    tag = "Groups",
    params(("id" = i64, Path, description = "The ID of the group", minimum = 1, example = 7)),
    responses((status = 200, description = "The group", body = Group))
)]
pub async fn get(
    State(api): State<Api>,
    permit: Permit<ReadGroups>,
    Path(PathId(id)): Path<PathId>,
) -> Result<impl IntoResponse, Failure> {
    let group = api.service.group_by_uid(&permit, id).await?;
    Ok(Answer(Group::from(&**group)))
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
pub async fn list(
    State(api): State<Api>,
    permit: Permit<ReadGroups>,
    Query(query): Query,
) -> Result<impl IntoResponse, Failure> {
    let page = lists::read_page(&query)?;
    let listed = api.service.list_groups(&permit, lists::by_number(page)).await?;
    let groups: Vec<_> = listed.items.iter().map(Group::from).collect();
    Ok((lists::headers(LIST, page, listed.total), Answer(groups)))
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
pub async fn list_all(State(api): State<Api>, permit: Permit<ReadGroups>) -> Result<impl IntoResponse, Failure> {
    let first = api.service.groups_after(&permit, 0, FIRST).await?;
    let body = Body::from_stream(all_groups(api.service, permit, first));
    Ok(([(CONTENT_TYPE, JSON)], body))
}

/// What is left to send of the array.
enum Rest {
    /// All of it; its first groups are read already.
    All(Vec<Outline>),
    /// The groups with higher numbers than this.
    After(GroupUid),
    Nothing,
}

/// The JSON array of all groups from the `first` batch on, a chunk a batch. No more than one batch is held at once.
fn all_groups(
    service: Arc<Service>,
    permit: Permit<ReadGroups>,
    first: Vec<Outline>,
) -> impl Stream<Item = Result<Bytes>> {
    let chunks = stream::try_unfold((service, permit, Rest::All(first)), |(service, permit, rest)| async move {
        let (groups, begin) = match rest {
            Rest::All(first) => (first, true),
            Rest::After(last) => (patiently(PAUSE, || service.groups_after(&permit, last, BATCH)).await?, false),
            Rest::Nothing => return Ok(None),
        };
        let rest = groups.last().map_or(Rest::Nothing, |last| Rest::After(last.uid));
        Ok(Some((array_part(groups, begin)?, (service, permit, rest))))
    });
    chunks.inspect_err(|error: &Error| error!(%error, "list-all was cut off"))
}

/// What is given once there is room for what is asked: an answer that has begun cannot be refused any more.
async fn patiently<T, F: Future<Output = Result<T>>>(pause: Duration, ask: impl Fn() -> F) -> Result<T> {
    for _ in 0..ATTEMPTS {
        match ask().await {
            Err(Error::Unavailable(_)) => sleep(pause).await,
            answer => return answer,
        }
    }
    ask().await
}

/// The groups as a part of the array; no groups end it.
fn array_part(groups: Vec<Outline>, begin: bool) -> Result<Bytes> {
    let mut part = Vec::with_capacity(groups.len() * GROUP_BYTES + 1);
    if begin {
        part.push(b'[');
    }
    if groups.is_empty() {
        part.push(b']');
    }
    for (at, group) in groups.into_iter().enumerate() {
        if at > 0 || !begin {
            part.push(b',');
        }
        serde_json::to_writer(&mut part, &Group::from(group)).map_err(Error::internal)?;
    }
    Ok(part.into())
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
pub async fn add_or_edit(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    extract::Body(members): extract::Body,
) -> Result<impl IntoResponse, Failure> {
    let body = AddOrEdit::read(Members::required(members)?)?;
    let added = body.id.is_none();
    let group = api.service.put_labelled_group(&permit, body.into()).await?;
    Ok((AppendHeaders(added.then(|| (LOCATION, path_of(group.uid)))), Answer(Done::OK)))
}

fn path_of(group: GroupUid) -> String {
    format!("{GROUPS}/{group}")
}

/// Delete a group
///
/// Marks the group as deleted; a group that has users stays. What is checked comes in this order: 404, 410, 409.
#[utoipa::path(
    delete,
    path = "/api/admin/v1/users-groups/{id}",
    operation_id = "deleteGroup",
    tag = "Groups",
    params(("id" = i64, Path, description = "The ID of the group", minimum = 1, example = 7)),
    responses((status = 200, description = "Done", body = Done))
)]
pub async fn delete(
    State(api): State<Api>,
    permit: Permit<WriteGroups>,
    Path(PathId(id)): Path<PathId>,
) -> Result<impl IntoResponse, Failure> {
    api.service.delete_empty_group(&permit, id).await?;
    Ok(Answer(Done::OK))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    use crate::domain::time::Timestamp;

    fn group(uid: GroupUid) -> Outline {
        let at = Timestamp::from_micros(0);
        Outline { uid, created: at, updated: at, labels: r#"{"en":"A"}"#.to_owned() }
    }

    #[tokio::test]
    async fn an_answer_that_has_begun_waits_for_room() {
        let asked = AtomicU32::new(0);
        let full_for = |times: u32| {
            let asked = &asked;
            move || {
                let before = asked.fetch_add(1, Ordering::Relaxed);
                let full = || Error::Unavailable("full".to_owned());
                std::future::ready(if before < times { Err(full()) } else { Ok(before) })
            }
        };
        assert_eq!(patiently(Duration::ZERO, full_for(3)).await.unwrap(), 3);
        assert!(patiently(Duration::ZERO, full_for(1_000)).await.is_err());
        assert_eq!(asked.into_inner(), 4 + ATTEMPTS + 1);
    }

    #[test]
    fn the_parts_of_the_array_make_an_array() {
        let whole = |batches: &[&[GroupUid]]| {
            let parts = batches.iter().enumerate().map(|(at, batch)| {
                let groups: Vec<_> = batch.iter().copied().map(group).collect();
                array_part(groups, at == 0).unwrap()
            });
            let groups: Vec<serde_json::Value> = serde_json::from_slice(&parts.collect::<Vec<_>>().concat()).unwrap();
            groups.iter().map(|group| group["ID"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(whole(&[&[]]), [0_i64; 0]);
        assert_eq!(whole(&[&[1], &[]]), [1]);
        assert_eq!(whole(&[&[1, 2], &[5], &[7, 9], &[]]), [1, 2, 5, 7, 9]);
    }
}
