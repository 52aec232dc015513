//! The operations on the members of groups and on the groups of users (docs/rollbook.md, section 6).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::domain::address;
use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadGroups, WriteGroups};
use crate::domain::change::EntityVersion;
use crate::domain::journal::Channel;
use crate::domain::membership::{self, MembersOptions, MembersOutcome, UnknownUsers};
use crate::http::entity_tag::members_tag;
use crate::http::request::conditions::Conditions;
use crate::http::request::error::{ListError, Result};
use crate::http::request::extract::{JsonText, Path, Query};
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::response::representation::Representation;
use crate::http::{ApiState, Failure, lists};

use super::wire::{JoinedGroup, ListPage, Member, MembersChange, Reader};
use super::{bodies, parameters};

/// The path of the list of members, which is changed by bodies with many users.
pub(super) const MEMBERS: &str = "/rollbook/v1/groups/{group}/members";

/// List members
///
/// Without `sort`: by `id`. Groups of any size are sorted by `id` and `since`, others up to 10,000 members. Callers without
/// a role that reads users get of a user `uid` and `id`, sort by `id`, `uid` and `since`, and search the ID alone. With `at`,
/// the members that the group had at that moment, by `id`, with neither `sort` nor `q`.
#[utoipa::path(
    get,
    path = "/rollbook/v1/groups/{group}/members",
    operation_id = "members.list",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("limit" = Option<u32>, Query, description = "Members on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
        ("sort" = Option<String>, Query, description = "One of `id`, `since`, `uid`, `username`, `firstName`, `lastName`, \
            `email`, `lastActive`, `created`; `-` for descending, e.g. `-since`"),
        ("q" = Option<String>, Query, description = "Text to find anywhere in ID, username, first name, last name or email, \
            e.g. `lind`"),
        ("at" = Option<String>, Query, description = "A moment, e.g. `2026-03-01T00:00:00Z`"),
    ),
    responses((status = 200, description = "One page of members", body = ListPage<Member>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    conditions: Conditions,
) -> Result<Response, Failure> {
    let key = address::group(&address)?;
    if let Some(at) = parameters::moment(&query, "at")? {
        let (page, next) = lists::members_at(&api.service, &permit, key, at, &query).await?;
        let actors = api.service.actors_of(&permit, page.items.iter().map(|member| member.change)).await?;
        let reader = Reader::new(permit.caller(), &actors);
        let items = page.items.iter().map(|member| Member::new(member, &reader)).collect::<Vec<_>>();
        return Ok(JsonResponse(ListPage { items, total: Some(page.total), next }).into_response());
    }
    let (group, page, next) = lists::members(&api.service, &permit, key, &query).await?;
    let actors = api.service.actors_of(&permit, page.items.iter().map(|member| member.change)).await?;
    let reader = Reader::new(permit.caller(), &actors);
    let items: Vec<_> = page.items.iter().map(|member| Member::new(member, &reader)).collect();
    let tag = |page: &[u8]| members_tag(api.channel, group.uid, group.members_version, Some(page));
    let representation = Representation::tagged_by(&ListPage { items, total: page.total, next }, tag)?;
    let version = EntityVersion { uid: group.uid, version: group.members_version };
    conditions.answer_members(version, representation)
}

/// Change members
///
/// Adds and removes the named users in one step and leaves everybody else as they are. A user who is named twice counts once;
/// nobody may be in both lists. The whole change is refused if one user is unknown, unless `unknown=ignore` is given.
#[utoipa::path(
    patch,
    path = "/rollbook/v1/groups/{group}/members",
    operation_id = "members.patch",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("unknown" = Option<String>, Query, description = "With `ignore`, unknown users are left out and listed, e.g. `ignore`"),
        ("dryRun" = Option<bool>, Query, description = "Tell what would happen, and change nothing", example = true),
        ("maxRemovals" = Option<u64>, Query, description = "Refuse if more members would be removed", minimum = 0, example = 20),
        ("maxRemovalPercent" = Option<u32>, Query, description = "Refuse if more of the present members would be removed, \
            in percent", minimum = 0, maximum = 100, example = 10),
    ),
    request_body(
        content = ref("#/components/schemas/MembersDelta"),
        content_type = "application/json",
        example = json!({ "add": ["ada", "uid:12"], "remove": ["username:grace@example.org"] }),
    ),
    responses((status = 200, description = "What was done, or would be", body = MembersChange))
)]
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    JsonText(body): JsonText,
) -> Result<Response, Failure> {
    let options = options(&query)?;
    let change = bodies::members_delta(body.as_deref())?;
    change_members(&api, write, &address, change, options).await
}

/// Replace all members
///
/// Exactly the named users are members afterwards. Only the difference is written: who stays keeps `since`.
#[utoipa::path(
    put,
    path = "/rollbook/v1/groups/{group}/members",
    operation_id = "members.replace",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("unknown" = Option<String>, Query, description = "With `ignore`, unknown users are left out and listed, e.g. `ignore`"),
        ("dryRun" = Option<bool>, Query, description = "Tell what would happen, and change nothing", example = true),
        ("maxRemovals" = Option<u64>, Query, description = "Refuse if more members would be removed", minimum = 0, example = 20),
        ("maxRemovalPercent" = Option<u32>, Query, description = "Refuse if more of the present members would be removed, \
            in percent", minimum = 0, maximum = 100, example = 10),
    ),
    request_body(
        content = ref("#/components/schemas/AllMembers"),
        content_type = "application/json",
        example = json!({ "members": ["ada", "uid:12"] }),
    ),
    responses((status = 200, description = "What was done, or would be", body = MembersChange))
)]
pub(super) async fn replace(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path(address): Path<String>,
    Query(query): Query,
    JsonText(body): JsonText,
) -> Result<Response, Failure> {
    let options = options(&query)?;
    let change = bodies::all_members(body.as_deref())?;
    change_members(&api, write, &address, change, options).await
}

/// Get a member
#[utoipa::path(
    get,
    path = "/rollbook/v1/groups/{group}/members/{user}",
    operation_id = "members.get",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("user" = String, Path, description = "ID of the user in any case, `uid:` and the number, or `username:` and the \
            username", example = "ada"),
    ),
    responses((status = 200, description = "The member", body = Member))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path((group, user)): Path<(String, String)>,
    Query(query): Query,
) -> Result<JsonResponse<Member>, Failure> {
    parameters::check_names(&query, &[])?;
    let member = api.service.member(&permit, &address::group(&group)?, &address::user(&user)?).await?;
    let actors = api.service.actors_of(&permit, [member.change]).await?;
    Ok(JsonResponse(Member::new(&member, &Reader::new(permit.caller(), &actors))))
}

/// Add a member
///
/// Changes nothing if the user is a member already.
#[utoipa::path(
    put,
    path = "/rollbook/v1/groups/{group}/members/{user}",
    operation_id = "members.add",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("user" = String, Path, description = "ID of the user in any case, `uid:` and the number, or `username:` and the \
            username", example = "ada"),
    ),
    responses((status = 204, description = "The user is a member"))
)]
pub(super) async fn add(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path((group, user)): Path<(String, String)>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, group, user) = (&api.service, address::group(&group)?, address::user(&user)?);
    write.respond(Answer::no_content, |permit| async move { service.put_member(&permit, group, user).await }).await
}

/// Remove a member
///
/// Changes nothing if the user is no member.
#[utoipa::path(
    delete,
    path = "/rollbook/v1/groups/{group}/members/{user}",
    operation_id = "members.remove",
    tag = "Members",
    params(
        ("group" = String, Path, description = "ID of the group in any case, or `uid:` and its number", example = "support"),
        ("user" = String, Path, description = "ID of the user in any case, `uid:` and the number, or `username:` and the \
            username", example = "ada"),
    ),
    responses((status = 204, description = "The user is no member"))
)]
pub(super) async fn remove(
    State(api): State<ApiState>,
    write: Write<WriteGroups>,
    Path((group, user)): Path<(String, String)>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, group, user) = (&api.service, address::group(&group)?, address::user(&user)?);
    write.respond(Answer::no_content, |permit| async move { service.delete_member(&permit, group, user).await }).await
}

/// List the groups of a user
///
/// Without `sort`: by `uid`. A caller limited to communities gets the groups that are linked to one of them. With `at`, the
/// groups that the user was in at that moment, by `uid`, without `sort` and without a total.
#[utoipa::path(
    get,
    path = "/rollbook/v1/users/{user}/groups",
    operation_id = "users.listGroups",
    tag = "Members",
    params(
        ("user" = String, Path, description = "ID of the user in any case, `uid:` and the number, or `username:` and the \
            username", example = "ada"),
        ("limit" = Option<u32>, Query, description = "Groups on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
        ("sort" = Option<String>, Query, description = "`uid` or `name`; `-` for descending, e.g. `name`"),
        ("at" = Option<String>, Query, description = "A moment, e.g. `2026-03-01T00:00:00Z`"),
    ),
    responses((status = 200, description = "One page of the user's groups", body = ListPage<JoinedGroup>))
)]
pub(super) async fn joined_groups(
    State(api): State<ApiState>,
    permit: Permit<ReadGroups>,
    Path(address): Path<String>,
    Query(query): Query,
) -> Result<JsonResponse<ListPage<JoinedGroup>>, Failure> {
    let user = address::user(&address)?;
    let (joined, total, next) = match parameters::moment(&query, "at")? {
        Some(at) => {
            let (page, next) = lists::joined_groups_at(&api.service, &permit, user, at, &query).await?;
            (page.items, None, next)
        }
        None => {
            let (_, page, next) = lists::joined_groups(&api.service, &permit, user, &query).await?;
            (page.items, page.total, next)
        }
    };
    let actors = api.service.actors_of(&permit, joined.iter().map(|joined| joined.change)).await?;
    let reader = Reader::new(permit.caller(), &actors);
    let items = joined.iter().map(|joined| JoinedGroup::new(joined, &reader)).collect();
    Ok(JsonResponse(ListPage { items, total, next }))
}

/// Makes the change under the condition of the request and answers with its outcome. The answer to a change that was made
/// has the tag of the list as it is now.
async fn change_members(
    api: &ApiState,
    write: Write<WriteGroups>,
    group: &str,
    change: membership::MembersChange,
    options: MembersOptions,
) -> Result<Response, Failure> {
    let (service, group) = (&api.service, address::group(group)?);
    let (write, precondition) = write.of_members();
    let is_dry_run = options.dry_run;
    let options = MembersOptions { precondition, ..options };
    let shown = move |channel: Channel, outcome: &MembersOutcome| {
        let answer = Answer::json(StatusCode::OK, &MembersChange::from(outcome))?;
        let tag = || members_tag(channel, outcome.group, outcome.members_version, None);
        Ok(if is_dry_run { answer } else { answer.tagged(tag()) })
    };
    let change = |permit| async move { service.change_members(&permit, group, change, options).await };
    write.respond(shown, change).await
}

/// Reads how to make a change.
fn options(query: &[(String, String)]) -> Result<MembersOptions> {
    parameters::check_names(query, &["unknown", "dryRun", "maxRemovals", "maxRemovalPercent"])?;
    let unknown = match parameters::value(query, "unknown")? {
        None => UnknownUsers::Refuse,
        Some("ignore") => UnknownUsers::Ignore,
        Some(_) => return Err(ListError::Type("unknown".to_owned()).into()),
    };
    let max_removal_percent: Option<u8> = parameters::number(query, "maxRemovalPercent")?;
    if max_removal_percent.is_some_and(|percent| percent > 100) {
        return Err(ListError::Type("maxRemovalPercent".to_owned()).into());
    }
    Ok(MembersOptions {
        unknown,
        dry_run: parameters::flag(query, "dryRun")?,
        max_removals: parameters::number(query, "maxRemovals")?,
        max_removal_percent,
        precondition: None,
    })
}
