//! Lists against an evaluation of the same things in memory, under questions made at random.

pub mod groups;
mod large;
pub mod listing;
pub mod oracle;
mod spelling;
pub mod strategies;
pub mod users;
