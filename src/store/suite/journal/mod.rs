//! The journal: its entries, batches, and the index of batches.

pub(crate) mod batch_index;
pub(crate) mod batches;
pub(crate) mod entries;
pub(crate) mod feed;
pub(crate) mod past;
pub(crate) mod replay;
pub(crate) mod retention;
