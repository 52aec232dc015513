//! A PostgreSQL that hangs: its operating system still accepts connections, but the server does not respond.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::Cluster;
use crate::postgres::failure::recovered;
use crate::postgres::launch;
use crate::support::{CORE, Caller, Database, make_groups};

/// `--database-statement-seconds`.
const STATEMENT: &str = "2";
/// That limit, plus five seconds.
const RESPONSE_LIMIT: Duration = Duration::from_secs(7);

async fn refused_in_time(admin: &Caller, path: &str) {
    let begin = Instant::now();
    let reply = admin.get(path).await;
    assert!(begin.elapsed() < RESPONSE_LIMIT, "{path} took {:?}", begin.elapsed());
    assert_eq!(reply.status, 503, "{path}: {}", reply.text);
    assert_ne!(reply.header("retry-after"), "", "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_lists_time_out_on_a_server_that_hangs() {
    let cluster = Cluster::start(&[]);
    let launch = launch().env("ROLLBOOK_DATABASE_STATEMENT_SECONDS", STATEMENT);
    let node = launch.start_on(Database::elsewhere(cluster.url()));
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    admin.get("/v1/usergroups").await.is(200);
    let (one, list, list_all) = (format!("{CORE}/1"), format!("{CORE}/list"), format!("{CORE}/list-all"));
    let paths = ["/v1/usergroups/g", "/v1/usergroups", "/v1/usergroups/assignments", &one, &list, &list_all];
    cluster.freeze();
    // First on sessions that are open, then on those that have to be opened.
    for _ in 0..2 {
        join_all(paths.map(|path| refused_in_time(&admin, path))).await;
    }
    cluster.thaw();
    recovered(&node).await;
    assert_eq!(admin.get("/v1/usergroups").await.is(200).ids(), ["g"]);
}
