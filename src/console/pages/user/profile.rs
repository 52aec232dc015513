//! The fields of a user that say who they are.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::WriteUsers;
use crate::domain::user::{User, UserKey, UserUid};
use crate::http::request::error::{DirectoryError, Error, Result};
use crate::http::request::extract::Path;
use crate::http::{ApiState, entities};

use super::form::{UserForm, body, of_user, shown};
use super::{Tab, UserHead, api_path, find, path_of};
use crate::console::browser::Page;
use crate::console::difference::Difference;
use crate::console::done::{Done, see};
use crate::console::form::{Answer, Fields, Form};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list;
use crate::console::messages::{self as m, group as g, user as t};
use crate::console::pages::page_with;
use crate::console::ui;

/// The fields of the form.
const FIELDS: [&str; 7] = ["firstName", "lastName", "username", "email", "phone", "id", "xp"];

#[derive(Template)]
#[template(path = "user_profile.html")]
struct ProfilePage {
    frame: Frame,
    head: UserHead,
    user: User,
    form: UserForm,
    theirs: Vec<Difference>,
    curl: String,
}

/// The page.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Path(uid): Path<UserUid>) -> Answer {
    Ok(rendered(&api, &visit, uid, None, StatusCode::OK).await?)
}

/// The page with the form as it was filled in; `None` = with the fields of the user.
async fn rendered(
    api: &ApiState,
    visit: &Page,
    uid: UserUid,
    filled: Option<Form>,
    status: StatusCode,
) -> Result<Response> {
    let found = find(api, visit, uid).await?;
    let (present, head) =
        (of_user(&found.user, &visit.caller().visibility), UserHead::new(api, visit, &found, Tab::Profile));
    let (form, theirs) = shown(present, filled, status, &FIELDS);
    let page = ProfilePage {
        frame: visit.frame(full_name(&found.user), Section::Users),
        curl: list::curl(&visit.browser.origin, &api_path(&found.user), &[]),
        user: found.user,
        head,
        form: UserForm::new(form, visit),
        theirs,
    };
    page_with(status, &page)
}

/// Saves the fields. A form over an older version is shown beside what is there now, and changes nothing.
pub(in crate::console) async fn save(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    let form = || Some(Form::new(fields.clone()));
    if fields.is_resumed() {
        return Ok(rendered(&api, &visit, uid, form(), StatusCode::OK).await?);
    }
    let (operation, before) = (api.service.new_operation(), fields.text("version").to_owned());
    let saved = async {
        let permit = visit.change::<WriteUsers>(&operation, fields.reason()?)?;
        let user = entities::user(body(&fields)?)?;
        Ok::<_, Error>(api.service.put_complete_user(&permit, UserKey::Uid(uid), user).await?)
    };
    let path = format!("{}/profile", path_of(uid));
    match saved.await {
        Ok(user) if user.version.to_string() == before => Ok(see(&path, &Done::new(g::NOTHING_CHANGED))),
        Ok(user) => Ok(see(&path, &Done::undoable(g::saved(&full_name(&user)), operation))),
        Err(Error::Directory(DirectoryError::PreconditionFailed)) => {
            Ok(rendered(&api, &visit, uid, form(), StatusCode::CONFLICT).await?)
        }
        Err(error) => {
            let form = Form::new(fields.clone()).with_problems(error)?;
            Ok(rendered(&api, &visit, uid, Some(form), StatusCode::BAD_REQUEST).await?)
        }
    }
}
