//! A user in responses.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::community::Visibility;
use crate::domain::user;
use crate::http::response::json::StoredXp;

use super::{date, visible};

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "uid": 12, "id": "ada", "username": "ada", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com",
    "phone": null, "active": true, "termsAccepted": null, "passwordSet": true, "xp": {}, "roles": ["Auditor"],
    "communities": [], "groupCount": 3, "lockedUntil": null, "failedSignIns": 0, "lastActive": null, "version": 2,
    "created": "2026-06-04T20:35:36.38Z", "updated": "2026-06-04T20:35:36.38Z", "deleted": null,
}))]
pub(in crate::api::rollbook) struct User {
    /// The number, which is never changed and never given again.
    #[schema(minimum = 1, read_only)]
    uid: i64,
    /// Unique among the users that are not deleted, without regard to case.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    id: String,
    /// Unique among the users that are not deleted, without regard to case.
    #[schema(min_length = 1, max_length = 100)]
    username: String,
    #[schema(min_length = 1, max_length = 100)]
    first_name: String,
    #[schema(min_length = 1, max_length = 100)]
    last_name: String,
    #[schema(min_length = 1, max_length = 200)]
    email: String,
    #[schema(max_length = 100)]
    phone: Option<String>,
    /// Whether the user may sign in.
    active: bool,
    #[schema(format = DateTime)]
    terms_accepted: Option<String>,
    /// Whether the user has a password.
    #[schema(read_only)]
    password_set: bool,
    /// Extended properties: any JSON object of at most 8000 bytes and 500 values.
    #[schema(value_type = Object)]
    xp: StoredXp,
    /// The names of the user's roles.
    roles: Vec<&'static str>,
    /// GUIDs of the communities that the user is limited to; if there are none, the user is not limited. A caller limited
    /// to communities sees only their own.
    communities: Vec<String>,
    /// The number of groups that the user is in, of those that the caller may see; null if counting them costs too much.
    /// Lists do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, read_only)]
    group_count: Option<Option<u64>>,
    /// The end of the last lockout after too many failed sign-ins; the user is locked until then.
    #[schema(format = DateTime, read_only)]
    locked_until: Option<String>,
    /// Since the last successful sign-in.
    #[schema(read_only)]
    failed_sign_ins: i64,
    /// The last successful sign-in.
    #[schema(format = DateTime, read_only)]
    last_active: Option<String>,
    /// Grows by one with each change of the user; sign-ins and groups do not count.
    #[schema(minimum = 1)]
    version: i64,
    #[schema(format = DateTime, read_only)]
    created: String,
    /// The last change of the user; sign-ins and groups do not count.
    #[schema(format = DateTime, read_only)]
    updated: String,
    #[schema(format = DateTime, read_only)]
    deleted: Option<String>,
}

impl User {
    /// The user as a caller sees them in lists, without the number of groups.
    pub(in crate::api::rollbook) fn listed(user: &user::User, visibility: &Visibility) -> Self {
        let fields = &user.fields;
        Self {
            uid: user.uid,
            id: fields.id.to_string(),
            username: fields.username.clone(),
            first_name: fields.first_name.clone(),
            last_name: fields.last_name.clone(),
            email: fields.email.clone(),
            phone: fields.phone.clone(),
            active: fields.active,
            terms_accepted: fields.terms_accepted.map(date),
            password_set: fields.password_set.is_some(),
            xp: StoredXp::or_empty(fields.xp.as_ref()),
            roles: fields.roles.names().collect(),
            communities: visible(&fields.communities, visibility),
            group_count: None,
            locked_until: user.locked_until.map(date),
            failed_sign_ins: user.failed_attempts,
            last_active: user.last_active.map(date),
            version: user.version,
            created: date(user.created),
            updated: date(user.updated),
            deleted: user.deleted.map(date),
        }
    }

    /// The user as a caller sees them alone, with the number of groups.
    pub(in crate::api::rollbook) fn single(user: &user::User, groups: Option<u64>, visibility: &Visibility) -> Self {
        Self { group_count: Some(groups), ..Self::listed(user, visibility) }
    }
}
