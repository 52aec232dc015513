//! What was acknowledged stays, whatever becomes of the process or the disk.

mod crash;
pub mod load;
