//! Pages of PostgreSQL's data files that are overwritten on the disk.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use serde_json::json;

use super::Cluster;
use super::failover::node_on;
use crate::embedded::damage::{becomes_unready, is_lasting, is_logged_once, refuses_writes};
use crate::postgres::failure::recovered;
use crate::postgres::refusals::refused;
use crate::support::{CORE, Caller, Server, make_groups, sql};

const PAGE: usize = 8_192;

/// The requests that read a damaged page.
#[derive(Clone, Copy, Debug)]
enum Access {
    /// A read of a group.
    Read,
    /// A list of groups.
    List,
    /// A write of a group.
    Write,
}

impl Access {
    async fn check(self, admin: &Caller) {
        let (reply, code) = match self {
            Self::Read => (admin.get(&format!("{CORE}/1")).await, "unavailable"),
            Self::List => (admin.get("/v1/usergroups").await, "Api.Offline"),
            Self::Write => (admin.patch("/v1/usergroups/g1", &json!({ "Name": "N" })).await, "Api.Offline"),
        };
        is_lasting(&reply, code);
    }
}

/// Overwrites a page of a table or an index while the server is stopped.
fn damage(cluster: &mut Cluster, relation: &str, page: usize, bytes: [u8; PAGE]) {
    let path = sql::run(&cluster.url(), &format!("SELECT pg_relation_filepath('{relation}')"))[0][0].clone();
    let path = cluster.data().join(path.expect("a relation with a file"));
    cluster.stop();
    let at = page * PAGE;
    let file = File::options().write(true).open(path).expect("our own cluster");
    assert!(file.metadata().expect("it is open").len() as usize >= at + PAGE, "{relation} has no page {page}");
    file.write_all_at(&bytes, at as u64).expect("our own cluster");
    cluster.start_again();
}

/// A node whose groups are all in the first page of their table.
async fn filled(clusters: &[&Cluster]) -> Server {
    let node = node_on(clusters);
    make_groups(&node.admin().await, &["g1", "g2"]).await;
    node
}

/// Checks the responses of a node after a request has read a damaged page.
async fn refuses_further_writes(node: &Server, admin: &Caller) {
    refuses_writes(admin).await;
    becomes_unready(node).await;
    is_logged_once(node, "127.0.0.1");
    // Data outside of the damaged page is still read.
    admin.get("/v1/adminusers").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_a_wrong_checksum_is_detected_when_it_is_read() {
    let mut cluster = Cluster::start(&[]);
    let first = filled(&[&cluster]).await;
    damage(&mut cluster, "groups", 0, [0xdb; PAGE]);
    for met in [Access::Read, Access::List, Access::Write] {
        println!("met by a {met:?}");
        let node = first.another_node();
        let admin = node.admin().await;
        recovered(&node).await;
        met.check(&admin).await;
        refuses_further_writes(&node, &admin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_index_is_detected_when_it_is_read() {
    let mut cluster = Cluster::start(&[]);
    let node = filled(&[&cluster]).await;
    // A page of zeros is valid without a checksum.
    damage(&mut cluster, "groups_id", 1, [0; PAGE]);
    recovered(&node).await;
    let admin = node.admin().await;
    is_lasting(&admin.get("/v1/usergroups/g1").await, "Api.Offline");
    refuses_further_writes(&node, &admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_of_the_settings_is_detected_without_a_request() {
    let mut cluster = Cluster::start(&[]);
    let node = filled(&[&cluster]).await;
    damage(&mut cluster, "settings", 0, [0xdb; PAGE]);
    becomes_unready(&node).await;
    refuses_writes(&node.admin().await).await;
    is_logged_once(&node, "127.0.0.1");
    let error = refused(&cluster.url());
    assert!(error.contains("is damaged") && error.contains("restore a backup"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_ends_the_effects_of_damage() {
    let mut primary = Cluster::start(&[]);
    let standby = primary.synchronous_standby();
    let node = filled(&[&primary, &standby]).await;
    damage(&mut primary, "groups", 0, [0xdb; PAGE]);
    recovered(&node).await;
    let admin = node.admin().await;
    Access::Read.check(&admin).await;
    refuses_further_writes(&node, &admin).await;
    primary.kill_9();
    standby.promote();
    recovered(&node).await;
    admin.patch("/v1/usergroups/g1", &json!({ "Name": "N" })).await.is(200);
    assert_eq!(admin.get("/v1/usergroups?sortBy=ID").await.is(200).ids(), ["g1", "g2"]);
}
