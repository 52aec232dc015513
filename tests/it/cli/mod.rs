//! The command line, alone and while a server runs.

mod bulk;
mod commands;
mod following;
mod groups;
mod history;
mod serving;
