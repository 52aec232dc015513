//! Users as resources (RFC 7643, section 4.1; docs/scim.md, section 4).

use serde_json::{Map, Value, json};

use crate::domain::contacts::Contact;
use crate::domain::group::Group;
use crate::domain::user::User;
use crate::http::response::json::date;
use crate::service::provisioning::ProvisionedUser;

use super::super::etag;
use super::super::ids::{group_id, location, user_id};
use super::super::schemas::{ROLLBOOK_USER, USER, USERS};

/// The user as a resource. `groups` are those that the answer shows, if it shows any.
pub(in crate::api::scim) fn user(base_url: Option<&str>, user: &User, groups: Option<&[Group]>) -> Map<String, Value> {
    let provisioned = ProvisionedUser::of(&user.fields);
    let ProvisionedUser { username, first_name, last_name, emails, phone_numbers, active, .. } = provisioned;
    let mut resource = Map::new();
    let mut add = |name: &str, value: Value| resource.insert(name.to_owned(), value);
    add("schemas", json!([USER, ROLLBOOK_USER]));
    add("id", user_id(user.uid).into());
    add("userName", username.into());
    let formatted = format!("{first_name} {last_name}");
    add("name", json!({ "formatted": formatted, "familyName": last_name, "givenName": first_name }));
    add("active", active.into());
    add("emails", emails.iter().map(contact).collect());
    if !phone_numbers.is_empty() {
        add("phoneNumbers", phone_numbers.iter().map(contact).collect());
    }
    if let Some(groups) = groups {
        add("groups", groups.iter().map(|group| joined(base_url, group)).collect());
    }
    let mut extension = json!({ "key": user.fields.id.as_str() });
    if let Some(xp) = &user.fields.xp {
        extension["xp"] = xp.as_str().into();
    }
    add(ROLLBOOK_USER, extension);
    add(
        "meta",
        json!({
            "resourceType": USERS.name,
            "created": date(user.created),
            "lastModified": date(user.updated),
            "location": url(base_url, user),
            "version": etag::of_user(user.version),
        }),
    );
    resource
}

/// The URL of the user.
pub(in crate::api::scim) fn url(base_url: Option<&str>, user: &User) -> String {
    location(base_url, &format!("{}/{}", USERS.endpoint, user_id(user.uid)))
}

/// An email address or phone number.
fn contact(contact: &Contact) -> Value {
    let mut fields = Map::new();
    fields.insert("value".to_owned(), contact.value.as_str().into());
    let texts = [("display", &contact.display), ("type", &contact.kind)];
    let present = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.as_deref()?.into())));
    fields.extend(present);
    if contact.primary {
        fields.insert("primary".to_owned(), true.into());
    }
    fields.into()
}

/// A group that the user is in.
fn joined(base_url: Option<&str>, group: &Group) -> Value {
    let id = group_id(group.uid);
    let url = location(base_url, &format!("/Groups/{id}"));
    json!({ "value": id, "$ref": url, "display": group.name, "type": "direct" })
}
