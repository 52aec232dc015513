//! What the document says of clients, long-lived tokens and signing keys.

use serde_json::json;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Components, ObjectBuilder};

use crate::domain::caller::{ManageClients, Permission as _, ReadClients};
use crate::domain::error::ResourceKind;
use crate::domain::long_lived_token::{DAYS_DEFAULT, DAYS_MAX, NAME_MAX};
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::http::openapi;
use crate::http::request::error::{DirectoryError, Error, RequestError};
use crate::service::tokens::{KEY_PUBLISHED_SECONDS, PUBLISH_SECONDS};

use super::{Described, body_errors};

/// Derives the schemas of the bodies of clients, tokens and keys.
pub(super) fn complete_clients(components: &mut Components) {
    if let Some(client) = openapi::object(components, "Client") {
        let change = openapi::body_of(client);
        let mut input = change.clone();
        // Both are the server's; a change may name them as conditions.
        input.properties.retain(|name, _| !["id", "version"].contains(&&**name));
        if let Some(serde_json::Value::Object(example)) = &mut input.example {
            example.retain(|name, _| input.properties.contains_key(name));
        }
        input.required.push("name".to_owned());
        components.schemas.insert("PartialClient".to_owned(), change.into());
        components.schemas.insert("ClientInput".to_owned(), input.into());
    }
    let name = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(NAME_MAX));
    let days = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(DAYS_MAX as f64));
    let token = ObjectBuilder::new().property("name", name).property("days", days).required("name");
    let token = token.examples([json!({ "name": "okta", "days": DAYS_DEFAULT })]);
    components.schemas.insert("TokenInput".to_owned(), token.into());
    let (least, most) = (*PUBLISH_SECONDS.start() as f64, *PUBLISH_SECONDS.end() as f64);
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least)).maximum(Some(most));
    let key = ObjectBuilder::new().property("publishSeconds", seconds);
    let key = key.examples([json!({ "publishSeconds": KEY_PUBLISHED_SECONDS })]);
    components.schemas.insert("KeyInput".to_owned(), key.into());
}

/// What an operation on clients, tokens or keys needs, and its errors.
pub(super) fn of_clients(id: &str) -> Described {
    let missing = |kind| Error::Directory(DirectoryError::NotFound(kind, "5c0a1e0e".to_owned()));
    let (client, token) = (missing(ResourceKind::Client), missing(ResourceKind::LongLivedToken));
    let limited = Error::Directory(DirectoryError::NotAuthorizedToAdmin);
    let public = Error::Directory(DirectoryError::PublicClient("5c0a1e0e".to_owned()));
    let announced = || {
        let key =
            PublishedKey { kid: "0197b8a5".to_owned(), signs_from: Timestamp::from_micros(1_780_000_000_000_000) };
        Error::Directory(DirectoryError::KeyAnnounced(key))
    };
    let read = |is_conditional, errors| Described {
        roles: ReadClients::ROLES,
        is_write: false,
        is_conditional,
        is_repeatable: false,
        errors,
    };
    let write = |is_repeatable, errors| Described {
        roles: ManageClients::ROLES,
        is_write: true,
        is_conditional: id != "keys.rotate",
        is_repeatable,
        errors,
    };
    let body = |field, rule, others| [body_errors(field, rule), others].concat();
    let mut described = match id {
        "clients.create" => write(true, body("name", "is required", Vec::new())),
        "clients.patch" => write(true, body("user", "does not exist", vec![client])),
        "clients.delete" => write(false, vec![client]),
        "clients.rotate" => {
            let unknown = RequestError::InvalidBody("the member 'secret' is not known".to_owned());
            write(
                true,
                vec![Error::Request(unknown), Error::Request(RequestError::UnsupportedMediaType), client, public],
            )
        }
        "clients.tokens.create" => write(true, body("days", "must be 1 to 730", vec![client, public])),
        "tokens.delete" => write(false, vec![token]),
        "keys.rotate" => write(true, body("publishSeconds", "must be 2 to 86400", vec![announced()])),
        "clients.get" => read(true, vec![client]),
        "clients.tokens.list" => read(false, vec![client]),
        _ => read(false, Vec::new()),
    };
    described.errors.push(limited);
    if described.is_repeatable {
        described.errors.extend([DirectoryError::KeyReused, DirectoryError::KeyInUse].map(Error::Directory));
    }
    described
}
