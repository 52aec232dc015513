//! The representation of an entity, cached with the entity: while the store caches the entity, the next request for it
//! through the same API gets the same bytes.

use std::sync::OnceLock;

use axum::http::HeaderValue;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::domain::journal::Channel;
use crate::http::request::error::{Error, Result};
use crate::service::CachedEntity;

use super::json::{JSON, render_json, rendered};

/// What an API answers to a read of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Representation {
    /// The JSON body.
    pub body: Bytes,
    /// The entity tag, with its quotes.
    pub tag: HeaderValue,
    /// The media type of the body.
    pub media_type: HeaderValue,
}

impl Representation {
    /// Renders a body that has this entity tag. Fails with an internal error if that is not possible.
    pub(crate) fn new(body: &impl Serialize, tag: String) -> Result<Self> {
        Self::tagged_by(body, |_| tag)
    }

    /// As [`Self::new`], with the entity tag that `tag` makes of the rendered body.
    pub(crate) fn tagged_by(body: &impl Serialize, tag: impl FnOnce(&[u8]) -> String) -> Result<Self> {
        let body = render_json(body)?;
        let tag = HeaderValue::try_from(tag(&body)).map_err(Error::internal)?;
        Ok(Self { body, tag, media_type: JSON })
    }

    /// The same representation, with a body of this media type.
    pub(crate) fn of_type(self, media_type: HeaderValue) -> Self {
        Self { media_type, ..self }
    }
}

impl IntoResponse for Representation {
    fn into_response(self) -> Response {
        let mut response = rendered(self.body, self.media_type);
        response.headers_mut().insert(ETAG, self.tag);
        response
    }
}

/// The representations of one entity, one per channel.
#[derive(Default)]
struct Representations([OnceLock<Representation>; Channel::COUNT]);

/// Returns the representation of the entity for the channel: the cached one, otherwise the result of `render`, which is
/// then cached. An error of `render` is returned and not cached.
pub(crate) fn shared<T>(
    entity: &CachedEntity<T>,
    channel: Channel,
    render: impl FnOnce(&T) -> Result<Representation>,
) -> Result<Representation> {
    let Some(Representations(all)) = entity.derived() else { return render(entity) };
    let representation = &all[channel as usize];
    if let Some(cached) = representation.get() {
        return Ok(cached.clone());
    }
    let rendered = render(entity)?;
    Ok(representation.get_or_init(|| rendered).clone())
}

#[cfg(test)]
mod tests {
    use crate::http::request::error::RequestError;

    use super::*;

    #[test]
    fn a_representation_is_rendered_once_per_channel() {
        let entity = CachedEntity::from("entity");
        let render = |tag: &'static str| move |entity: &&str| Representation::new(entity, format!("\"{tag}\""));
        let tag = |channel, own| shared(&entity, channel, render(own)).unwrap().tag;
        assert_eq!(tag(Channel::Core, "one"), "\"one\"");
        assert_eq!(tag(Channel::OrderCloud, "two"), "\"two\"");
        assert_eq!(tag(Channel::Core, "three"), "\"one\"");
    }

    #[test]
    fn an_error_is_not_cached() {
        let entity = CachedEntity::from(1);
        assert!(shared(&entity, Channel::Core, |_| Err(RequestError::TooLarge.into())).is_err());
        let rendered = shared(&entity, Channel::Core, |own| Representation::new(own, "\"1\"".to_owned()));
        assert_eq!(rendered.unwrap().body, "1");
    }
}
