//! The way to any group, user or page by typing: a page of its own, and what the palette and suggestions show.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::{ReadGroups, ReadUsers, WriteGroups, WriteUsers};
use crate::http::ApiState;
use crate::http::lists::{groups_page, users_page};
use crate::http::request::error::{DirectoryError, Error, Result};
use crate::http::request::extract::Query;

use super::{group, page, user, users};
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section, full_name};
use crate::console::list::encoded;
use crate::console::messages::{self as m, find as t};
use crate::console::ui::{self, Html};

/// The number of groups and of users that are shown.
const SHOWN: &str = "7";

#[derive(Template)]
#[template(path = "find.html")]
struct FindPage {
    frame: Frame,
    term: String,
    /// Whether no group and no user has the term.
    is_nothing: bool,
    sections: Vec<Found>,
}

#[derive(Template)]
#[template(path = "suggestions.html")]
struct Suggestions {
    /// The values and texts.
    options: Vec<(String, String)>,
}

/// What was found of one kind.
struct Found {
    title: &'static str,
    icon: &'static str,
    /// The path, the name, and what stands beside it.
    links: Vec<(String, Html, String)>,
}

/// The page.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let term = term(&pairs);
    let mut sections = Vec::new();
    if !term.is_empty() {
        let groups = groups(&api, &visit, &term).await?;
        let links = groups
            .into_iter()
            .map(|found| (group::path_of(found.uid), ui::marked(&found.name, &term), t::members(found.members)));
        sections.push(Found { title: t::GROUPS, icon: "groups", links: links.collect() });
        let users = people(&api, &visit, &term).await?;
        let links = users
            .into_iter()
            .map(|found| (user::path_of(found.uid), ui::marked(&full_name(&found), &term), found.fields.username));
        sections.push(Found { title: t::USERS, icon: "user", links: links.collect() });
    }
    sections.retain(|found| !found.links.is_empty());
    let is_nothing = !term.is_empty() && sections.is_empty();
    let frame = visit.frame(t::FIND, Section::Other);
    sections.push(Found { title: t::PAGES, icon: "right", links: pages(&visit, &frame, &term) });
    sections.retain(|found| !found.links.is_empty());
    Ok(page(&FindPage { frame, term, is_nothing, sections })?)
}

/// The pages whose names have the term, and the lists of all that has it.
fn pages(visit: &Page, frame: &Frame, term: &str) -> Vec<(String, Html, String)> {
    let own = frame.links.iter().map(|link| (link.path.to_owned(), link.label));
    let new = [
        (visit.may::<WriteGroups>(), "/console/groups/new", t::NEW_GROUP),
        (visit.may::<WriteUsers>(), "/console/users/new", t::NEW_USER),
        (true, "/console/account", m::MY_ACCOUNT),
    ];
    let new = new.into_iter().filter(|own| own.0).map(|(_, path, label)| (path.to_owned(), label));
    let has_term = |label: &str| label.to_lowercase().contains(&term.to_lowercase());
    let mut links: Vec<_> = own
        .chain(new)
        .filter(|(_, label)| has_term(label))
        .map(|(path, label)| (path, ui::marked(label, term), String::new()))
        .collect();
    if !term.is_empty() {
        let search = |path: &str, label: &str| (format!("{path}?q={}", encoded(term)), ui::name(label), String::new());
        links.extend(visit.may::<ReadGroups>().then(|| search(crate::console::START, &t::search_groups(term))));
        links.extend(visit.may::<ReadUsers>().then(|| search(users::PATH, &t::search_users(term))));
    }
    links
}

/// Groups for a field that names one: the ID of each, with its name.
pub(in crate::console) async fn suggest_groups(
    State(api): State<ApiState>,
    visit: Page,
    Query(pairs): Query,
) -> Answer {
    visit.permit::<ReadGroups>()?;
    let found = groups(&api, &visit, &term(&pairs)).await?;
    let options = found.into_iter().map(|group| (group.fields.id.to_string(), group.name)).collect();
    Ok(page(&Suggestions { options })?)
}

/// Users for a field that names one: the ID of each, with their name and username.
pub(in crate::console) async fn suggest_users(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    visit.permit::<ReadUsers>()?;
    let found = people(&api, &visit, &term(&pairs)).await?;
    let text = |user: &crate::domain::user::User| format!("{} ({})", full_name(user), user.fields.username);
    let options = found.iter().map(|user| (user.fields.id.to_string(), text(user))).collect();
    Ok(page(&Suggestions { options })?)
}

/// What was typed: the value of the first parameter, whatever the field is called.
fn term(pairs: &[(String, String)]) -> String {
    pairs.first().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// The first groups with the term; none if the visitor may not read groups.
async fn groups(api: &ApiState, visit: &Page, term: &str) -> Result<Vec<crate::domain::group::Group>> {
    match visit.permit::<ReadGroups>() {
        Ok(permit) if !term.is_empty() => {
            first(groups_page(&api.service, &permit, &parameters(term, "name")).await.map(|(found, _)| found.items))
        }
        _ => Ok(Vec::new()),
    }
}

/// The first users with the term; none if the visitor may not read users.
async fn people(api: &ApiState, visit: &Page, term: &str) -> Result<Vec<crate::domain::user::User>> {
    match visit.permit::<ReadUsers>() {
        Ok(permit) if !term.is_empty() => {
            first(users_page(&api.service, &permit, &parameters(term, "username")).await.map(|(found, _)| found.items))
        }
        _ => Ok(Vec::new()),
    }
}

fn parameters(term: &str, sort: &str) -> Vec<(String, String)> {
    [("q", term), ("limit", SHOWN), ("sort", sort)].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What was found; nothing if the search costs too much: a longer term will do.
fn first<T>(found: Result<Vec<T>>) -> Result<Vec<T>> {
    match found {
        Err(Error::Directory(DirectoryError::ListTooCostly)) => Ok(Vec::new()),
        found => found,
    }
}
