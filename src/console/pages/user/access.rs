//! What a user may do, and how they sign in: roles, communities, password, lock, sessions; and deleting the user.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::WriteUsers;
use crate::domain::user::{Secret, User, UserKey, UserUid};
use crate::http::request::error::{DirectoryError, Error, Result};
use crate::http::request::extract::Path;
use crate::http::{ApiState, entities};

use super::form::{self, UserForm, body, of_user};
use super::{Tab, UserHead, api_path, find, path_of};
use crate::console::browser::Page;
use crate::console::difference::Difference;
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields, Form};
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list;
use crate::console::messages::{self as m, group as g, user as t};
use crate::console::pages::{page_with, users};
use crate::console::ui;

/// The fields of the form of roles.
const FIELDS: [&str; 3] = ["role", "active", "communities"];

#[derive(Template)]
#[template(path = "user_access.html")]
struct AccessPage {
    frame: Frame,
    head: UserHead,
    user: User,
    form: UserForm,
    theirs: Vec<Difference>,
    is_password_refused: bool,
    consequence: String,
    curl: String,
}

/// The page.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Path(uid): Path<UserUid>) -> Answer {
    Ok(rendered(&api, &visit, uid, Shown::default()).await?)
}

/// What the page shows apart from the fields of the user.
#[derive(Default)]
struct Shown {
    /// The form of roles as it was filled in.
    form: Option<Form>,
    is_password_refused: bool,
    status: StatusCode,
}

async fn rendered(api: &ApiState, visit: &Page, uid: UserUid, shown: Shown) -> Result<Response> {
    let found = find(api, visit, uid).await?;
    let (present, head) =
        (of_user(&found.user, &visit.caller().visibility), UserHead::new(api, visit, &found, Tab::Access));
    let (form, theirs) = form::shown(present, shown.form, shown.status, &FIELDS);
    let page = AccessPage {
        frame: visit.frame(full_name(&found.user), Section::Users),
        curl: list::curl(&visit.browser.origin, &api_path(&found.user), &[]),
        consequence: t::deletion(found.groups, &ui::known(found.groups)),
        user: found.user,
        head,
        form: UserForm::new(form, visit),
        theirs,
        is_password_refused: shown.is_password_refused,
    };
    page_with(shown.status, &page)
}

/// The path of the page.
fn own_path(uid: UserUid) -> String {
    format!("{}/access", path_of(uid))
}

/// Saves roles, communities and whether the user may sign in.
pub(in crate::console) async fn save(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    let form = || Some(Form::new(fields.clone()));
    if fields.is_resumed() {
        return Ok(rendered(&api, &visit, uid, Shown { form: form(), ..Shown::default() }).await?);
    }
    let (operation, before) = (api.service.new_operation(), fields.text("version").to_owned());
    let saved = async {
        let permit = visit.change::<WriteUsers>(&operation, fields.reason()?)?;
        let change = entities::user_change(body(&fields)?)?;
        Ok::<_, Error>(api.service.change_complete_user(&permit, UserKey::Uid(uid), change).await?)
    };
    match saved.await {
        Ok(user) if user.version.to_string() == before => Ok(see(&own_path(uid), &Done::new(g::NOTHING_CHANGED))),
        Ok(user) => Ok(see(&own_path(uid), &Done::undoable(g::saved(&full_name(&user)), operation))),
        Err(Error::Directory(DirectoryError::PreconditionFailed)) => {
            let shown = Shown { form: form(), status: StatusCode::CONFLICT, ..Shown::default() };
            Ok(rendered(&api, &visit, uid, shown).await?)
        }
        Err(error) => {
            let form = Form::new(fields.clone()).with_problems(error)?;
            let shown = Shown { form: Some(form), status: StatusCode::BAD_REQUEST, ..Shown::default() };
            Ok(rendered(&api, &visit, uid, shown).await?)
        }
    }
}

/// Sets another password, which ends the user's sessions and tokens.
pub(in crate::console) async fn set_password(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&own_path(uid)));
    }
    let permit = visit.change::<WriteUsers>(&api.service.new_operation(), fields.reason()?)?;
    let password = Secret::from(fields.text("password").to_owned());
    match api.service.set_user_password(&permit, UserKey::Uid(uid), password).await {
        Ok(()) => Ok(see(&own_path(uid), &Done::new(t::PASSWORD_SET))),
        Err(DirectoryError::InsecurePassword) => {
            let shown = Shown { is_password_refused: true, status: StatusCode::BAD_REQUEST, form: None };
            Ok(rendered(&api, &visit, uid, shown).await?)
        }
        Err(error) => Err(Error::from(error).into()),
    }
}

/// Lets a user sign in again who was locked out by wrong passwords.
pub(in crate::console) async fn unlock(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&own_path(uid)));
    }
    let permit = visit.change::<WriteUsers>(&api.service.new_operation(), fields.reason()?)?;
    api.service.unlock_user(&permit, &UserKey::Uid(uid)).await?;
    Ok(see(&visit.browser.page, &Done::new(t::UNLOCKED)))
}

/// Ends all sessions and tokens of the user.
pub(in crate::console) async fn end_sessions(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&own_path(uid)));
    }
    let permit = visit.change::<WriteUsers>(&api.service.new_operation(), fields.reason()?)?;
    api.service.revoke_user_tokens(&permit, UserKey::Uid(uid)).await?;
    Ok(see(&own_path(uid), &Done::new(t::SESSIONS_ENDED)))
}

/// Deletes the user.
pub(in crate::console) async fn delete(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(&own_path(uid)));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteUsers>(&operation, fields.reason()?)?;
    let found = find(&api, &visit, uid).await?;
    api.service.delete_user(&permit, UserKey::Uid(uid)).await?;
    Ok(see(users::PATH, &Done::undoable(g::deleted(&full_name(&found.user)), operation)))
}
