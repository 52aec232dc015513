//! Backups: one consistent snapshot, written to a temporary file in the same folder, which is renamed once it is
//! complete and durable.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context as _, bail};

use super::file_identity::FileId;
use super::open::{self, with_suffix};

/// Writes a backup to a new file, and creates missing folders. Fails with a sentence that says what to do.
pub(crate) fn backup(from: &Path, to: &Path) -> anyhow::Result<()> {
    if open::exists(to)? {
        bail!("{} exists already; name a file that does not", to.display());
    }
    open::create_folders_of(to)?;
    let part = with_suffix(to, ".part");
    let file = claim(&part)?;
    let published = snapshot_into(from, &part).and_then(|()| publish(&file, &part, to));
    if published.is_err() && part.exists() {
        fs::remove_file(&part)?;
    }
    published
}

/// Creates or opens the file, locks it for this process and truncates it. The content that an interrupted copy left is
/// dropped. Fails if the file is not a regular file or if another copy holds it.
pub(crate) fn claim(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        bail!("{shown} is not a regular file; remove it, or name another file");
    }
    let file = open::open_file(path, true).context("nothing can be copied")?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("another copy is writing {shown}: wait for its end"),
        Err(TryLockError::Error(error)) => return Err(error).context("the file cannot be locked"),
    }
    // Another copy may have completed since the file was opened, and renamed it.
    let is_own = |found| Ok::<_, std::io::Error>(FileId::of(&found) == FileId::of(&file.metadata()?));
    if !fs::symlink_metadata(path).and_then(is_own).unwrap_or(false) {
        bail!("another copy has just written {shown}: name another file");
    }
    file.set_len(0)?;
    Ok(file)
}

/// Writes one compacted snapshot of the database into an empty file.
pub(crate) fn snapshot_into(from: &Path, part: &Path) -> anyhow::Result<()> {
    let connection = open::open_reader(from)?;
    // `VACUUM INTO` writes only the new file, but SQLite refuses it on a query-only connection.
    connection.pragma_update(None, "query_only", false)?;
    connection.execute("VACUUM INTO ?1", [part.to_str().context("the file's name is not UTF-8")?])?;
    Ok(())
}

/// Syncs a complete file and renames it to `to`. Both are durable when this returns.
pub(crate) fn publish(file: &File, part: &Path, to: &Path) -> anyhow::Result<()> {
    file.sync_all().with_context(|| format!("{} cannot be synced", part.display()))?;
    fs::rename(part, to).with_context(|| format!("{} cannot be renamed", part.display()))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).context("the folder cannot be synced")
}
