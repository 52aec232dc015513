//! The versions of resources as weak entity tags (RFC 7644, section 3.14; docs/scim.md, section 1). The path names the
//! resource, so a tag has a version alone.

/// The tag of a user in this version: `W/"3"`.
pub(super) fn of_user(version: i64) -> String {
    format!("W/\"{version}\"")
}
