//! The index of batches: it finds the journal entries of batches that touched a group or user, without a row for each
//! of the thousands of entities that an entry holds.
//!
//! - The index consists of **nodes**. A node belongs to a kind of touch and a **segment** of 65,536 numbers. It holds
//!   the set of the numbers in the segment that the entries from its first to its last touched in this way.
//! - A node of level 0 describes one entry. As soon as a segment has sixteen **roots** (nodes that are not merged) of
//!   one level, the next level gets a node with the union of their sets, and they are merged. So a segment has fewer
//!   than sixteen roots of each level, and the number of levels is the logarithm of the number of entries.
//! - A look-up reads the roots of the number's segment, and below each node whose set has the number, the sixteen nodes
//!   that it merges, down to level 0.
//!
//! Nodes are only added. A batch adds at most one node of level 0 for each number in it, and each merge unites sixteen
//! sets of at most 8 KiB, so the work of a transaction is bounded.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use roaring::RoaringBitmap;

use crate::domain::error::{Error, Result};
use crate::store::copy::{Row, Table};

use crate::store::sql::columns::columns;

/// The table of the nodes.
pub(crate) const BATCH_INDEX: Table = Table {
    name: "batch_index",
    columns: columns! {
        Text: "kind";
        Integer: "segment";
        Small: "level";
        Integer: "first_seq" "last_seq";
        Small: "merged";
        Text: "numbers";
    },
    key: 4,
};

/// Marks the node with the key in the parameters as merged.
pub(crate) const MERGE: &str =
    "UPDATE batch_index SET merged = 1 WHERE kind = $1 AND segment = $2 AND level = $3 AND first_seq = $4";

/// The number of nodes that are merged into one.
const FANOUT: usize = 16;
/// The number of low bits by which the numbers of a segment differ.
const SEGMENT_BITS: u32 = 16;

/// What an entry did to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touch {
    /// The group was created.
    GroupCreated,
    /// The group was updated.
    GroupUpdated,
    /// The group got a member.
    GroupMember,
    /// The user was created.
    UserCreated,
    /// The user was updated.
    UserUpdated,
    /// The user became a member.
    UserMember,
}

impl Touch {
    /// The name in the column `kind`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GroupCreated => "group.created",
            Self::GroupUpdated => "group.updated",
            Self::GroupMember => "group.member",
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserMember => "user.member",
        }
    }
}

/// A kind of touch and a range of 65,536 numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    /// The kind of touch.
    pub kind: Touch,
    /// The numbers' common high bits.
    pub high: i64,
}

impl Segment {
    /// Returns the segment of the number, and the number within it.
    pub(crate) const fn of(kind: Touch, number: i64) -> (Self, u32) {
        (Self { kind, high: number >> SEGMENT_BITS }, (number & ((1 << SEGMENT_BITS) - 1)) as u32)
    }
}

/// The key of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeKey {
    /// The segment.
    pub segment: Segment,
    /// The level; 0 for a node of one entry.
    pub level: i64,
    /// The number of the first entry.
    pub first: i64,
}

impl NodeKey {
    /// The key as the parameters of a statement.
    pub(crate) fn values(self) -> Row {
        let Self { segment: Segment { kind, high }, level, first } = self;
        vec![kind.name().to_owned().into(), high.into(), level.into(), first.into()]
    }
}

/// A node with the set of its numbers, each within its segment.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    /// The number of the last entry.
    last: i64,
    numbers: RoaringBitmap,
}

/// Nodes that become one.
struct Merge {
    parent: NodeKey,
    /// The number of the last entry.
    last: i64,
    children: Vec<NodeKey>,
}

/// The nodes of level 0 of new entries, before the roots of their segments are known.
pub(crate) struct NewEntries(BTreeMap<NodeKey, Node>);

/// The merges that new entries cause, before the stored nodes that they unite are read.
pub(crate) struct Growth {
    nodes: BTreeMap<NodeKey, Node>,
    merges: Vec<Merge>,
}

/// What to write to the table.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The rows to insert.
    pub rows: Vec<Row>,
    /// The stored nodes to mark as merged.
    pub merged: Vec<NodeKey>,
}

impl NewEntries {
    /// Returns the nodes of the entries, each with its number and what it touched.
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = (i64, &'a [(Touch, i64)])>) -> Self {
        let mut nodes = BTreeMap::new();
        for (seq, touched) in entries {
            for (kind, number) in touched {
                let (segment, low) = Segment::of(*kind, *number);
                let key = NodeKey { segment, level: 0, first: seq };
                let node = nodes.entry(key).or_insert_with(|| Node { last: seq, numbers: RoaringBitmap::new() });
                node.numbers.insert(low);
            }
        }
        Self(nodes)
    }

    /// Returns the segments whose roots must be read, each once.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let segments: BTreeSet<_> = self.0.keys().map(|key| key.segment).collect();
        segments.into_iter().collect()
    }

    /// Decides the merges. `roots` are the stored roots of all [`NewEntries::segments`], each with the number of its
    /// last entry.
    pub(crate) fn merge_into(self, roots: impl IntoIterator<Item = (NodeKey, i64)>) -> Growth {
        let mut open: BTreeMap<_, _> = self.0.iter().map(|(key, node)| (*key, node.last)).collect();
        open.extend(roots);
        let mut merges = Vec::new();
        for segment in self.segments() {
            for level in 0.. {
                let of_level =
                    NodeKey { segment, level, first: i64::MIN }..=NodeKey { segment, level, first: i64::MAX };
                let mut nodes = open.range(of_level).map(|(key, last)| (*key, *last)).collect::<Vec<_>>().into_iter();
                if nodes.len() < FANOUT {
                    break;
                }
                while nodes.len() >= FANOUT {
                    let children: Vec<_> = nodes.by_ref().take(FANOUT).collect();
                    let (first, last) = (children[0].0.first, children[FANOUT - 1].1);
                    let parent = NodeKey { segment, level: level + 1, first };
                    open.insert(parent, last);
                    let children = children.into_iter().map(|(key, _)| key).collect();
                    merges.push(Merge { parent, last, children });
                }
            }
        }
        Growth { nodes: self.0, merges }
    }
}

impl Growth {
    /// Returns the stored nodes whose sets must be read.
    pub(crate) fn stored(&self) -> Vec<NodeKey> {
        let parents: BTreeSet<_> = self.merges.iter().map(|merge| merge.parent).collect();
        let children = self.merges.iter().flat_map(|merge| &merge.children);
        children.filter(|key| !self.nodes.contains_key(key) && !parents.contains(key)).copied().collect()
    }

    /// Returns what to write. `sets` has the column `numbers` of each of [`Growth::stored`]. Fails if one is missing or
    /// cannot be read.
    pub(crate) fn changes(mut self, sets: &BTreeMap<NodeKey, String>) -> Result<Changes> {
        let merged = self.stored();
        let missing = || Error::internal(anyhow::anyhow!("a node of the index of batches is missing"));
        for merge in &self.merges {
            let mut numbers = RoaringBitmap::new();
            for child in &merge.children {
                match self.nodes.get(child) {
                    Some(node) => numbers |= &node.numbers,
                    None => numbers |= decode(sets.get(child).ok_or_else(missing)?)?,
                }
            }
            self.nodes.insert(merge.parent, Node { last: merge.last, numbers });
        }
        let children: BTreeSet<_> = self.merges.iter().flat_map(|merge| merge.children.iter().copied()).collect();
        let row = |(key, Node { last, mut numbers }): (NodeKey, Node)| {
            let is_merged = children.contains(&key);
            let mut row = key.values();
            row.extend([last.into(), i64::from(is_merged).into(), encode(&mut numbers)?.into()]);
            Ok(row)
        };
        Ok(Changes { rows: self.nodes.into_iter().map(row).collect::<Result<_>>()?, merged })
    }
}

/// Returns the set as the column `numbers` stores it: the portable format of Roaring bitmaps, in base64.
fn encode(numbers: &mut RoaringBitmap) -> Result<String> {
    numbers.optimize();
    let mut bytes = Vec::with_capacity(numbers.serialized_size());
    numbers.serialize_into(&mut bytes).map_err(Error::internal)?;
    Ok(BASE64_STANDARD_NO_PAD.encode(bytes))
}

/// Reads the column `numbers`. Fails if it is no set.
pub(crate) fn decode(text: &str) -> Result<RoaringBitmap> {
    let bytes = BASE64_STANDARD_NO_PAD.decode(text).map_err(Error::internal)?;
    RoaringBitmap::deserialize_from(&*bytes).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::copy::Value;

    /// The table, by key: the last entry, whether it is merged, and the column `numbers`.
    #[derive(Default)]
    struct Nodes(BTreeMap<NodeKey, (i64, bool, String)>);

    const GROUPS: Segment = Segment { kind: Touch::GroupCreated, high: 0 };

    impl Nodes {
        fn add(&mut self, entries: &[(i64, Vec<(Touch, i64)>)]) -> Changes {
            let new = NewEntries::of(entries.iter().map(|(seq, touched)| (*seq, &**touched)));
            let segments = new.segments();
            let is_root =
                |(key, (_, merged, _)): &(&NodeKey, &(i64, bool, String))| !merged && segments.contains(&key.segment);
            let roots: Vec<_> = self.0.iter().filter(is_root).map(|(key, node)| (*key, node.0)).collect();
            let growth = new.merge_into(roots);
            let sets = growth.stored().into_iter().map(|key| (key, self.0[&key].2.clone())).collect();
            let changes = growth.changes(&sets).unwrap();
            changes.merged.iter().for_each(|key| self.0.get_mut(key).unwrap().1 = true);
            for row in &changes.rows {
                let [
                    _,
                    Value::Integer(high),
                    Value::Integer(level),
                    Value::Integer(first),
                    Value::Integer(last),
                    Value::Integer(merged),
                    Value::Text(numbers),
                ] = &row[..]
                else {
                    panic!("{row:?}")
                };
                let key = NodeKey { segment: Segment { high: *high, ..GROUPS }, level: *level, first: *first };
                assert!(self.0.insert(key, (*last, *merged == 1, numbers.clone())).is_none());
            }
            changes
        }
    }

    #[test]
    fn sixteen_roots_are_merged_at_every_level() {
        let mut nodes = Nodes::default();
        let mut most = 0;
        for seq in (10..10 + 10 * 4_200).step_by(10) {
            let changes = nodes.add(&[(seq, vec![(Touch::GroupCreated, seq % 65_536)])]);
            most = most.max(changes.rows.len() + changes.merged.len());
        }
        let roots = |level| nodes.0.iter().filter(|(key, (_, merged, _))| key.level == level && !merged).count();
        assert_eq!([0, 1, 2, 3, 4].map(roots), [4_200 % 16, 4_200 / 16 % 16, 4_200 / 256 % 16, 1, 0]);
        assert!(most <= 4 + 3 * 16, "{most}");
        let top = NodeKey { segment: GROUPS, level: 3, first: 10 };
        let (last, _, numbers) = &nodes.0[&top];
        let touched: RoaringBitmap = (10..=40_960).step_by(10).collect();
        assert_eq!((*last, decode(numbers).unwrap()), (40_960, touched));
    }

    #[test]
    fn many_entries_at_once_are_merged_as_single_ones_are() {
        let entry = |seq: i64| (seq, vec![(Touch::GroupCreated, seq * 7), (Touch::GroupCreated, 70_000 + seq)]);
        let (mut one_by_one, mut at_once) = (Nodes::default(), Nodes::default());
        for seq in 1..=600 {
            one_by_one.add(&[entry(seq)]);
        }
        at_once.add(&(1..=100).map(entry).collect::<Vec<_>>());
        at_once.add(&(101..=600).map(entry).collect::<Vec<_>>());
        assert_eq!(one_by_one.0, at_once.0);
        assert!(at_once.0.keys().any(|key| key.segment.high == 1 && key.level == 2));
    }

    #[test]
    fn a_set_of_any_numbers_takes_at_most_11_kib() {
        for step in [1, 2, 3, 7, 100] {
            let mut numbers: RoaringBitmap = (0..65_536).step_by(step).collect();
            let text = encode(&mut numbers).unwrap();
            assert!(text.len() < 11_000, "{}", text.len());
            assert_eq!(decode(&text).unwrap(), numbers);
        }
        assert!(decode("?").is_err() && decode("AAAA").is_err());
    }
}
