//! Copies: each store runs this with its own source and destination.

use crate::domain::day::Day;
use crate::domain::signing_key::PublishedKey;
use crate::domain::statistics::DaySample;
use crate::store::SigningKey;
use crate::store::copy::{Destination, Source, copy};
use crate::store::sql::copy::TABLES;
use crate::store::suite::*;

use crate::store::suite::entities::answers::put;
use crate::store::suite::entities::signing_in::refresh_token;
use crate::store::suite::journal::entries::write_every_kind;

/// Fills every table.
pub(crate) async fn fill(store: &impl TestStore) {
    write_every_kind(store).await;
    let later = Timestamp::from_micros(i64::MAX / 2);
    for jti in ["b", "a", "ä", "B"] {
        store.end_token(jti, later, Timestamp::from_micros(0)).await.unwrap();
        store.keep_refresh_token(refresh_token(jti, "family"), Timestamp::from_micros(0)).await.unwrap();
        let published = PublishedKey { kid: jti.to_owned(), signs_from: later };
        let key = SigningKey { published, pem: "pem".to_owned() };
        store.add_signing_key(operation(100), key, false).await.unwrap();
    }
    for day in [7, 9].map(Day::from_number) {
        let sample = DaySample { day, groups: 1, users: 2, memberships: 3, changes: 4 };
        store.keep_day_sample(sample, day.plus(-9)).await.unwrap();
    }
    for name in ["answered", "also-answered"] {
        put(store, 9, name, Target::New).await.unwrap();
    }
    let second = refresh_token("second", "family");
    assert!(store.rotate_refresh_token("a", second, later, Timestamp::from_micros(0)).await.unwrap());
}

/// Copies a filled store and returns the digest. Also checks that single rows and whole tables read the same.
pub(crate) async fn copies(source: &mut dyn Source, destination: Box<dyn Destination>) -> String {
    for table in &TABLES {
        let all = source.rows(table, None, 1_000).await.unwrap();
        assert_eq!(source.count(table).await.unwrap(), all.len() as u64);
        assert!(!all.is_empty(), "{}", table.name);
        let mut last = None;
        for row in &all {
            last = source.rows(table, last.as_ref(), 1).await.unwrap().pop();
            assert_eq!(last.as_ref(), Some(row), "{} reads the same row by row", table.name);
        }
        assert!(source.rows(table, last.as_ref(), 1).await.unwrap().is_empty());
    }
    assert!(source.live().await.unwrap().changes > 0, "the copy compares the counters");
    copy(source, destination, &TABLES, &mut |_| {}).await.unwrap().digest.to_string()
}
