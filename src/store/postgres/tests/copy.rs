//! Tests of copies between PostgreSQL databases.

use super::*;

#[tokio::test]
async fn a_copy_of_a_copy_is_the_same_store() {
    let (store, test_database) = open().await;
    crate::store::suite::database::copy::fill(&store).await;
    let copies = [TestDatabase::new().await, TestDatabase::new().await];
    let mut digests = Vec::new();
    for (from, to) in [(&test_database, &copies[0]), (&copies[0], &copies[1])] {
        let mut source = Snapshot::of(from.url(), None).await.unwrap();
        let destination = NewDirectory::begin(to.url(), None).await.unwrap();
        digests.push(crate::store::suite::database::copy::copies(&mut source, Box::new(destination)).await);
    }
    assert_eq!(digests[0], digests[1]);
    let copied = open_at(copies[1].url()).await;
    assert_eq!(copied.state(), store.state());
    let indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexname";
    let indexes = |store| read(store, indexes, |row| row.get::<_, String>(0));
    assert_eq!(indexes(&copied), indexes(&store));
    let (new, other) = (make_group(&copied, group("new", "n")).await, make_group(&store, group("new", "n")).await);
    assert_eq!(new.uid, other.uid);
}
