//! Substring search.

use crate::domain::community::Visibility;
use crate::domain::query::{Field, Filter, GroupField, GroupQuery, Page, Search};
use crate::domain::text::fold;
use crate::store::suite::*;

pub(crate) const ALL: [GroupField; 3] = [GroupField::Id, GroupField::Name, GroupField::Description];

/// Returns the IDs of the groups that have the term in one of the fields, in order.
pub(crate) async fn found(store: &impl TestStore, term: &str, fields: &[GroupField]) -> String {
    let search = Search { term: fold(term), fields: fields.iter().copied().map(Field::Own).collect() };
    let filter = Filter { search: Some(search), conditions: Vec::new() };
    let page = Page { number: 1, size: 100 };
    let query = GroupQuery { visibility: Visibility::All, filter, sort: Vec::new(), page };
    let listed = store.list_groups(query).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    let mut ids: Vec<_> = listed.items.iter().map(|group| group.fields.id.to_string()).collect();
    ids.sort();
    ids.concat()
}

pub(crate) async fn finds_every_substring(store: &impl TestStore) {
    let name = "Straße 7 𝒳é";
    make_group(store, group("x", name)).await;
    make_group(store, group("y", "other")).await;
    let folded: Vec<char> = fold(name).chars().collect();
    for from in 0..folded.len() {
        for to in from + 1..=folded.len() {
            let term: String = folded[from..to].iter().collect();
            assert!(found(store, &term, &ALL).await.contains('x'), "{term:?}");
        }
    }
    assert_eq!(found(store, "STRASSE", &ALL).await, "x");
    for absent in ["q", "ß7", "strase", "7𝒳", "yx"] {
        assert_eq!(found(store, absent, &ALL).await, "", "{absent:?}");
    }
}

pub(crate) async fn searches_fields_and_drops_old_texts(store: &impl TestStore) {
    make_group(store, GroupFields { description: Some("third text".into()), ..group("first", "second") }).await;
    for (term, field) in [("first", 0), ("econ", 1), ("d t", 2), ("fi", 0), ("x", 2)] {
        for (at, own) in ALL.iter().enumerate() {
            assert_eq!(found(store, term, &[*own]).await.is_empty(), at != field, "{term} in {own:?}");
        }
    }
    put_group(store, 2, GroupKey::Id(id("first")), group("first", "renamed")).await.unwrap();
    for gone in ["second", "third", "x"] {
        assert_eq!(found(store, gone, &ALL).await, "", "{gone}");
    }
    assert_eq!(found(store, "nam", &ALL).await, "first");
    delete_group(store, 3, GroupKey::Id(id("first"))).await;
    assert_eq!(found(store, "nam", &ALL).await + &found(store, "n", &ALL).await, "");
}

pub(crate) async fn terms_have_no_syntax(store: &impl TestStore) {
    make_group(store, group("a", "50% \"x\" AND y* _ ! \\ (z)")).await;
    make_group(store, group("b", "plain")).await;
    for term in ["50%", "\"x\"", "\" AND", "y*", "_ !", "%", "\"", "* _", "(z)", " \\ "] {
        assert_eq!(found(store, term, &ALL).await, "a", "{term:?}");
    }
}
