//! The definition of an attribute as `/Schemas` shows it (RFC 7643, section 7), and how the table of [`super::schemas`]
//! spells it.

use serde::Serialize;
use utoipa::ToSchema;

/// The definition of an attribute (RFC 7643, section 7).
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attribute {
    /// The name.
    #[schema(example = "userName")]
    pub name: &'static str,
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether the value is a list.
    #[schema(example = false)]
    pub multi_valued: bool,
    /// What it is, for people.
    #[schema(example = "The name to sign in with, unique")]
    pub description: &'static str,
    /// Whether a resource must have it.
    #[schema(example = true)]
    pub required: bool,
    /// Whether upper and lower case are different for filters and for uniqueness.
    #[schema(example = false)]
    pub case_exact: bool,
    /// Who sets it.
    pub mutability: Mutability,
    /// When responses have it.
    pub returned: Returned,
    /// Whether two resources may have the same value.
    pub uniqueness: Uniqueness,
    /// The usual values.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["work", "home"]))]
    pub canonical_values: &'static [&'static str],
    /// What a reference leads to.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["User"]))]
    pub reference_types: &'static [&'static str],
    /// The parts of a complex value.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(no_recursion, value_type = Vec<Attribute>, example = json!([]))]
    pub sub_attributes: &'static [Self],
}

/// The type of a value (RFC 7643, section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = "string")]
pub(super) enum Type {
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// A URL of a resource.
    Reference,
    /// A value with parts.
    Complex,
}

/// Who sets an attribute (RFC 7643, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = "readWrite")]
pub(super) enum Mutability {
    /// Only the server.
    ReadOnly,
    /// Clients.
    ReadWrite,
}

/// When responses have an attribute (RFC 7643, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = "default")]
pub(super) enum Returned {
    /// Unless the request leaves it out.
    Default,
    /// Only if the request names it.
    Request,
}

/// Whether two resources may have the same value (RFC 7643, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = "server")]
pub(super) enum Uniqueness {
    /// They may.
    None,
    /// No two resources of this server have the same value.
    Server,
}

/// An optional text that clients set.
pub(super) const fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute {
        name,
        kind: Type::String,
        multi_valued: false,
        description,
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical_values: &[],
        reference_types: &[],
        sub_attributes: &[],
    }
}

/// An optional value with parts that clients set.
pub(super) const fn complex(name: &'static str, description: &'static str, parts: &'static [Attribute]) -> Attribute {
    Attribute { kind: Type::Complex, sub_attributes: parts, ..text(name, description) }
}

/// The URL of resources of one kind, which the server sets.
pub(super) const fn reference(description: &'static str, to: &'static [&'static str]) -> Attribute {
    Attribute { reference_types: to, ..text("$ref", description) }.of(Type::Reference).read_only().exact()
}

impl Attribute {
    /// The same attribute, of this type.
    pub(super) const fn of(self, kind: Type) -> Self {
        Self { kind, ..self }
    }

    /// The same attribute, with a list of values.
    pub(super) const fn many(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    /// The same attribute, which every resource has.
    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same attribute, whose upper and lower case are different.
    pub(super) const fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    /// The same attribute, which only the server sets.
    pub(super) const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    /// The same attribute, in responses only if the request names it.
    pub(super) const fn on_request(self) -> Self {
        Self { returned: Returned::Request, ..self }
    }

    /// The same attribute, no value of which two resources have.
    pub(super) const fn unique(self) -> Self {
        Self { uniqueness: Uniqueness::Server, ..self }
    }

    /// The same attribute, which usually has one of these values.
    pub(super) const fn usually(self, values: &'static [&'static str]) -> Self {
        Self { canonical_values: values, ..self }
    }
}
