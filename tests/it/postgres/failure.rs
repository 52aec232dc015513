//! Nodes and connections that fail, on a PostgreSQL that does not: nothing that was acknowledged is lost, nothing is
//! done twice or by halves, and nobody is told anything that is not true.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::{launch, two_nodes};
use crate::durability::load::Load;
use crate::support::{Caller, Server, eventually, make_groups, sql};

/// How long a node may take to be itself again.
const RECOVERY: Duration = Duration::from_secs(15);

/// Waits until the node says that it is ready.
pub async fn recovered(node: &Server) {
    let anonymous = node.anonymous();
    eventually("readiness", RECOVERY, async || anonymous.get("/readyz").await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nothing_and_the_other_goes_on() {
    let mut nodes = two_nodes();
    let admins = [nodes[0].admin().await, nodes[1].admin().await];
    let load = Load::prepared(&admins[0]).await;
    let writing = load.start(&admins);
    writing.acknowledged_by(0, 150).await;
    nodes[0].kill_9();
    writing.acknowledged_by(1, 150).await;
    let mut load = writing.stopped().await;
    load.verify(&admins[1]).await;
    nodes[0].restart();
    load.verify(&nodes[0].admin().await).await;
}

/// How often connections are cut, and how many at a time.
const CUTS: usize = 60;
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 4";

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_lose_nothing_and_double_nothing() {
    let nodes = two_nodes();
    let admins = [nodes[0].admin().await, nodes[1].admin().await];
    let load = Load::prepared(&admins[0]).await;
    let writing = load.start(&admins);
    let session = sql::connect(nodes[0].database().url()).await;
    let mut cut = 0;
    for round in 1..=CUTS {
        writing.acknowledged(round * 5).await;
        cut += session.query(CUT, &[]).await.expect("an open session").len();
    }
    assert!(cut >= CUTS, "{cut} connections were cut");
    for node in 0..nodes.len() {
        tokio::time::timeout(RECOVERY, writing.acknowledged_by(node, 20)).await.expect("each node goes on");
    }
    let mut load = writing.stopped().await;
    for (node, admin) in nodes.iter().zip(&admins) {
        recovered(node).await;
        load.verify(admin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_pool_sheds_load() {
    const WRITES: usize = 40;
    let launch = launch().env("ROLLBOOK_DATABASE_CONNECTIONS", "2").env("ROLLBOOK_DATABASE_WAIT_SECONDS", "1");
    let server = launch.env("ROLLBOOK_DATABASE_STATEMENT_SECONDS", "4").start();
    let admin = server.admin().await;
    make_groups(&admin, &["locked", "free"]).await;
    let session = sql::connect(server.database().url()).await;
    session.batch_execute("BEGIN; SELECT 1 FROM groups WHERE id_key = 'locked' FOR UPDATE").await.expect("a lock");

    let begin = Instant::now();
    let mut writing = JoinSet::new();
    for at in 0..WRITES {
        let admin: Caller = admin.clone();
        writing.spawn(async move {
            let reply = admin.patch("/v1/usergroups/locked", &json!({ "Name": format!("{at}") })).await;
            (begin.elapsed(), reply)
        });
    }
    let mut soon = 0;
    for (took, reply) in writing.join_all().await {
        assert_ne!(reply.fails(503, "Api.Offline").header("retry-after"), "");
        assert!(took < Duration::from_secs(10), "{took:?}");
        soon += usize::from(took < Duration::from_secs(3));
    }
    assert!(soon >= WRITES / 2, "{soon} of {WRITES} were refused soon");
    session.batch_execute("ROLLBACK").await.expect("an open session");
    let patch = async || admin.patch("/v1/usergroups/locked", &json!({ "Name": "now" })).await.status == 200;
    eventually("a write", RECOVERY, patch).await;
    admin.get("/v1/usergroups/free").await.is(200);
}
