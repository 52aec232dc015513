//! Export: converts an entity to a line of JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::community::Communities;
use crate::domain::export_item::ExportItem;
use crate::domain::group::Group;
use crate::domain::labels::Labels;
use crate::domain::membership::Membership;
use crate::domain::user::User;
use crate::domain::xp::Xp;

/// The line of a live entity, without the line feed. It leaves out what an import cannot set: times, versions,
/// passwords. Fails if the stored xp is not JSON.
pub(crate) fn line_of(entity: &ExportItem) -> serde_json::Result<String> {
    serde_json::to_string(&match entity {
        ExportItem::Group(group) => ExportLine::Group(GroupLine::of(group)?),
        ExportItem::User(user) => ExportLine::User(UserLine::of(user)?),
        ExportItem::Membership(Membership { group, user }) => {
            ExportLine::Membership(MembershipLine { group: group.as_str(), user: user.as_str() })
        }
    })
}

/// A line: an object whose only field names the kind of the entity.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ExportLine<'a> {
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
            communities: guids(&fields.communities),
        })
    }
}

#[derive(Serialize)]
struct UserLine<'a> {
    uid: i64,
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
            uid: user.uid,
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
            communities: guids(&fields.communities),
        })
    }
}

#[derive(Serialize)]
struct MembershipLine<'a> {
    group: &'a str,
    user: &'a str,
}

/// Serializes labels as an object: language tag to text.
fn as_object<S: serde::Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter())
}

/// The xp as its stored text, which preserves the order of fields and the spelling of numbers.
fn raw(xp: Option<&Xp>) -> serde_json::Result<Option<&RawValue>> {
    xp.map(|xp| serde_json::from_str(xp.as_str())).transpose()
}

/// The communities as GUIDs in text form.
fn guids(communities: &Communities) -> Vec<String> {
    communities.iter().map(ToString::to_string).collect()
}
