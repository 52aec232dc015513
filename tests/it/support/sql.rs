//! SQL of a test's own, behind the back of the servers.

use std::thread;

use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

/// Rows of texts; `None` is a null.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs statements in the database that a URL leads to; gives the rows of them all.
#[track_caller]
pub fn run(url: &str, statements: &str) -> Rows {
    try_run(url, statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"))
}

/// As [`run`], where the database may refuse or be gone. It can be called anywhere, in a runtime or not.
pub fn try_run(url: &str, statements: &str) -> Result<Rows, Error> {
    thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let run = move || {
            runtime.block_on(async {
                let client = try_connect(url).await?;
                client.simple_query(statements).await.map(rows)
            })
        };
        scope.spawn(run).join().expect("no panic")
    })
}

/// A session, for transactions that stay open while the servers work. It ends with the value.
pub async fn connect(url: &str) -> Client {
    try_connect(url).await.unwrap_or_else(|error| panic!("{url}: {error:?}"))
}

async fn try_connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn rows(messages: Vec<SimpleQueryMessage>) -> Rows {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}
