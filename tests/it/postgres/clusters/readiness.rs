//! `/readyz` of a database that cannot be written to, for several reasons.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::Cluster;
use crate::postgres::failure::recovered;
use crate::postgres::launch;
use crate::support::{Database, Server, eventually, make_groups, sql};

/// The time limit for a response of `/readyz`.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
/// The time limit within which a change of the server shows.
const CHANGE_LIMIT: Duration = Duration::from_secs(20);

fn node_on(cluster: &Cluster) -> Server {
    launch().start_on(Database::elsewhere(cluster.url()))
}

/// The status of `/readyz`, within the time limit.
async fn readiness(node: &Server) -> u16 {
    let begin = Instant::now();
    let reply = node.anonymous().get("/readyz").await;
    assert!(begin.elapsed() < RESPONSE_LIMIT, "it took {:?}", begin.elapsed());
    reply.status
}

async fn not_ready(node: &Server) {
    eventually("that it is not ready", CHANGE_LIMIT, async || readiness(node).await == 503).await;
    assert_eq!(readiness(node).await, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_commits_wait_for_a_standby_is_not_ready() {
    let primary = Cluster::start(&[]);
    let mut standby = primary.synchronous_standby();
    let node = node_on(&primary);
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    recovered(&node).await;
    standby.stop();
    not_ready(&node).await;
    // Any number of checks leave no waiting session, so that requests still get sessions.
    for reply in join_all((0..40).map(|_| readiness(&node))).await {
        assert_eq!(reply, 503);
    }
    let sessions = |which: &str| {
        let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rollbook' {which}");
        let count = sql::run(&primary.url(), &count)[0][0].clone();
        count.and_then(|count| count.parse::<u32>().ok()).expect("a number")
    };
    assert!(sessions("") <= 10, "{} sessions", sessions(""));
    // One may wait that records sign-ins in the background, one write after the other.
    eventually("that no check waits", CHANGE_LIMIT, async || sessions("AND wait_event = 'SyncRep'") <= 1).await;
    assert_eq!(admin.get("/v1/usergroups").await.is(200).ids(), ["g"]);
    standby.start_again();
    recovered(&node).await;
    make_groups(&admin, &["h"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_database_refuses_writes_is_not_ready() {
    let cluster = Cluster::start(&[]);
    let node = node_on(&cluster);
    recovered(&node).await;
    let alter = |what: &str| {
        sql::run(&cluster.url(), &format!("ALTER SYSTEM {what}"));
        sql::run(&cluster.url(), "SELECT pg_reload_conf()");
    };
    alter("SET default_transaction_read_only = on");
    not_ready(&node).await;
    alter("RESET default_transaction_read_only");
    recovered(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_database_cannot_create_files_is_not_ready() {
    let cluster = Cluster::start(&[]);
    let node = node_on(&cluster);
    recovered(&node).await;
    // As on a disk that is full or mounted read-only: existing pages can still be changed.
    let allow = |mode: u32| {
        let files = cluster.data().join("base/pgsql_tmp");
        fs::set_permissions(files, Permissions::from_mode(mode)).expect("our own cluster");
    };
    allow(0o500);
    not_ready(&node).await;
    allow(0o700);
    recovered(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_database_is_stopped_or_hangs_is_not_ready() {
    let mut cluster = Cluster::start(&[]);
    let node = node_on(&cluster);
    recovered(&node).await;
    cluster.freeze();
    not_ready(&node).await;
    cluster.thaw();
    recovered(&node).await;
    cluster.stop();
    not_ready(&node).await;
    cluster.start_again();
    recovered(&node).await;
}
