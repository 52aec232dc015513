//! The data of a directory: the import file, the database, and filling one from the other.

pub(crate) mod database_url;
mod disk;
pub(crate) mod file;
pub(crate) mod fill;
