//! What the server sends: JSON bodies, and errors in the form of each API.

pub(crate) mod answer;
pub(crate) mod envelope;
pub(crate) mod failure;
pub(crate) mod json;
pub(crate) mod representation;
