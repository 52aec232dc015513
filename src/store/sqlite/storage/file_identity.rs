//! What identifies a file, and how the files of a database are lost.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What identifies a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the identity of the file with this metadata.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// How the files of the database were lost while this process used them. The text follows "the database NAME".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileLoss {
    /// The file has no name any more, or another one.
    #[error(
        "was removed or renamed under the running process: put it back together with its -wal, or restore a backup \
         (docs/operations.md, section 6)"
    )]
    Removed,
    /// The name leads to another file.
    #[error("was replaced by another file under the running process: stop the server before a backup is restored")]
    Replaced,
    /// The file has the content of another database.
    #[error("was written over under the running process: stop the server before a backup is restored")]
    Overwritten,
    /// The log or its index has no name any more, or the name leads to another file.
    #[error(
        "lost its write-ahead log (-wal) or the index of that (-shm) under the running process, which copies what the \
         log held and ends: start it again"
    )]
    Log,
    /// The log was truncated or overwritten.
    #[error(
        "has lost the content of its write-ahead log (-wal), which was cut or written over under the running process: \
         what the log held of the last changes is gone; start again with the rest, or restore a backup \
         (docs/operations.md, section 6)"
    )]
    LogContent,
}

impl FileLoss {
    /// Whether the log next to the file belongs to a database other than the one that now has the name.
    pub(crate) fn orphans_log(self) -> bool {
        matches!(self, Self::Replaced | Self::Overwritten)
    }
}

/// Returns the metadata of the file with the name; `None` if it cannot be determined. Fails with `missing` if no file
/// has the name.
pub(crate) fn metadata(path: &Path, missing: FileLoss) -> Result<Option<Metadata>, FileLoss> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_missing(&error) => Err(missing),
        Err(error) => {
            tracing::debug!(%error, "it is unknown whether the database is in its place");
            Ok(None)
        }
    }
}

/// Whether the error says that no file has the name.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
