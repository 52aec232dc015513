//! The final touches to the OpenAPI document of this API: what it is, who may call what, every error, and what the
//! schemas cannot tell by themselves (docs/ordercloud.md, sections 2, 3, 8 and 9).

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{
    ClientCredentials, Flow, OAuth2, Password, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, RefOr};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::error::{Error, Kind, ListError, Violation};
use crate::domain::role::{Permission as _, ReadGroups, ReadUsers, Roles, WriteGroups, WriteUsers};
use crate::domain::user::PASSWORD_CHARS;
use crate::http::openapi::{self, ErrorExample};

use super::error::{Entry, Errors, Told, told, told_of_form};

const DESCRIPTION: &str = "Admin user groups, their users and their tokens, as the OrderCloud API tells them. Every negative \
    answer is `{\"Errors\":[{\"ErrorCode\",\"Message\",\"Data\"}]}`; beside the errors listed with an operation, an unknown \
    path is 404 `NotFound` and a path called with another method is 405 `Request.MethodNotAllowed`.";

/// The name under which the document declares the token endpoint's grants.
const OAUTH2: &str = "oauth2";

/// Completes the document that the router made of the handlers.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("OrderCloud: Admin User Groups")
        .description(Some(DESCRIPTION))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    openapi::add_bearer(&mut document, "The `access_token` of `POST /oauth/token`, or the `Token` of a logon.");
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(OAUTH2, SecurityScheme::OAuth2(oauth2()));
    components.schemas.insert(Errors::name().into_owned(), Errors::schema());
    components.schemas.insert(Entry::name().into_owned(), Entry::schema());
    complete_schemas(components);
    openapi::operations(&mut document).for_each(describe);
    document
}

fn oauth2() -> OAuth2 {
    let scopes = || Scopes::from_iter(Roles::NAMES.map(|(_, name)| (name, "")));
    let token = "/oauth/token";
    OAuth2::new([
        Flow::ClientCredentials(ClientCredentials::new(token, scopes())),
        Flow::Password(Password::new(token, scopes())),
    ])
}

/// A user's password is only ever written, and PATCH requires nothing.
fn complete_schemas(components: &mut Components) {
    if let Some(RefOr::T(Schema::Object(user))) = components.schemas.get_mut("User") {
        let password = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .min_length(Some(*PASSWORD_CHARS.start()))
            .max_length(Some(*PASSWORD_CHARS.end()))
            .write_only(true)
            .description(Some("Three of upper-case letters, lower-case letters, digits and others."));
        user.properties.insert("Password".to_owned(), password.into());
    }
    for model in ["UserGroup", "User"] {
        if let Some(RefOr::T(Schema::Object(whole))) = components.schemas.get(model) {
            let mut partial = whole.clone();
            partial.required.clear();
            partial.example = None;
            components.schemas.insert(format!("Partial{model}"), RefOr::T(Schema::Object(partial)));
        }
    }
}

/// Says who may call the operation and how it fails.
fn describe(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let (resource, action) = id.split_once('.').unwrap_or_default();
    let (kind, read, write) = match resource {
        "AdminUserGroups" => (Kind::Group, ReadGroups::ROLES, WriteGroups::ROLES),
        "AdminUsers" => (Kind::User, ReadUsers::ROLES, WriteUsers::ROLES),
        _ => return describe_sign_in(operation, action),
    };
    let required = match action {
        "Get" | "List" | "ListUserAssignments" => read,
        _ => write,
    };
    require(operation, required);
    let forbidden = Error::Forbidden { sufficient: required, assigned: Roles::NONE };
    let access = [Error::Unauthenticated, Error::TokenRevoked, forbidden];
    add_errors(operation, access.iter().chain(&own_errors(kind, action)).map(told));
}

/// How an operation on groups or users fails by itself.
fn own_errors(kind: Kind, action: &str) -> Vec<Error> {
    let (id, required) = if kind == Kind::User { ("ada", "Email") } else { ("support", "Name") };
    let missing = || Error::NotFound(kind, id.to_owned());
    let taken = || Error::AlreadyExists(kind, id.to_owned());
    let mut errors = match action {
        "List" => list_errors(kind),
        "ListUserAssignments" => vec![Error::List(ListError::Page), Error::List(ListError::PageSize)],
        "Create" | "Save" => [body_errors(required), vec![taken()]].concat(),
        "Patch" => [body_errors(required), vec![missing(), taken()]].concat(),
        "SaveUserAssignment" => [body_errors("UserID"), vec![missing()]].concat(),
        "DeleteUserAssignment" => vec![Error::NotFound(Kind::Membership, "ada".to_owned())],
        _ => vec![missing()],
    };
    if !["Get", "List", "ListUserAssignments"].contains(&action) {
        errors.push(Error::OutcomeUnknown(String::new()));
    }
    let makes = ["Create", "Save"].contains(&action);
    if kind == Kind::User && (makes || action == "Patch") {
        errors.extend([Error::InsecurePassword, Error::UsernameTaken]);
    }
    // Callers limited to communities change no users, and make groups only where it is clear in which community.
    if makes || kind == Kind::User && !["List", "Get"].contains(&action) {
        errors.push(Error::NotAuthorizedToAdmin);
    }
    errors
}

fn list_errors(kind: Kind) -> Vec<Error> {
    let (model, unsortable) = if kind == Kind::User { ("User", "Phone") } else { ("UserGroup", "Description") };
    let property = |name: &str| format!("{model}.{name}");
    let mut errors = vec![
        ListError::Page,
        ListError::PageSize,
        ListError::Property(property("Foo")),
        ListError::SearchProperty(property("Foo")),
        ListError::SortProperty(property(unsortable)),
        ListError::TooCostly,
    ];
    if kind == Kind::User {
        errors.push(ListError::Type(property("Active")));
    }
    errors.into_iter().map(Error::List).collect()
}

fn body_errors(field: &'static str) -> Vec<Error> {
    vec![
        Error::InvalidBody("expected value at line 1 column 2".to_owned()),
        Error::Invalid(vec![Violation::new(field, "is required")]),
        Error::TooLarge,
        Error::UnsupportedMediaType,
    ]
}

fn describe_sign_in(operation: &mut Operation, action: &str) {
    // No token is needed, whatever the document says of the others.
    operation.security = Some(Vec::new());
    let unreadable = [Error::UnsupportedMediaType, Error::InvalidBody("the field 'scope' stands twice".to_owned())];
    let errors = match action {
        "Token" => vec![
            Error::InvalidCredentials,
            Error::CredentialsRequired,
            Error::InvalidClient,
            Error::InvalidRefreshToken,
            Error::UnsupportedGrantType,
            Error::InvalidScope,
            Error::TooLarge,
            Error::OutcomeUnknown(String::new()),
        ],
        "Certificate" => vec![Error::NotFound(Kind::Certificate, "1".to_owned())],
        _ => Vec::new(),
    };
    let of_form = unreadable.iter().filter_map(told_of_form).filter(|_| action == "Token");
    add_errors(operation, of_form.chain(errors.iter().map(told)));
}

/// Any one of the roles opens the operation, however the token was had.
fn require(operation: &mut Operation, roles: Roles) {
    openapi::require(operation, roles);
    let oauth2 = roles.names().map(|role| SecurityRequirement::new(OAUTH2, [role]));
    operation.security.get_or_insert_default().extend(oauth2);
}

fn add_errors(operation: &mut Operation, errors: impl IntoIterator<Item = Told>) {
    let always = [Error::UriTooLong, Error::internal(anyhow::anyhow!("")), Error::Unavailable(String::new())];
    let examples = errors.into_iter().chain(always.iter().map(told)).map(|told| {
        let (status, code) = (told.status, told.code());
        let message = told.entries.first().map_or_else(String::new, |entry| entry.message.to_string());
        ErrorExample::new(status, &code, &message, &told.body())
    });
    openapi::add_errors(operation, &Errors::name(), examples);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_tells_its_roles_and_errors() {
        let mut document = complete(super::super::router().into_openapi());
        let mut seen = 0;
        for operation in openapi::operations(&mut document) {
            let id = operation.operation_id.clone().unwrap_or_default();
            let open = id.starts_with("Auth.");
            assert_eq!(operation.security.as_ref().is_some_and(Vec::is_empty), open, "{id}");
            assert_eq!(operation.responses.responses.contains_key("403"), !open, "{id}");
            assert!(operation.responses.responses.contains_key("503"), "{id}");
            seen += 1;
        }
        assert_eq!(seen, 9 + 8 + 3);
    }

    #[test]
    fn references_lead_somewhere() {
        let document = complete(super::super::router().into_openapi());
        let text = document.to_json().unwrap();
        let schemas = document.components.unwrap_or_default().schemas;
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(schemas.contains_key(name), "{name}");
        }
        assert!(schemas.contains_key("PartialUser"));
        assert!(text.contains(r#""writeOnly":true"#));
    }
}
