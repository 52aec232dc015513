//! Completes the OpenAPI document of this API: the description, the required roles, every error, and the parts of
//! schemas that the types do not express (docs/ordercloud.md, sections 2, 3, 8 and 9).

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::caller::{Permission as _, ReadGroups, ReadUsers, WriteGroups, WriteUsers};
use crate::domain::error::{ResourceKind, SignInError, Violation};
use crate::domain::role::Roles;
use crate::domain::user::PASSWORD_CHARS;
use crate::http::openapi::{self, ErrorBody, ErrorExample};
use crate::http::request::error::{DirectoryError, Error, ListError, RequestError};

use super::error::{
    Entry, ErrorResponse, Errors, basic_auth_error_response, error_response, form_error_response, no_user_response,
};
use super::tokens::METADATA_PATH;

const DESCRIPTION: &str = "Admin user groups, their users and their tokens, as the OrderCloud API tells them. Every negative \
    answer is `{\"Errors\":[{\"ErrorCode\",\"Message\",\"Data\"}]}`; beside the errors listed with an operation, an unknown \
    path is 404 `NotFound` and a path called with another method is 405 `Request.MethodNotAllowed`.";

/// The schemas of responses, in which every property is always present (docs/ordercloud.md, section 1).
const RESPONSES: [&str; 8] = [
    "UserGroup",
    "User",
    "UserGroupAssignment",
    "Meta",
    "ListPage_UserGroup",
    "ListPage_User",
    "ListPage_UserGroupAssignment",
    "Error",
];
/// The models that bodies contain, and the required properties of a complete body (sections 2 and 3).
const BODIES: [(&str, &[&str]); 2] =
    [("UserGroup", &["Name"]), ("User", &["Username", "FirstName", "LastName", "Email", "Active"])];

/// The writes of one group or user, which may depend on its version.
const CONDITIONAL: [&str; 3] = ["Save", "Patch", "Delete"];

/// The operations by POST and PATCH.
const REPEATABLE: [&str; 4] = ["Create", "Patch", "SaveUserAssignment", "UnlockUserAccount"];

/// Completes the document that the router created from the handlers.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    openapi::introduce(&mut document, "OrderCloud: Admin User Groups", DESCRIPTION);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(Errors::name().into_owned(), Errors::schema());
    components.schemas.insert(Entry::name().into_owned(), Entry::schema());
    complete_schemas(components);
    openapi::operations(&mut document).for_each(|(path, operation)| describe(path, operation));
    document
}

/// Adds to the schemas of responses what their types do not express, and derives the schemas of bodies from them.
fn complete_schemas(components: &mut Components) {
    openapi::require_all(components, &RESPONSES);
    openapi::refer_to_items(components, "ListPage", "Items");
    openapi::open_objects(components);
    if let Some(user) = openapi::object(components, "User") {
        let never_sent = |(name, _): &(&String, _)| ["AvailableRoles", "Locale"].contains(&name.as_str());
        user.properties.iter_mut().filter(never_sent).for_each(|(_, property)| openapi::read_only(property));
    }
    for (model, required) in BODIES {
        let Some(response) = openapi::object(components, model) else { continue };
        let mut body = body_of(response);
        components.schemas.insert(format!("Partial{model}"), body.clone().into());
        body.required = required.iter().map(|name| (*name).to_owned()).collect();
        components.schemas.insert(format!("{model}Input"), body.into());
    }
    for name in ["UserInput", "PartialUser"] {
        if let Some(body) = openapi::object(components, name) {
            body.properties.insert("Password".to_owned(), password().into());
        }
    }
    components.schemas.insert("Certificate".to_owned(), certificate().into());
    components.schemas.insert("Certificates".to_owned(), certificates().into());
}

/// The schema of a body: the properties of the response that are not read-only, all of them optional. An ID may be
/// empty.
fn body_of(response: &Object) -> Object {
    let mut body = openapi::body_of(response);
    if let Some(RefOr::T(Schema::Object(id))) = body.properties.get_mut("ID") {
        id.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
        id.min_length = None;
        id.pattern = Some("^[A-Za-z0-9_-]*$".to_owned());
        id.description = Some("Unique without regard to case. Empty or null counts as left out.".to_owned());
    }
    body
}

/// The schema of a password, which only bodies contain.
fn password() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(*PASSWORD_CHARS.start()))
        .max_length(Some(*PASSWORD_CHARS.end()))
        .write_only(true)
        .description(Some("Three of upper-case letters, lower-case letters, digits and others."))
}

/// The schema of a public key: a JSON Web Key (RFC 7517).
fn certificate() -> ObjectBuilder {
    let fields = [
        ("kty", "Always `RSA`.", "RSA"),
        ("use", "Always `sig`.", "sig"),
        ("alg", "Always `RS256`.", "RS256"),
        ("kid", "By which the header of a token names the key.", "1"),
        ("n", "The modulus, in base64url.", "sXch"),
        ("e", "The public exponent, in base64url.", "AQAB"),
    ];
    fields.into_iter().fold(ObjectBuilder::new(), |key, (name, description, example)| {
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        key.property(name, text.examples([example])).required(name)
    })
}

/// The schema of all public keys: a JSON Web Key Set.
fn certificates() -> ObjectBuilder {
    let keys = ArrayBuilder::new().items(Ref::from_schema_name("Certificate"));
    ObjectBuilder::new().property("keys", keys).required("keys")
}

/// Adds the required roles and the error responses of the operation at `path`.
fn describe(path: &str, operation: &mut Operation) {
    let path_error =
        path.contains('{').then(|| error_response(&Error::Request(RequestError::InvalidPath(String::new()))));
    let id = operation.operation_id.clone().unwrap_or_default();
    let (resource, action) = id.split_once('.').unwrap_or_default();
    let (kind, read, write) = match resource {
        "AdminUserGroups" => (ResourceKind::Group, ReadGroups::ROLES, WriteGroups::ROLES),
        "AdminUsers" => (ResourceKind::User, ReadUsers::ROLES, WriteUsers::ROLES),
        "Me" => return describe_own_user(operation),
        _ if action.ends_with("UserInfo") => return describe_own_user(operation),
        _ => return describe_sign_in(operation, action, path_error),
    };
    let required = match action {
        "Get" | "List" | "ListUserAssignments" => read,
        _ => write,
    };
    openapi::require(operation, required);
    describe_headers(operation, action);
    let forbidden = Error::Directory(DirectoryError::Forbidden { sufficient: required, assigned: Roles::NONE });
    let access = [
        Error::Directory(DirectoryError::SignIn(SignInError::Unauthenticated)),
        Error::Directory(DirectoryError::SignIn(SignInError::TokenRevoked)),
        forbidden,
    ];
    add_errors(
        operation,
        path_error.into_iter().chain(access.iter().chain(&own_errors(kind, action)).map(error_response)),
    );
}

/// Adds the headers of conditional requests and of writes.
fn describe_headers(operation: &mut Operation, action: &str) {
    match action {
        "Get" => openapi::describe_read(operation),
        "List" | "ListUserAssignments" => {}
        _ => {
            openapi::describe_write(operation, CONDITIONAL.contains(&action), REPEATABLE.contains(&action));
        }
    }
    if ["Create", "Save", "Patch"].contains(&action) {
        openapi::describe_tag(operation);
    }
}

/// The errors of an operation on groups or users, without those that all operations share.
fn own_errors(kind: ResourceKind, action: &str) -> Vec<Error> {
    let (id, required) = if kind == ResourceKind::User { ("ada", "Email") } else { ("support", "Name") };
    let missing = || Error::Directory(DirectoryError::NotFound(kind, id.to_owned()));
    let taken = || Error::Directory(DirectoryError::AlreadyExists(kind, id.to_owned()));
    let mut errors = match action {
        "List" => list_errors(kind),
        "ListUserAssignments" => {
            vec![
                Error::Request(RequestError::List(ListError::Unknown("groupID".to_owned()))),
                Error::Request(RequestError::List(ListError::PageSize)),
            ]
        }
        "Create" | "Save" => [body_errors(required), vec![taken()]].concat(),
        "Patch" => [body_errors(required), vec![missing(), taken()]].concat(),
        "SaveUserAssignment" => [body_errors("UserID"), vec![missing()]].concat(),
        "DeleteUserAssignment" => {
            vec![Error::Directory(DirectoryError::NotFound(ResourceKind::Membership, "ada".to_owned()))]
        }
        _ => vec![missing()],
    };
    if !["Get", "List", "ListUserAssignments"].contains(&action) {
        let header = "Rollbook-Reason must be one text of 1 to 500 characters.";
        errors.push(Error::Request(RequestError::Malformed(header)));
        errors.push(Error::Directory(DirectoryError::OutcomeUnknown(String::new())));
    }
    if CONDITIONAL.contains(&action) {
        errors.push(Error::Directory(DirectoryError::PreconditionFailed));
    }
    if REPEATABLE.contains(&action) {
        errors.extend([DirectoryError::KeyReused, DirectoryError::KeyInUse].map(Error::Directory));
    }
    let creates = ["Create", "Save"].contains(&action);
    if kind == ResourceKind::User && (creates || action == "Patch") {
        errors.extend([
            Error::Directory(DirectoryError::InsecurePassword),
            Error::Directory(DirectoryError::UsernameTaken),
        ]);
    }
    // Callers limited to communities cannot change users. They can create groups only if the community is unambiguous.
    if creates || kind == ResourceKind::User && !["List", "Get"].contains(&action) {
        errors.push(Error::Directory(DirectoryError::NotAuthorizedToAdmin));
    }
    errors
}

/// The errors of the list of groups or users.
fn list_errors(kind: ResourceKind) -> Vec<Error> {
    let (model, unsortable) = if kind == ResourceKind::User { ("User", "Phone") } else { ("UserGroup", "Description") };
    let property = |name: &str| format!("{model}.{name}");
    let mut errors = vec![
        ListError::Page,
        ListError::PageSize,
        ListError::Property(property("Foo")),
        ListError::SearchProperty(property("Foo")),
        ListError::SortProperty(property(unsortable)),
        ListError::TooCostly,
    ];
    if kind == ResourceKind::User {
        errors.push(ListError::Type(property("Active")));
    }
    errors.into_iter().map(Error::from).collect()
}

/// The errors of operations with a body; `field` is the example of a missing field.
fn body_errors(field: &'static str) -> Vec<Error> {
    vec![
        Error::Request(RequestError::InvalidBody("expected value at line 1 column 2".to_owned())),
        Error::Directory(DirectoryError::Invalid(vec![Violation::new(field, "is required")])),
        Error::Request(RequestError::UnsupportedMediaType),
    ]
}

/// Adds the error responses of an operation on the user of the token.
fn describe_own_user(operation: &mut Operation) {
    openapi::require(operation, Roles::NONE);
    let refusals = [SignInError::Unauthenticated, SignInError::TokenRevoked]
        .map(|refusal| error_response(&Error::Directory(DirectoryError::SignIn(refusal))));
    add_errors(operation, refusals.into_iter().chain([no_user_response()]));
}

/// Adds the error responses of an operation that needs no token.
fn describe_sign_in(operation: &mut Operation, action: &str, path_error: Option<ErrorResponse>) {
    openapi::require_nothing(operation);
    let unreadable = [
        Error::Request(RequestError::UnsupportedMediaType),
        Error::Request(RequestError::InvalidBody("the field 'scope' stands twice".to_owned())),
    ];
    let errors = match action {
        "Token" => vec![
            Error::Directory(DirectoryError::SignIn(SignInError::InvalidCredentials)),
            Error::Directory(DirectoryError::SignIn(SignInError::CredentialsRequired)),
            Error::Directory(DirectoryError::SignIn(SignInError::InvalidClient)),
            Error::Directory(DirectoryError::SignIn(SignInError::InvalidRefreshToken)),
            Error::Directory(DirectoryError::SignIn(SignInError::UnsupportedGrantType)),
            Error::Directory(DirectoryError::SignIn(SignInError::InvalidScope)),
            Error::Directory(DirectoryError::OutcomeUnknown(String::new())),
        ],
        "Certificate" => vec![Error::Directory(DirectoryError::NotFound(ResourceKind::Certificate, "1".to_owned()))],
        "Metadata" => vec![Error::Request(RequestError::RouteNotFound(METADATA_PATH.to_owned()))],
        _ => Vec::new(),
    };
    let form_errors = unreadable.iter().filter_map(form_error_response).filter(|_| action == "Token");
    let basic_auth_error = (action == "Token").then(basic_auth_error_response);
    add_errors(
        operation,
        path_error.into_iter().chain(form_errors).chain(basic_auth_error).chain(errors.iter().map(error_response)),
    );
}

/// Adds the error responses, and those that every operation shares.
fn add_errors(operation: &mut Operation, errors: impl IntoIterator<Item = ErrorResponse>) {
    let always = [
        Error::Request(RequestError::TooLarge),
        Error::Request(RequestError::UriTooLong),
        Error::internal(anyhow::anyhow!("")),
        Error::Directory(DirectoryError::Unavailable(String::new())),
    ];
    let examples = errors.into_iter().chain(always.iter().map(error_response)).map(|error_response| {
        let (status, code) = (error_response.status, error_response.code());
        let message = error_response.entries.first().map_or_else(String::new, |entry| entry.message.to_string());
        ErrorExample::new(status, &code, &message, &error_response.body())
    });
    openapi::add_errors(operation, ErrorBody { media_type: "application/json", schema: &Errors::name() }, examples);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_documents_its_roles_and_errors() {
        let mut document = complete(super::super::router().into_openapi());
        let mut seen = 0;
        for (_, operation) in openapi::operations(&mut document) {
            let id = operation.operation_id.clone().unwrap_or_default();
            let open = id.starts_with("Auth.") && !id.ends_with("UserInfo");
            assert_eq!(operation.security.as_ref().is_some_and(Vec::is_empty), open, "{id}");
            assert_eq!(operation.responses.responses.contains_key("403"), !open, "{id}");
            assert!(operation.responses.responses.contains_key("503"), "{id}");
            seen += 1;
        }
        assert_eq!(seen, 9 + 8 + 3 + 4);
    }

    #[test]
    fn every_reference_has_a_schema() {
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
