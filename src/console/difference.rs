//! Fields before and after: of a change, of a group or user then and now, or of two people who saved at the same time.

use crate::domain::community::Visibility;
use crate::domain::history::State;
use crate::domain::time::Timestamp;
use crate::domain::xp::Xp;
use crate::json::Json;

use super::messages::{self as m, fields as t};
use super::time::Reader;
use super::ui::{self, Html};

/// A field with two values.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// The name of the field, in words.
    pub field: String,
    /// The lines of the value on the left; none if it has no value.
    pub before: Vec<Html>,
    /// The lines of the value on the right.
    pub after: Vec<Html>,
}

impl Difference {
    /// A field whose values are lines of text.
    pub(super) fn of_texts(field: &str, before: &str, after: &str) -> Self {
        let lines = |text: &str| text.lines().map(ui::name).collect();
        Self { field: field.to_owned(), before: lines(before), after: lines(after) }
    }
}

/// The two values of each of the fields, which have the names that changes give them. Of communities, those that the
/// reader may know of.
pub(super) fn differences(
    before: &State,
    after: &State,
    fields: &[String],
    reader: &Reader,
    visibility: &Visibility,
) -> Vec<Difference> {
    let shown = |state, field: &str| Shown { state, reader, visibility }.value(field);
    let difference = |field: &String| match is_secret(field) {
        true => Difference { field: t::field(field), before: Vec::new(), after: vec![ui::name(t::NEW_SECRET)] },
        false => Difference { field: t::field(field), before: shown(before, field), after: shown(after, field) },
    };
    fields.iter().map(difference).collect()
}

/// Whether the field has no value that is shown: it is known only that it changed.
fn is_secret(field: &str) -> bool {
    matches!(field, "password" | "tokens" | "secret")
}

/// An entity whose fields are shown.
struct Shown<'a> {
    state: &'a State,
    reader: &'a Reader,
    visibility: &'a Visibility,
}

impl Shown<'_> {
    /// The lines of the value of the field.
    fn value(&self, field: &str) -> Vec<Html> {
        match self.state {
            State::Group(group) => match (field, field.split_once('.')) {
                (_, Some(("labels", tag))) => {
                    let label = group.fields.labels.iter().find(|(own, _)| *own == tag);
                    label.map(|(tag, label)| ui::label(label, tag)).into_iter().collect()
                }
                (_, Some(("xp", member))) => xp_member(group.fields.xp.as_ref(), member),
                ("id", _) => vec![ui::code(group.fields.id.as_str())],
                ("description", _) => lines(group.fields.description.as_deref()),
                ("communities", _) => codes(self.visibility.seen(&group.fields.communities)),
                _ => Vec::new(),
            },
            State::User(user) => {
                let own = &user.fields;
                match (field, field.strip_prefix("xp.")) {
                    (_, Some(member)) => xp_member(own.xp.as_ref(), member),
                    ("id", _) => vec![ui::code(own.id.as_str())],
                    ("username", _) => lines(Some(&own.username)),
                    ("firstName", _) => lines(Some(&own.first_name)),
                    ("lastName", _) => lines(Some(&own.last_name)),
                    ("email", _) => lines(Some(&own.email)),
                    ("phone", _) => lines(own.phone.as_deref()),
                    ("active", _) => yes_or_no(own.active),
                    ("termsAccepted", _) => self.time(own.terms_accepted),
                    ("roles", _) => own.roles.names().map(ui::name).collect(),
                    ("communities", _) => codes(self.visibility.seen(&own.communities)),
                    _ => Vec::new(),
                }
            }
            State::Client(client) => {
                let own = &client.fields;
                match field {
                    "id" => vec![ui::code(&own.id)],
                    "name" => lines(Some(&own.name)),
                    "roles" => own.roles.names().map(ui::name).collect(),
                    "communities" => codes(self.visibility.seen(&own.communities)),
                    "user" => own.user.map(|uid| ui::code(&format!("uid:{uid}"))).into_iter().collect(),
                    "enabled" => yes_or_no(own.enabled),
                    "accessMinutes" => vec![ui::name(&ui::number(&own.access_minutes))],
                    "refreshMinutes" => vec![ui::name(&ui::number(&own.refresh_minutes))],
                    "refreshRotation" => yes_or_no(own.refresh_rotation),
                    "strictMembers" => yes_or_no(own.strict_members),
                    "maxRemovalPercent" => {
                        own.max_removal_percent.iter().map(|percent| ui::name(&format!("{percent} %"))).collect()
                    }
                    _ => Vec::new(),
                }
            }
            State::Token(token) => match field {
                "name" => lines(Some(&token.fields.name)),
                "expires" => self.time(Some(token.fields.expires)),
                _ => Vec::new(),
            },
        }
    }

    fn time(&self, at: Option<Timestamp>) -> Vec<Html> {
        at.iter().map(|at| self.reader.moment(at)).collect()
    }
}

fn lines(text: Option<&str>) -> Vec<Html> {
    text.unwrap_or_default().lines().map(ui::name).collect()
}

fn codes<T: ToString>(values: impl Iterator<Item = T>) -> Vec<Html> {
    values.map(|value| ui::code(&value.to_string())).collect()
}

fn yes_or_no(value: bool) -> Vec<Html> {
    vec![ui::name(if value { m::YES } else { m::NO })]
}

/// The value of a member of an xp, as JSON.
fn xp_member(xp: Option<&Xp>, member: &str) -> Vec<Html> {
    match xp.map(Xp::to_json) {
        Some(Json::Object(members)) => {
            let own = members.into_iter().find(|(name, _)| name == member);
            own.map(|(_, value)| ui::code(&value.to_string())).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
