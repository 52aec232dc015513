//! What is true of the PostgreSQL store only: several nodes on one database, and failures of nodes, connections and the
//! database. These tests need `scripts/with-postgres`.

mod backups;
mod clusters;
mod copy;
mod differential;
mod failure;
mod feed;
mod limits;
mod nodes;
mod refusals;

use crate::support::{Launch, Server, Store};

/// How to start a node on a new database.
fn launch() -> Launch {
    Launch::default().store(Store::Postgres)
}

/// Starts two nodes on a new database.
fn two_nodes() -> [Server; 2] {
    let one = launch().start();
    let other = one.another_node();
    [one, other]
}
