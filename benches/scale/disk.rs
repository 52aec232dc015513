//! The room there is on a disk.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Fails with a sentence unless the disk of the folder has room for so many bytes, and a tenth more.
pub fn need(folder: &Path, bytes: u64) -> anyhow::Result<()> {
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
    let told = Command::new("df").arg("-Pk").arg(folder).output().context("df cannot be run")?;
    let told = String::from_utf8(told.stdout)?;
    let available = told.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    let kilobytes: u64 = available.with_context(|| format!("df tells nothing of {}", folder.display()))?.parse()?;
    Ok(kilobytes * 1024)
}
