//! What a client can find out without a token: what the server can do, which kinds of resources it has, and their
//! attributes (RFC 7644, section 4; docs/scim.md, section 3).

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::request::error::{Error, ProtocolError, RequestError, Result};
use crate::http::request::extract::{LooseQuery, Path};
use crate::http::{ApiState, Failure};

use super::attributes::Attribute;
use super::ids::location;
use super::page::{DEFAULT_COUNT, MAX_COUNT};
use super::schemas::{self, RESOURCE_TYPES, SCHEMAS};
use super::wire::{ListResponse, Meta, ScimResponse};

/// What the server can do (RFC 7643, section 5).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceProviderConfig {
    /// Always the URN of this document.
    #[schema(value_type = Vec<String>, example = json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]))]
    schemas: [&'static str; 1],
    /// Changes by PATCH.
    patch: Supported,
    /// Several operations in one request.
    bulk: Bulk,
    /// Filters of lists.
    filter: Filtering,
    /// Whether clients set passwords.
    change_password: Supported,
    /// Whether clients choose the order of lists.
    sort: Supported,
    /// Versions of resources, in headers and under `meta.version`.
    etag: Supported,
    /// Pages of lists (RFC 9865, section 3).
    pagination: Pagination,
    /// How clients authenticate.
    authentication_schemes: [AuthenticationScheme; 1],
    /// Where this document is.
    meta: Meta,
}

/// Whether the server has a feature.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Supported {
    /// Whether it has it.
    #[schema(example = true)]
    supported: bool,
}

/// Several operations in one request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bulk {
    /// Whether the server takes such requests.
    #[schema(example = false)]
    supported: bool,
    /// How many operations it takes at once.
    #[schema(example = 0)]
    max_operations: u32,
    /// How many bytes it takes at once.
    #[schema(example = 0)]
    max_payload_size: u32,
}

/// Filters of lists.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filtering {
    /// Whether the server takes filters.
    #[schema(example = true)]
    supported: bool,
    /// How many resources one answer has at most.
    #[schema(example = 1000)]
    max_results: u32,
}

/// Pages of lists.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    /// Whether pages can be asked for by cursor.
    #[schema(example = false)]
    cursor: bool,
    /// Whether pages can be asked for by `startIndex`.
    #[schema(example = true)]
    index: bool,
    /// How pages are given if the request does not say.
    #[schema(example = "index")]
    default_pagination_method: &'static str,
    /// How many resources a page has if the request does not say.
    #[schema(example = 100)]
    default_page_size: u32,
    /// How many resources a page has at most.
    #[schema(example = 1000)]
    max_page_size: u32,
}

/// A way to authenticate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthenticationScheme {
    /// The name that RFC 7643 gives it.
    #[schema(example = "oauthbearertoken")]
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name for people.
    #[schema(example = "OAuth Bearer Token")]
    name: &'static str,
    /// How it works.
    #[schema(example = "A token in the Authorization header")]
    description: &'static str,
    /// Where it is specified.
    #[schema(example = "https://www.rfc-editor.org/info/rfc6750")]
    spec_uri: &'static str,
    /// Whether it is the preferred one.
    #[schema(example = true)]
    primary: bool,
}

/// A kind of resource (RFC 7643, section 6).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceType {
    /// Always the URN of this document.
    #[schema(value_type = Vec<String>, example = json!(["urn:ietf:params:scim:schemas:core:2.0:ResourceType"]))]
    schemas: [&'static str; 1],
    /// The ID, which is the name.
    #[schema(example = "User")]
    id: &'static str,
    /// The name.
    #[schema(example = "User")]
    name: &'static str,
    /// What it is.
    #[schema(example = "The users of the directory")]
    description: &'static str,
    /// The path of the resources below `/scim/v2`.
    #[schema(example = "/Users")]
    endpoint: &'static str,
    /// The URN of the schema.
    #[schema(example = "urn:ietf:params:scim:schemas:core:2.0:User")]
    schema: &'static str,
    /// The schemas that add attributes.
    schema_extensions: Vec<SchemaExtension>,
    /// Where this document is.
    meta: Meta,
}

/// A schema that adds attributes to a kind of resource.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SchemaExtension {
    /// The URN of the schema.
    #[schema(example = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")]
    schema: &'static str,
    /// Whether every resource has it.
    #[schema(example = false)]
    required: bool,
}

/// The attributes under one URN (RFC 7643, section 7).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schema {
    /// Always the URN of this document.
    #[schema(value_type = Vec<String>, example = json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]))]
    schemas: [&'static str; 1],
    /// The URN of the schema.
    #[schema(example = "urn:ietf:params:scim:schemas:core:2.0:User")]
    id: &'static str,
    /// The name for people.
    #[schema(example = "User")]
    name: &'static str,
    /// What it is for.
    #[schema(example = "A user of the directory")]
    description: &'static str,
    /// The attributes.
    #[schema(value_type = Vec<Attribute>)]
    attributes: &'static [Attribute],
    /// Where this document is.
    meta: Meta,
}

/// Get what the server can do
///
/// Needs no token.
#[utoipa::path(
    get,
    path = "/scim/v2/ServiceProviderConfig",
    operation_id = "ServiceProviderConfig.Get",
    tag = "Discovery",
    responses((status = 200, description = "What the server can do", body = ServiceProviderConfig,
        content_type = "application/scim+json"))
)]
pub(super) async fn service_provider_config(
    State(api): State<ApiState>,
    LooseQuery(query): LooseQuery,
) -> Result<ScimResponse<ServiceProviderConfig>, Failure> {
    refuse_filter(&query)?;
    let bearer = AuthenticationScheme {
        kind: "oauthbearertoken",
        name: "OAuth Bearer Token",
        description: "An access token of POST /oauth/token, or a long-lived token of a client",
        spec_uri: "https://www.rfc-editor.org/info/rfc6750",
        primary: true,
    };
    Ok(ScimResponse(ServiceProviderConfig {
        schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        patch: Supported { supported: true },
        bulk: Bulk { supported: false, max_operations: 0, max_payload_size: 0 },
        filter: Filtering { supported: true, max_results: MAX_COUNT },
        change_password: Supported { supported: false },
        sort: Supported { supported: false },
        etag: Supported { supported: true },
        pagination: Pagination {
            cursor: false,
            index: true,
            default_pagination_method: "index",
            default_page_size: DEFAULT_COUNT,
            max_page_size: MAX_COUNT,
        },
        authentication_schemes: [bearer],
        meta: meta(&api, "ServiceProviderConfig", "/ServiceProviderConfig"),
    }))
}

/// List the kinds of resources
///
/// Needs no token.
#[utoipa::path(
    get,
    path = "/scim/v2/ResourceTypes",
    operation_id = "ResourceTypes.List",
    tag = "Discovery",
    responses((status = 200, description = "The kinds of resources", body = ListResponse<ResourceType>,
        content_type = "application/scim+json"))
)]
pub(super) async fn resource_types(
    State(api): State<ApiState>,
    LooseQuery(query): LooseQuery,
) -> Result<ScimResponse<ListResponse<ResourceType>>, Failure> {
    refuse_filter(&query)?;
    let all = RESOURCE_TYPES.iter().map(|kind| ResourceType::new(&api, kind)).collect();
    Ok(ScimResponse(ListResponse::of_all(all)))
}

/// Get a kind of resource
///
/// Needs no token.
#[utoipa::path(
    get,
    path = "/scim/v2/ResourceTypes/{name}",
    operation_id = "ResourceTypes.Get",
    tag = "Discovery",
    params(("name" = String, Path, description = "The name of the kind", example = "User")),
    responses((status = 200, description = "The kind of resource", body = ResourceType,
        content_type = "application/scim+json"))
)]
pub(super) async fn resource_type(
    State(api): State<ApiState>,
    Path(name): Path<String>,
    LooseQuery(query): LooseQuery,
) -> Result<ScimResponse<ResourceType>, Failure> {
    refuse_filter(&query)?;
    let found = RESOURCE_TYPES.iter().find(|kind| kind.name == name);
    let found = found.ok_or_else(|| missing(format!("There is no kind of resource {name:.100}.")))?;
    Ok(ScimResponse(ResourceType::new(&api, found)))
}

/// List the schemas
///
/// Every attribute of users and groups that the directory keeps. Needs no token.
#[utoipa::path(
    get,
    path = "/scim/v2/Schemas",
    operation_id = "Schemas.List",
    tag = "Discovery",
    responses((status = 200, description = "The schemas", body = ListResponse<Schema>,
        content_type = "application/scim+json"))
)]
pub(super) async fn schemas(
    State(api): State<ApiState>,
    LooseQuery(query): LooseQuery,
) -> Result<ScimResponse<ListResponse<Schema>>, Failure> {
    refuse_filter(&query)?;
    Ok(ScimResponse(ListResponse::of_all(SCHEMAS.iter().map(|schema| Schema::new(&api, schema)).collect())))
}

/// Get a schema
///
/// Needs no token.
#[utoipa::path(
    get,
    path = "/scim/v2/Schemas/{urn}",
    operation_id = "Schemas.Get",
    tag = "Discovery",
    params(("urn" = String, Path, description = "The URN of the schema, in any case",
        example = "urn:ietf:params:scim:schemas:core:2.0:User")),
    responses((status = 200, description = "The schema", body = Schema, content_type = "application/scim+json"))
)]
pub(super) async fn schema(
    State(api): State<ApiState>,
    Path(urn): Path<String>,
    LooseQuery(query): LooseQuery,
) -> Result<ScimResponse<Schema>, Failure> {
    refuse_filter(&query)?;
    let found = SCHEMAS.iter().find(|schema| schema.id.eq_ignore_ascii_case(&urn));
    let found = found.ok_or_else(|| missing(format!("There is no schema {urn:.200}.")))?;
    Ok(ScimResponse(Schema::new(&api, found)))
}

impl ResourceType {
    fn new(api: &ApiState, kind: &schemas::ResourceType) -> Self {
        let extension = |schema: &&schemas::Schema| SchemaExtension { schema: schema.id, required: false };
        Self {
            schemas: ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            id: kind.name,
            name: kind.name,
            description: kind.description,
            endpoint: kind.endpoint,
            schema: kind.schema.id,
            schema_extensions: kind.extensions.iter().map(extension).collect(),
            meta: meta(api, "ResourceType", &format!("/ResourceTypes/{}", kind.name)),
        }
    }
}

impl Schema {
    fn new(api: &ApiState, schema: &schemas::Schema) -> Self {
        Self {
            schemas: ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            id: schema.id,
            name: schema.name,
            description: schema.description,
            attributes: schema.attributes,
            meta: meta(api, "Schema", &format!("/Schemas/{}", schema.id)),
        }
    }
}

fn meta(api: &ApiState, resource_type: &'static str, path: &str) -> Meta {
    Meta { resource_type, location: location(api.base_url.as_deref(), path) }
}

fn missing(detail: String) -> Error {
    RequestError::Protocol(ProtocolError { status: 404, keyword: None, detail }).into()
}

/// Refuses a filter, so that no client takes all documents for those that match. Other parameters are ignored (RFC 7644,
/// section 4).
pub(super) fn refuse_filter(query: &[(String, String)]) -> Result<()> {
    match query.iter().any(|(name, _)| name.eq_ignore_ascii_case("filter")) {
        true => {
            let detail = "These documents take no filter.".to_owned();
            Err(RequestError::Protocol(ProtocolError { status: 403, keyword: None, detail }).into())
        }
        false => Ok(()),
    }
}
