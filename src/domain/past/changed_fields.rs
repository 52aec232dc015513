//! Which fields a change changed, by the names that Rollbook's own API gives them.

use std::collections::BTreeSet;

use crate::domain::client::ClientFields;
use crate::domain::group::GroupFields;
use crate::domain::history::State;
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::user::UserFields;
use crate::domain::xp::Xp;
use crate::json::Json;

/// Returns the names of the fields that differ, such as `labels.it`, `xp.Dept` or `description`; none if the states are
/// of two kinds of entities.
pub(crate) fn changed_fields(before: &State, after: &State) -> Vec<String> {
    match (before, after) {
        (State::Group(before), State::Group(after)) => group_fields(&before.fields, &after.fields),
        (State::User(before), State::User(after)) => user_fields(&before.fields, &after.fields),
        (State::Client(before), State::Client(after)) => client_fields(&before.fields, &after.fields),
        (State::Token(before), State::Token(after)) => of_tokens(before, after),
        _ => Vec::new(),
    }
}

/// As [`changed_fields`], of groups.
pub(crate) fn group_fields(was: &GroupFields, is: &GroupFields) -> Vec<String> {
    let mut changed = named(&[("id", was.id != is.id)]);
    let labels = |labels: &crate::domain::labels::Labels| {
        labels.iter().map(|(tag, label)| (tag.to_owned(), label.to_owned())).collect::<BTreeSet<_>>()
    };
    let differing: BTreeSet<_> =
        labels(&was.labels).symmetric_difference(&labels(&is.labels)).map(|(tag, _)| format!("labels.{tag}")).collect();
    changed.extend(differing);
    changed.extend(named(&[("description", was.description != is.description)]));
    changed.extend(xp(was.xp.as_ref(), is.xp.as_ref()));
    changed.extend(named(&[("communities", was.communities != is.communities)]));
    changed
}

/// As [`changed_fields`], of users.
pub(crate) fn user_fields(was: &UserFields, is: &UserFields) -> Vec<String> {
    let mut changed = named(&[
        ("id", was.id != is.id),
        ("username", was.username != is.username),
        ("firstName", was.first_name != is.first_name),
        ("lastName", was.last_name != is.last_name),
        ("email", was.email != is.email),
        ("phone", was.phone != is.phone),
        ("active", was.active != is.active),
        ("termsAccepted", was.terms_accepted != is.terms_accepted),
        ("password", was.password_set != is.password_set),
        ("tokens", was.generation != is.generation),
    ]);
    changed.extend(xp(was.xp.as_ref(), is.xp.as_ref()));
    changed.extend(named(&[("roles", was.roles != is.roles), ("communities", was.communities != is.communities)]));
    changed
}

/// As [`changed_fields`], of clients.
pub(crate) fn client_fields(was: &ClientFields, is: &ClientFields) -> Vec<String> {
    named(&[
        ("id", was.id != is.id),
        ("name", was.name != is.name),
        ("roles", was.roles != is.roles),
        ("communities", was.communities != is.communities),
        ("user", was.user != is.user),
        ("enabled", was.enabled != is.enabled),
        ("accessMinutes", was.access_minutes != is.access_minutes),
        ("refreshMinutes", was.refresh_minutes != is.refresh_minutes),
        ("refreshRotation", was.refresh_rotation != is.refresh_rotation),
        ("strictMembers", was.strict_members != is.strict_members),
        ("maxRemovalPercent", was.max_removal_percent != is.max_removal_percent),
        ("secret", was.secret_set != is.secret_set),
        ("tokens", was.generation != is.generation),
    ])
}

fn of_tokens(before: &LongLivedToken, after: &LongLivedToken) -> Vec<String> {
    let (was, is) = (&before.fields, &after.fields);
    named(&[("name", was.name != is.name), ("expires", was.expires != is.expires)])
}

fn named(fields: &[(&str, bool)]) -> Vec<String> {
    fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned()).collect()
}

/// The differing members of two xp documents.
fn xp(before: Option<&Xp>, after: Option<&Xp>) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let members = |xp: Option<&Xp>| match xp.map(Xp::to_json) {
        Some(Json::Object(members)) => {
            members.into_iter().map(|(name, value)| (name, value.to_string())).collect::<BTreeSet<_>>()
        }
        _ => BTreeSet::new(),
    };
    let (before, after) = (members(before), members(after));
    let differing: BTreeSet<_> = before.symmetric_difference(&after).map(|(name, _)| format!("xp.{name}")).collect();
    differing.into_iter().collect()
}
