//! A primary that dies, and its synchronous standby that takes over.

use std::time::Duration;

use super::Cluster;
use crate::durability::load::Load;
use crate::postgres::launch;
use crate::support::Database;

/// How long after the promotion every node writes again.
const FOUND: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_has_every_acknowledged_write_and_every_node_finds_it() {
    let mut primary = Cluster::start(&[]);
    let standby = primary.synchronous_standby();
    let hosts = format!("{},{}", primary.address(), standby.address());
    let url = format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write");
    let one = launch().start_on(Database::elsewhere(url));
    let other = one.another_node();
    let admins = [one.admin().await, other.admin().await];
    let writing = Load::prepared(&admins[0]).await.start(&admins);
    for node in 0..admins.len() {
        writing.acknowledged_by(node, 100).await;
    }
    primary.kill_9();
    standby.promote();
    let go_on = async {
        for node in 0..admins.len() {
            writing.acknowledged_by(node, 50).await;
        }
    };
    tokio::time::timeout(FOUND, go_on).await.expect("both nodes go on");
    let mut load = writing.stopped().await;
    for admin in &admins {
        load.verify(admin).await;
    }
}
