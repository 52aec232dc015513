//! Rollbook's own API.

mod groups;
mod lists;
mod restore;
