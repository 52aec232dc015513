//! The free space on a disk.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Returns an error unless the disk of the folder has space for this many bytes, plus a tenth.
pub(super) fn need(folder: &Path, bytes: u64) -> anyhow::Result<()> {
    let (needed, free) = (bytes + bytes / 10, free(folder)?);
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    ensure!(
        free >= needed,
        "{} needs {:.1} GB of free disk and has {:.1} GB: make room, name another folder, or give a smaller --groups",
        folder.display(),
        gigabytes(needed),
        gigabytes(free)
    );
    Ok(())
}

fn free(folder: &Path) -> anyhow::Result<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().context("df cannot be run")?;
    let output = String::from_utf8(output.stdout)?;
    let available = output.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    let kilobytes: u64 =
        available.with_context(|| format!("df reports nothing about {}", folder.display()))?.parse()?;
    Ok(kilobytes * 1024)
}
