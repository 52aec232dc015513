//! The pages of one group: its fields, its members, its name and end.

pub(in crate::console) mod add;
pub(in crate::console) mod csv;
pub(in crate::console) mod danger;
mod fields;
pub(in crate::console) mod history;
pub(in crate::console) mod members;
pub(in crate::console) mod membership;
pub(in crate::console) mod overview;
pub(in crate::console) mod then;

use crate::domain::caller::{ReadGroups, WriteGroups};
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::http::request::error::Result;

use crate::console::browser::Page;
use crate::console::messages::{group as t, history as h};
use crate::console::ui::{self, Html};

/// A page of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Members,
    History,
    Danger,
}

/// The head of every page of a group.
struct GroupHead {
    uid: GroupUid,
    name: Html,
    id: String,
    members: i64,
    updated: Timestamp,
    deleted: Option<Timestamp>,
    tab: Tab,
    may_write: bool,
}

impl GroupHead {
    fn new(visit: &Page, group: &Group, tab: Tab) -> Self {
        let tag = group.fields.labels.iter().find(|(_, label)| *label == group.name).map_or("", |(tag, _)| tag);
        Self {
            uid: group.uid,
            name: ui::label(&group.name, tag),
            id: group.fields.id.to_string(),
            members: group.members,
            updated: group.updated,
            deleted: group.deleted,
            tab,
            may_write: visit.may::<WriteGroups>(),
        }
    }

    /// The kinds of changes that the history can be limited to; the empty one stands for all.
    fn kinds(&self) -> [&'static str; 3] {
        ["", "fields", "members"]
    }

    /// The tabs: the path, the name, the number beside it, and whether it is this page.
    fn tabs(&self) -> Vec<(String, &'static str, Option<String>, bool)> {
        let path = |rest: &str| format!("{}{rest}", path_of(self.uid));
        let mut tabs = vec![
            (path(""), t::OVERVIEW, None, self.tab == Tab::Overview),
            (path("/members"), t::MEMBERS, Some(ui::number(&self.members)), self.tab == Tab::Members),
            (path("/history"), h::HISTORY, None, self.tab == Tab::History),
        ];
        if self.may_write && self.deleted.is_none() {
            tabs.push((path("/danger"), t::DANGER, None, self.tab == Tab::Danger));
        }
        tabs
    }
}

/// The path of the first page of the group.
pub(in crate::console) fn path_of(uid: GroupUid) -> String {
    format!("{}/{uid}", crate::console::START)
}

/// Returns the group with the number, also a deleted one. Fails with `NotFound` if the user may not see it.
pub(super) async fn find(api: &ApiState, visit: &Page, uid: GroupUid) -> Result<Group> {
    let permit = visit.permit::<ReadGroups>()?;
    let group = api.service.group_by_key(&permit, &GroupKey::Uid(uid)).await?;
    Ok(Group::clone(&group))
}
