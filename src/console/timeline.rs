//! Timelines: changes in the order of their list, with a head for each day. Changes of one operation that are alike and
//! follow each other share a line.

use crate::domain::actor::{NamedActor, NamedUser};
use crate::domain::caller::{Caller, ReadClients, ReadUsers, UndoChanges};
use crate::domain::change_type::ChangeType;
use crate::domain::history::{Change, NamedGroup, State, Subject};
use crate::domain::time::Timestamp;
use crate::domain::visible_states::VisibleStates;

use super::browser::Page;
use super::difference::{Difference, differences};
use super::list::encoded;
use super::messages::{fields, timeline as t};
use super::pages::{clients, group, user};
use super::time::Reader;
use super::ui::{self, Html};

/// Whose changes a timeline has. Its lines do not name them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Those of the directory.
    Directory,
    /// Those of one operation.
    Operation,
    /// Those of one group and its members.
    Group,
    /// Those of one user and their groups.
    User,
}

/// Changes.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    /// The days, in the order of the list.
    pub days: Vec<Day>,
    /// Whether the lines have a button to undo.
    pub is_undoable: bool,
}

/// The changes of a day in the reader's zone.
#[derive(Clone, Debug)]
pub(super) struct Day {
    /// The day in words.
    pub title: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Changes of one operation that are alike.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The time of day.
    pub time: Html,
    /// The picture of who did it.
    pub avatar: Html,
    /// A sentence: who did what.
    pub said: Html,
    /// Why.
    pub reason: Option<String>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What it came through, in words.
    pub channel: &'static str,
    /// The path of the page of the operation; `None` if the reader may not see it.
    pub operation: Option<String>,
}

impl Timeline {
    /// The timeline of the changes, which the reader may see.
    pub(super) fn new<'a>(visit: &Page, of: Of, changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let (mut days, reader): (Vec<(jiff::civil::Date, Day)>, _) = (Vec::new(), &visit.browser.reader);
        let changes: Vec<_> = changes.into_iter().collect();
        let mut rest = &changes[..];
        while let Some(first) = rest.first() {
            let (alike, others) = rest.split_at(alike(rest, first));
            rest = others;
            let (date, line) = (reader.day_of(first.time), line(visit, of, alike, first));
            match days.last_mut() {
                Some((last, day)) if *last == date => day.lines.push(line),
                _ => days.push((date, Day { title: reader.full_day(date), lines: vec![line] })),
            }
        }
        let days = days.into_iter().map(|(_, day)| day).collect();
        Self { days, is_undoable: of != Of::Directory && visit.may::<UndoChanges>() }
    }

    /// Whether there are no changes.
    pub(super) fn is_empty(&self) -> bool {
        self.days.is_empty()
    }
}

/// The path of the page of the operation.
pub(super) fn operation_path(operation: &str) -> String {
    format!("/console/operations/{}", encoded(operation))
}

/// How many changes from the first one on share a line: those of its operation and type, and of memberships, those of one
/// group or of one user.
fn alike(changes: &[&Change], first: &Change) -> usize {
    let count = |is_same: &dyn Fn(&Change) -> bool| {
        let is_alike =
            |change: &&&Change| change.operation == first.operation && change.kind == first.kind && is_same(change);
        changes.iter().take_while(is_alike).count()
    };
    match first.subject {
        Subject::Membership { .. } => {
            let of_group = count(&|change| change.subject.group() == first.subject.group());
            of_group.max(count(&|change| change.subject.user() == first.subject.user()))
        }
        _ => count(&|_| true),
    }
}

fn line(visit: &Page, of: Of, alike: &[&Change], first: &Change) -> Line {
    let (reader, caller) = (&visit.browser.reader, visit.caller());
    let names = Names { of, caller };
    let (name, is_machine) = actor_name(&first.actor, visit.may::<ReadUsers>());
    let states = VisibleStates::new(first, caller);
    let differences = match (of, states.before, states.after, alike.len()) {
        (Of::Group | Of::User | Of::Operation, Some(before), Some(after), 1) => {
            differences(before, after, &states.changed, reader, &caller.visibility)
        }
        _ => Vec::new(),
    };
    Line {
        time: time(of, reader, first.time),
        avatar: if is_machine { ui::machine(&name) } else { ui::avatar(&name) },
        said: t::said(first.kind, &ui::name(&name), &names.object(alike, first, &states), names.place(alike).as_ref()),
        reason: first.reason.clone(),
        differences,
        channel: t::channel(first.channel),
        operation: Some(operation_path(&first.operation)).filter(|_| sees_operations(visit)),
    }
}

/// Whether the reader may see the page of an operation.
pub(super) fn sees_operations(visit: &Page) -> bool {
    visit.may::<crate::domain::caller::ReadChanges>() || visit.may::<UndoChanges>()
}

fn time(of: Of, reader: &Reader, at: Timestamp) -> Html {
    if of == Of::Directory { reader.clock_with_seconds(&at) } else { reader.clock(&at) }
}

/// Who acted, and whether it was a program. Users are named for readers of users alone.
pub(super) fn actor_name(actor: &NamedActor, sees_users: bool) -> (String, bool) {
    let user = actor.user.as_ref().map(|user| user_name(user, sees_users).to_owned());
    let client = actor.client.as_ref().map(|client| client.name.clone());
    let operator = actor.operator.as_ref().map(|operator| format!("{}@{}", operator.user, operator.host));
    match (user, client.or(operator)) {
        (Some(user), None) => (user, false),
        (Some(user), Some(through)) => (t::through(&user, &through), false),
        (None, Some(program)) => (program, true),
        (None, None) => (t::SERVER.to_owned(), true),
    }
}

/// The username for readers of users, the ID for others and of an erased user.
pub(super) fn user_name(user: &NamedUser, sees_users: bool) -> &str {
    if sees_users && !user.username.is_empty() { &user.username } else { &user.id }
}

/// The names of what was changed, as links to what the reader may see.
struct Names<'a> {
    of: Of,
    caller: &'a std::sync::Arc<Caller>,
}

impl Names<'_> {
    /// What was changed: a name if it is one, otherwise how many.
    fn object(&self, alike: &[&Change], first: &Change, states: &VisibleStates<'_>) -> Html {
        let count = alike.len() as u64;
        match (&first.subject, count) {
            (Subject::Group(_) | Subject::User(_), 1) => self.entity(first, states),
            (Subject::Group(_), _) => t::groups(count),
            (Subject::User(_), _) => t::users(count),
            // Several groups of one user.
            (Subject::Membership { .. }, 2..) if is_of_one_user(alike) => self.user(first),
            (Subject::Membership { .. }, 2..) => t::people(count),
            (Subject::Membership { .. }, _) => self.user(first),
            (Subject::Client(_), 1) if first.kind == ChangeType::ClientUpdated && !states.changed.is_empty() => {
                t::with_fields(&self.client(first), &fields::several(&states.changed))
            }
            (Subject::Client(_), 1) => self.client(first),
            (Subject::Client(_), _) => t::clients(count),
            (Subject::Token(_), _) => match first.after.as_ref().or(first.before.as_ref()) {
                Some(State::Token(token)) if count == 1 => t::token(&ui::name(&token.fields.name)),
                _ => t::tokens(count),
            },
            (Subject::Key(_), _) => t::keys(count),
        }
    }

    /// A group or user: its name, and which fields of it were changed.
    fn entity(&self, first: &Change, states: &VisibleStates<'_>) -> Html {
        let is_group = matches!(first.subject, Subject::Group(_));
        let own = if is_group { Of::Group } else { Of::User };
        let is_update = matches!(first.kind, ChangeType::GroupUpdated | ChangeType::UserUpdated);
        let changed = (is_update && !states.changed.is_empty()).then(|| fields::several(&states.changed));
        match (self.of == own, changed) {
            (true, Some(changed)) => changed,
            (true, None) if is_group => t::this_group(),
            (true, None) => t::this_user(),
            (false, changed) => {
                let name = if is_group { self.group(first.group.as_ref()) } else { self.user(first) };
                changed.map_or_else(|| name.clone(), |changed| t::with_fields(&name, &changed))
            }
        }
    }

    /// The group of a membership, or how many groups; `None` if the timeline is that of the group.
    fn place(&self, alike: &[&Change]) -> Option<Html> {
        let first = alike.first()?;
        if !matches!(first.subject, Subject::Membership { .. }) || self.of == Of::Group {
            return None;
        }
        match alike.len() {
            1 => Some(self.group(first.group.as_ref())),
            count if is_of_one_user(alike) => Some(t::groups(count as u64)),
            _ => Some(self.group(first.group.as_ref())),
        }
    }

    fn group(&self, named: Option<&NamedGroup>) -> Html {
        match named {
            Some(named) => ui::link(&group::path_of(named.uid), &ui::name(&named.name)),
            None => t::groups(1),
        }
    }

    fn user(&self, change: &Change) -> Html {
        let sees_users = self.caller.permit::<ReadUsers>().is_ok();
        match (&change.user, self.of) {
            (Some(_), Of::User) => t::this_user(),
            (Some(named), _) if sees_users => {
                ui::link(&user::path_of(named.uid), &ui::name(user_name(named, sees_users)))
            }
            (Some(named), _) => ui::name(user_name(named, sees_users)),
            (None, _) => t::people(1),
        }
    }

    fn client(&self, change: &Change) -> Html {
        match &change.client {
            Some(client) if self.caller.permit::<ReadClients>().is_ok() => {
                ui::link(&clients::path_of(&client.id), &ui::name(&client.name))
            }
            Some(client) => ui::name(&client.name),
            None => t::clients(1),
        }
    }
}

fn is_of_one_user(alike: &[&Change]) -> bool {
    let mut users = alike.iter().map(|change| change.subject.user());
    let first = users.next();
    first.is_some() && users.all(|user| Some(user) == first)
}
