//! The attributes of users and groups, in one table (RFC 7643, section 7; docs/scim.md, sections 4 and 5). `/Schemas` is
//! this table. An attribute is in it only if the directory stores what a client sends, or computes it.

use super::attributes::{Attribute, Type, complex, reference, text};

/// The schema of users (RFC 7643, section 4.1).
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups (RFC 7643, section 4.2).
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of users (RFC 7643, section 4.3).
pub(super) const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Rollbook's extension of users.
pub(super) const ROLLBOOK_USER: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:User";
/// Rollbook's extension of groups.
pub(super) const ROLLBOOK_GROUP: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group";

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

const EXTERNAL_ID: Attribute =
    text("externalId", "The ID by which the client knows the resource; each client has its own").exact();
const KEY: Attribute = text("key", "The ID in the other APIs, unique; generated if it is left out").unique();
const XP: Attribute = text("xp", "The extended properties, as the text of a JSON object").exact();
const DISPLAY: Attribute = text("display", "A name for people");
const PRIMARY: Attribute = text("primary", "Whether it is the preferred one").of(Type::Boolean);

/// The schema of users.
pub(super) const USER_SCHEMA: Schema = Schema {
    id: USER,
    name: "User",
    description: "A user of the directory",
    attributes: &[
        text("userName", "The name to sign in with, at most 100 characters").required().unique(),
        EXTERNAL_ID,
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
        text("displayName", "The name to show"),
        text("nickName", "The casual name"),
        text("title", "The job title"),
        text("userType", "The relation to the organisation, such as Employee"),
        text("preferredLanguage", "The preferred language, as in Accept-Language"),
        text("locale", "The language tag for formats of dates and numbers"),
        text("timezone", "The time zone, such as Europe/Rome"),
        text("active", "Whether the user may sign in").of(Type::Boolean),
        complex(
            "emails",
            "The email addresses, at least one",
            &[
                text("value", "The address, at most 200 characters").required(),
                DISPLAY,
                text("type", "What it is used for").usually(&["work", "home", "other"]),
                PRIMARY,
            ],
        )
        .many()
        .required(),
        complex(
            "phoneNumbers",
            "The phone numbers",
            &[
                text("value", "The number, at most 100 characters").required(),
                DISPLAY,
                text("type", "What it is used for").usually(&["work", "home", "mobile", "fax", "pager", "other"]),
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

/// The schema of groups.
pub(super) const GROUP_SCHEMA: Schema = Schema {
    id: GROUP,
    name: "Group",
    description: "A group of users",
    attributes: &[
        text("displayName", "The name in the directory's default language, at most 100 characters").required(),
        EXTERNAL_ID,
        complex(
            "members",
            "The members",
            &[
                text("value", "The id of the user").required().exact().immutable(),
                reference("The URL of the user", &["User"]),
                text("display", "The userName of the user").read_only(),
                text("type", "The kind of member").usually(&["User"]).immutable(),
            ],
        )
        .many(),
    ],
};

/// The enterprise extension of users.
pub(super) const ENTERPRISE_USER_SCHEMA: Schema = Schema {
    id: ENTERPRISE_USER,
    name: "EnterpriseUser",
    description: "The user in an organisation",
    attributes: &[
        text("employeeNumber", "The number in the organisation"),
        text("costCenter", "The cost center"),
        text("organization", "The organisation"),
        text("division", "The division"),
        text("department", "The department"),
        complex("manager", "The manager", &[text("value", "The id of the manager").exact()]),
    ],
};

/// Rollbook's extension of users.
pub(super) const ROLLBOOK_USER_SCHEMA: Schema = Schema {
    id: ROLLBOOK_USER,
    name: "RollbookUser",
    description: "What the directory keeps of users beside the standard attributes",
    attributes: &[KEY, XP],
};

/// Rollbook's extension of groups.
pub(super) const ROLLBOOK_GROUP_SCHEMA: Schema = Schema {
    id: ROLLBOOK_GROUP,
    name: "RollbookGroup",
    description: "What the directory keeps of groups beside the standard attributes",
    attributes: &[
        KEY,
        text("description", "The description, at most 2,000 characters"),
        complex(
            "labels",
            "The names in all languages",
            &[
                text("language", "The tag of the language, such as en").required(),
                text("value", "The name, at most 100 characters").required(),
            ],
        )
        .many(),
        text("communities", "The GUIDs of the communities that the group is linked to").many(),
        XP,
        text("memberCount", "The number of members").of(Type::Integer).read_only(),
    ],
};

/// Every schema, in the order of `/Schemas`.
pub(super) const SCHEMAS: [&Schema; 5] =
    [&USER_SCHEMA, &GROUP_SCHEMA, &ENTERPRISE_USER_SCHEMA, &ROLLBOOK_USER_SCHEMA, &ROLLBOOK_GROUP_SCHEMA];

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
    extensions: &[&ENTERPRISE_USER_SCHEMA, &ROLLBOOK_USER_SCHEMA],
};

/// Groups.
pub(super) const GROUPS: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "The groups of the directory",
    schema: &GROUP_SCHEMA,
    extensions: &[&ROLLBOOK_GROUP_SCHEMA],
};

/// Every kind of resource.
pub(super) const RESOURCE_TYPES: [&ResourceType; 2] = [&USERS, &GROUPS];
