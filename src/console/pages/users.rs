//! The list of users.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::{ReadUsers, WriteUsers};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::http::ApiState;
use crate::http::lists::users_page;
use crate::http::request::extract::Query;

use super::page;
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, users as t};
use crate::console::table::{Chip, Column, FilterForm, Input, chips, with_added_filter};
use crate::console::ui::{self, Html};

/// The path of the list.
pub(in crate::console) const PATH: &str = "/console/users";
/// The order of the list if its URL names none.
const SORT: &str = "username";
/// The parameters of the list that are no filters.
const NO_FILTERS: [&str; 7] = ["q", "sort", "limit", "after", "trail", "row", "add"];
/// The fields of the filters that the menu adds.
const PARTS: [&str; 3] = ["role", "group", "since"];

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    may_write: bool,
    url: ListUrl,
    filters: Vec<FilterForm>,
    chips: Vec<Chip>,
    clear: String,
    matching: String,
    curl: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: Pager,
}

/// One user.
struct Row {
    uid: i64,
    name: Html,
    avatar: Html,
    username: Html,
    email: Html,
    state: SignInState,
    last_active: Option<Timestamp>,
}

/// Whether a user may sign in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInState {
    Active,
    Locked,
    Deactivated,
}

impl SignInState {
    /// The state of the user now.
    pub(super) fn of(api: &ApiState, user: &User) -> Self {
        match (user.fields.active, api.service.is_locked(user)) {
            (false, _) => Self::Deactivated,
            (true, true) => Self::Locked,
            (true, false) => Self::Active,
        }
    }
}

/// The list.
pub(in crate::console) async fn list(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let permit = visit.permit::<ReadUsers>()?;
    let url = ListUrl::new(PATH, pairs);
    if let Some(added) = with_added_filter(&url, &PARTS, added) {
        return Ok(added);
    }
    let parameters = url.of_api(&[("sort", SORT)]);
    let (found, next) = users_page(&api.service, &permit, &parameters).await?;
    let chips = chips(&url, &NO_FILTERS, |name, value| (t::filter(name), t::filter_value(name, value)));
    let is_filtered = url.value("q").is_some() || !chips.is_empty();
    let rows: Vec<_> = found.items.iter().map(|user| row(&api, user, url.text("q"))).collect();
    let filtered_by: Vec<&str> = chips.iter().map(|chip| &*chip.parameter).chain(["q"]).collect();
    Ok(page(&UsersPage {
        frame: visit.frame(t::TITLE, Section::Users),
        may_write: visit.may::<WriteUsers>(),
        filters: filters(),
        clear: url.without(&filtered_by),
        matching: t::matching(found.total.unwrap_or(2), &list::total(found.total), is_filtered),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/users", &parameters),
        columns: columns(&url),
        pager: url.pager(rows.len(), found.total, next),
        url,
        chips,
        rows,
    })?)
}

/// The parameter of a filter that the menu added.
fn added(name: &str, part: &dyn Fn(&str) -> String) -> Option<(String, String)> {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Some(match name {
        "locked" => set("locked", "true"),
        "withoutGroups" => set("withoutGroups", "true"),
        "deactivated" => set("active", "false"),
        "neverActive" => set("lastActive", "!*"),
        "role" => set("roles", &part("role")),
        "group" => set("memberOf", &part("group")),
        "since" => set("lastActive", &format!(">={}", part("since"))),
        _ => return None,
    })
}

/// The filters that the menu offers.
fn filters() -> Vec<FilterForm> {
    let form = |name, label, inputs| FilterForm { name, label, inputs };
    let roles = Roles::NAMES.into_iter().map(|(_, name)| (name, name)).collect();
    vec![
        form("locked", t::LOCKED, Vec::new()),
        form("deactivated", t::DEACTIVATED, Vec::new()),
        form("withoutGroups", t::WITHOUT_GROUPS, Vec::new()),
        form("neverActive", t::NEVER_ACTIVE, Vec::new()),
        form("role", t::ROLE, vec![Input::choice("role", roles)]),
        form("group", t::IN_GROUP, vec![Input::new("group", t::GROUP_ID, "text")]),
        form("since", t::ACTIVE_SINCE, vec![Input::new("since", "", "date")]),
    ]
}

fn columns(url: &ListUrl) -> Vec<Column> {
    let sort = url.value("sort").unwrap_or(SORT);
    vec![
        Column::sorted(url, t::NAME, "", "lastName", sort),
        Column::sorted(url, t::USERNAME, "", "username", sort),
        Column::sorted(url, t::EMAIL, "low", "email", sort),
        Column::plain(t::STATE, ""),
        Column::sorted(url, t::LAST_ACTIVE, "", "lastActive", sort),
    ]
}

fn row(api: &ApiState, user: &User, term: &str) -> Row {
    let name = full_name(user);
    Row {
        uid: user.uid,
        avatar: ui::avatar(&name),
        name: ui::marked(&name, term),
        username: ui::marked(&user.fields.username, term),
        email: ui::marked(&user.fields.email, term),
        state: SignInState::of(api, user),
        last_active: user.last_active,
    }
}
