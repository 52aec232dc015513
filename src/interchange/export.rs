//! Writing a thing as a line.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::community::Communities;
use crate::domain::group::Group;
use crate::domain::labels::Labels;
use crate::domain::membership::Membership;
use crate::domain::thing::Thing;
use crate::domain::user::User;
use crate::domain::xp::Xp;

/// The line of a live thing, without its end. What an import cannot set (times, versions, passwords) is not in it.
pub fn line_of(thing: &Thing) -> serde_json::Result<String> {
    serde_json::to_string(&match thing {
        Thing::Group(group) => Line::Group(GroupLine::of(group)?),
        Thing::User(user) => Line::User(UserLine::of(user)?),
        Thing::Membership(Membership { group, user }) => {
            Line::Membership(MembershipLine { group: group.as_str(), user: user.as_str() })
        }
    })
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Group(GroupLine<'a>),
    User(UserLine<'a>),
    Membership(MembershipLine<'a>),
}

#[derive(Serialize)]
struct GroupLine<'a> {
    uid: i64,
    id: &'a str,
    #[serde(serialize_with = "as_object")]
    labels: &'a Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xp: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    communities: Vec<String>,
}

impl<'a> GroupLine<'a> {
    fn of(group: &'a Group) -> serde_json::Result<Self> {
        let fields = &group.fields;
        Ok(Self {
            uid: group.uid,
            id: fields.id.as_str(),
            labels: &fields.labels,
            description: fields.description.as_deref(),
            xp: raw(fields.xp.as_ref())?,
            communities: names(&fields.communities),
        })
    }
}

#[derive(Serialize)]
struct UserLine<'a> {
    id: &'a str,
    username: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms_accepted: Option<String>,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    xp: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    communities: Vec<String>,
}

impl<'a> UserLine<'a> {
    fn of(user: &'a User) -> serde_json::Result<Self> {
        let fields = &user.fields;
        Ok(Self {
            id: fields.id.as_str(),
            username: &fields.username,
            first_name: &fields.first_name,
            last_name: &fields.last_name,
            email: &fields.email,
            phone: fields.phone.as_deref(),
            terms_accepted: fields.terms_accepted.map(|at| format!("{}Z", at.to_civil())),
            active: fields.active,
            xp: raw(fields.xp.as_ref())?,
            roles: fields.roles.names().collect(),
            communities: names(&fields.communities),
        })
    }
}

#[derive(Serialize)]
struct MembershipLine<'a> {
    group: &'a str,
    user: &'a str,
}

fn as_object<S: serde::Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter())
}

fn raw(xp: Option<&Xp>) -> serde_json::Result<Option<&RawValue>> {
    xp.map(|xp| serde_json::from_str(xp.as_str())).transpose()
}

fn names(communities: &Communities) -> Vec<String> {
    communities.iter().map(ToString::to_string).collect()
}
