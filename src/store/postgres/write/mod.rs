//! Writes: transactions with their retries, commit outcomes, pipelining, batches.

pub(super) mod batch;
pub(super) mod commit_outcome;
pub(super) mod pipeline;
pub(super) mod recorded;
pub(super) mod transaction;
