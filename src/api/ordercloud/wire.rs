//! Responses of this API (docs/ordercloud.md, sections 1, 2, 3, 6 and 7). Every property is always present; it is null
//! if it is not set. `openapi.rs` derives the schemas of request bodies from these, without read-only properties.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::group::Group;
use crate::domain::membership::Membership;
use crate::domain::query::{ListResult, Page};
use crate::domain::time::Timestamp;
use crate::domain::user::User as DomainUser;
use crate::http::response::json::StoredXp;

/// A group of admin users.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(example = json!({
    "ID": "support", "Name": "Support team", "Description": "Answers the phone", "xp": { "Dept": "IT", "Floor": 3 },
}))]
pub(super) struct UserGroup {
    /// Unique without regard to case.
    #[serde(rename = "ID")]
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    id: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Extended properties: any JSON object of at most 8000 bytes and 500 values.
    #[serde(rename = "xp")]
    #[schema(value_type = Option<Object>)]
    xp: Option<StoredXp>,
}

impl From<Group> for UserGroup {
    fn from(group: Group) -> Self {
        Self::from(&group)
    }
}

impl From<&Group> for UserGroup {
    fn from(group: &Group) -> Self {
        Self {
            id: group.fields.id.to_string(),
            name: group.name.clone(),
            description: group.fields.description.clone(),
            xp: group.fields.xp.clone().map(StoredXp),
        }
    }
}

/// An admin user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(example = json!({
    "ID": "ada", "CompanyID": null, "Username": "ada", "FirstName": "Ada", "LastName": "Lovelace",
    "Email": "ada@example.com", "Phone": null, "TermsAccepted": null, "Active": true, "xp": null,
    "AvailableRoles": ["AdminUserGroupReader"], "Locale": null, "DateCreated": "2026-06-04T20:35:36.38+00:00",
    "LastActive": null, "PasswordLastSetDate": "2026-06-04T20:35:36.38+00:00", "FailedLoginAttempts": 0,
}))]
pub(super) struct User {
    /// Unique without regard to case.
    #[serde(rename = "ID")]
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    id: String,
    /// Always null here.
    #[serde(rename = "CompanyID")]
    #[schema(value_type = Option<String>, read_only)]
    company_id: (),
    /// Unique without regard to case.
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
    #[schema(format = DateTime)]
    terms_accepted: Option<String>,
    /// Whether the user may sign in.
    active: bool,
    /// Extended properties: any JSON object of at most 8000 bytes and 500 values.
    #[serde(rename = "xp")]
    #[schema(value_type = Option<Object>)]
    xp: Option<StoredXp>,
    /// The names of the user's roles, which other APIs and the command line set.
    available_roles: Vec<&'static str>,
    /// Always null here.
    #[schema(value_type = Option<Object>)]
    locale: (),
    #[schema(format = DateTime, read_only)]
    date_created: String,
    /// The last successful sign-in.
    #[schema(format = DateTime, read_only)]
    last_active: Option<String>,
    /// Null where the user has no password.
    #[schema(format = DateTime, read_only)]
    password_last_set_date: Option<String>,
    /// Since the last successful sign-in.
    #[schema(read_only)]
    failed_login_attempts: i64,
}

impl From<DomainUser> for User {
    fn from(user: DomainUser) -> Self {
        let fields = user.fields;
        Self {
            id: fields.id.to_string(),
            company_id: (),
            username: fields.username,
            first_name: fields.first_name,
            last_name: fields.last_name,
            email: fields.email,
            phone: fields.phone,
            terms_accepted: fields.terms_accepted.map(date),
            active: fields.active,
            xp: fields.xp.map(StoredXp),
            available_roles: fields.roles.names().collect(),
            locale: (),
            date_created: date(user.created),
            last_active: user.last_active.map(date),
            password_last_set_date: fields.password_set.map(date),
            failed_login_attempts: user.failed_attempts,
        }
    }
}

/// A user's membership of a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "UserGroupID": "support", "UserID": "ada" }))]
pub(super) struct UserGroupAssignment {
    #[serde(rename = "UserGroupID")]
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    user_group_id: String,
    #[serde(rename = "UserID")]
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    user_id: String,
}

impl From<Membership> for UserGroupAssignment {
    fn from(membership: Membership) -> Self {
        Self { user_group_id: membership.group.to_string(), user_id: membership.user.to_string() }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPage<T> {
    meta: Meta,
    items: Vec<T>,
}

impl<T> ListPage<T> {
    /// The requested page.
    pub(super) fn new<D: Into<T>>(page: Page, result: ListResult<D>) -> Self {
        let items: Vec<T> = result.items.into_iter().map(Into::into).collect();
        Self { meta: Meta::new(page, items.len(), result.total), items }
    }
}

/// Where in its list a page stands.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(example = json!({
    "Page": 2, "PageSize": 20, "TotalCount": 25, "TotalPages": 2, "ItemRange": [21, 25], "NextPageKey": null,
}))]
pub(super) struct Meta {
    #[schema(minimum = 1)]
    page: u32,
    #[schema(minimum = 1, maximum = 100)]
    page_size: u32,
    /// How many there are on all pages.
    total_count: u64,
    total_pages: u64,
    /// The numbers of the first and last item of the page, counted from 1; zeros on an empty page.
    #[schema(min_items = 2, max_items = 2)]
    item_range: [u64; 2],
    /// Always null here.
    #[schema(value_type = Option<String>)]
    next_page_key: (),
}

impl Meta {
    fn new(page: Page, items: usize, total: u64) -> Self {
        let before = page.offset();
        Self {
            page: page.number,
            page_size: page.size,
            total_count: total,
            total_pages: page.count(total),
            item_range: if items == 0 { [0, 0] } else { [before + 1, before + items as u64] },
            next_page_key: (),
        }
    }
}

/// ISO 8601 in UTC, with all digits of the second: `2019-06-04T20:35:36.38+00:00`.
fn date(moment: Timestamp) -> String {
    format!("{}+00:00", moment.to_civil())
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    #[test]
    fn dates_are_utc_with_all_digits() {
        for text in ["2019-06-04T20:35:36.38+00:00", "2019-06-04T20:35:36+00:00", "2019-06-04T00:00:00.000001+00:00"] {
            assert_eq!(date(Timestamp::parse_iso(text).unwrap()), text);
        }
    }

    #[test]
    fn a_page_reports_its_position() {
        let meta =
            |number, items, total| serde_json::to_value(Meta::new(Page { number, size: 20 }, items, total)).unwrap();
        let expected = json!({
            "Page": 2, "PageSize": 20, "TotalCount": 25, "TotalPages": 2, "ItemRange": [21, 25], "NextPageKey": null,
        });
        assert_eq!(meta(2, 5, 25), expected);
        assert_eq!(meta(1, 0, 0)["ItemRange"], json!([0, 0]));
        assert_eq!(meta(1, 0, 0)["TotalPages"], json!(0));
        assert_eq!(meta(3, 0, 25)["ItemRange"], json!([0, 0]));
    }
}
