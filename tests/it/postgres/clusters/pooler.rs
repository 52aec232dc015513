//! PgBouncer in front of PostgreSQL: supported if it pools sessions, refused if it pools transactions.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::json;

use super::{Cluster, program_at, signal, wait};
use crate::postgres::failure::recovered;
use crate::postgres::launch;
use crate::postgres::refusals::refused;
use crate::support::{Database, Launch, Rollbook, Store, eventually, make_groups, sql};

/// The time limit within which a node reports that it cannot use its sessions, and that it can again.
const CHANGE_LIMIT: Duration = Duration::from_secs(20);

/// A PgBouncer in front of a cluster, with its files in the cluster's folder. It is killed when the value is dropped.
struct PgBouncer<'a> {
    cluster: &'a Cluster,
    port: u16,
    process: Child,
}

impl<'a> PgBouncer<'a> {
    fn start(cluster: &'a Cluster, mode: &str) -> Self {
        let bouncer = std::env::var_os("TEST_PGBOUNCER").filter(|path| !path.is_empty());
        let bouncer =
            bouncer.expect("TEST_PGBOUNCER names no PgBouncer: install pgbouncer, and run scripts/with-postgres");
        let port = super::free_port();
        configure(cluster, port, mode);
        let mut command = program_at(bouncer.as_ref(), &cluster.folder);
        let process = command.arg("pgbouncer.ini").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let bouncer = Self { cluster, port, process: process.expect("PgBouncer starts") };
        wait("PgBouncer", || sql::try_run(&bouncer.url(), "SELECT 1").is_ok());
        bouncer
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Changes the pool mode.
    fn set_pool_mode(&self, mode: &str) {
        configure(self.cluster, self.port, mode);
        signal("-HUP", &[self.process.id()]);
    }
}

impl Drop for PgBouncer<'_> {
    fn drop(&mut self) {
        signal("-KILL", &[self.process.id()]);
        let _ = self.process.wait();
    }
}

fn configure(cluster: &Cluster, port: u16, mode: &str) {
    let file = cluster.folder.path().join("pgbouncer.ini");
    let settings = format!(
        "[databases]\npostgres = host=127.0.0.1 port={} user=postgres\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
         pool_mode = {mode}\ndefault_pool_size = 40\nlogfile = pgbouncer.log\n",
        cluster.port
    );
    fs::write(&file, settings).expect("our own folder");
    cluster.give_to_server(&file).expect("a file of our own");
}

#[test]
fn a_node_and_commands_refuse_pooled_transactions() {
    let cluster = Cluster::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("file.db").display());
    let source = Launch::default().store(Store::Sqlite).start();
    for mode in ["transaction", "statement"] {
        let bouncer = PgBouncer::start(&cluster, mode);
        // Twice, so that the second one gets sessions that the first one has used.
        for _ in 0..2 {
            let error = refused(&bouncer.url());
            assert!(error.contains("pool_mode = session"), "{mode}: {error}");
        }
        let url = bouncer.url();
        for command in [
            &["client", "list"][..],
            &["export"],
            &["import", "-"],
            &["copy", "--from", &url, "--to", &file],
            &["copy", "--from", source.database().url(), "--to", &url],
        ] {
            let error = Rollbook::on(&url).run(command).error();
            assert!(error.contains("pool_mode = session"), "{mode}, {command:?}: {error}");
        }
    }
    let made = sql::run(&cluster.url(), "SELECT 1 FROM pg_class WHERE relname = 'groups'");
    assert!(made.is_empty(), "nothing was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_works_with_pooled_sessions_and_refuses_pooled_transactions() {
    let cluster = Cluster::start(&[]);
    let bouncer = PgBouncer::start(&cluster, "session");
    let node = launch().start_on(Database::elsewhere(bouncer.url()));
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    recovered(&node).await;
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("file.db").display());
    Rollbook::on(bouncer.url()).run(&["copy", "--from", &bouncer.url(), "--to", &file]).printed();

    bouncer.set_pool_mode("transaction");
    let anonymous = node.anonymous();
    eventually("that it is not ready", CHANGE_LIMIT, async || anonymous.get("/readyz").await.status == 503).await;
    eventually("the refusal", CHANGE_LIMIT, async || node.log().contains("pool_mode = session")).await;
    for _ in 0..20 {
        for path in ["/v1/usergroups", "/v1/usergroups/g"] {
            admin.get(path).await.fails(503, "Api.Offline");
        }
        admin.post("/v1/usergroups", &json!({ "Name": "N" })).await.fails(503, "Api.Offline");
    }

    bouncer.set_pool_mode("session");
    recovered(&node).await;
    admin.patch("/v1/usergroups/g", &json!({ "Name": "N" })).await.is(200);
    assert_eq!(admin.get("/v1/usergroups").await.is(200).ids(), ["g"]);
}
