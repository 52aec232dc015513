//! What every API stands on: the server and its limits, callers, bodies, failures, and the pages that belong to no
//! API. Nothing here knows a dialect by name; what differs between them arrives as data, e.g. [`render::Envelope`].

pub mod answer;
pub mod caller;
pub mod descriptors;
pub mod docs;
pub mod extract;
pub mod failure;
pub mod health;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod outer;
pub mod patience;
pub mod render;
pub mod request_id;
pub mod server;

use std::sync::Arc;

use crate::domain::journal::Door;
use crate::service::Service;

pub use failure::Failure;

/// The state of a dialect's router: the use cases, and the door through which callers of this dialect come.
#[derive(Clone)]
pub struct Api {
    pub service: Arc<Service>,
    pub door: Door,
}
