//! The numbers of the directory by day, and what the database tells of itself.

use futures_util::future::join_all;

use crate::domain::day::Day;
use crate::domain::statistics::{DaySample, DaySamples};
use crate::store::suite::*;

fn sample(day: i64, groups: u64) -> DaySample {
    DaySample { day: Day::from_number(day), groups, users: 2, memberships: 3, changes: groups + 1 }
}

async fn keep(store: &impl TestStore, sample: DaySample) {
    store.keep_day_sample(sample, Day::from_number(0)).await.unwrap();
}

async fn samples(store: &impl TestStore, first: i64, last: i64) -> Vec<DaySample> {
    store.day_samples(Day::from_number(first), Day::from_number(last)).await.unwrap().samples
}

pub(crate) async fn the_last_sample_of_a_day_counts(store: &impl TestStore) {
    for own in [sample(12, 8), sample(10, 5), sample(11, 6), sample(10, 7), sample(10, 7)] {
        keep(store, own).await;
    }
    assert_eq!(samples(store, 10, 12).await, [sample(10, 7), sample(11, 6), sample(12, 8)]);
    assert_eq!(samples(store, 11, 11).await, [sample(11, 6)]);
    assert!(samples(store, 13, 20).await.is_empty() && store.journal().is_empty());
}

pub(crate) async fn samples_of_one_day_come_from_many_servers(store: &impl TestStore) {
    join_all((0..8).map(|groups| keep(store, sample(10, groups)))).await;
    let kept = samples(store, 0, 20).await;
    assert!(kept.len() == 1 && (0..8).any(|groups| kept[0] == sample(10, groups)), "{kept:?}");
}

pub(crate) async fn old_samples_go(store: &impl TestStore) {
    for day in [7, 8, 9] {
        keep(store, sample(day, 1)).await;
    }
    store.keep_day_sample(sample(10, 1), Day::from_number(9)).await.unwrap();
    assert_eq!(samples(store, 0, 20).await, [sample(9, 1), sample(10, 1)]);
}

pub(crate) async fn a_journal_is_whole_until_changes_are_dropped(store: &impl TestStore) {
    for (second, name) in [(1, "a"), (2, "b")] {
        put_group(store, second, Target::New, group(name, name)).await.unwrap();
    }
    let all = async || store.day_samples(Day::from_number(0), Day::from_number(9)).await.unwrap();
    assert_eq!(all().await, DaySamples { samples: Vec::new(), is_journal_whole: true });
    while store.drop_changes(time(2)).await.unwrap() {}
    assert!(!all().await.is_journal_whole);
}

pub(crate) async fn a_database_tells_what_it_is(store: &impl TestStore) {
    let facts = store.facts().await.unwrap();
    assert_eq!(facts.kind, store.name());
    assert!(facts.version.starts_with(|digit: char| digit.is_ascii_digit()), "{}", facts.version);
    assert!(facts.schema >= 1 && facts.bytes > 10_000, "{facts:?}");
}
