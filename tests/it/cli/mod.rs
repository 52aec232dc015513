//! The command line, alone and while a server runs.

mod bulk;
mod commands;
mod groups;
mod history;
mod serving;
