//! The members that a group had at a moment.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::ReadUsers;
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::http::lists;
use crate::http::request::extract::{Path, Query};

use super::history::moment;
use super::{GroupHead, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::done::redirect;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, group as t, history as h};
use crate::console::pages::page;
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "group_then.html")]
struct ThenPage {
    frame: Frame,
    head: GroupHead,
    moment: String,
    back: String,
    matching: String,
    curl: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// A member of that moment.
struct Row {
    name: Html,
    avatar: Html,
    id: String,
    since: Timestamp,
}

/// The page. Leads to the members of today if the URL names no moment.
pub(in crate::console) async fn list(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    Query(pairs): Query,
) -> Answer {
    let group = find(&api, &visit, uid).await?;
    let members = format!("{}/members", path_of(uid));
    let url = ListUrl::new(format!("{members}/then"), pairs);
    let Some(at) = moment(&visit, &url)? else { return Ok(redirect(&members)) };
    let mut parameters = url.of_api(&[]);
    parameters.push(("at".to_owned(), format!("{}Z", at.to_civil())));
    let (found, next) = lists::members_at(&api.service, &visit.permit()?, GroupKey::Uid(uid), at, &parameters).await?;
    let sees_users = visit.may::<ReadUsers>();
    let row = |member: &crate::domain::membership::Member| {
        let id = member.user.fields.id.to_string();
        let name = if sees_users { full_name(&member.user) } else { id.clone() };
        Row { name: ui::name(&name), avatar: ui::avatar(&name), id, since: member.since }
    };
    let rows: Vec<_> = found.items.iter().map(row).collect();
    let path = format!("/rollbook/v1/groups/{}/members", group.fields.id);
    Ok(page(&ThenPage {
        frame: visit.frame(t::members_of(&group.name), Section::Groups),
        head: GroupHead::new(&visit, &group, Tab::Members),
        moment: visit.browser.reader.full_moment(at),
        back: format!("{}/history?at={}", path_of(uid), list::encoded(url.text("at"))),
        matching: t::matching_members(found.total, &ui::number(&found.total), false),
        curl: list::curl(&visit.browser.origin, &path, &parameters),
        pager: url.pager(rows.len(), Some(found.total), next),
        rows,
    })?)
}
