//! The pages of one user: their groups, profile, roles and sign-in, and history.

pub(in crate::console) mod access;
pub(super) mod form;
pub(in crate::console) mod groups;
pub(in crate::console) mod history;
pub(in crate::console) mod new;
pub(in crate::console) mod profile;

use crate::domain::caller::{ReadGroups, ReadUsers, WriteUsers};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::http::ApiState;
use crate::http::request::error::Result;
use crate::service::complete_users::CountedUser;

use super::users::SignInState;
use crate::console::browser::Page;
use crate::console::frame::{full_name, username};
use crate::console::messages::{history as h, user as t};
use crate::console::ui::{self, Html};

/// A page of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Groups,
    Profile,
    Access,
    History,
}

/// The head of every page of a user.
struct UserHead {
    uid: UserUid,
    name: Html,
    username: String,
    groups: Option<u64>,
    last_active: Option<Timestamp>,
    deleted: Option<Timestamp>,
    is_erased: bool,
    state: SignInState,
    locked_until: Option<Timestamp>,
    failed_attempts: i64,
    tab: Tab,
    may_write: bool,
    sees_groups: bool,
}

impl UserHead {
    fn new(api: &ApiState, visit: &Page, CountedUser { user, groups }: &CountedUser, tab: Tab) -> Self {
        Self {
            uid: user.uid,
            name: ui::name(&full_name(user)),
            username: username(user).to_owned(),
            groups: *groups,
            last_active: user.last_active,
            deleted: user.deleted,
            is_erased: user.erased.is_some(),
            state: SignInState::of(api, user),
            locked_until: user.locked_until,
            failed_attempts: user.failed_attempts,
            tab,
            may_write: visit.may::<WriteUsers>(),
            sees_groups: visit.may::<ReadGroups>(),
        }
    }

    /// The tabs: the path, the name, the number beside it, and whether it is this page.
    fn tabs(&self) -> Vec<(String, &'static str, Option<String>, bool)> {
        let path = |rest: &str| format!("{}{rest}", path_of(self.uid));
        let mut tabs = vec![
            (path("/profile"), t::PROFILE, None, self.tab == Tab::Profile),
            (path("/access"), t::ACCESS, None, self.tab == Tab::Access),
            (path("/history"), h::HISTORY, None, self.tab == Tab::History),
        ];
        if self.sees_groups {
            tabs.insert(0, (path(""), t::GROUPS, self.groups.as_ref().map(ui::number), self.tab == Tab::Groups));
        }
        tabs
    }

    /// Whether somebody is locked out who could sign in otherwise.
    fn is_locked(&self) -> bool {
        self.state == SignInState::Locked
    }

    /// Whether the user may not sign in.
    fn is_deactivated(&self) -> bool {
        self.state == SignInState::Deactivated && self.deleted.is_none()
    }

    /// Whether the visitor may change the user.
    fn is_editable(&self) -> bool {
        self.may_write && self.deleted.is_none()
    }

    /// The kinds of changes that the history can be limited to; the empty one stands for all.
    fn kinds(&self) -> [&'static str; 3] {
        ["", "fields", "groups"]
    }
}

/// The path of the first page of the user.
pub(in crate::console) fn path_of(uid: UserUid) -> String {
    format!("{}/{uid}", super::users::PATH)
}

/// Returns the user with the number, also a deleted one, and how many groups of theirs the visitor sees. Fails with
/// `NotFound`.
pub(super) async fn find(api: &ApiState, visit: &Page, uid: UserUid) -> Result<CountedUser> {
    let permit = visit.permit::<ReadUsers>()?;
    Ok(api.service.counted_user(&permit, &UserKey::Uid(uid)).await?)
}

/// The path of the user in Rollbook's own API.
fn api_path(user: &User) -> String {
    format!("/rollbook/v1/users/uid:{}", user.uid)
}
