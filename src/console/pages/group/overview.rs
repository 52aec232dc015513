//! The fields of a group, and a new group.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::WriteGroups;
use crate::domain::error::Error as DirectoryError;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::http::ApiState;
use crate::http::request::error::{Error, Result};
use crate::http::request::extract::Path;

use super::fields::{GroupForm, read};
use super::{GroupHead, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::difference::Difference;
use crate::console::done::{Done, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::list;
use crate::console::messages::{self as m, group as t};
use crate::console::pages::page_with;
use crate::console::ui;

#[derive(Template)]
#[template(path = "group_overview.html")]
struct OverviewPage {
    frame: Frame,
    head: GroupHead,
    form: GroupForm,
    /// What somebody else saved meanwhile, beside what the form says.
    theirs: Vec<Difference>,
    group: Group,
    /// The number of the group, which is its ID in the Core API.
    core_id: String,
    curl: String,
}

#[derive(Template)]
#[template(path = "group_new.html")]
struct NewPage {
    frame: Frame,
    form: GroupForm,
}

/// The page of a group.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Path(uid): Path<GroupUid>) -> Answer {
    let group = find(&api, &visit, uid).await?;
    let form = GroupForm::of(&group, api.service.default_language().as_str(), &visit.caller().visibility);
    Ok(rendered(&visit, group, form, Vec::new(), StatusCode::OK)?)
}

fn rendered(
    visit: &Page,
    group: Group,
    form: GroupForm,
    theirs: Vec<Difference>,
    status: StatusCode,
) -> Result<Response> {
    let page = OverviewPage {
        frame: visit.frame(&group.name, Section::Groups),
        head: GroupHead::new(visit, &group, Tab::Overview),
        curl: list::curl(&visit.browser.origin, &format!("/rollbook/v1/groups/{}", group.fields.id), &[]),
        form,
        theirs,
        core_id: group.uid.to_string(),
        group,
    };
    page_with(status, &page)
}

/// Saves the fields. A form over an older version is shown beside what is there now, and changes nothing.
pub(in crate::console) async fn save(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    let default = api.service.default_language().as_str();
    let form = || GroupForm::filled(&fields, default);
    if fields.is_resumed() {
        let group = find(&api, &visit, uid).await?;
        return Ok(rendered(&visit, group, form(), Vec::new(), StatusCode::OK)?);
    }
    let operation = api.service.new_operation();
    let before = fields.text("version").to_owned();
    let saved = async {
        let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
        Ok(api.service.put_complete_group(&permit, GroupKey::Uid(uid), read(&fields)?).await?)
    };
    match saved.await {
        Ok(group) if group.version.to_string() == before => Ok(see(&path_of(uid), &Done::new(t::NOTHING_CHANGED))),
        Ok(group) => Ok(see(&path_of(uid), &Done::undoable(t::saved(&group.name), operation))),
        Err(Error::Directory(DirectoryError::PreconditionFailed)) => {
            let group = find(&api, &visit, uid).await?;
            let theirs = GroupForm::of(&group, default, &visit.caller().visibility);
            let form = form().over_version(&theirs.version);
            let differences = differences(&theirs, &form);
            Ok(rendered(&visit, group, form, differences, StatusCode::CONFLICT)?)
        }
        Err(error) => {
            let form = form().with_problems(error)?;
            let group = find(&api, &visit, uid).await?;
            Ok(rendered(&visit, group, form, Vec::new(), StatusCode::BAD_REQUEST)?)
        }
    }
}

/// The fields of two forms that are not the same.
fn differences(theirs: &GroupForm, mine: &GroupForm) -> Vec<Difference> {
    let labels = |form: &GroupForm| {
        let filled = form.labels.iter().filter(|label| !label.text.is_empty());
        filled.map(|label| format!("{}: {}", label.tag, label.text)).collect::<Vec<_>>().join("\n")
    };
    [
        (t::LABELS, labels(theirs), labels(mine)),
        (t::DESCRIPTION, theirs.description.clone(), mine.description.clone()),
        (t::COMMUNITIES, theirs.communities.clone(), mine.communities.clone()),
        (t::XP, theirs.xp.clone(), mine.xp.clone()),
    ]
    .into_iter()
    .filter(|(_, theirs, mine)| theirs.trim() != mine.trim())
    .map(|(field, theirs, mine)| Difference::of_texts(field, &theirs, &mine))
    .collect()
}

/// The form of a new group.
pub(in crate::console) async fn new(State(api): State<ApiState>, visit: Page) -> Answer {
    visit.permit::<WriteGroups>()?;
    let form = GroupForm::empty(api.service.default_language().as_str());
    Ok(new_page(&visit, form, StatusCode::OK)?)
}

fn new_page(visit: &Page, form: GroupForm, status: StatusCode) -> Result<Response> {
    page_with(status, &NewPage { frame: visit.frame(t::NEW, Section::Groups), form })
}

/// Creates a group.
pub(in crate::console) async fn create(State(api): State<ApiState>, visit: Page, fields: Fields) -> Answer {
    let form = || GroupForm::filled(&fields, api.service.default_language().as_str());
    if fields.is_resumed() {
        return Ok(new_page(&visit, form(), StatusCode::OK)?);
    }
    let operation = api.service.new_operation();
    let created = async {
        let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
        Ok(api.service.create_complete_group(&permit, read(&fields)?).await?)
    };
    match created.await {
        Ok(group) => {
            Ok(see(&format!("{}/members", path_of(group.uid)), &Done::undoable(t::created(&group.name), operation)))
        }
        Err(error) => Ok(new_page(&visit, form().with_problems(error)?, StatusCode::BAD_REQUEST)?),
    }
}
