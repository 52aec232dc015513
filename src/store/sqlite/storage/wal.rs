//! The write-ahead log and its index, read from their files (<https://www.sqlite.org/walformat.html>) without SQLite.
//! SQLite does not report what another process has copied, nor that another program changed its files.

use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::file_identity::{FileId, FileLoss, metadata};
use super::open::with_suffix;

/// The length of the log's header, in bytes.
const LOG_HEADER: u64 = 32;
/// The length of a frame's header, in bytes.
const FRAME_HEADER: u64 = 24;

/// The open files of a log. Like the database file, they are closed only after SQLite has closed them.
pub(super) struct Wal {
    log: WalFile,
    index: WalFile,
}

/// An open file and its path.
struct WalFile {
    path: PathBuf,
    file: File,
    id: FileId,
}

impl WalFile {
    fn open(path: PathBuf) -> std::io::Result<Self> {
        let file = File::open(&path)?;
        let id = FileId::of(&file.metadata()?);
        Ok(Self { path, file, id })
    }

    /// Returns the metadata of the file; `None` if it is unknown. Fails if another file or no file has the name.
    fn metadata(&self) -> Result<Option<Metadata>, FileLoss> {
        match metadata(&self.path, FileLoss::Log)? {
            Some(found) if FileId::of(&found) != self.id => Err(FileLoss::Log),
            found => Ok(found),
        }
    }
}

/// The state of the log according to its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of frames in the log.
    frames: u32,
    page_size: u32,
    checkpoint: Checkpoint,
}

/// How much of the log is copied into the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// Distinguishes the log from earlier logs in the same file.
    salt: [u8; 8],
    /// The number of frames that are certainly copied.
    copied: u32,
    /// The number of frames that may be copied: a checkpoint is copying them, or was when its process ended.
    attempted: u32,
}

impl Checkpoint {
    /// Whether a checkpoint may be copying frames into the database.
    pub(super) fn is_running(&self) -> bool {
        self.copied != self.attempted
    }
}

impl Progress {
    /// Reads the start of the index: its header, twice, and the state of checkpoints. Returns `None` if the header is
    /// being written.
    fn of_index(bytes: &[u8; 136]) -> Option<Self> {
        let number = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (once, again) = (&bytes[..48], &bytes[48..96]);
        if once != again || once[12] == 0 {
            return None;
        }
        let page_size = u32::from(u16::from_ne_bytes([bytes[14], bytes[15]]));
        let salt = bytes[32..40].try_into().ok()?;
        Some(Self {
            frames: number(16),
            // 65,536 does not fit into 16 bits; it is stored as 1.
            page_size: if page_size == 1 { 1 << 16 } else { page_size },
            checkpoint: Checkpoint { salt, copied: number(96), attempted: number(128) },
        })
    }

    /// Returns the state of the checkpoint.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The minimum length of the log's file, in bytes.
    fn length(&self) -> u64 {
        LOG_HEADER + u64::from(self.frames) * (FRAME_HEADER + u64::from(self.page_size))
    }
}

impl Wal {
    /// Opens the files of a log that a connection has open. Fails if they cannot be opened.
    pub(super) fn open(log: &Path, index: PathBuf) -> std::io::Result<Self> {
        Ok(Self { log: WalFile::open(log.to_owned())?, index: WalFile::open(index)? })
    }

    /// Reads the current state from the index; `None` if it is being changed or cannot be read.
    pub(super) fn progress(&self) -> Option<Progress> {
        let mut bytes = [0; 136];
        self.index.file.read_exact_at(&mut bytes, 0).ok()?;
        Progress::of_index(&bytes)
    }

    /// Fails if the files are not in their place, or if the log does not have the state that the index showed `before`
    /// this call.
    pub(super) fn check_files(&self, before: Option<Progress>) -> Result<(), FileLoss> {
        self.index.metadata()?;
        let Some(log) = self.log.metadata()? else { return Ok(()) };
        let is_whole =
            |progress: Progress| log.len() >= progress.length() && self.salt() == Some(progress.checkpoint.salt);
        match before {
            // If the index changed meanwhile, another process may have restarted the log.
            Some(progress) if progress.frames > 0 && !is_whole(progress) && self.progress() == before => {
                Err(FileLoss::LogContent)
            }
            _ => Ok(()),
        }
    }

    /// Whether the name of the log still leads to this log.
    pub(super) fn is_in_place(&self) -> bool {
        matches!(self.log.metadata(), Ok(Some(_)))
    }

    /// Reads the salt from the log's own header.
    fn salt(&self) -> Option<[u8; 8]> {
        let mut salt = [0; 8];
        self.log.file.read_exact_at(&mut salt, 16).ok()?;
        Some(salt)
    }
}

/// Returns the path of a database's write-ahead log.
pub(super) fn log_of(path: &Path) -> PathBuf {
    with_suffix(path, "-wal")
}

/// Returns the path of a write-ahead log's index.
pub(super) fn index_of(path: &Path) -> PathBuf {
    with_suffix(path, "-shm")
}
