//! The header of a database file, read without SQLite.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The header of a SQLite database (<https://www.sqlite.org/fileformat.html#the_database_header>) and the length of its
/// file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The length of the file, in bytes.
    pub length: u64,
    /// The header; zeros if the file is too short.
    bytes: [u8; 100],
}

impl Default for Header {
    fn default() -> Self {
        Self { length: 0, bytes: [0; 100] }
    }
}

impl Header {
    /// Reads the header of a file of this length. Fails if it cannot be read.
    pub(super) fn of_file(file: &File, length: u64) -> io::Result<Self> {
        let mut header = Self { length, ..Self::default() };
        if length >= header.bytes.len() as u64 {
            file.read_exact_at(&mut header.bytes, 0)?;
        }
        Ok(header)
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes([self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], self.bytes[at + 3]])
    }

    /// The number of commits that changed the first page.
    pub(super) fn changes(&self) -> u32 {
        self.number(24)
    }

    /// The length that the header gives for the file, in bytes.
    pub(super) fn full_length(&self) -> u64 {
        let page_size = u64::from(u16::from_be_bytes([self.bytes[16], self.bytes[17]]));
        u64::from(self.number(28)) * page_size
    }

    /// A number that changes with the schema.
    pub(super) fn schema_cookie(&self) -> u32 {
        self.number(40)
    }

    /// A counter that this program increments ([`super::readiness`]).
    pub(super) fn user_version(&self) -> u32 {
        self.number(60)
    }
}
