//! The history of a group and of its memberships, and how the group was at any moment.

use askama::Template;
use axum::extract::State;

use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::history;
use crate::domain::time::Timestamp;
use crate::domain::visible_states::visible_changes;
use crate::http::lists::group_history;
use crate::http::request::error::{ListError, Result};
use crate::http::request::extract::{Path, Query};
use crate::http::{ApiState, Failure};

use super::{GroupHead, Tab, find, path_of};
use crate::console::browser::Page;
use crate::console::difference::{Difference, differences};
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, fields as f, group as t, history as h, timeline as tl};
use crate::console::pages::page;
use crate::console::timeline::{Of, Timeline};
use crate::console::ui;

/// The types of changes that the list can be limited to, by the name of the choice.
const KINDS: [(&str, &[&str]); 2] = [
    ("fields", &["group.created", "group.updated", "group.deleted", "group.restored"]),
    ("members", &["membership.added", "membership.removed"]),
];

#[derive(Template)]
#[template(path = "group_history.html")]
struct HistoryPage {
    frame: Frame,
    head: GroupHead,
    url: ListUrl,
    /// The value of the field for the moment.
    at: String,
    then: Option<Then>,
    /// The moment, in words, if the group did not exist yet.
    not_yet: Option<String>,
    curl: String,
    timeline: Timeline,
    pager: Pager,
}

/// The group at a moment, beside the present one.
pub(super) struct Then {
    /// The moment, in words.
    pub moment: String,
    /// The fields that were not the same.
    pub differences: Vec<Difference>,
    /// How many members it had.
    pub members: u64,
    /// The list of the members of that moment.
    pub who: String,
}

/// The page.
pub(in crate::console) async fn show(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    Query(pairs): Query,
) -> Answer {
    let group = find(&api, &visit, uid).await?;
    let url = ListUrl::new(format!("{}/history", path_of(uid)), pairs);
    let parameters = url.with_kind(&KINDS);
    let permit = visit.permit()?;
    let (changes, next) = group_history(&api.service, &permit, &GroupKey::Uid(uid), &parameters).await?;
    let reader = &visit.browser.reader;
    let at = moment(&visit, &url)?;
    let (then, not_yet) = match at {
        Some(at) if at < group.created => (None, Some(reader.full_moment(at))),
        Some(at) => (Some(then(&api, &visit, &group, at).await?), None),
        None => (None, None),
    };
    let path = format!("/rollbook/v1/groups/{}/history", group.fields.id);
    Ok(page(&HistoryPage {
        frame: visit.frame(h::of(&group.name), Section::Groups),
        head: GroupHead::new(&visit, &group, Tab::History),
        at: reader.field(at.unwrap_or(api.service.now())),
        then,
        not_yet,
        curl: list::curl(&visit.browser.origin, &path, &parameters),
        timeline: Timeline::new(&visit, Of::Group, &changes.changes),
        pager: url.timeline_pager(changes.changes.len(), next.filter(|_| changes.more)),
        url,
    })?)
}

/// The moment that the URL asks for. Fails if it is no time.
pub(in crate::console::pages) fn moment(visit: &Page, url: &ListUrl) -> Result<Option<Timestamp>, Failure> {
    let wrong = || Failure::from(ListError::Type("at".to_owned()));
    url.value("at").map(|text| visit.browser.reader.parse(text).ok_or_else(wrong)).transpose()
}

async fn then(api: &ApiState, visit: &Page, group: &Group, at: Timestamp) -> Result<Then> {
    let (permit, key) = (visit.permit()?, GroupKey::Uid(group.uid));
    let (reader, visibility) = (&visit.browser.reader, &visit.caller().visibility);
    let then = api.service.group_at(&permit, &key, at).await?;
    let members = then.members.unsigned_abs();
    let before = history::State::Group(Box::new(then));
    let now = history::State::Group(Box::new(group.clone()));
    Ok(Then {
        moment: reader.full_moment(at),
        differences: differences(&before, &now, &visible_changes(&before, &now, visibility), reader, visibility),
        members,
        who: format!("{}/members/then?at={}", path_of(group.uid), list::encoded(&reader.field(at))),
    })
}
