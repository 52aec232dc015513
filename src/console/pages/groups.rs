//! The list of groups.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;

use crate::domain::caller::{ReadGroups, WriteGroups};
use crate::domain::community::{Community, Visibility};
use crate::domain::group::Group;
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::http::lists::groups_page;
use crate::http::request::extract::Query;

use super::page;
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, groups as t};
use crate::console::table::{Chip, Column, FilterForm, Input, chips, with_added_filter};
use crate::console::ui::{self, Html};

/// The order of the list if its URL names none.
const SORT: &str = "name";
/// The parameters of the list that are no filters.
const NO_FILTERS: [&str; 8] = ["q", "sort", "limit", "after", "lang", "trail", "row", "add"];
/// The fields of the filters that the menu adds.
const PARTS: [&str; 6] = ["tag", "community", "members", "since", "path", "value"];
/// The maximum number of communities that a row shows.
const COMMUNITIES_MAX: usize = 2;

#[derive(Template)]
#[template(path = "groups.html")]
struct GroupsPage {
    frame: Frame,
    may_write: bool,
    is_empty_directory: bool,
    url: ListUrl,
    language: String,
    languages: Vec<(String, String)>,
    filters: Vec<FilterForm>,
    chips: Vec<Chip>,
    clear: String,
    matching: String,
    curl: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: Pager,
}

/// One group.
struct Row {
    uid: i64,
    name: Html,
    /// The tag of the language of the name, if it is not the one asked for, and what that means.
    other_language: Option<(String, String)>,
    id: Html,
    members: i64,
    /// The beginnings of the communities, with their whole text.
    communities: Vec<(String, String)>,
    updated: Timestamp,
}

/// The list.
pub(in crate::console) async fn list(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let permit = visit.permit::<ReadGroups>()?;
    let url = ListUrl::new(crate::console::START, pairs);
    if let Some(added) = with_added_filter(&url, &PARTS, added) {
        return Ok(added);
    }
    let parameters = url.of_api(&[("sort", SORT)]);
    let (found, next) = groups_page(&api.service, &permit, &parameters).await?;
    let default = api.service.default_language().as_str().to_owned();
    let language = url.value("lang").map_or_else(|| default.clone(), str::to_owned);
    let chips = chips(&url, &NO_FILTERS, |name, value| (t::filter(name), t::filter_value(value)));
    let visibility = &permit.caller().visibility;
    let is_filtered = url.value("q").is_some() || !chips.is_empty();
    let rows: Vec<_> = found.items.iter().map(|group| row(group, &language, url.text("q"), visibility)).collect();
    let filtered_by: Vec<&str> = chips.iter().map(|chip| &*chip.parameter).chain(["q"]).collect();
    Ok(page(&GroupsPage {
        frame: visit.frame(t::TITLE, Section::Groups),
        may_write: visit.may::<WriteGroups>(),
        is_empty_directory: found.total == Some(0) && !is_filtered,
        languages: languages(&found.items, &default, &language),
        filters: filters(),
        clear: url.without(&filtered_by),
        matching: t::matching(found.total.unwrap_or(2), &list::total(found.total), is_filtered),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/groups", &parameters),
        columns: columns(&url),
        pager: url.pager(rows.len(), found.total, next),
        url,
        language,
        chips,
        rows,
    })?)
}

/// The parameter of a filter that the menu added.
fn added(name: &str, part: &dyn Fn(&str) -> String) -> Option<(String, String)> {
    Some(match name {
        "missing" => (format!("labels.{}", part("tag")), "!*".to_owned()),
        "community" => ("communities".to_owned(), part("community")),
        "members" => ("memberCount".to_owned(), format!(">{}", part("members"))),
        "since" => ("updated".to_owned(), format!(">={}", part("since"))),
        "xp" => (format!("xp.{}", part("path")), part("value")),
        _ => return None,
    })
}

/// The filters that the menu offers.
fn filters() -> Vec<FilterForm> {
    let form = |name, label, inputs| FilterForm { name, label, inputs };
    vec![
        form("missing", t::MISSING, vec![Input::new("tag", t::TAG, "text")]),
        form("community", t::COMMUNITY, vec![Input::new("community", "GUID", "text")]),
        form("members", t::MEMBERS_MORE, vec![Input::new("members", "", "number")]),
        form("since", t::CHANGED_SINCE, vec![Input::new("since", "", "date")]),
        form("xp", t::XP, vec![Input::new("path", t::XP_PATH, "text"), Input::new("value", t::XP_VALUE, "text")]),
    ]
}

fn columns(url: &ListUrl) -> Vec<Column> {
    let sort = url.value("sort").unwrap_or(SORT);
    vec![
        Column::sorted(url, t::NAME, "", "name", sort),
        Column::sorted(url, t::ID, "", "id", sort),
        Column::sorted(url, t::NUMBER, "n low", "uid", sort),
        Column::sorted(url, t::MEMBERS, "n", "memberCount", sort),
        Column::plain(t::COMMUNITIES, "low"),
        Column::sorted(url, t::CHANGED, "", "updated", sort),
    ]
}

/// The languages to choose from, by name: those of the groups of the page, and the one that is chosen.
fn languages(groups: &[Group], default: &str, chosen: &str) -> Vec<(String, String)> {
    let of_groups = groups.iter().flat_map(|group| group.fields.labels.iter().map(|(tag, _)| tag));
    let tags: BTreeSet<&str> = of_groups.chain([default, chosen]).collect();
    let mut named: Vec<_> = tags.into_iter().map(|tag| (tag.to_owned(), m::language(tag))).collect();
    named.sort_by(|(_, one), (_, other)| one.cmp(other));
    named
}

fn row(group: &Group, language: &str, term: &str, visibility: &Visibility) -> Row {
    let labels = || group.fields.labels.iter();
    let own = labels().find(|(tag, _)| tag.eq_ignore_ascii_case(language));
    let shown = own.or_else(|| labels().find(|(_, label)| *label == group.name)).unwrap_or((language, &group.name));
    let other_language =
        own.is_none().then(|| (shown.0.to_owned(), t::other_language(&m::language(language), &m::language(shown.0))));
    Row {
        uid: group.uid,
        name: ui::marked_label(shown.1, shown.0, term),
        other_language,
        id: ui::marked(group.fields.id.as_str(), term),
        members: group.members,
        communities: communities(group, visibility),
        updated: group.updated,
    }
}

/// The communities of the group that the caller may see: the first ones, and how many more there are.
fn communities(group: &Group, visibility: &Visibility) -> Vec<(String, String)> {
    let seen: Vec<_> = visibility.seen(&group.fields.communities).map(Community::to_string).collect();
    let short = |whole: &String| (whole.chars().take(8).collect(), whole.clone());
    let mut shown: Vec<_> = seen.iter().take(COMMUNITIES_MAX).map(short).collect();
    if seen.len() > COMMUNITIES_MAX {
        shown.push((format!("+{}", seen.len() - COMMUNITIES_MAX), seen[COMMUNITIES_MAX..].join(", ")));
    }
    shown
}
