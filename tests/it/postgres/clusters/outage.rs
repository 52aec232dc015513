//! A PostgreSQL that is stopped, that becomes read-only, or that cannot confirm that a commit is durable.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Cluster;
use crate::durability::load::Load;
use crate::postgres::failure::recovered;
use crate::postgres::launch;
use crate::support::{CORE, Caller, Database, Server, eventually, make_group, make_groups, sql};

/// The time limit within which requests are refused.
const REFUSAL_LIMIT: Duration = Duration::from_secs(10);
/// The time limit within which a node has recovered.
const RECOVERY_LIMIT: Duration = Duration::from_secs(15);

fn node_on(cluster: &Cluster) -> Server {
    launch().start_on(Database::elsewhere(cluster.url()))
}

/// Checks that reads, lists and writes are refused in time, in the form of each API and with `Retry-After`.
async fn refused_everywhere(admin: &Caller) {
    let body = json!({ "ID": "new", "Name": "N" });
    for (method, path, code) in [
        ("GET", "/v1/usergroups/g", "Api.Offline"),
        ("GET", "/v1/usergroups", "Api.Offline"),
        ("POST", "/v1/usergroups", "Api.Offline"),
        ("GET", &format!("{CORE}/1"), "unavailable"),
        ("GET", &format!("{CORE}/list"), "unavailable"),
        ("GET", &format!("{CORE}/list-all"), "unavailable"),
        ("DELETE", &format!("{CORE}/1"), "unavailable"),
    ] {
        let begin = Instant::now();
        let request = admin.request(method, path);
        let reply = admin.send(if method == "POST" { request.json(&body) } else { request }).await;
        assert!(begin.elapsed() < REFUSAL_LIMIT, "{method} {path} took {:?}", begin.elapsed());
        assert_ne!(reply.fails(503, code).header("retry-after"), "", "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_database_is_reported_and_a_started_one_is_used_again() {
    let mut cluster = Cluster::start(&[]);
    let server = node_on(&cluster);
    let (admin, anonymous) = (server.admin().await, server.anonymous());
    make_groups(&admin, &["g"]).await;
    anonymous.get("/readyz").await.is(200);
    for stop in [Cluster::stop, Cluster::kill_9] {
        stop(&mut cluster);
        refused_everywhere(&admin).await;
        // A result is cached for a second.
        eventually("unreadiness", REFUSAL_LIMIT, async || anonymous.get("/readyz").await.status == 503).await;
        anonymous.get("/healthz").await.is(200);
        cluster.start_again();
        recovered(&server).await;
        assert_eq!(admin.get("/v1/usergroups").await.is(200).ids(), ["g"]);
        admin.patch("/v1/usergroups/g", &json!({ "Name": "N" })).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_under_load_lose_and_repeat_no_write() {
    let mut cluster = Cluster::start(&[]);
    let one = node_on(&cluster);
    let other = one.another_node();
    let admins = [one.admin().await, other.admin().await];
    let writing = Load::prepared(&admins[0]).await.start(&admins);
    for stop in [Cluster::stop, Cluster::kill_9] {
        writing.acknowledged_by(0, 100).await;
        stop(&mut cluster);
        cluster.start_again();
        for node in 0..admins.len() {
            tokio::time::timeout(RECOVERY_LIMIT, writing.acknowledged_by(node, 20)).await.expect("each node continues");
        }
    }
    let mut load = writing.stopped().await;
    for admin in &admins {
        load.verify(admin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_become_read_only_are_closed() {
    let cluster = Cluster::start(&[]);
    let server = node_on(&cluster);
    let admin = server.admin().await;
    let number = make_group(&admin, "before", &[]).await;
    let alter = |what: &str| {
        sql::run(&cluster.url(), &format!("ALTER SYSTEM {what}"));
        sql::run(&cluster.url(), "SELECT pg_reload_conf()");
    };
    alter("SET default_transaction_read_only = on");
    let refused = async || admin.post("/v1/usergroups", &json!({ "Name": "N" })).await.status == 503;
    eventually("the refusal", REFUSAL_LIMIT, refused).await;
    let reply = admin.delete(&format!("{CORE}/{number}")).await.fails(503, "unavailable");
    assert_ne!(reply.header("retry-after"), "");
    alter("RESET default_transaction_read_only");
    recovered(&server).await;
    eventually("a write", RECOVERY_LIMIT, async || admin.delete(&format!("{CORE}/{number}")).await.status == 200).await;
}

/// A node whose commits wait for a standby that never comes, and the waiting write.
struct Waiting {
    cluster: Cluster,
    server: Server,
}

impl Waiting {
    async fn start() -> Self {
        let cluster = Cluster::start(&[]);
        let server = node_on(&cluster);
        make_groups(&server.admin().await, &["before"]).await;
        Self::wait_for(&cluster, "'nobody'");
        // The server applies the setting slightly later than it confirms it.
        eventually("commits that wait", RECOVERY_LIMIT, async || Self::one_waits(&cluster)).await;
        Self { cluster, server }
    }

    /// Whether a commit of our own waits; cancels it if it does.
    fn one_waits(cluster: &Cluster) -> bool {
        let url = cluster.url();
        let commit = thread::spawn(move || sql::run(&url, "SELECT pg_logical_emit_message(true, 'it', 'waits')"));
        let waited = loop {
            if Self::cancelled(cluster) {
                break true;
            }
            if commit.is_finished() {
                break false;
            }
        };
        commit.join().expect("no panic");
        waited
    }

    /// Cancels the wait of a commit, if one waits.
    fn cancelled(cluster: &Cluster) -> bool {
        let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' LIMIT 1";
        !sql::run(&cluster.url(), cancel).is_empty()
    }

    fn wait_for(cluster: &Cluster, standby: &str) {
        // These statements write no data, so their commits do not wait.
        sql::run(&cluster.url(), &format!("ALTER SYSTEM SET synchronous_standby_names = {standby}"));
        sql::run(&cluster.url(), "SELECT pg_reload_conf()");
    }

    /// Cancels the wait of the first commit that waits.
    async fn cancel(&self) {
        eventually("a commit that waits", RECOVERY_LIMIT, async || Self::cancelled(&self.cluster)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_may_not_be_durable_is_no_success() {
    let waiting = Waiting::start().await;
    let admin = waiting.server.admin().await;
    let body = json!({ "ID": "maybe", "Name": "N" });
    let (reply, ()) = tokio::join!(admin.post("/v1/usergroups", &body), waiting.cancel());
    let reply = reply.fails(503, "Api.OutcomeUnknown");
    assert_eq!(reply.header("retry-after"), "", "a retry may repeat the write");
    Waiting::wait_for(&waiting.cluster, "''");
    recovered(&waiting.server).await;
    admin.get("/v1/usergroups/maybe").await.is(200);
    admin.post("/v1/usergroups", &body).await.fails(409, "IdExists");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_outcome_is_found_gets_the_right_response() {
    let waiting = Waiting::start().await;
    let admin = waiting.server.admin().await;
    let body = json!({ "ID": "found", "Name": "N" });
    let release = async {
        waiting.cancel().await;
        Waiting::wait_for(&waiting.cluster, "''");
    };
    let (reply, ()) = tokio::join!(admin.post("/v1/usergroups", &body), release);
    assert_eq!(reply.is(201).json(), &json!({ "ID": "found", "Name": "N", "Description": null, "xp": null }));
}
