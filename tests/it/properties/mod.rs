//! Lists against an evaluation of the same things in memory, under questions made at random.

mod groups;
mod large;
mod listing;
mod oracle;
mod spelling;
mod strategies;
mod users;
