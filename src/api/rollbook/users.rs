//! The operations on users (docs/rollbook.md, section 7).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::answer::Answer;
use crate::domain::caller::{Permit, ReadUsers, WriteUsers};
use crate::domain::change::EntityVersion;
use crate::domain::error::Result;
use crate::domain::journal::Channel;
use crate::domain::time::Timestamp;
use crate::domain::user;
use crate::http::entity_tag::entity_tag_with;
use crate::http::lists::users_page;
use crate::http::request::conditions::Conditions;
use crate::http::request::extract::{Body, Path, Query};
use crate::http::request::fields::Fields;
use crate::http::request::write::Write;
use crate::http::response::json::JsonResponse;
use crate::http::response::representation::Representation;
use crate::http::{ApiState, Failure};

use super::wire::{ListPage, User};
use super::{address, bodies, parameters};

/// List users
///
/// Any other parameter than those below is a filter on `id`, `username`, `firstName`, `lastName`, `email`, `phone`,
/// `active`, `termsAccepted`, `passwordSet`, `roles`, `communities`, `lockedUntil`, `failedSignIns`, `lastActive`, `created`
/// or `xp.<path>`, such as `lastName=L*`, `roles=Auditor` or `lastActive=!*` (never signed in); several filters must all
/// hold. A walk by cursor misses nothing and repeats nothing of what keeps its sort key. Without `sort`: by `uid`.
#[utoipa::path(
    get,
    path = "/rollbook/v1/users",
    operation_id = "users.list",
    tag = "Users",
    params(
        ("limit" = Option<u32>, Query, description = "Users on a page; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("after" = Option<String>, Query, description = "The `next` of the page before, unchanged, e.g. `AVY4pxSH`"),
        ("sort" = Option<String>, Query, description = "Sort keys, comma separated: `id`, `uid`, `username`, `firstName`, \
            `lastName`, `email`, `lastActive`, `created`, `xp.<path>`; `-` for descending, e.g. `lastName,-created`"),
        ("q" = Option<String>, Query, description = "Text to find anywhere in ID, username, names or email, e.g. `love`"),
        ("memberOf" = Option<Vec<String>>, Query, description = "Only users in this group: an ID, or `uid:` and a number; \
            repeated, users in all of the groups. Needs a role that reads groups, e.g. `support`", style = Form, explode),
        ("withoutGroups" = Option<bool>, Query, description = "With `true` only users in no group that the caller may \
            see. Such a page may be short and without a total, e.g. `true`"),
        ("locked" = Option<bool>, Query, description = "With `true` only users who are locked now, e.g. `true`"),
        ("deleted" = Option<bool>, Query, description = "With `true` the deleted users, the newest first, e.g. `true`"),
        ("filters" = Option<HashMap<String, String>>, Query, description = "Each further parameter is a filter, \
            e.g. `{\"lastName\": \"L*\", \"roles\": \"Auditor\"}`", style = Form, explode, example = json!({})),
    ),
    responses((status = 200, description = "One page of users", body = ListPage<User>))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    Query(parameters): Query,
) -> Result<JsonResponse<ListPage<User>>, Failure> {
    let (page, next) = users_page(&api.service, &permit, &parameters).await?;
    let visibility = &permit.caller().visibility;
    let items = page.items.iter().map(|user| User::listed(user, visibility)).collect();
    Ok(JsonResponse(ListPage { items, total: page.total, next }))
}

/// Create a user
///
/// A user that names no ID is given one. Without `password` the user cannot sign in by password. A caller gives only
/// roles that they hold; `FullAccess` holds all.
#[utoipa::path(
    post,
    path = "/rollbook/v1/users",
    operation_id = "users.create",
    tag = "Users",
    request_body(content = ref("#/components/schemas/NewUser"), content_type = "application/json"),
    responses((
        status = 201,
        description = "The new user",
        body = User,
        headers(("Location" = String, description = "The path of the new user")),
    ))
)]
pub(super) async fn create(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (draft, password) = bodies::new_user(Fields::required(fields)?)?;
    let (service, shown) = (&api.service, shown(&write, StatusCode::CREATED, Some(0)));
    let created = move |channel: Channel, user: &user::User| {
        Ok(shown(channel, user)?.created_at(format!("/rollbook/v1/users/{}", user.fields.id)))
    };
    let create = |permit| async move { service.create_complete_user(&permit, draft, password).await };
    write.respond(created, create).await
}

/// Get a user
///
/// A number, as in `uid:12`, also finds a deleted user, who then has a time under `deleted`.
#[utoipa::path(
    get,
    path = "/rollbook/v1/users/{user}",
    operation_id = "users.get",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    responses((status = 200, description = "The user", body = User))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadUsers>,
    Path(address): Path<String>,
    Query(query): Query,
    conditions: Conditions,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let found = api.service.counted_user(&permit, &address::user(&address)?).await?;
    let (user, groups) = (&found.user, found.groups);
    let shown = User::single(user, groups, &permit.caller().visibility);
    let representation = Representation::new(&shown, tag(api.channel, user, groups))?;
    conditions.answer(EntityVersion::of(user), representation)
}

/// Create or replace a user
///
/// What the body leaves out is emptied, except for `id`, `active`, `roles`, `communities` and the password, which stay. A
/// body with another ID than the path renames the user. Only an ID that no user has creates one, without a password. A
/// caller gives and takes only roles that they hold.
#[utoipa::path(
    put,
    path = "/rollbook/v1/users/{user}",
    operation_id = "users.put",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    request_body(content = ref("#/components/schemas/UserInput"), content_type = "application/json"),
    responses((status = 200, description = "The user, new or replaced", body = User))
)]
pub(super) async fn put(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let key = address::user(&address)?;
    let draft = bodies::user(Fields::required(fields)?)?;
    let service = &api.service;
    let groups = service.group_count(write.permit(), &key).await?;
    let changed = shown(&write, StatusCode::OK, groups);
    write.respond(changed, |permit| async move { service.put_complete_user(&permit, key, draft).await }).await
}

/// Change a user
///
/// A JSON merge patch (RFC 7396): what the body leaves out stays as it is, and a null removes a member of `xp`, the phone,
/// `termsAccepted` or the whole `xp`. `roles` and `communities` are replaced; a caller gives and takes only roles that they
/// hold. A removed role and `"active": false` end the user's tokens.
#[utoipa::path(
    patch,
    path = "/rollbook/v1/users/{user}",
    operation_id = "users.patch",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    request_body(
        content = ref("#/components/schemas/PartialUser"),
        content_type = "application/json",
        example = json!({ "active": false, "xp": { "Left": "2026-06-30" } }),
    ),
    responses((status = 200, description = "The user as they are now", body = User))
)]
pub(super) async fn patch(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let key = address::user(&address)?;
    let change = bodies::user_change(Fields::required(fields)?)?;
    let service = &api.service;
    let groups = service.group_count(write.permit(), &key).await?;
    let changed = shown(&write, StatusCode::OK, groups);
    write.respond(changed, |permit| async move { service.change_complete_user(&permit, key, change).await }).await
}

/// Delete a user
///
/// Their memberships and tokens end.
#[utoipa::path(
    delete,
    path = "/rollbook/v1/users/{user}",
    operation_id = "users.delete",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, key) = (&api.service, address::user(&address)?);
    write.respond(Answer::no_content, |permit| async move { service.delete_user(&permit, key).await }).await
}

/// Set the password of a user
///
/// The user's tokens end. A password has 10 to 128 characters of three classes: upper case, lower case, digits, others.
#[utoipa::path(
    put,
    path = "/rollbook/v1/users/{user}/password",
    operation_id = "users.setPassword",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    request_body(content = ref("#/components/schemas/PasswordInput"), content_type = "application/json"),
    responses((status = 204, description = "The password is set"))
)]
pub(super) async fn set_password(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, key) = (&api.service, address::user(&address)?);
    let password = bodies::password(Fields::required(fields)?)?;
    let set = |permit| async move { service.set_user_password(&permit, key, password).await };
    write.respond(Answer::no_content, set).await
}

/// Unlock a user
///
/// Forgets the failed sign-ins, ten of which lock a user for ten minutes. Unlocking is no change of the user: it takes no
/// `If-Match`.
#[utoipa::path(
    post,
    path = "/rollbook/v1/users/{user}/unlock",
    operation_id = "users.unlock",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    responses((status = 204, description = "Not locked"))
)]
pub(super) async fn unlock(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, key) = (&api.service, address::user(&address)?);
    write.respond(Answer::no_content, |permit| async move { service.unlock_user(&permit, &key).await }).await
}

/// End all tokens of a user
///
/// Refresh tokens included, and the long-lived tokens of clients that act for the user. Calls with an ended token fail
/// with `token_revoked`.
#[utoipa::path(
    post,
    path = "/rollbook/v1/users/{user}/revoke-tokens",
    operation_id = "users.revokeTokens",
    tag = "Users",
    params(("user" = String, Path, description = "ID of the user in any case, `uid:` and their number, or `username:` and \
        their username", example = "ada")),
    responses((status = 204, description = "The tokens made so far are ended"))
)]
pub(super) async fn revoke_tokens(
    State(api): State<ApiState>,
    write: Write<WriteUsers>,
    Path(address): Path<String>,
    Query(query): Query,
) -> Result<Response, Failure> {
    parameters::check_names(&query, &[])?;
    let (service, key) = (&api.service, address::user(&address)?);
    let revoked = |_: Channel, _: &user::User| Ok(Answer::empty(StatusCode::NO_CONTENT));
    write.respond(revoked, |permit| async move { service.revoke_user_tokens(&permit, key).await }).await
}

/// Renders the answer that shows the user, who is in so many groups, as the caller of the write sees them.
fn shown(
    write: &Write<WriteUsers>,
    status: StatusCode,
    groups: Option<u64>,
) -> impl Fn(Channel, &user::User) -> Result<Answer> + Clone + Send + Sync + use<> {
    let visibility = write.permit().caller().visibility.clone();
    move |channel, user| {
        let shown = User::single(user, groups, &visibility);
        Ok(Answer::json(status, &shown)?.tagged(tag(channel, user, groups)))
    }
}

/// The entity tag of the user. Its second part is what the answer shows beside the version: the number of groups and the
/// sign-ins.
pub(super) fn tag(channel: Channel, user: &user::User, groups: Option<u64>) -> String {
    let moment = |moment: Option<Timestamp>| moment.map_or(0, Timestamp::as_micros);
    let groups = groups.map_or_else(|| "x".to_owned(), |groups| groups.to_string());
    let (active, locked) = (moment(user.last_active), moment(user.locked_until));
    entity_tag_with(channel, user, format_args!("{groups}-{active}-{}-{locked}", user.failed_attempts))
}
