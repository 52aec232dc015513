//! What the document says of users.

use serde_json::json;
use utoipa::openapi::Components;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use crate::domain::caller::{EraseUsers, Permission as _, ReadUsers, WriteUsers};
use crate::domain::error::ResourceKind;
use crate::domain::user::PASSWORD_CHARS;
use crate::http::openapi;
use crate::http::request::error::{DirectoryError, Error};

use super::{Described, body_errors, restore_errors};

/// Completes the schema of users, and derives the schemas of their bodies.
pub(super) fn complete_users(components: &mut Components) {
    let password = password();
    if let Some(user) = openapi::object(components, "User") {
        // Lists do not have it.
        user.required.retain(|property| property != "groupCount");
        let partial = openapi::body_of(user);
        let mut complete = partial.clone();
        complete.required = REQUIRED_OF_USERS.map(str::to_owned).to_vec();
        let mut new = complete.clone();
        new.properties.insert("password".to_owned(), password.clone().into());
        components.schemas.insert("PartialUser".to_owned(), partial.into());
        components.schemas.insert("UserInput".to_owned(), complete.into());
        components.schemas.insert("NewUser".to_owned(), new.into());
    }
    let body = ObjectBuilder::new().property("password", password).required("password").build();
    components.schemas.insert("PasswordInput".to_owned(), body.into());
}

/// The properties that a new user needs.
const REQUIRED_OF_USERS: [&str; 4] = ["username", "firstName", "lastName", "email"];

fn password() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(*PASSWORD_CHARS.start()))
        .max_length(Some(*PASSWORD_CHARS.end()))
        .write_only(true)
        .examples([json!("Correct-Horse-7")])
        .build()
}

/// What an operation on users needs, and its errors.
pub(super) fn of_users(operation: &str) -> Described {
    let missing = || Error::Directory(DirectoryError::NotFound(ResourceKind::User, "ada".to_owned()));
    let deleted = || Error::Directory(DirectoryError::AlreadyDeleted);
    let insecure = || Error::Directory(DirectoryError::InsecurePassword);
    let limited = || Error::Directory(DirectoryError::NotAuthorizedToAdmin);
    let taken = || {
        let id = Error::Directory(DirectoryError::AlreadyExists(ResourceKind::User, "ada".to_owned()));
        [id, Error::Directory(DirectoryError::UsernameTaken)]
    };
    let write = |is_conditional, errors: Vec<Error>| Described {
        roles: WriteUsers::ROLES,
        is_write: true,
        is_conditional,
        is_repeatable: ["create", "patch", "unlock", "revokeTokens", "restore", "erase"].contains(&operation),
        errors: errors.into_iter().chain([limited()]).collect(),
    };
    let body = || body_errors("lastName", "is required");
    match operation {
        "create" => write(false, body().into_iter().chain(taken()).chain([insecure()]).collect()),
        "put" | "patch" => write(true, body().into_iter().chain(taken()).chain([missing(), deleted()]).collect()),
        "setPassword" => {
            write(true, [body_errors("password", "is required"), vec![missing(), deleted(), insecure()]].concat())
        }
        "delete" | "revokeTokens" => write(true, vec![missing(), deleted()]),
        "restore" => {
            let taken = vec![Error::Directory(DirectoryError::UsernameTaken)];
            let own = restore_errors(ResourceKind::User, "ada");
            write(true, [body_errors("username", "must not be empty"), own, taken].concat())
        }
        "erase" => {
            let own = vec![missing(), Error::Directory(DirectoryError::AlreadyErased)];
            Described { roles: EraseUsers::ROLES, ..write(true, own) }
        }
        "unlock" => write(false, vec![missing(), deleted()]),
        _ => Described {
            roles: ReadUsers::ROLES,
            is_write: false,
            is_conditional: true,
            is_repeatable: false,
            errors: vec![missing()],
        },
    }
}
