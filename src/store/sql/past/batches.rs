//! Finds the entries of batches that touched an entity, by the index of batches.

use std::collections::BinaryHeap;

use crate::domain::error::Result;
use crate::domain::history::Order;
use crate::store::copy::Row;
use crate::store::sql::journal::batch_index::{Segment, Touch, decode};

use super::{SnapshotReader, Statement, integer, read_rows, text};

/// A node of the index that contains the number. The greatest key is the next one in the order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    key: i64,
    level: i64,
    first: i64,
    last: i64,
}

impl Node {
    /// Reads a node from the row if it contains the number.
    fn read(row: &Row, number: u32, order: Order) -> Result<Option<Self>> {
        let (level, first, last) = (integer(row, 0)?, integer(row, 1)?, integer(row, 2)?);
        let key = match order {
            Order::Ascending => -first,
            Order::Descending => last,
        };
        Ok(decode(text(row, 3)?)?.contains(number).then_some(Self { key, level, first, last }))
    }
}

/// Returns the numbers of the first `count` entries that touched the entity in this way, from the entry `from` on, in
/// the order.
pub(crate) async fn batch_entries<S: SnapshotReader>(
    snapshot: &mut S,
    touch: Touch,
    uid: i64,
    from: i64,
    order: Order,
    count: usize,
) -> Result<Vec<i64>, S::Failure> {
    const ROOTS: &str = "SELECT level, first_seq, last_seq, numbers FROM batch_index \
         WHERE kind = $1 AND segment = $2 AND merged = 0";
    const CHILDREN: &str = "SELECT level, first_seq, last_seq, numbers FROM batch_index \
         WHERE kind = $1 AND segment = $2 AND level = $3 AND first_seq BETWEEN $4 AND $5";
    let (segment, number) = Segment::of(touch, uid);
    let key = || vec![touch.name().to_owned().into(), segment.high.into()];
    let is_reached = |node: &Node| match order {
        Order::Ascending => node.last >= from,
        Order::Descending => node.first <= from,
    };
    let mut heap = BinaryHeap::new();
    let mut found = Vec::new();
    let mut rows = read_rows(snapshot, Statement::constant(ROOTS, key())).await?;
    loop {
        for row in &rows {
            heap.extend(Node::read(row, number, order)?.filter(is_reached));
        }
        // Whole nodes stand in the order, so what is above on the heap comes before what its other nodes hold.
        let node = loop {
            match heap.pop() {
                Some(node) if node.level > 0 => break node,
                Some(node) if found.len() < count => found.push(node.first),
                _ => return Ok(found),
            }
        };
        let mut parameters = key();
        parameters.extend([(node.level - 1).into(), node.first.into(), node.last.into()]);
        rows = read_rows(snapshot, Statement::constant(CHILDREN, parameters)).await?;
    }
}

/// Returns the numbers of the first `count` entries, or a few more, that touched both entities, from the entry `from` on, in
/// the order. Entries that touched one alone are passed over, some at a time.
pub(crate) async fn common_batch_entries<S: SnapshotReader>(
    snapshot: &mut S,
    [(touch, uid), (other_touch, other_uid)]: [(Touch, i64); 2],
    mut from: i64,
    order: Order,
    count: usize,
) -> Result<Vec<i64>, S::Failure> {
    const PART: usize = 32;
    let (step, is_before): (i64, fn(i64, i64) -> bool) = match order {
        Order::Ascending => (1, |one, other| one < other),
        Order::Descending => (-1, |one, other| one > other),
    };
    let mut found = Vec::new();
    while found.len() < count {
        let one = batch_entries(snapshot, touch, uid, from, order, PART).await?;
        let (Some(first), Some(last)) = (one.first(), one.last()) else { break };
        let other = batch_entries(snapshot, other_touch, other_uid, *first, order, PART).await?;
        let (Some(other_first), Some(other_last)) = (other.first(), other.last()) else { break };
        found.extend(one.iter().filter(|number| other.contains(number)));
        let is_read = |part: &[i64]| part.len() < PART;
        from = match (is_read(&one), is_read(&other)) {
            _ if is_before(*last, *other_first) && !is_read(&one) => *other_first,
            (true, true) => break,
            (true, false) => other_last + step,
            (false, true) => last + step,
            (false, false) => step + if is_before(*last, *other_last) { *last } else { *other_last },
        };
    }
    Ok(found)
}
