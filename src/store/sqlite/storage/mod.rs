//! The database file: opening, migration, folding of keys, integrity checks, backups and copies.

pub(super) mod backup;
pub(super) mod copy;
pub(super) mod database_file;
mod file_header;
pub(super) mod file_identity;
pub(super) mod folding;
pub(super) mod integrity;
pub(super) mod migrate;
pub(super) mod open;
pub(super) mod readiness;
pub(super) mod rows;
mod wal;
