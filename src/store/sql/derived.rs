//! The rows and texts derived from groups and users, which lists read: links to communities, labels, xp entries, texts
//! to search.

use crate::domain::community::Communities;
use crate::domain::xp::Xp;
use crate::store::copy::{Row, Table};

use super::columns::columns;
use super::entity::StoredEntity;
use super::labels::rows as label_rows;
use super::tables::{Groups, Listing as _, Users};
use super::xp;

/// The table of links between groups and communities.
pub(crate) static GROUP_LINKS: Table =
    Table { name: "group_communities", columns: columns! { Text: "community"; Integer: "owner"; }, key: 2 };
/// The table of links between users and communities.
pub(crate) static USER_LINKS: Table =
    Table { name: "user_communities", columns: columns! { Text: "community"; Integer: "owner"; }, key: 2 };
/// PostgreSQL's table of the member counts of live groups.
pub(crate) static GROUP_SIZES: Table =
    Table { name: "group_sizes", columns: columns! { Integer: "owner" "members"; }, key: 1 };
/// The table of the labels of groups, for filters and sorting.
pub(crate) static GROUP_LABELS: Table =
    Table { name: "group_labels", columns: columns! { Integer: "owner"; Text: "tag" "text" "rest"; }, key: 2 };
/// The table of the xp entries of groups, for filters and sorting.
pub(crate) static GROUP_XP: Table = xp_table(Groups::XP_TABLE);
/// The table of the xp entries of users.
pub(crate) static USER_XP: Table = xp_table(Users::XP_TABLE);

const fn xp_table(name: &'static str) -> Table {
    let columns = columns! {
        Integer: "owner";
        Text: "path";
        Small: "kind";
        Text: "text" "rest" "number" "number_rest";
        Integer: "instant";
        Small: "least";
    };
    Table { name, columns, key: 5 }
}

/// What is derived from a batch of entities of one kind.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Derived {
    /// The derived rows, by table.
    pub rows: Vec<(&'static Table, Vec<Row>)>,
    /// The folded texts that a search reads, by the number of the entity.
    pub texts: Vec<(i64, Vec<String>)>,
    /// The table for the n-grams of the texts; `None` if the kind has no text search.
    pub ngrams: Option<&'static str>,
}

impl Derived {
    /// Returns what is derived from the live entities. Tombstones have no derived rows.
    pub(crate) fn of<'a, E: StoredEntity>(entities: impl IntoIterator<Item = &'a E>) -> Self {
        let Some(tables) = E::DERIVED else { return Self::default() };
        let (mut links, mut labels, mut xp, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for entity in entities.into_iter().filter(|entity| entity.is_live()) {
            let (uid, sources) = (entity.uid(), entity.sources());
            links.extend(sources.communities.into_iter().flat_map(|communities| links_of(uid, communities)));
            labels.extend(sources.labels.into_iter().flat_map(|own| label_rows(own).map(move |row| row.into_row(uid))));
            xp.extend(xp_rows(uid, sources.xp));
            texts.push((uid, sources.texts));
        }
        let links = tables.links.map(|table| (table, links));
        let labels = tables.labels.map(|table| (table, labels));
        Self {
            rows: links.into_iter().chain(labels).chain([(tables.xp, xp)]).collect(),
            texts,
            ngrams: Some(tables.ngrams),
        }
    }

    /// As [`Derived::of`], but only what is made of folded texts: xp entries and texts, no links.
    pub(crate) fn folded<'a, E: StoredEntity>(entities: impl IntoIterator<Item = &'a E>) -> Self {
        let mut derived = Self::of(entities);
        derived.rows.retain(|(table, _)| E::DERIVED.is_some_and(|tables| tables.xp == *table));
        derived
    }
}

fn links_of(owner: i64, communities: &Communities) -> impl Iterator<Item = Row> {
    communities.iter().map(move |community| vec![community.to_string().into(), owner.into()])
}

fn xp_rows(owner: i64, document: Option<&Xp>) -> impl Iterator<Item = Row> {
    xp::rows(document.map(Xp::entries).unwrap_or_default()).into_iter().map(move |row| row.into_row(owner))
}
