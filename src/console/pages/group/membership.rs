//! Why somebody is, or was, in a group: each uninterrupted membership, with the changes that began and ended it.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::ReadUsers;
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::history::Change;
use crate::domain::time::Timestamp;
use crate::domain::user::{UserKey, UserUid};
use crate::http::ApiState;
use crate::http::request::extract::Path;

use super::{GroupHead, Tab, find};
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section};
use crate::console::list;
use crate::console::messages::{self as m, group as t, history as h};
use crate::console::pages::{page, user};
use crate::console::timeline::{Of, Timeline, user_name};
use crate::console::ui::{self, Html};

#[derive(Template)]
#[template(path = "group_membership.html")]
struct MembershipPage {
    frame: Frame,
    head: GroupHead,
    title: Html,
    user: Option<String>,
    spells: Vec<Spell>,
    curl: String,
}

/// One uninterrupted membership.
struct Spell {
    start: Timestamp,
    end: Option<Timestamp>,
    added: Option<Why>,
    ended: Option<Why>,
}

impl Spell {
    /// How it began and ended: what the column is called, the change, and whether there must have been one.
    fn ends(&self) -> [(&'static str, Option<&Why>, bool); 2] {
        [(h::BEGAN, self.added.as_ref(), true), (h::ENDED, self.ended.as_ref(), self.end.is_some())]
    }
}

/// The change that began or ended a membership.
struct Why {
    said: Html,
    reason: Option<String>,
    channel: &'static str,
    operation: Option<String>,
}

/// The page.
pub(in crate::console) async fn show(
    State(api): State<ApiState>,
    visit: Page,
    Path((uid, user_uid)): Path<(GroupUid, UserUid)>,
) -> Answer {
    let group = find(&api, &visit, uid).await?;
    let key = UserKey::Uid(user_uid);
    let spells = api.service.membership_spells(&visit.permit()?, &GroupKey::Uid(uid), &key).await?;
    let sees_users = visit.may::<ReadUsers>();
    let named =
        spells.iter().flat_map(|spell| spell.added.iter().chain(&spell.ended)).find_map(|own| own.user.as_ref());
    let name = named.map_or_else(|| format!("uid:{user_uid}"), |user| user_name(user, sees_users).to_owned());
    let why = |change: &Option<Change>| change.as_ref().and_then(|change| why(&visit, change));
    let spells = spells
        .iter()
        .map(|spell| Spell { start: spell.start, end: spell.end, added: why(&spell.added), ended: why(&spell.ended) })
        .collect();
    let path = format!("/rollbook/v1/groups/{}/members/uid:{user_uid}/history", group.fields.id);
    Ok(page(&MembershipPage {
        frame: visit.frame(h::why(&name, &group.name), Section::Groups),
        head: GroupHead::new(&visit, &group, Tab::Members),
        title: ui::name(&name),
        user: sees_users.then(|| user::path_of(user_uid)),
        spells,
        curl: list::curl(&visit.browser.origin, &path, &[]),
    })?)
}

fn why(visit: &Page, change: &Change) -> Option<Why> {
    let line = Timeline::new(visit, Of::Group, [change]).days.pop()?.lines.pop()?;
    Some(Why { said: line.said, reason: line.reason, channel: line.channel, operation: line.operation })
}
