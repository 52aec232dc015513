//! What the document says of members.

use utoipa::openapi::Components;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use crate::domain::caller::{Permission as _, ReadGroups, WriteGroups};
use crate::domain::error::ResourceKind;
use crate::domain::membership::MEMBERS_MAX;
use crate::domain::user::UserKey;
use crate::http::request::error::{DirectoryError, Error};

use super::{Described, body_errors, unknown_user};

/// Adds the schemas of the bodies that change members.
pub(super) fn complete_members(components: &mut Components) {
    let users = || {
        let address = ObjectBuilder::new().schema_type(Type::String);
        let address = address.description(Some(
            "The ID of a user in any case, `uid:` and the number, or `username:` and \
            the username",
        ));
        ArrayBuilder::new().items(address).max_items(Some(MEMBERS_MAX))
    };
    let delta = ObjectBuilder::new().property("add", users()).property("remove", users());
    let complete = ObjectBuilder::new().property("members", users()).required("members");
    components.schemas.insert("MembersDelta".to_owned(), delta.build().into());
    components.schemas.insert("AllMembers".to_owned(), complete.build().into());
}

/// What an operation on members needs, and its errors.
pub(super) fn of_members(id: &str) -> Described {
    let missing = Error::Directory(DirectoryError::NotFound(ResourceKind::Group, "support".to_owned()));
    let deleted = Error::Directory(DirectoryError::AlreadyDeleted);
    let unknown = vec![UserKey::Uid(12), UserKey::Username("grace@example.org".to_owned())];
    let errors = match id {
        "members.list" => vec![missing, Error::Directory(DirectoryError::ListTooCostly)],
        "members.patch" | "members.replace" => {
            let field = if id == "members.patch" { "add" } else { "members" };
            let too_many = DirectoryError::TooManyRemovals { removals: 30, allowed: 20, members: 42 };
            let own = [DirectoryError::UnknownUsers(unknown), too_many].map(Error::Directory);
            [
                body_errors(field, "must be a list of at most 100000 addresses of users"),
                own.to_vec(),
                vec![missing, deleted],
            ]
            .concat()
        }
        "members.get" => vec![missing, unknown_user()],
        _ => vec![missing, unknown_user(), deleted],
    };
    let is_write = !["members.list", "members.get"].contains(&id);
    Described {
        roles: if is_write { WriteGroups::ROLES } else { ReadGroups::ROLES },
        is_write,
        is_conditional: ["members.list", "members.patch", "members.replace"].contains(&id),
        is_repeatable: id == "members.patch",
        errors,
    }
}
