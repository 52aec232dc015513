//! A primary that stops or loses its standby, and the standby that takes over.

use std::time::Duration;

use serde_json::json;

use super::Cluster;
use crate::durability::load::Load;
use crate::postgres::failure::recovered;
use crate::postgres::launch;
use crate::support::{Caller, Database, Server, eventually, make_groups, sql};

/// The time limit after the promotion within which every node writes again.
const FAILOVER_LIMIT: Duration = Duration::from_secs(15);

/// A node whose URL names these servers.
pub(super) fn node_on(clusters: &[&Cluster]) -> Server {
    let hosts: Vec<_> = clusters.iter().map(|cluster| cluster.address()).collect();
    let url = format!("postgres://postgres@{}/postgres?target_session_attrs=read-write", hosts.join(","));
    launch().start_on(Database::elsewhere(url))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_has_every_acknowledged_write_and_every_node_uses_it() {
    let mut primary = Cluster::start(&[]);
    let standby = primary.synchronous_standby();
    let one = node_on(&[&primary, &standby]);
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
    tokio::time::timeout(FAILOVER_LIMIT, go_on).await.expect("both nodes continue");
    let mut load = writing.stopped().await;
    for admin in &admins {
        load.verify(admin).await;
    }
}

fn has_group(cluster: &Cluster, id: &str) -> bool {
    !sql::run(&cluster.url(), &format!("SELECT 1 FROM groups WHERE id = '{id}'")).is_empty()
}

/// Creates groups until one of them is on the new primary; from then on all are, and none is on the old one.
async fn moves(node: &Caller, old: &Cluster, new: &Cluster, name: &str) {
    let mut count = 0;
    let moved = async || {
        count += 1;
        let id = format!("{name}-before-{count}");
        make_groups(node, &[&id]).await;
        has_group(new, &id)
    };
    eventually("a write on the new primary", FAILOVER_LIMIT, moved).await;
    for at in 0..40 {
        let id = format!("{name}-{at}");
        make_groups(node, &[&id]).await;
        assert!(has_group(new, &id) && !has_group(old, &id), "{id}");
        node.get(&format!("/v1/usergroups/{id}")).await.is(200);
        assert_eq!(node.get(&format!("/v1/usergroups?ID={id}")).await.is(200).ids(), [id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_primary_that_still_runs_is_abandoned() {
    let old = Cluster::start(&[]);
    let new = old.standby();
    let one = node_on(&[&old, &new]);
    let admin = one.admin().await;
    make_groups(&admin, &["g"]).await;
    let caught_up = "SELECT 1 FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    eventually("the standby", FAILOVER_LIMIT, async || !sql::run(&old.url(), caught_up).is_empty()).await;
    new.promote();
    // A node that starts now uses the new primary at once, although the URL names the old one first.
    let other = one.another_node();
    make_groups(&other.admin().await, &["started-later"]).await;
    assert!(has_group(&new, "started-later") && !has_group(&old, "started-later"));
    moves(&admin, &old, &new, "one").await;
    let sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'rollbook' AND state <> 'idle'";
    assert!(sql::run(&old.url(), sessions).is_empty());
    recovered(&one).await;
    eventually("the warning", FAILOVER_LIMIT, async || one.log().contains("an old primary")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_the_old_primary_does_not_confirm_is_committed_on_the_new_one() {
    let old = Cluster::start(&[]);
    let new = old.synchronous_standby();
    let node = node_on(&[&old, &new]);
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    new.promote();
    let body = json!({ "ID": "moved", "Name": "N" });
    let made =
        tokio::time::timeout(FAILOVER_LIMIT, admin.post("/v1/usergroups", &body)).await.expect("a response in time");
    made.is(201);
    assert!(has_group(&new, "moved"));
    moves(&admin, &old, &new, "later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_cluster_is_never_used_as_the_primary() {
    let mut own = Cluster::start(&[]);
    let other = Cluster::start(&[]);
    let node = node_on(&[&own, &other]);
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    eventually("the warning", FAILOVER_LIMIT, async || node.log().contains("another database cluster")).await;
    own.stop();
    let body = json!({ "Name": "N" });
    for _ in 0..5 {
        admin.post("/v1/usergroups", &body).await.fails(503, "Api.Offline");
        admin.get("/v1/usergroups").await.fails(503, "Api.Offline");
    }
    assert!(sql::run(&other.url(), "SELECT 1 FROM pg_class WHERE relname = 'groups'").is_empty());
    own.start_again();
    recovered(&node).await;
    assert_eq!(admin.get("/v1/usergroups").await.is(200).ids(), ["g"]);
}
