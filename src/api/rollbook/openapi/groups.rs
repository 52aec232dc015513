//! What the document says of groups.

use crate::domain::caller::{Permission as _, ReadGroups, WriteGroups};
use crate::domain::error::ResourceKind;
use crate::domain::id::Id;
use crate::http::request::error::{DirectoryError, Error};

use super::{Described, body_errors, restore_errors};

/// What an operation on groups needs, and its errors.
pub(super) fn of_groups(id: &str) -> Described {
    let missing = || Error::Directory(DirectoryError::NotFound(ResourceKind::Group, "support".to_owned()));
    let taken = || Error::Directory(DirectoryError::AlreadyExists(ResourceKind::Group, "support".to_owned()));
    let deleted = || Error::Directory(DirectoryError::AlreadyDeleted);
    let write = |is_conditional, errors| Described {
        roles: WriteGroups::ROLES,
        is_write: true,
        is_conditional,
        is_repeatable: ["groups.create", "groups.patch", "groups.restore"].contains(&id),
        errors,
    };
    match id {
        "groups.create" => write(
            false,
            [
                body_errors("labels", "is required, or name"),
                vec![taken(), Error::Directory(DirectoryError::NotAuthorizedToAdmin)],
            ]
            .concat(),
        ),
        "groups.put" => write(
            true,
            [
                body_errors("labels", "is required, or name"),
                vec![missing(), taken(), deleted(), Error::Directory(DirectoryError::NotAuthorizedToAdmin)],
            ]
            .concat(),
        ),
        "groups.patch" => {
            write(true, [body_errors("labels", "is required, or name"), vec![missing(), taken(), deleted()]].concat())
        }
        "groups.delete" => write(true, vec![missing(), deleted(), Error::Directory(DirectoryError::HasUsers(3))]),
        "groups.restore" => {
            write(true, [body_errors("id", Id::RULE), restore_errors(ResourceKind::Group, "support")].concat())
        }
        _ => Described {
            roles: ReadGroups::ROLES,
            is_write: false,
            is_conditional: true,
            is_repeatable: false,
            errors: vec![missing()],
        },
    }
}
