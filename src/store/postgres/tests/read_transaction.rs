//! Lists that are cancelled: by their time limit, or by an administrator.

use sea_query::{Func, Query, SelectStatement};

use super::*;

/// A read transaction with this time limit for its statements.
async fn limited(store: &PostgresStore, limit: Duration) -> ReadTransaction {
    let permit = Arc::clone(&store.lists).acquire_owned().await.unwrap();
    ReadTransaction::new(store.pool.get().await.unwrap(), permit, limit)
}

/// A statement that takes this many seconds.
fn taking(seconds: i32) -> SelectStatement {
    Query::select().expr(Func::cust("pg_sleep").arg(seconds)).take()
}

fn is_too_costly<T: std::fmt::Debug>(result: Result<T, DatabaseError>) -> bool {
    matches!(result.unwrap_err(), DatabaseError::Refused(Error::ListTooCostly))
}

#[tokio::test]
async fn a_list_that_exceeds_its_time_limit_is_too_costly() {
    let (store, _test_database) = open().await;
    let limit = Duration::from_secs(1);
    assert!(is_too_costly(limited(&store, limit).await.rows("SELECT pg_sleep(30)::TEXT", &[]).await));
    let mut transaction = limited(&store, limit).await;
    transaction.rows("SELECT 1", &[]).await.unwrap();
    assert!(is_too_costly(transaction.all(&[taking(0), taking(30), taking(0)]).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_an_administrator_cancels_is_not_too_costly() {
    let (store, test_database) = open().await;
    let watcher = test_database.connect().await;
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let cancelling = tokio::spawn(async move { while watcher.query(cancel, &[]).await.unwrap().is_empty() {} });
    let result = limited(&store, Duration::from_secs(30)).await.all(&[taking(0), taking(30)]).await;
    assert!(matches!(result.unwrap_err(), DatabaseError::TimedOut));
    cancelling.await.unwrap();
}
