//! What is true of the PostgreSQL store alone: several nodes on one database, and what becomes of them when nodes,
//! connections or the database fail. These tests are for `scripts/with-postgres`.

mod backups;
mod clusters;
mod copy;
mod differential;
mod failure;
mod limits;
mod nodes;
mod refusals;

use crate::support::{Launch, Server, Store};

/// How a node is started on a new database.
fn launch() -> Launch {
    Launch::default().store(Store::Postgres)
}

/// Two nodes on a new database.
fn two_nodes() -> [Server; 2] {
    let one = launch().start();
    let other = one.another_node();
    [one, other]
}
