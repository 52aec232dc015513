//! Writes that wait for another transaction with the same idempotency key.

use super::*;
use crate::domain::target::Target;
use crate::store::suite::entities::answers::put;

/// A transaction, on a session of its own, that has inserted the row of the key `k`.
async fn claim(test_database: &TestDatabase) -> tokio_postgres::Client {
    let client = test_database.connect().await;
    let sql = "BEGIN; INSERT INTO idempotency_keys (scope, key, fingerprint, operation, expires, status) \
               VALUES ('1/1', 'k', 'fingerprint', 'other', 9000000000000000, 201)";
    client.batch_execute(sql).await.unwrap();
    client
}

/// Starts the write of a group under the key `k` and waits until it waits for the other transaction.
async fn waiting_write(store: &Arc<PostgresStore>, watcher: &TestDatabase) -> tokio::task::JoinHandle<Result<Group>> {
    let write = tokio::spawn({
        let store = Arc::clone(store);
        async move { put(&*store, 1, "k", Target::New).await }
    });
    let watcher = watcher.connect().await;
    let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)";
    while !watcher.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {}
    write
}

#[tokio::test]
async fn a_write_waits_for_another_with_its_key() {
    for (end, succeeds) in [("ROLLBACK", true), ("COMMIT", false)] {
        let (store, test_database) = open().await;
        let store = Arc::new(store);
        let other = claim(&test_database).await;
        let write = waiting_write(&store, &test_database).await;
        other.batch_execute(end).await.unwrap();
        match write.await.unwrap() {
            Ok(group) => assert!(succeeds && group.version == 1, "{end}"),
            Err(error) => assert!(!succeeds && matches!(error, Error::KeyInUse), "{end}: {error}"),
        }
        assert_eq!(store.state().counters[0], u64::from(succeeds));
    }
}

#[tokio::test]
async fn the_wait_for_a_key_has_a_limit() {
    let (store, test_database) = open().await;
    let store = Arc::new(store);
    let other = claim(&test_database).await;
    let refused = waiting_write(&store, &test_database).await.await.unwrap();
    assert!(matches!(refused, Err(Error::KeyInUse)), "{refused:?}");
    other.batch_execute("ROLLBACK").await.unwrap();
    assert!(put(&*store, 1, "k", Target::New).await.is_ok(), "the key is free again");
}
