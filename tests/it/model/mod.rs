//! Random operations through both doors against a model of the directory: every answer, then the whole state.

mod directory;
mod doors;
mod operations;

use doors::Doors;
use operations::{Operation, sequence};

use crate::random::check;
use crate::support::{A, FULL, Server};

const SEQUENCES: u32 = 12;
const OPERATIONS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn both_doors_agree_with_the_model() {
    let server = Server::start();
    let (admin, limited) = (server.admin().await, server.token(&[FULL], &[A]).await);
    check(SEQUENCES, sequence(OPERATIONS), async |operations: Vec<(bool, Operation)>| {
        let mut doors = Doors::emptied(admin.clone(), limited.clone()).await;
        for (limited, operation) in operations {
            doors.perform(limited, operation).await?;
        }
        doors.compare().await
    });
}
