//! Black-box tests: they start the real binary on a free port and use only HTTP and the command line.
//!
//! All modules but `embedded` and `postgres` run on either store; `ROLLBOOK_TEST_STORE=postgres` selects PostgreSQL,
//! inside `scripts/with-postgres`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say why"
)]

mod bad_input;
mod cli;
mod core;
mod cross;
mod durability;
mod embedded;
mod imports;
mod model;
mod openapi;
mod operations;
mod ordercloud;
mod postgres;
mod properties;
mod random;
mod roles;
mod rollbook;
mod safe_writes;
mod scim;
mod support;
mod transport;
