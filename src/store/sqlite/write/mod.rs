//! Writes: the writer thread with group commit, checkpoints, batches.

pub(super) mod batch;
pub(super) mod checkpoint;
pub(super) mod undo;
pub(super) mod writer;
