//! The HTTP server that all APIs share: connections, limits, callers, bodies, errors, and the pages that belong to no
//! API. No module here names an API. Each API passes in its differences as data, e.g. [`response::envelope::Envelope`].

pub(crate) mod descriptors;
pub(crate) mod docs;
pub(crate) mod entities;
pub(crate) mod entity_tag;
pub(crate) mod followers;
pub(crate) mod framing;
pub(crate) mod health;
pub mod limits;
pub(crate) mod lists;
pub(crate) mod metrics;
pub(crate) mod middleware;
pub(crate) mod openapi;
pub(crate) mod request;
pub(crate) mod response;
pub mod server;
pub(crate) mod timeouts;

use std::sync::Arc;

use crate::domain::journal::Channel;
use crate::service::Service;

use followers::Followers;
pub use response::failure::Failure;

/// The state of an API's router.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub service: Arc<Service>,
    /// The channel that the journal records for requests to this API.
    pub channel: Channel,
    /// The URL at which callers reach the server, without a slash at its end, if it is configured.
    pub base_url: Option<Arc<str>>,
    /// The places for those who follow the feed of changes.
    pub followers: Followers,
}
