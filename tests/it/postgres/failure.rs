//! Nodes and connections that fail while PostgreSQL works: no acknowledged write is lost, nothing is done twice or
//! partially, and every response is true.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::{launch, two_nodes};
use crate::durability::load::Load;
use crate::support::{CORE, Caller, Reply, Server, eventually, make_groups, sql};

/// The time limit within which a node has recovered.
const RECOVERY_LIMIT: Duration = Duration::from_secs(15);

/// Waits until the node is ready.
pub(super) async fn recovered(node: &Server) {
    let anonymous = node.anonymous();
    eventually("readiness", RECOVERY_LIMIT, async || anonymous.get("/readyz").await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nothing_and_the_other_continues() {
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

/// How many times connections are cut, and how many connections at a time.
const CUT_CONNECTIONS: usize = 60;
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 4";

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_lose_and_repeat_no_write() {
    let nodes = two_nodes();
    let admins = [nodes[0].admin().await, nodes[1].admin().await];
    let load = Load::prepared(&admins[0]).await;
    let writing = load.start(&admins);
    let session = sql::connect(nodes[0].database().url()).await;
    let mut cut = 0;
    for round in 1..=CUT_CONNECTIONS {
        writing.acknowledged(round * 5).await;
        cut += session.query(CUT, &[]).await.expect("an open session").len();
    }
    assert!(cut >= CUT_CONNECTIONS, "{cut} connections were cut");
    for node in 0..nodes.len() {
        tokio::time::timeout(RECOVERY_LIMIT, writing.acknowledged_by(node, 20)).await.expect("each node continues");
    }
    let mut load = writing.stopped().await;
    for (node, admin) in nodes.iter().zip(&admins) {
        recovered(node).await;
        load.verify(admin).await;
    }
}

/// The response to a read on whose session an administrator calls this function while the read waits for a lock on all
/// groups. The lock is released then.
async fn interrupted(node: &Server, path: &str, function: &str) -> Reply {
    let (locking, watching) = (sql::connect(node.database().url()).await, sql::connect(node.database().url()).await);
    let admin = node.admin().await;
    locking.batch_execute("BEGIN; LOCK TABLE groups").await.expect("a lock");
    let interrupt = format!(
        "SELECT {function}(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'"
    );
    let interruption = async {
        let interrupted = async || !watching.query(&interrupt, &[]).await.expect("an open session").is_empty();
        eventually("a read that waits", RECOVERY_LIMIT, interrupted).await;
        locking.batch_execute("ROLLBACK").await.expect("an open session");
    };
    tokio::join!(admin.get(path), interruption).0
}

/// Reads of each kind: a group, and lists.
fn reads(number: i64) -> [String; 4] {
    ["/v1/usergroups/g".into(), "/v1/usergroups".into(), format!("{CORE}/{number}"), format!("{CORE}/list-all")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_session_was_terminated_succeeds() {
    let node = launch().start();
    make_groups(&node.admin().await, &["g"]).await;
    for path in reads(1) {
        interrupted(&node, &path, "pg_terminate_backend").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_was_cancelled_may_be_retried() {
    let node = launch().start();
    make_groups(&node.admin().await, &["g"]).await;
    for path in reads(1) {
        let reply = interrupted(&node, &path, "pg_cancel_backend").await;
        assert_eq!(reply.status, 503, "{path}: {}", reply.text);
        assert_ne!(reply.header("retry-after"), "", "{path}");
        node.admin().await.get(&path).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_waits_for_a_lock_is_not_too_costly() {
    let node = launch().start();
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    let locking = sql::connect(node.database().url()).await;
    locking.batch_execute("BEGIN; LOCK TABLE groups").await.expect("a lock");
    let begin = Instant::now();
    let reply = admin.get("/v1/usergroups?search=g").await.fails(503, "Api.Offline");
    assert_ne!(reply.header("retry-after"), "");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    locking.batch_execute("ROLLBACK").await.expect("an open session");
    assert_eq!(admin.get("/v1/usergroups?search=g").await.is(200).ids(), ["g"]);
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
    eventually("a write", RECOVERY_LIMIT, patch).await;
    admin.get("/v1/usergroups/free").await.is(200);
}
