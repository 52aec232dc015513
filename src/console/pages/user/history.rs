//! The history of a user and of their memberships.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::ReadUsers;
use crate::domain::user::{UserKey, UserUid};
use crate::http::ApiState;
use crate::http::lists::user_history;
use crate::http::request::extract::{Path, Query};

use super::{Tab, UserHead, api_path, find, path_of};
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, fields as f, history as h, timeline as tl, user as t};
use crate::console::pages::page;
use crate::console::timeline::{Of, Timeline};
use crate::console::ui;

/// The types of changes that the list can be limited to, by the name of the choice.
const KINDS: [(&str, &[&str]); 2] = [
    ("fields", &["user.created", "user.updated", "user.deleted", "user.restored", "erased"]),
    ("groups", &["membership.added", "membership.removed"]),
];

#[derive(Template)]
#[template(path = "user_history.html")]
struct HistoryPage {
    frame: Frame,
    head: UserHead,
    url: ListUrl,
    curl: String,
    timeline: Timeline,
    pager: Pager,
}

/// The page.
pub(in crate::console) async fn show(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<UserUid>,
    Query(pairs): Query,
) -> Answer {
    let found = find(&api, &visit, uid).await?;
    let url = ListUrl::new(format!("{}/history", path_of(uid)), pairs);
    let parameters = url.with_kind(&KINDS);
    let permit = visit.permit::<ReadUsers>()?;
    let (changes, next) = user_history(&api.service, &permit, &UserKey::Uid(uid), &parameters).await?;
    Ok(page(&HistoryPage {
        frame: visit.frame(h::of(&full_name(&found.user)), Section::Users),
        head: UserHead::new(&api, &visit, &found, Tab::History),
        curl: list::curl(&visit.browser.origin, &format!("{}/history", api_path(&found.user)), &parameters),
        timeline: Timeline::new(&visit, Of::User, &changes.changes),
        pager: url.timeline_pager(changes.changes.len(), next.filter(|_| changes.more)),
        url,
    })?)
}
