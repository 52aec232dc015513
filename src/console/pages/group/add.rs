//! Adding people to a group from a list, with a preview.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::address;
use crate::domain::caller::WriteGroups;
use crate::domain::error::Error as DirectoryError;
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::membership::{MEMBERS_MAX, MembersChange, MembersOptions, MembersOutcome, UnknownUsers};
use crate::domain::text::fold;
use crate::domain::user::UserKey;
use crate::http::ApiState;
use crate::http::request::error::Result;
use crate::http::request::extract::Path;

use super::members::done;
use super::{find, path_of};
use crate::console::browser::Page;
use crate::console::done::see;
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, group as t};
use crate::console::pages::page;
use crate::console::ui;

/// The maximum number of lines that the preview shows of those that name nobody.
const UNKNOWN_SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "group_add.html")]
struct AddPage {
    frame: Frame,
    group: String,
    /// The path of the group's members.
    members: String,
    who: String,
    reason: String,
    preview: Option<Preview>,
}

/// What the list would do. Each line counts once.
struct Preview {
    added: u64,
    already: u64,
    twice: u64,
    /// The first lines that name nobody.
    unknown: Vec<String>,
    unknown_count: u64,
    more_unknown: u64,
}

/// The lines of a list.
struct Lines {
    users: Vec<UserKey>,
    /// Those that no user can have.
    impossible: Vec<String>,
    /// How many name somebody again.
    twice: u64,
}

impl Lines {
    /// Reads the list. Fails with `Invalid` if it has more than [`MEMBERS_MAX`] lines.
    fn read(text: &str) -> Result<Self> {
        let (mut lines, mut seen) = (Self { users: Vec::new(), impossible: Vec::new(), twice: 0 }, HashSet::new());
        if Self::of(text).nth(MEMBERS_MAX).is_some() {
            return Err(DirectoryError::invalid("who", t::too_many_lines(MEMBERS_MAX)).into());
        }
        for line in Self::of(text) {
            match key(line) {
                _ if !seen.insert(fold(line)) => lines.twice += 1,
                Some(user) => lines.users.push(user),
                None => lines.impossible.push(line.to_owned()),
            }
        }
        Ok(lines)
    }

    /// The lines that are not empty. Commas and semicolons end a line as well.
    fn of(text: &str) -> impl Iterator<Item = &str> {
        text.split([',', ';', '\n']).map(str::trim).filter(|line| !line.is_empty())
    }
}

/// The user that a line names: `uid:` and a number, a username with an `@`, or an ID.
fn key(text: &str) -> Option<UserKey> {
    match text.contains('@') {
        true => address::user_key(&format!("username:{text}")),
        false => address::user_key(text),
    }
}

/// The form.
pub(in crate::console) async fn form(State(api): State<ApiState>, visit: Page, Path(uid): Path<GroupUid>) -> Answer {
    visit.permit::<WriteGroups>()?;
    Ok(rendered(&api, &visit, uid, &Fields::default(), None).await?)
}

async fn rendered(
    api: &ApiState,
    visit: &Page,
    uid: GroupUid,
    fields: &Fields,
    preview: Option<Preview>,
) -> Result<Response> {
    let group = find(api, visit, uid).await?;
    page(&AddPage {
        frame: visit.frame(t::add_to(&group.name), Section::Groups),
        group: group.name,
        members: format!("{}/members", path_of(uid)),
        who: fields.text("who").to_owned(),
        reason: fields.text("reason").to_owned(),
        preview,
    })
}

/// Shows what the list would do, or does it.
pub(in crate::console) async fn submit(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    if fields.is_resumed() {
        return Ok(rendered(&api, &visit, uid, &fields, None).await?);
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
    let lines = Lines::read(fields.text("who"))?;
    let change = MembersChange::Delta { add: lines.users, remove: Vec::new() };
    let dry_run = fields.text("step") != "add";
    let options = MembersOptions { unknown: UnknownUsers::Ignore, dry_run, ..MembersOptions::default() };
    let mut outcome = api.service.change_members(&permit, GroupKey::Uid(uid), change, options).await?;
    if dry_run {
        let preview = preview(&outcome, lines.impossible, lines.twice);
        return Ok(rendered(&api, &visit, uid, &fields, Some(preview)).await?);
    }
    outcome.unknown.extend(lines.impossible.into_iter().map(UserKey::Username));
    Ok(see(&format!("{}/members", path_of(uid)), &done(&outcome, operation)))
}

/// Adds the user that the form names. If there is none, the page for lists says so.
pub(in crate::console) async fn one(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    fields: Fields,
) -> Answer {
    let typed = Fields::new(vec![("who".to_owned(), fields.trimmed("user").to_owned())]);
    if fields.is_resumed() {
        return Ok(rendered(&api, &visit, uid, &typed, None).await?);
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<WriteGroups>(&operation, fields.reason()?)?;
    let lines = Lines::read(typed.text("who"))?;
    let change = MembersChange::Delta { add: lines.users, remove: Vec::new() };
    let options = MembersOptions { unknown: UnknownUsers::Ignore, ..MembersOptions::default() };
    let outcome = api.service.change_members(&permit, GroupKey::Uid(uid), change, options).await?;
    if outcome.added + outcome.unchanged == 0 {
        let preview = preview(&outcome, lines.impossible, 0);
        return Ok(rendered(&api, &visit, uid, &typed, Some(preview)).await?);
    }
    Ok(see(&format!("{}/members", path_of(uid)), &done(&outcome, operation)))
}

fn preview(outcome: &MembersOutcome, impossible: Vec<String>, twice: u64) -> Preview {
    let count = outcome.unknown.len() + impossible.len();
    let unknown = outcome.unknown.iter().map(|key| match key {
        UserKey::Uid(_) => address::of_user(key),
        other => other.to_string(),
    });
    let unknown: Vec<_> = unknown.chain(impossible).take(UNKNOWN_SHOWN).collect();
    Preview {
        added: outcome.added,
        already: outcome.unchanged,
        twice,
        more_unknown: (count - unknown.len()) as u64,
        unknown,
        unknown_count: count as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_users_by_id_number_or_username() {
        let lines = Lines::read("ada\n bram@example.org , uid:7;;ADA\nMüller, Thomas\n\n").unwrap();
        assert_eq!(lines.users.len(), 4);
        assert_eq!(lines.users[1], UserKey::Username("bram@example.org".to_owned()));
        assert_eq!(lines.users[2], UserKey::Uid(7));
        assert!(Lines::read(&"x,".repeat(MEMBERS_MAX + 1)).is_err());
        assert_eq!((lines.impossible, lines.twice), (vec!["Müller".to_owned()], 1));
    }
}
