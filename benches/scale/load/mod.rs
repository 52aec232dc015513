//! Load over many connections.

pub(crate) mod mix;
pub(crate) mod mixture;
pub(crate) mod open_connections;
mod reads_and_creates;
mod virtual_user;

pub(crate) use reads_and_creates::{CONNECTIONS, LoadSettings, ServedTargets, median};
