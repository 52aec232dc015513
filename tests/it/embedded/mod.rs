//! What is true of the SQLite store only: its file, its lock, its disk.

mod backups;
mod commands;
mod copy;
pub(crate) mod damage;
mod full_disk;
mod moved;
mod serving;
