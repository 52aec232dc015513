//! The attributes of users, in one table (RFC 7643, section 7; docs/scim.md, section 4). `/Schemas` is
//! this table. An attribute is in it only if the directory stores what a client sends, or computes it.

use super::attributes::{Attribute, Type, complex, reference, text};

/// The schema of users (RFC 7643, section 4.1).
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Rollbook's extension of users.
pub(super) const ROLLBOOK_USER: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:User";
/// A schema: the attributes under one URN.
#[derive(Debug)]
pub(super) struct Schema {
    /// The URN.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The attributes, besides `schemas`, `id` and `meta`, which every resource has (RFC 7643, section 3.1).
    pub attributes: &'static [Attribute],
}

const KEY: Attribute = text("key", "The ID in the other APIs, unique; generated if it is left out").unique();
const XP: Attribute = text("xp", "The extended properties, as the text of a JSON object").exact();
const PRIMARY: Attribute = text("primary", "Whether it is the preferred one").of(Type::Boolean);

/// The schema of users.
pub(super) const USER_SCHEMA: Schema = Schema {
    id: USER,
    name: "User",
    description: "A user of the directory",
    attributes: &[
        text("userName", "The name to sign in with, at most 100 characters").required().unique(),
        complex(
            "name",
            "The parts of the name",
            &[
                text("formatted", "The whole name, made of the two others").read_only(),
                text("familyName", "The last name, at most 100 characters").required(),
                text("givenName", "The first name, at most 100 characters").required(),
            ],
        )
        .required(),
        text("active", "Whether the user may sign in").of(Type::Boolean),
        complex(
            "emails",
            "The preferred email address",
            &[
                text("value", "The address, at most 200 characters").required(),
                text("type", "What it is used for").usually(&["work"]),
                PRIMARY,
            ],
        )
        .many()
        .required(),
        complex(
            "phoneNumbers",
            "The preferred phone number",
            &[
                text("value", "The number, at most 100 characters").required(),
                text("type", "What it is used for").usually(&["work"]),
                PRIMARY,
            ],
        )
        .many(),
        complex(
            "groups",
            "The groups that the user is in",
            &[
                text("value", "The id of the group").exact().read_only(),
                reference("The URL of the group", &["Group"]),
                text("display", "The name of the group").read_only(),
                text("type", "How the user is in the group").usually(&["direct"]).read_only(),
            ],
        )
        .many()
        .read_only()
        .on_request(),
    ],
};

/// Rollbook's extension of users.
pub(super) const ROLLBOOK_USER_SCHEMA: Schema = Schema {
    id: ROLLBOOK_USER,
    name: "RollbookUser",
    description: "What the directory keeps of users beside the standard attributes",
    attributes: &[KEY, XP],
};

/// Every schema, in the order of `/Schemas`.
pub(super) const SCHEMAS: [&Schema; 2] = [&USER_SCHEMA, &ROLLBOOK_USER_SCHEMA];

/// A kind of resource (RFC 7643, section 6).
#[derive(Debug)]
pub(super) struct ResourceType {
    /// The name, which is also the ID.
    pub name: &'static str,
    /// The path below `/scim/v2`.
    pub endpoint: &'static str,
    /// What it is.
    pub description: &'static str,
    /// The schema.
    pub schema: &'static Schema,
    /// The schemas that add attributes; a resource need not have them.
    pub extensions: &'static [&'static Schema],
}

/// Users.
pub(super) const USERS: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "The users of the directory",
    schema: &USER_SCHEMA,
    extensions: &[&ROLLBOOK_USER_SCHEMA],
};

/// Every kind of resource.
pub(super) const RESOURCE_TYPES: [&ResourceType; 1] = [&USERS];
