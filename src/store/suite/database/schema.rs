//! The schema of a store and the description of its tables have the same columns.

use crate::store::copy::Table;
use crate::store::sql::copy::TABLES;
use crate::store::sql::derived::{GROUP_LABELS, GROUP_LINKS, GROUP_XP, USER_LINKS, USER_XP};
use crate::store::suite::*;

/// Prefixes of tables that each store designs itself: counters, schema versions, text indexes, member counts, the view of
/// labels; and of the sign-ins of people, which no copy carries.
const OWN: [&str; 10] = [
    "sessions",
    "setup_codes",
    "group_sizes",
    "group_label_entries",
    "counters",
    "migrations",
    "group_text",
    "group_ngrams",
    "user_text",
    "user_ngrams",
];

pub(crate) async fn is_as_described(store: &impl TestStore) {
    let tables: Vec<&Table> =
        TABLES.iter().chain([&GROUP_LABELS, &GROUP_LINKS, &GROUP_XP, &USER_LINKS, &USER_XP]).collect();
    let described = tables.iter().flat_map(|table| table.columns.iter().map(|column| (table.name, column)));
    let described: BTreeMap<_, _> = described.map(|(table, column)| ((table, column.name), column.kind)).collect();
    let schema = store.schema();
    // Only PostgreSQL stores the transaction ID of a journal entry and of a sign-in.
    let own = |column: &&SchemaColumn| {
        let is_ordered = ["journal", "sign_ins"].contains(&&*column.table);
        OWN.iter().any(|own| column.table.starts_with(own)) || (is_ordered && column.name == "xid")
    };
    let columns = schema.iter().filter(|column| !own(column));
    let columns: BTreeMap<_, _> = columns.map(|column| ((&*column.table, &*column.name), column.kinds)).collect();
    let missing: Vec<_> = described.keys().filter(|column| !columns.contains_key(*column)).collect();
    assert!(missing.is_empty(), "described, and not in the schema: {missing:?}");
    let undescribed: Vec<_> = columns.keys().filter(|column| !described.contains_key(*column)).collect();
    assert!(undescribed.is_empty(), "in the schema, and not described: {undescribed:?}");
    for (column, kind) in &described {
        assert!(columns[column].contains(kind), "{column:?} is described as {kind:?}");
    }
}
