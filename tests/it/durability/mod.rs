//! Acknowledged writes stay, whatever happens to the process or the disk.

mod crash;
pub(crate) mod load;
mod undo;
