//! What is true of the embedded store alone: its file, its lock, its disk.

mod backups;
mod commands;
mod copy;
mod full_disk;
mod serving;
