//! The tests of the whole program: they start the real binary on a free port and speak HTTP to it, and nothing else.
//!
//! Everything but `embedded` and `postgres` suits either store; `ROLLBOOK_TEST_STORE=postgres` runs it on PostgreSQL,
//! inside `scripts/with-postgres`.

mod arrows;
mod bad_input;
mod cli;
mod core;
mod cross;
mod durability;
mod embedded;
mod model;
mod openapi;
mod operations;
mod ordercloud;
mod postgres;
mod properties;
mod random;
mod roles;
mod support;
mod transport;
