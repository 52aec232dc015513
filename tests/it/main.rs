//! The tests of the whole program: they start the real binary on a free port and speak HTTP to it, and nothing else.

mod arrows;
mod bad_input;
mod cli;
mod core;
mod cross;
mod durability;
mod model;
mod openapi;
mod ordercloud;
mod properties;
mod random;
mod roles;
mod support;
mod transport;
