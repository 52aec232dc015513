//! The members of a group: the list, and removing some of them.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;

use crate::domain::actor::NamedActor;
use crate::domain::address;
use crate::domain::caller::{ReadUsers, WriteGroups};
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::membership::{Member, MembersChange, MembersOptions, MembersOutcome, UnknownUsers};
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::http::lists;
use crate::http::request::extract::{Path, Query};

use super::{GroupHead, Tab, path_of};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, group as t};
use crate::console::pages::page;
use crate::console::table::Column;
use crate::console::timeline::actor_name;
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "group_members.html")]
struct MembersPage {
    frame: Frame,
    head: GroupHead,
    url: ListUrl,
    sees_users: bool,
    members_placeholder: &'static str,
    matching: String,
    /// The URL of the file with these members.
    csv: String,
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
    /// What a screen reader says of the link to the membership.
    why: String,
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
        csv: format!("{}/members.csv{}", path_of(uid), list::query(&url.of_api(&[]))),
        columns: columns(&url, sees_users),
        pager: url.pager(rows.len(), total, next),
        url,
        sees_users,
        members_placeholder: if sees_users { t::NAME_OR_USERNAME } else { t::ID },
        rows,
    })?)
}

fn columns(url: &ListUrl, sees_users: bool) -> Vec<Column> {
    let sort = url.value("sort").unwrap_or("id");
    // Groups of any size are sorted by ID and time.
    let id = |label| Column::sorted(url, label, "", "id", sort);
    let mut columns = if sees_users { vec![Column::plain(t::NAME, ""), id(t::ID)] } else { vec![id(t::ID)] };
    columns.extend([Column::sorted(url, t::SINCE, "", "since", sort), Column::plain(t::ADDED_BY, "")]);
    columns
}

fn row(member: &Member, actors: &HashMap<i64, NamedActor>, sees_users: bool, term: &str) -> Row {
    let user = &member.user;
    let id = user.fields.id.as_str();
    let name = if sees_users { full_name(user) } else { id.to_owned() };
    Row {
        uid: user.uid,
        avatar: ui::avatar(&name),
        select: t::select(&name),
        why: t::why(&name),
        name: ui::marked(&name, term),
        username: ui::marked(id, term),
        is_active: user.fields.active || !sees_users,
        since: member.since,
        added_by: member.change.and_then(|change| actors.get(&change)).map(|actor| actor_name(actor, sees_users).0),
    }
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
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
    let change = MembersChange::Delta { add: Vec::new(), remove: users };
    let options = MembersOptions { unknown: UnknownUsers::Ignore, ..MembersOptions::default() };
    let outcome = api.service.change_members(&permit, GroupKey::Uid(uid), change, options).await?;
    Ok(see(&format!("{}/members", path_of(uid)), &done(&outcome, operation)))
}

/// What a change of members did.
pub(in crate::console::pages) fn done(outcome: &MembersOutcome, operation: String) -> Done {
    let text = t::members_changed(outcome.added, outcome.removed, outcome.unchanged, outcome.unknown.len() as u64);
    match outcome.added + outcome.removed {
        0 => Done::new(text),
        _ => Done::undoable(text, operation),
    }
}
