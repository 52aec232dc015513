//! Renaming and deleting a group.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::WriteGroups;
use crate::domain::error::Error as DirectoryError;
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::id::Id;
use crate::http::ApiState;
use crate::http::request::error::{Error, Result};
use crate::http::request::extract::Path;
use crate::service::complete_groups::GroupChange;

use super::{GroupHead, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::error::Problem;
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, group as t};
use crate::console::pages::page_with;
use crate::console::ui;

#[derive(Template)]
#[template(path = "group_danger.html")]
struct DangerPage {
    frame: Frame,
    head: GroupHead,
    id: String,
    problem: Option<String>,
    consequence: String,
    question: String,
}

/// The page.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Path(uid): Path<GroupUid>) -> Answer {
    visit.permit::<WriteGroups>()?;
    Ok(rendered(&api, &visit, uid, None).await?)
}

async fn rendered(api: &ApiState, visit: &Page, uid: GroupUid, refused: Option<(String, String)>) -> Result<Response> {
    let group = find(api, visit, uid).await?;
    let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (id, problem) = refused.map_or_else(|| (group.fields.id.to_string(), None), |(id, text)| (id, Some(text)));
    let page = DangerPage {
        frame: visit.frame(&group.name, Section::Groups),
        head: GroupHead::new(visit, &group, Tab::Danger),
        consequence: t::deletion(group.members.unsigned_abs(), &ui::number(&group.members)),
        question: t::delete_question(&group.name),
        id,
        problem,
    };
    page_with(status, &page)
}

/// Gives the group another ID.
pub(in crate::console) async fn rename(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    let (operation, typed) = (api.service.new_operation(), fields.trimmed("id").to_owned());
    if fields.is_resumed() {
        return Ok(redirect(&format!("{}/danger", path_of(uid))));
    }
    let renamed = async {
        let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
        let id = Id::new(&typed).ok_or_else(|| DirectoryError::invalid("ID", Id::RULE))?;
        let change = GroupChange { id: Some(id), ..GroupChange::default() };
        Ok(api.service.change_complete_group(&permit, GroupKey::Uid(uid), change).await?)
    };
    match renamed.await {
        Ok(group) => Ok(see(&path_of(uid), &Done::undoable(t::renamed(group.fields.id.as_str()), operation))),
        Err(error @ Error::Directory(DirectoryError::Invalid(_) | DirectoryError::AlreadyExists(..))) => {
            let problem = Problem::of(&error).text;
            Ok(rendered(&api, &visit, uid, Some((typed, problem))).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Deletes the group.
pub(in crate::console) async fn delete(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&format!("{}/danger", path_of(uid))));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
    let group = find(&api, &visit, uid).await?;
    api.service.delete_complete_group(&permit, GroupKey::Uid(uid), false).await?;
    Ok(see(crate::console::START, &Done::undoable(t::deleted(&group.name), operation)))
}
