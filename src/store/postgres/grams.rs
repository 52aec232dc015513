//! The rows behind searches for one or two characters. (Longer ones are answered by trigram indexes on the texts
//! themselves, which PostgreSQL keeps by itself.)

use crate::store::sql::grams::{Gram, grams};

use super::pipeline::parameters;
use super::transaction::Writing;

/// The statements of one table of grams.
pub struct GramTable {
    put: &'static str,
    delete: &'static str,
}

macro_rules! gram_table {
    ($table:literal) => {
        GramTable {
            put: concat!(
                "INSERT INTO ",
                $table,
                " (owner, grams) VALUES ($1, $2) ON CONFLICT (owner) DO UPDATE SET grams = EXCLUDED.grams"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE owner = $1"),
        }
    };
}

/// The grams of groups.
pub const GROUPS: GramTable = gram_table!("group_grams");
/// The grams of users.
pub const USERS: GramTable = gram_table!("user_grams");

/// Brings the grams of one thing from its folded texts that were to those that are.
pub fn put(
    writing: &mut Writing<'_>,
    table: &GramTable,
    owner: i64,
    were: Option<Vec<String>>,
    are: Option<Vec<String>>,
) {
    match are {
        _ if were == are => {}
        Some(texts) => {
            let numbers: Vec<i64> = grams(&texts).iter().map(Gram::number).collect();
            writing.queue(table.put, parameters![owner, numbers]);
        }
        None => writing.queue(table.delete, parameters![owner]),
    }
}
