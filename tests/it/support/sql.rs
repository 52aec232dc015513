//! SQL that a test runs on a database directly, without the server.

use std::thread;

use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

/// Rows of text values; `None` is NULL.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// Runs statements in the database with this URL; returns the rows of all of them.
#[track_caller]
pub(crate) fn run(url: &str, statements: &str) -> Rows {
    try_run(url, statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"))
}

/// As [`run`], but returns errors of the database and the connection. Works inside and outside of a Tokio runtime.
pub(crate) fn try_run(url: &str, statements: &str) -> Result<Rows, Error> {
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

/// Opens a session, for transactions that stay open while servers work. It ends when the value is dropped.
pub(crate) async fn connect(url: &str) -> Client {
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
