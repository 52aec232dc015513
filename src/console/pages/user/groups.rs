//! The groups of a user, now or at any moment; adding the user to a group, and removing them from one.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;

use crate::domain::actor::NamedActor;
use crate::domain::address;
use crate::domain::caller::{ReadGroups, ReadUsers, WriteGroups};
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::membership::{JoinedGroup, MembersChange, MembersOptions};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::http::request::error::{DirectoryError, Error};
use crate::http::request::extract::{Path, Query};
use crate::http::{ApiState, lists};
use crate::service::complete_users::CountedUser;

use super::{Tab, UserHead, api_path, find, path_of};
use crate::console::browser::Page;
use crate::console::done::{redirect, see};
use crate::console::error::Problem;
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, group as g, history as h, user as t};
use crate::console::pages::group::history::moment;
use crate::console::pages::group::members::done;
use crate::console::pages::page;
use crate::console::table::Column;
use crate::console::timeline::actor_name;
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "user_groups.html")]
struct GroupsPage {
    frame: Frame,
    head: UserHead,
    user: User,
    own: Own,
    /// The value of the field for the moment.
    at: String,
    /// The moment of the list, in words; `None` = now.
    moment: Option<String>,
    may_change: bool,
    /// What was filled in, and what is wrong with it.
    refused: Option<(String, String)>,
    curl: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: Pager,
}

/// What stands beside the groups.
struct Own {
    roles: Vec<&'static str>,
    communities: Vec<String>,
}

/// One group.
struct Row {
    uid: GroupUid,
    name: Html,
    remove: String,
    members: i64,
    since: Timestamp,
    added_by: Option<String>,
}

/// The page. Leads to the profile if the visitor may not read groups.
pub(in crate::console) async fn list(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    Query(pairs): Query,
) -> Answer {
    if !visit.may::<ReadGroups>() {
        return Ok(redirect(&format!("{}/profile", path_of(uid))));
    }
    rendered(&api, &visit, uid, pairs, None).await
}

async fn rendered(
    api: &ApiState,
    visit: &Page,
    uid: UserUid,
    pairs: Vec<(String, String)>,
    refused: Option<(String, String)>,
) -> Answer {
    visit.permit::<ReadUsers>()?;
    let url = ListUrl::new(path_of(uid), pairs);
    let (permit, key, reader) = (visit.permit::<ReadGroups>()?, UserKey::Uid(uid), &visit.browser.reader);
    let at = moment(visit, &url)?;
    let mut parameters = url.of_api(&[]);
    let (found, groups, total, next) = match at {
        // The list says who the user is, and how many groups there are.
        None => {
            let (user, page, next) = lists::joined_groups(&api.service, &permit, key, &parameters).await?;
            (CountedUser { user, groups: page.total }, page.items, page.total, next)
        }
        Some(at) => {
            let found = find(api, visit, uid).await?;
            // The user did not exist yet.
            if at < found.user.created {
                (found, Vec::new(), None, None)
            } else {
                parameters.push(("at".to_owned(), format!("{}Z", at.to_civil())));
                let (page, next) = lists::joined_groups_at(&api.service, &permit, key, at, &parameters).await?;
                (found, page.items, None, next)
            }
        }
    };
    let actors = api.service.actors_of(&permit, groups.iter().map(|joined| joined.change)).await?;
    let rows: Vec<_> = groups.iter().map(|joined| row(joined, &actors)).collect();
    let path = format!("{}/groups", api_path(&found.user));
    let sort = url.value("sort").unwrap_or("uid");
    let may_change = visit.may::<WriteGroups>() && found.user.deleted.is_none() && at.is_none();
    let head = UserHead::new(api, visit, &found, Tab::Groups);
    Ok(page(&GroupsPage {
        frame: visit.frame(t::groups_of(&full_name(&found.user)), Section::Users),
        own: Own {
            roles: found.user.fields.roles.names().collect(),
            communities: permit
                .caller()
                .visibility
                .seen(&found.user.fields.communities)
                .map(ToString::to_string)
                .collect(),
        },
        user: found.user,
        head,
        at: reader.field(at.unwrap_or(api.service.now())),
        moment: at.map(|at| reader.full_moment(at)),
        may_change,
        refused,
        curl: list::curl(&visit.browser.origin, &path, &parameters),
        columns: match at {
            None => vec![
                Column::sorted(&url, g::NAME, "", "name", sort),
                Column::plain(g::MEMBERS, "n"),
                Column::plain(g::SINCE, ""),
                Column::plain(g::ADDED_BY, ""),
            ],
            Some(_) => vec![Column::plain(g::NAME, ""), Column::plain(g::SINCE, "")],
        },
        pager: url.pager(rows.len(), total, next),
        rows,
    })?)
}

fn row(joined: &JoinedGroup, actors: &HashMap<i64, NamedActor>) -> Row {
    let group = &joined.group;
    Row {
        uid: group.uid,
        name: ui::name(&group.name),
        remove: t::remove_from(&group.name),
        members: group.members,
        since: joined.since,
        added_by: joined.change.and_then(|change| actors.get(&change)).map(|actor| actor_name(actor, true).0),
    }
}

/// Adds the user to a group.
pub(in crate::console) async fn add(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    let typed = fields.trimmed("group").to_owned();
    if fields.is_resumed() {
        return rendered(&api, &visit, uid, Vec::new(), Some((typed, String::new()))).await;
    }
    let operation = api.service.new_operation();
    let added = async {
        let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
        let key = address::group(&typed)?;
        let change = MembersChange::Delta { add: vec![UserKey::Uid(uid)], remove: Vec::new() };
        Ok::<_, Error>(api.service.change_members(&permit, key, change, MembersOptions::default()).await?)
    };
    match added.await {
        Ok(outcome) => Ok(see(&path_of(uid), &done(&outcome, operation))),
        Err(error @ Error::Directory(DirectoryError::NotFound(..) | DirectoryError::Invalid(_))) => {
            let problem = Problem::of(&error).title;
            rendered(&api, &visit, uid, Vec::new(), Some((typed, problem))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes the user from a group.
pub(in crate::console) async fn remove(
    State(api): State<ApiState>,
    visit: Page,
    Path((uid, group)): Path<(UserUid, GroupUid)>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&path_of(uid)));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
    let change = MembersChange::Delta { add: Vec::new(), remove: vec![UserKey::Uid(uid)] };
    let outcome = api.service.change_members(&permit, GroupKey::Uid(group), change, MembersOptions::default()).await?;
    Ok(see(&path_of(uid), &done(&outcome, operation)))
}
