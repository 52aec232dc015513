//! Files that commands write.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use crate::create_folders_of;

/// Creates a file that only its owner can read, because it will contain names and email addresses. Creates missing
/// folders. Fails if the file exists.
pub(super) fn create(path: &Path) -> anyhow::Result<File> {
    create_folders_of(path)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("{} cannot be created; name a file that does not exist", path.display()))
}
