//! What is true of the embedded store alone: its file, its lock, its disk.

mod commands;
mod full_disk;
mod serving;
