//! Reads: point reads, batched reads of groups, read transactions, lists.

pub(super) mod batching;
pub(super) mod bind;
pub(super) mod counts;
pub(super) mod cursor;
pub(super) mod engine;
pub(super) mod lists;
pub(super) mod members;
pub(super) mod point_reads;
pub(super) mod read_transaction;
pub(super) mod rows;
pub(super) mod tombstones;
