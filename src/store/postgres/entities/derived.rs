//! The derived rows of an entity: links to communities, labels, xp and n-grams.

use crate::store::postgres::write::pipeline::parameters;
use crate::store::postgres::write::transaction::Transaction;
use crate::store::sql::entity::{
    DerivedTables, Sources, StoredEntity, changed_labels, changed_links, live_sources, xp_of,
};
use crate::store::sql::labels::{LabelRow, rows as label_rows};
use crate::store::sql::list::ngrams::{NGram, ngrams};

use super::xp;

/// The statements of the derived rows.
pub(crate) struct Statements {
    delete_links: Option<String>,
    insert_links: Option<String>,
    delete_labels: Option<String>,
    insert_labels: Option<String>,
    xp: xp::Statements,
    upsert_ngrams: String,
    delete_ngrams: String,
}

impl Statements {
    /// Builds the statements for the tables.
    pub(crate) fn of(tables: DerivedTables) -> Self {
        let (links, ngrams) = (tables.links.map(|table| table.name), tables.ngrams);
        let labels = tables.labels.map(|table| table.name);
        let insert_labels = |labels| {
            format!(
                "INSERT INTO {labels} (owner, tag, text, rest) \
                 SELECT $1, * FROM unnest($2::TEXT[], $3::TEXT[], $4::TEXT[])"
            )
        };
        let delete_links = |links| format!("DELETE FROM {links} WHERE community = ANY($1) AND owner = $2");
        let insert_links = |links| format!("INSERT INTO {links} (community, owner) SELECT unnest($1::TEXT[]), $2");
        Self {
            delete_links: links.map(delete_links),
            insert_links: links.map(insert_links),
            delete_labels: labels.map(|labels| format!("DELETE FROM {labels} WHERE owner = $1")),
            insert_labels: labels.map(insert_labels),
            xp: xp::Statements::of(tables.xp),
            upsert_ngrams: format!(
                "INSERT INTO {ngrams} (owner, ngrams) VALUES ($1, $2) \
                 ON CONFLICT (owner) DO UPDATE SET ngrams = EXCLUDED.ngrams"
            ),
            delete_ngrams: format!("DELETE FROM {ngrams} WHERE owner = $1"),
        }
    }
}

/// Queues the changes to the derived rows of the entity. Only live entities have derived rows.
pub(crate) fn update<E: StoredEntity>(
    transaction: &mut Transaction<'_>,
    statements: &'static Statements,
    before: Option<&E>,
    after: &E,
) {
    let uid = after.uid();
    let (was, is) = (live_sources(before), live_sources(Some(after)));
    update_links(transaction, statements, uid, was.as_ref(), is.as_ref());
    update_labels(transaction, statements, uid, was.as_ref(), is.as_ref());
    xp::update(transaction, &statements.xp, uid, xp_of(was.as_ref()), xp_of(is.as_ref()));
    let (texts_were, texts_are) = (was.map(|sources| sources.texts), is.map(|sources| sources.texts));
    match texts_are {
        _ if texts_were == texts_are => {}
        Some(texts) => {
            // N-grams serve search terms of one and two characters. For longer terms PostgreSQL maintains trigram
            // indexes on the texts themselves.
            let numbers: Vec<i64> = ngrams(&texts).iter().map(NGram::number).collect();
            transaction.queue(&statements.upsert_ngrams, parameters![uid, numbers]);
        }
        None => transaction.queue(&statements.delete_ngrams, parameters![uid]),
    }
}

/// Queues the changes to the links between the entity and its communities.
fn update_links(
    transaction: &mut Transaction<'_>,
    statements: &'static Statements,
    uid: i64,
    was: Option<&Sources<'_>>,
    is: Option<&Sources<'_>>,
) {
    let (Some(delete), Some(insert)) = (&statements.delete_links, &statements.insert_links) else { return };
    let (gone, new) = changed_links(was, is);
    if !gone.is_empty() {
        transaction.queue(delete, parameters![gone, uid]);
    }
    if !new.is_empty() {
        transaction.queue(insert, parameters![new, uid]);
    }
}

/// Queues the replacement of the rows of the labels, if these change.
fn update_labels(
    transaction: &mut Transaction<'_>,
    statements: &'static Statements,
    uid: i64,
    was: Option<&Sources<'_>>,
    is: Option<&Sources<'_>>,
) {
    let (Some(delete), Some(insert)) = (&statements.delete_labels, &statements.insert_labels) else { return };
    let Some(labels) = changed_labels(was, is) else { return };
    if was.is_some() {
        transaction.queue(delete, parameters![uid]);
    }
    let rows: Vec<LabelRow> = labels.into_iter().flat_map(label_rows).collect();
    if !rows.is_empty() {
        transaction.queue(
            insert,
            parameters![
                uid,
                rows.iter().map(|row| row.tag.clone()).collect::<Vec<_>>(),
                rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>(),
                rows.iter().map(|row| row.rest.clone()).collect::<Vec<_>>(),
            ],
        );
    }
}
