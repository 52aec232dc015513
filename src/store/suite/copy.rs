//! Copies: a store's rows, read and written by the store's own source and destination. Each store runs this with its
//! own ways of opening them.

use super::*;
use crate::store::SigningKey;
use crate::store::copy::{Destination, Source, copy};
use crate::store::sql::copy::TABLES;

use super::journal::live_a_little;
use super::signing_in::refresh_token;

/// Puts something into every table.
pub async fn fill(store: &impl TestStore) {
    live_a_little(store).await;
    let later = Timestamp::from_micros(i64::MAX / 2);
    for jti in ["b", "a", "ä", "B"] {
        store.end_token(jti, later, Timestamp::from_micros(0)).await.unwrap();
        store.keep_refresh_token(refresh_token(jti, "family"), Timestamp::from_micros(0)).await.unwrap();
        let key = SigningKey { kid: jti.to_owned(), pem: "pem".to_owned(), signs_from: later };
        store.add_signing_key(key, false).await.unwrap();
    }
}

/// Copies a filled store; gives the digest.
pub async fn copies(source: &mut dyn Source, destination: Box<dyn Destination>) -> String {
    for table in &TABLES {
        let all = source.rows(table, None, 1_000).await.unwrap();
        assert_eq!(source.count(table).await.unwrap(), all.len() as u64);
        assert!(!all.is_empty(), "{}", table.name);
        let mut last = None;
        for row in &all {
            last = source.rows(table, last.as_ref(), 1).await.unwrap().pop();
            assert_eq!(last.as_ref(), Some(row), "row by row, {} is the same", table.name);
        }
        assert!(source.rows(table, last.as_ref(), 1).await.unwrap().is_empty());
    }
    copy(source, destination, &TABLES, &mut |_| {}).await.unwrap().digest.to_string()
}
