//! The members of a group: the list, adding people by search or from a pasted list, and removing them.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;

use crate::domain::actor::NamedActor;
use crate::domain::address;
use crate::domain::caller::{ReadUsers, WriteGroups};
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::membership::{Member, MembersChange, MembersOptions};
use crate::domain::time::Timestamp;
use crate::domain::user::UserKey;
use crate::http::ApiState;
use crate::http::lists;
use crate::http::request::error::Result;
use crate::http::request::extract::{Path, Query};

use super::{GroupHead, Tab, path_of};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, group as t};
use crate::console::pages::groups::Column;
use crate::console::pages::page;
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "group_members.html")]
struct MembersPage {
    frame: Frame,
    head: GroupHead,
    url: ListUrl,
    sees_users: bool,
    matching: String,
    curl: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: Pager,
}

/// One member.
struct Row {
    uid: i64,
    name: Html,
    avatar: Html,
    username: Html,
    is_active: bool,
    since: Timestamp,
    added_by: Option<String>,
    /// What a screen reader says of the box that selects the member.
    select: String,
}

/// The list.
pub(in crate::console) async fn list(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    Query(pairs): Query,
) -> Answer {
    let permit = visit.permit()?;
    let url = ListUrl::new(format!("{}/members", path_of(uid)), pairs);
    let parameters = url.of_api(&[]);
    let (group, found, next) = lists::members(&api.service, &permit, GroupKey::Uid(uid), &parameters).await?;
    let actors = api.service.actors_of(&permit, found.items.iter().map(|member| member.change)).await?;
    let sees_users = visit.may::<ReadUsers>();
    let rows: Vec<_> = found.items.iter().map(|member| row(member, &actors, sees_users, url.text("q"))).collect();
    let total = found.total;
    Ok(page(&MembersPage {
        frame: visit.frame(t::members_of(&group.name), Section::Groups),
        head: GroupHead::new(&visit, &group, Tab::Members),
        matching: t::matching_members(total.unwrap_or(2), &list::total(total), url.value("q").is_some()),
        curl: list::curl(
            &visit.browser.origin,
            &format!("/rollbook/v1/groups/{}/members", group.fields.id),
            &parameters,
        ),
        columns: columns(&url, sees_users),
        pager: url.pager(rows.len(), total, next),
        url,
        sees_users,
        rows,
    })?)
}

fn columns(url: &ListUrl, sees_users: bool) -> Vec<Column> {
    let sort = url.value("sort").unwrap_or("id");
    let column = |label, key: Option<&str>| Column { label, class: "", link: key.map(|key| url.sort_by(key, sort)) };
    // Groups of any size are sorted by ID and time.
    let name = if sees_users { column(t::NAME, None) } else { column(t::ID, Some("id")) };
    let username = sees_users.then(|| column(t::ID, Some("id")));
    [Some(name), username, Some(column(t::SINCE, Some("since"))), Some(column(t::ADDED_BY, None))]
        .into_iter()
        .flatten()
        .collect()
}

fn row(member: &Member, actors: &HashMap<i64, NamedActor>, sees_users: bool, term: &str) -> Row {
    let user = &member.user;
    let id = user.fields.id.as_str();
    let name = if sees_users { full_name(user) } else { id.to_owned() };
    Row {
        uid: user.uid,
        avatar: ui::avatar(&name),
        select: t::select(&name),
        name: ui::marked(&name, term),
        username: ui::marked(id, term),
        is_active: user.fields.active || !sees_users,
        since: member.since,
        added_by: member.change.and_then(|change| actors.get(&change)).and_then(|actor| actor_name(actor, sees_users)),
    }
}

/// Who acted, in words. Users are named for readers of users alone.
fn actor_name(actor: &NamedActor, sees_users: bool) -> Option<String> {
    let client = actor.client.as_ref().map(|client| client.name.clone());
    let user = actor.user.as_ref().map(|user| if sees_users { user.username.clone() } else { user.id.clone() });
    let operator = actor.operator.as_ref().map(|operator| format!("{}@{}", operator.user, operator.host));
    client.or(user).or(operator)
}

/// Adds the people that the form names, one a line or separated by commas.
pub(in crate::console) async fn add(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    let path = format!("{}/members", path_of(uid));
    if fields.is_resumed() {
        return Ok(redirect(&path));
    }
    let named: Vec<_> = fields.text("who").split([',', '\n']).map(str::trim).filter(|text| !text.is_empty()).collect();
    let users: Vec<_> = named.iter().filter_map(|text| key(text)).collect();
    let change = MembersChange::Delta { add: users, remove: Vec::new() };
    Ok(changed(&api, &visit, uid, change, &fields).await?)
}

/// Removes the selected people.
pub(in crate::console) async fn remove(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&format!("{}/members", path_of(uid))));
    }
    let users = fields.all("u").filter_map(|uid| address::user_key(&format!("uid:{uid}"))).collect();
    Ok(changed(&api, &visit, uid, MembersChange::Delta { add: Vec::new(), remove: users }, &fields).await?)
}

/// The user that a text names: `uid:` and a number, an ID, or a username.
fn key(text: &str) -> Option<UserKey> {
    match text.contains('@') {
        true => address::user_key(&format!("username:{text}")),
        false => address::user_key(text),
    }
}

async fn changed(
    api: &ApiState,
    visit: &Page,
    uid: GroupUid,
    change: MembersChange,
    fields: &Fields,
) -> Result<axum::response::Response> {
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
    let options =
        MembersOptions { unknown: crate::domain::membership::UnknownUsers::Ignore, ..MembersOptions::default() };
    let outcome = api.service.change_members(&permit, GroupKey::Uid(uid), change, options).await?;
    let text = t::members_changed(outcome.added, outcome.removed, outcome.unchanged, outcome.unknown.len() as u64);
    let done = match outcome.added + outcome.removed {
        0 => Done::new(text),
        _ => Done::undoable(text, operation),
    };
    Ok(see(&format!("{}/members", path_of(uid)), &done))
}
