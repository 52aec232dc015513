//! Random operations through both doors against a model of the directory: every answer, then the whole state.

pub mod callers;
mod directory;
mod doors;
pub mod operations;

use callers::Callers;
use doors::Doors;
use operations::{Operation, sequence};

use crate::random::check;
use crate::support::Server;

const SEQUENCES: u32 = 12;
const OPERATIONS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn both_doors_agree_with_the_model() {
    let server = Server::start();
    let callers = Callers::at(&server).await;
    check(SEQUENCES, sequence(OPERATIONS), async |operations: Vec<(bool, Operation)>| {
        let mut doors = Doors::emptied(callers.clone()).await;
        for (limited, operation) in operations {
            doors.perform(limited, operation).await?;
        }
        doors.compare().await
    });
}
