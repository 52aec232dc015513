//! Conditional requests (RFC 9110, section 13).

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::domain::change::{EntityVersion, Precondition};
use crate::http::Failure;
use crate::http::entity_tag::{TagList, Versioned};
use crate::http::request::error::{DirectoryError, RequestError};
use crate::http::response::representation::Representation;

/// The conditions of a request. Rejects a header that is neither `*` nor a list of entity tags: it says nothing that
/// could hold or not, and to ignore it would make a write unconditional.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    is: Option<TagList>,
    is_not: Option<TagList>,
}

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Ok(Self::read(&parts.headers)?)
    }
}

impl Conditions {
    /// Reads the conditions in the headers.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, RequestError> {
        Ok(Self {
            is: tags(headers, &IF_MATCH, "If-Match must be * or a list of entity tags in quotes.")?,
            is_not: tags(headers, &IF_NONE_MATCH, "If-None-Match must be * or a list of entity tags in quotes.")?,
        })
    }

    /// The condition on a write of what has such a version; `None` if it is unconditional.
    pub(crate) fn precondition(&self, of: Versioned) -> Option<Precondition> {
        let is = self.is.as_ref().map(|tags| tags.versions(of, false));
        let is_not = self.is_not.as_ref().map(|tags| tags.versions(of, true));
        (is.is_some() || is_not.is_some()).then_some(Precondition { is, is_not })
    }

    /// Answers a read with the representation of the entity, or with 304 without a body if the client has it. Fails with
    /// `PreconditionFailed` if `If-Match` does not hold.
    pub(crate) fn answer(&self, version: EntityVersion, representation: Representation) -> Result<Response, Failure> {
        self.answer_with(Versioned::Entity, version, representation)
    }

    /// As [`Self::answer`], for a list of a group's members. The version is that of the group's memberships.
    pub(crate) fn answer_members(
        &self,
        version: EntityVersion,
        representation: Representation,
    ) -> Result<Response, Failure> {
        self.answer_with(Versioned::Members, version, representation)
    }

    /// As [`Self::answer`], for a resource of SCIM.
    pub(crate) fn answer_resource(
        &self,
        version: EntityVersion,
        representation: Representation,
    ) -> Result<Response, Failure> {
        self.answer_with(Versioned::Resource(version.uid), version, representation)
    }

    fn answer_with(
        &self,
        of: Versioned,
        version: EntityVersion,
        representation: Representation,
    ) -> Result<Response, Failure> {
        if let Some(tags) = &self.is
            && !(Precondition { is: Some(tags.versions(of, false)), is_not: None }).holds(Some(version))
        {
            return Err(Failure::from(DirectoryError::PreconditionFailed));
        }
        match &self.is_not {
            Some(tags) if tags.contains(&representation.tag) => {
                Ok((StatusCode::NOT_MODIFIED, [(ETAG, representation.tag)]).into_response())
            }
            _ => Ok(representation.into_response()),
        }
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName, rule: &'static str) -> Result<Option<TagList>, RequestError> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    TagList::read(headers.get_all(name).iter()).map(Some).ok_or(RequestError::Malformed(rule))
}
