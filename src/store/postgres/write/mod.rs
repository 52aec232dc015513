//! Writes: units of work, the attempts at each of them, transactions, commit outcomes, pipelining, batches.

pub(super) mod attempts;
pub(super) mod batch;
pub(super) mod commit_outcome;
pub(super) mod pipeline;
pub(super) mod recorded;
pub(super) mod transaction;
pub(super) mod undo;
pub(super) mod unit_of_work;
