//! Random list requests, compared with an evaluation of the same entities in memory (the oracle).

pub(crate) mod groups;
mod large;
pub(crate) mod listing;
pub(crate) mod oracle;
mod spelling;
pub(crate) mod strategies;
pub(crate) mod users;
