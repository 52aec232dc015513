//! Servers that stop under load, by SIGTERM or SIGKILL.

use rand::random_range;

use super::load::Load;
use crate::support::Server;

/// How many servers on one file are killed in turn.
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_keeps_every_acknowledged_write_and_no_partial_one() {
    let mut server = Server::start();
    let mut load = Load::prepared(&server.admin().await).await;
    for _ in 0..ROUNDS {
        let writing = load.start(&[server.admin().await]);
        writing.acknowledged(random_range(100..=300)).await;
        server.kill_9();
        load = writing.ended().await;
        server.restart();
        load.verify(&server.admin().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_keeps_every_acknowledged_write() {
    let mut server = Server::start();
    let load = Load::prepared(&server.admin().await).await;
    let writing = load.start(&[server.admin().await]);
    writing.acknowledged(200).await;
    let status = server.stop();
    let mut load = writing.ended().await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
    server.restart();
    load.verify(&server.admin().await).await;
}
