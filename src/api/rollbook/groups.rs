//! The operations on groups (docs/rollbook.md, section 3).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::change::EntityVersion;
use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group;
use crate::domain::journal::Channel;
use crate::http::entity_tag::entity_tag_with;
use crate::http::lists::groups_page;
use crate::http::request::conditions::Conditions;
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::response::representation::{Representation, shared};
use crate::http::{ApiState, Failure};

use super::wire::{Group, ListPage};
use super::{address, bodies, parameters};

/// List groups
///
/// Any other parameter than those below is a filter on `id`, `name`, `description`, `memberCount`, `created`, `updated`,
/// `communities`, `labels.<tag>` or `xp.<path>`, such as `name=*team|Sales*`, `labels.de=!*` (no German label) or
/// `memberCount=>10`; several filters must all hold. A walk by cursor misses nothing and repeats nothing of what keeps its
/// sort key. Without `sort`: by `uid`.
#[utoipa::path(
    get,
    path = "/rollbook/v1/groups",
    operation_id = "groups.list",
    tag = "Groups",
    params(
        ("limit" = Option<u32>, Query, description = "Groups on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
        ("sort" = Option<String>, Query, description = "Sort keys, comma separated: `id`, `uid`, `name`, `memberCount`, \
            `updated`, `labels.<tag>`, `xp.<path>`; `-` for descending, e.g. `name,-updated`"),
        ("q" = Option<String>, Query, description = "Text to find anywhere in ID, name or description, e.g. `team`"),
        ("member" = Option<String>, Query, description = "Only groups with this user: an ID, `uid:` and a number, or \
            `username:` and a username, e.g. `ada`"),
        ("deleted" = Option<bool>, Query, description = "With `true` the deleted groups, the newest first, e.g. `true`"),
        ("filters" = Option<HashMap<String, String>>, Query, description = "Each further parameter is a filter, \
            e.g. `{\"name\": \"*team|Sales*\", \"xp.Dept\": \"IT\"}`", style = Form, explode, example = json!({})),
    ),
    responses((status = 200, description = "One page of groups", body = ListPage<Group>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Query(parameters): Query,
) -> Result<JsonResponse<ListPage<Group>>, Failure> {
    let (page, next) = groups_page(&api.service, &permit, &parameters).await?;
    let visibility = &permit.caller().visibility;
    let items = page.items.iter().map(|group| Group::new(group, visibility)).collect::<Result<_>>()?;
    Ok(JsonResponse(ListPage { items, total: page.total, next }))
}

/// Create a group
///
/// Needs `labels` or `name`, which sets the label in the default language. A group that names no ID is given one.
/// Without `communities`, the group of a caller limited to one community is linked to it.
#[utoipa::path(
    post,
    path = "/rollbook/v1/groups",
    operation_id = "groups.create",
    tag = "Groups",
    request_body(content = ref("#/components/schemas/GroupInput"), content_type = "application/json"),
    responses((
        status = 201,
        description = "The new group",
        body = Group,
        headers(("Location" = String, description = "The path of the new group")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let draft = bodies::group(Fields::required(fields)?)?;
    let (service, shown) = (&api.service, shown(&write, StatusCode::CREATED));
    let created = move |channel: Channel, group: &group::Group| {
        Ok(shown(channel, group)?.created_at(format!("/rollbook/v1/groups/{}", group.fields.id)))
    };
    write.respond(created, |permit| async move { service.create_complete_group(&permit, draft).await }).await
}

/// Get a group
///
/// A number, as in `uid:7`, also finds a deleted group, which then has a time under `deleted`. With `at`, the group as it
/// was at that moment.
#[utoipa::path(
    get,
    path = "/rollbook/v1/groups/{group}",
    operation_id = "groups.get",
    tag = "Groups",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("at" = Option<String>, Query, description = "A moment, e.g. `2026-03-01T00:00:00Z`"),
    ),
    responses((status = 200, description = "The group", body = Group))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    conditions: Conditions,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &["at"])?;
    let key = address::group(&address)?;
    let visibility = &permit.caller().visibility;
    if let Some(at) = parameters::moment(&query, "at")? {
        let group = api.service.group_at(&permit, &key, at).await?;
        return Ok(JsonResponse(Group::new(&group, visibility)?).into_response());
    }
    let group = api.service.group_by_key(&permit, &key).await?;
    let render = |group: &group::Group| Representation::new(&Group::new(group, visibility)?, tag(api.channel, group));
    // What a limited caller sees is not what others see, so only the whole group is cached.
    let representation = match visibility {
        Visibility::All => shared(&group, api.channel, render),
        Visibility::Within(_) => render(&group),
    };
    conditions.answer(EntityVersion::of(&**group), representation?)
}

/// Create or replace a group
///
/// What the body leaves out is emptied, except for `id` and `communities`, which stay. A body with another ID than the
/// path renames the group. A caller limited to communities replaces these alone.
#[utoipa::path(
    put,
    path = "/rollbook/v1/groups/{group}",
    operation_id = "groups.put",
    tag = "Groups",
    params(("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support")),
    request_body(content = ref("#/components/schemas/GroupInput"), content_type = "application/json"),
    responses((status = 200, description = "The group, new or replaced", body = Group))
)]
pub(super) async fn put(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let key = address::group(&address)?;
    let draft = bodies::group(Fields::required(fields)?)?;
    let (service, changed) = (&api.service, shown(&write, StatusCode::OK));
    write.respond(changed, |permit| async move { service.put_complete_group(&permit, key, draft).await }).await
}

/// Change a group
///
/// A JSON merge patch (RFC 7396): what the body leaves out stays as it is, and a null removes a label, a member of `xp`,
/// the description or the whole `xp`.
#[utoipa::path(
    patch,
    path = "/rollbook/v1/groups/{group}",
    operation_id = "groups.patch",
    tag = "Groups",
    params(("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support")),
    request_body(
        content = ref("#/components/schemas/PartialGroup"),
        content_type = "application/json",
        example = json!({ "labels": { "de": "Hilfe", "it": null }, "xp": { "Floor": 4 } }),
    ),
    responses((status = 200, description = "The group as it is now", body = Group))
)]
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let key = address::group(&address)?;
    let change = bodies::group_change(Fields::required(fields)?)?;
    let (service, changed) = (&api.service, shown(&write, StatusCode::OK));
    write.respond(changed, |permit| async move { service.change_complete_group(&permit, key, change).await }).await
}

/// Delete a group
///
/// Its memberships go with it; its users stay.
#[utoipa::path(
    delete,
    path = "/rollbook/v1/groups/{group}",
    operation_id = "groups.delete",
    tag = "Groups",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("onlyIfEmpty" = Option<bool>, Query, description = "Refuse if the group has members", example = true),
    ),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(address): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    let key = address::group(&address)?;
    parameters::check_names(&query, &["onlyIfEmpty"])?;
    let only_if_empty = parameters::flag(&query, "onlyIfEmpty")?;
    let service = &api.service;
    let delete = |permit| async move { service.delete_complete_group(&permit, key, only_if_empty).await };
    write.respond(Answer::no_content, delete).await
}

/// Renders the answer that shows the group as the caller of the write sees it.
fn shown(
    write: &Write<WriteGroups>,
    status: StatusCode,
) -> impl Fn(Channel, &group::Group) -> Result<Answer> + Clone + Send + Sync + use<> {
    let visibility = write.permit().caller().visibility.clone();
    move |channel, group| Ok(Answer::json(status, &Group::new(group, &visibility)?)?.tagged(tag(channel, group)))
}

/// The entity tag of the group. Its second part is the number of members, which is not part of the version.
pub(super) fn tag(channel: Channel, group: &group::Group) -> String {
    entity_tag_with(channel, group, group.members)
}
