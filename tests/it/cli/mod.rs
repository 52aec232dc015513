//! The command line, alone and beside a running server.

mod commands;
mod interchange;
mod serving;
