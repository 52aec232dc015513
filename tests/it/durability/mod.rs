//! What was acknowledged stays, whatever becomes of the process or the disk.

mod crash;
mod full_disk;
mod load;
