//! Random operations through both APIs against a model of the directory: compares every response, then the whole state.

mod apis;
pub(crate) mod callers;
mod directory;
pub(crate) mod operations;

use apis::Apis;
use callers::Callers;
use operations::{Operation, sequence};

use crate::random::check;
use crate::support::Server;

const SEQUENCES: u32 = 12;
const OPERATIONS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn both_apis_agree_with_the_model() {
    let server = Server::start();
    let callers = Callers::at(&server).await;
    check(SEQUENCES, sequence(OPERATIONS), async |operations: Vec<(bool, Operation)>| {
        let mut apis = Apis::emptied(callers.clone()).await;
        for (limited, operation) in operations {
            apis.perform(limited, operation).await?;
        }
        apis.compare().await
    });
}
