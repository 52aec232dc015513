//! Copies of the file: one consistent snapshot, written into a file beside the wanted one that gets its name once it
//! is whole and on the disk.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::connection;

/// Writes a backup to a file that is not there yet.
pub fn backup(from: &Path, to: &Path) -> anyhow::Result<()> {
    if to.exists() {
        bail!("{} exists already; name a new file", to.display());
    }
    let part = with_suffix(to, ".part");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let file = file.with_context(|| format!("cannot make {}", part.display()))?;
    let published = snapshot_into(from, &part).and_then(|()| publish(&file, &part, to));
    if published.is_err() && part.exists() {
        fs::remove_file(&part)?;
    }
    published
}

/// Writes one snapshot of the database, compact, into an empty file.
pub fn snapshot_into(from: &Path, part: &Path) -> anyhow::Result<()> {
    let connection = connection::open_reader(from)?;
    // Only the copy is written, but SQLite counts that as a write.
    connection.pragma_update(None, "query_only", false)?;
    connection.execute("VACUUM INTO ?1", [part.to_str().context("the file's name is not UTF-8")?])?;
    Ok(())
}

/// Gives a whole file its name, once it is on the disk.
pub fn publish(file: &File, part: &Path, to: &Path) -> anyhow::Result<()> {
    file.sync_all().with_context(|| format!("{} cannot be synced", part.display()))?;
    fs::rename(part, to).with_context(|| format!("{} cannot be renamed", part.display()))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).context("the folder cannot be synced")
}

/// The path with more at its end.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
