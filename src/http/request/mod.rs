//! What an API reads from a request: credentials, body, parameters; and the errors of a request.

pub(crate) mod accept;
pub(crate) mod basic_auth;
pub(crate) mod bodies;
pub(crate) mod caller;
pub(crate) mod client_address;
pub(crate) mod conditions;
pub(crate) mod cursor;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod feed_cursor;
pub(crate) mod fields;
pub(crate) mod filter;
pub(crate) mod handler;
pub(crate) mod idempotency;
pub(crate) mod page;
pub(crate) mod parameters;
pub(crate) mod role_filter;
pub(crate) mod write;
