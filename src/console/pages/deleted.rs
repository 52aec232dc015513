//! Deleted groups and users: the lists, and restoring one after a preview of what comes back.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::{ReadGroups, ReadUsers, WriteGroups, WriteUsers};
use crate::domain::change::EntityVersion;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::history::{JoinedGroupsAtQuery, MembersAtQuery};
use crate::domain::id::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::http::ApiState;
use crate::http::lists::{groups_page, users_page};
use crate::http::request::error::{DirectoryError, Error, Result};
use crate::http::request::extract::{Path, Query};
use crate::service::restore::NewIdentity;

use super::{group, page, page_with, user};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section, full_name, username};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, deleted as t};
use crate::console::ui::{self, Html};

/// The path of the list of groups.
pub(in crate::console) const PATH: &str = "/console/deleted";
/// The path of the list of users.
const USERS: &str = "/console/deleted/users";
/// The maximum number of groups of a deleted user that are counted.
const GROUPS_COUNTED: u32 = 100;

#[derive(Template)]
#[template(path = "deleted.html")]
struct DeletedPage {
    frame: Frame,
    is_users: bool,
    /// The lists that the visitor may see: their path, their name and whether it is this one.
    tabs: Vec<(&'static str, &'static str, bool)>,
    url: ListUrl,
    search: (&'static str, &'static str),
    may_restore: bool,
    matching: String,
    curl: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// A deleted group or user.
struct Row {
    uid: i64,
    page: String,
    name: Html,
    id: String,
    members: Option<i64>,
    deleted: Timestamp,
    is_erased: bool,
}

/// The deleted groups. Leads to the deleted users if the visitor may not read groups.
pub(in crate::console) async fn groups(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    if !visit.may::<ReadGroups>() && visit.may::<ReadUsers>() {
        return Ok(redirect(USERS));
    }
    let permit = visit.permit::<ReadGroups>()?;
    let (url, parameters) = searched(PATH, pairs, "name");
    let (found, next) = groups_page(&api.service, &permit, &parameters).await?;
    let row = |group: &Group| Row {
        uid: group.uid,
        page: group::path_of(group.uid),
        name: ui::marked(&group.name, url.text("q")),
        id: group.fields.id.to_string(),
        members: Some(group.members),
        deleted: group.deleted.unwrap_or(group.updated),
        is_erased: false,
    };
    let rows: Vec<_> = found.items.iter().map(row).collect();
    Ok(page(&DeletedPage {
        may_restore: visit.may::<WriteGroups>(),
        search: (t::SEARCH_GROUPS, t::NAME),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/groups", &parameters),
        ..deleted(&visit, url, found.total, next, rows, false)
    })?)
}

/// The deleted users.
pub(in crate::console) async fn users(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let permit = visit.permit::<ReadUsers>()?;
    let (url, parameters) = searched(USERS, pairs, "username");
    let (found, next) = users_page(&api.service, &permit, &parameters).await?;
    let row = |user: &User| Row {
        uid: user.uid,
        page: user::path_of(user.uid),
        name: ui::name(&full_name(user)),
        id: username(user).to_owned(),
        members: None,
        deleted: user.deleted.unwrap_or(user.updated),
        is_erased: user.erased.is_some(),
    };
    let rows: Vec<_> = found.items.iter().map(row).collect();
    Ok(page(&DeletedPage {
        may_restore: visit.may::<WriteUsers>(),
        search: (t::SEARCH_USERS, t::USERNAME),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/users", &parameters),
        ..deleted(&visit, url, found.total, next, rows, true)
    })?)
}

fn deleted(
    visit: &Page,
    url: ListUrl,
    total: Option<u64>,
    next: Option<String>,
    rows: Vec<Row>,
    is_users: bool,
) -> DeletedPage {
    let tabs = [(visit.may::<ReadGroups>(), PATH, t::GROUPS), (visit.may::<ReadUsers>(), USERS, t::USERS)];
    DeletedPage {
        frame: visit.frame(t::TITLE, Section::Deleted),
        is_users,
        tabs: tabs.into_iter().filter(|tab| tab.0).map(|(_, path, name)| (path, name, path == url.path())).collect(),
        search: ("", ""),
        may_restore: false,
        matching: t::matching(&list::total(total), is_users),
        curl: String::new(),
        pager: url.pager(rows.len(), total, next),
        url,
        rows,
    }
}

/// The URL of the list, and the parameters of the API's list: what is searched for stands anywhere in the field.
fn searched(path: &str, pairs: Vec<(String, String)>, field: &str) -> (ListUrl, Vec<(String, String)>) {
    let url = ListUrl::new(path, pairs);
    let mut parameters = url.of_api(&[("deleted", "true")]);
    parameters.retain(|(name, _)| name != "q");
    // The operators of a filter mean nothing in a search.
    let term: String = url.text("q").chars().filter(|letter| !"*|!<>".contains(*letter)).collect();
    if !term.trim().is_empty() {
        parameters.push((field.to_owned(), format!("*{}*", term.trim())));
    }
    (url, parameters)
}

#[derive(Template)]
#[template(path = "restore.html")]
struct RestorePage {
    frame: Frame,
    /// The path of the page, to which the form is sent.
    action: String,
    /// The path of the list of what is deleted.
    list: &'static str,
    question: String,
    /// The numbers of what comes back and what does not.
    outcome: Vec<Outcome>,
    hint: Option<&'static str>,
    /// The version that the preview is of.
    version: i64,
    id: String,
    username: Option<String>,
    /// What is to be known of the ID, and of the username.
    advice: Advice,
    button: &'static str,
}

/// A line of the preview.
struct Outcome {
    number: String,
    text: &'static str,
    is_returning: bool,
}

#[derive(Default)]
struct Advice {
    id: Option<String>,
    username: Option<String>,
}

/// The preview of restoring a group.
pub(in crate::console) async fn group_preview(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
) -> Answer {
    visit.permit::<WriteGroups>()?;
    let group = group::find(&api, &visit, uid).await?;
    Ok(group_page(&api, &visit, &group, None, StatusCode::OK).await?)
}

/// The preview, with the ID that was filled in and what is wrong with it.
async fn group_page(
    api: &ApiState,
    visit: &Page,
    group: &Group,
    filled: Option<(String, String)>,
    status: StatusCode,
) -> Result<Response> {
    let (permit, key) = (visit.permit::<ReadGroups>()?, GroupKey::Uid(group.uid));
    let Some(deleted) = group.deleted else { return Ok(redirect(&group::path_of(group.uid))) };
    let query = MembersAtQuery { group: group.uid, at: before(deleted), after: None, limit: 1 };
    // A number that the journal no longer has is left out.
    let then = kept(api.service.members_at(&permit, &key, query).await)?;
    let returning = group.members.unsigned_abs();
    let mut outcome = vec![Outcome { number: ui::number(&returning), text: t::PEOPLE_COME_BACK, is_returning: true }];
    let gone = then.map_or(0, |(_, then)| then.total.saturating_sub(returning));
    if gone > 0 {
        outcome.push(Outcome { number: ui::number(&gone), text: t::STAY_AWAY, is_returning: false });
    }
    let labels = group.fields.labels.iter().count() as u64;
    outcome.push(Outcome { number: ui::number(&labels), text: t::LABELS, is_returning: true });
    let is_taken = api.service.group_number(&permit, &GroupKey::Id(group.fields.id.clone())).await?.is_some();
    let (id, advice) = match filled {
        Some((id, problem)) => (id, Some(problem)),
        None => (group.fields.id.to_string(), is_taken.then(|| t::TAKEN.to_owned())),
    };
    page_with(
        status,
        &RestorePage {
            frame: visit.frame(t::question(&group.name), Section::Deleted),
            action: format!("{PATH}/groups/{}", group.uid),
            list: PATH,
            question: t::question(&group.name),
            outcome,
            hint: None,
            version: group.version,
            id,
            username: None,
            advice: Advice { id: advice, username: None },
            button: t::RESTORE_GROUP,
        },
    )
}

/// Restores a group.
pub(in crate::console) async fn restore_group(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    let (operation, typed) = (api.service.new_operation(), fields.trimmed("id").to_owned());
    if fields.is_resumed() {
        let group = group::find(&api, &visit, uid).await?;
        return Ok(group_page(&api, &visit, &group, Some((typed, String::new())), StatusCode::OK).await?);
    }
    let restored = async {
        let permit = visit.change_of::<WriteGroups>(&operation, fields.reason()?, previewed(uid, &fields)?)?;
        Ok::<_, Error>(api.service.restore_group(&permit, GroupKey::Uid(uid), new_id(&typed)?).await?)
    };
    match restored.await {
        Ok(restored) => {
            let (group, returned) = (&restored.entity, ui::number(&restored.memberships.returned));
            let text = m::group::restored(&group.name, group.fields.id.as_str(), &returned);
            Ok(see(&group::path_of(uid), &Done::undoable(text, operation)))
        }
        Err(error) => {
            let (refused, status) = refused(error, typed)?;
            let group = group::find(&api, &visit, uid).await?;
            Ok(group_page(&api, &visit, &group, Some(refused), status).await?)
        }
    }
}

/// The preview of restoring a user.
pub(in crate::console) async fn user_preview(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
) -> Answer {
    visit.permit::<WriteUsers>()?;
    Ok(user_page(&api, &visit, uid, None, Advice::default(), StatusCode::OK).await?)
}

/// The preview, with the ID and username that were filled in.
async fn user_page(
    api: &ApiState,
    visit: &Page,
    uid: UserUid,
    filled: Option<(String, String)>,
    advice: Advice,
    status: StatusCode,
) -> Result<Response> {
    let found = user::find(api, visit, uid).await?.user;
    let Some(deleted) = found.deleted else { return Ok(redirect(&user::path_of(uid))) };
    if found.erased.is_some() {
        return Err(DirectoryError::AlreadyErased.into());
    }
    let outcome = match visit.permit::<ReadGroups>() {
        Ok(permit) => {
            let visibility = visit.caller().visibility.clone();
            let (at, limit) = (before(deleted), GROUPS_COUNTED);
            let query = JoinedGroupsAtQuery { user: uid, visibility, at, after: None, limit };
            let then = kept(api.service.joined_groups_at(&permit, &UserKey::Uid(uid), query).await)?;
            let line = then.map(|(_, then)| {
                let more = if then.next.is_some() { "+" } else { "" };
                let number = format!("{}{more}", ui::number(&(then.items.len() as u64)));
                Outcome { number, text: t::GROUPS_THEN, is_returning: true }
            });
            line.into_iter().collect()
        }
        Err(_) => Vec::new(),
    };
    let own = || (found.fields.id.to_string(), found.fields.username.clone());
    let (id, username) = filled.unwrap_or_else(own);
    page_with(
        status,
        &RestorePage {
            frame: visit.frame(t::question(&full_name(&found)), Section::Deleted),
            action: format!("{USERS}/{uid}"),
            list: USERS,
            question: t::question(&full_name(&found)),
            outcome,
            hint: Some(t::NO_PASSWORD),
            version: found.version,
            id,
            username: Some(username),
            advice,
            button: t::RESTORE_USER,
        },
    )
}

/// Restores a user.
pub(in crate::console) async fn restore_user(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    let (id, username) = (fields.trimmed("id").to_owned(), fields.trimmed("username").to_owned());
    if fields.is_resumed() {
        let filled = Some((id, username));
        return Ok(user_page(&api, &visit, uid, filled, Advice::default(), StatusCode::OK).await?);
    }
    let operation = api.service.new_operation();
    let restored = async {
        let permit = visit.change_of::<WriteUsers>(&operation, fields.reason()?, previewed(uid, &fields)?)?;
        let username = fields.filled("username").map(str::to_owned);
        let new = NewIdentity { id: new_id(&id)?, username };
        Ok::<_, Error>(api.service.restore_user(&permit, UserKey::Uid(uid), new).await?)
    };
    match restored.await {
        Ok(restored) => {
            let groups = ui::number(&restored.memberships.returned);
            let text = t::restored_user(&full_name(&restored.entity), &groups);
            Ok(see(&user::path_of(uid), &Done::undoable(text, operation)))
        }
        Err(Error::Directory(DirectoryError::UsernameTaken)) => {
            let advice = Advice { id: None, username: Some(t::USERNAME_TAKEN.to_owned()) };
            Ok(user_page(&api, &visit, uid, Some((id, username)), advice, StatusCode::CONFLICT).await?)
        }
        Err(error) => {
            let ((id, problem), status) = refused(error, id)?;
            let advice = Advice { id: Some(problem), username: None };
            Ok(user_page(&api, &visit, uid, Some((id, username)), advice, status).await?)
        }
    }
}

/// The ID that the form gives; `None` if it leaves it as it was. Fails with `Invalid`.
fn new_id(typed: &str) -> Result<Option<Id>> {
    match typed {
        "" => Ok(None),
        _ => Ok(Some(Id::new(typed).ok_or_else(|| DirectoryError::invalid("id", Id::RULE))?)),
    }
}

/// The ID to fill in after a refusal, and what is to be known of it. Fails with the error if it is not about the ID.
fn refused(error: Error, typed: String) -> Result<((String, String), StatusCode)> {
    match error {
        Error::Directory(DirectoryError::RestoredIdTaken { proposed, .. }) => {
            Ok(((proposed, t::PROPOSED.to_owned()), StatusCode::CONFLICT))
        }
        Error::Directory(DirectoryError::Invalid(violations)) => {
            let problem = violations.first().map(|own| m::errors::violation(own.field, &own.reason));
            Ok(((typed, problem.unwrap_or_default()), StatusCode::BAD_REQUEST))
        }
        other => Err(other),
    }
}

/// What is known of a moment; `None` if the directory no longer keeps it.
fn kept<T>(found: crate::domain::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(DirectoryError::BeforeHorizon(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The version of the deleted group or user that the preview was of. Fails with `PreconditionFailed` if the form has none.
fn previewed(uid: i64, fields: &Fields) -> Result<EntityVersion> {
    let version = fields.trimmed("version").parse().map_err(|_| DirectoryError::PreconditionFailed)?;
    Ok(EntityVersion { uid, version })
}

/// The last moment before a deletion.
fn before(deleted: Timestamp) -> Timestamp {
    Timestamp::from_micros(deleted.as_micros() - 1)
}
