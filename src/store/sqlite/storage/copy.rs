//! A SQLite file as the source or the destination of a copy.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use rusqlite::Connection;

use crate::domain::history::FeedPosition;
use crate::store::copy::{Destination, DirectorySnapshot, LiveCounts, Row, Source, Table};
use crate::store::sql::copy::{LIVE, count, derived, select};
use crate::store::sql::counters::Counter;
use crate::store::sql::past::Statement;
use crate::store::sql::past::feed::{end_position, end_statement};

use super::backup::{claim, publish, snapshot_into};
use super::database_file::require;
use super::folding::check_folding;
use super::migrate::{migrate, refuse_foreign};
use super::open::{exists, open_error, open_unshared, with_suffix};
use super::rows::{select_rows, write_rows};
use crate::store::sqlite::entities::counters;
use crate::store::sqlite::list::text_index::{TextChange, TextIndex, apply};
use crate::store::sqlite::past::{FEED_COLUMNS, rows};

/// A snapshot of a database that may be in use. It is a copy without a name in the file system; it disappears when the
/// value is dropped.
pub(crate) struct Snapshot(Connection);

impl Snapshot {
    /// Takes the snapshot. Until it is dropped, the copy needs as much disk space as the file. Fails with a sentence
    /// that says what to do.
    pub(crate) fn of(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        require(path)?;
        let copy = with_suffix(path, ".snapshot");
        let _claim = claim(&copy)?;
        let opened = snapshot_into(path, &copy).and_then(|()| Ok(open_unshared(&copy)?));
        let migrated = opened.and_then(|mut connection| {
            refuse_foreign(&connection, &shown, false)?;
            migrate(&mut connection, &shown)?;
            check_folding(&connection, &shown, false)?;
            Ok(connection)
        });
        // Without a name, the system frees the file however the process ends.
        fs::remove_file(&copy).with_context(|| format!("{} cannot be deleted", copy.display()))?;
        Ok(Self(migrated.map_err(|error| open_error(&shown, error))?))
    }
}

/// A new database file. It is written under a temporary name and gets its own name when it is kept; if it is dropped
/// before that, it is deleted.
pub(crate) struct NewFile {
    connection: Connection,
    file: File,
    part: PathBuf,
    to: PathBuf,
    is_kept: bool,
}

impl NewFile {
    /// Creates the file. Fails with a sentence that says what to do, for example if it exists.
    pub(crate) fn create(to: &Path) -> anyhow::Result<Self> {
        refuse_existing(to)?;
        let part = with_suffix(to, ".part");
        let file = claim(&part)?;
        let mut connection = open_unshared(&part)?;
        migrate(&mut connection, &part.display().to_string())?;
        // The settings are copied, like all other rows.
        connection.execute("DELETE FROM settings", [])?;
        Ok(Self { connection, file, part, to: to.to_owned(), is_kept: false })
    }
}

/// Fails if the file or a write-ahead log with its name exists: SQLite would apply the old log to the new file.
fn refuse_existing(to: &Path) -> anyhow::Result<()> {
    for path in [to.to_owned(), with_suffix(to, "-wal")] {
        if exists(&path)? {
            bail!("{} exists already; name a file that does not with --to", path.display());
        }
    }
    Ok(())
}

#[async_trait]
impl Source for Snapshot {
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64> {
        read_count(&self.0, table)
    }

    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
        read_rows(&self.0, table, last, limit)
    }

    async fn live(&mut self) -> anyhow::Result<LiveCounts> {
        read_live(&self.0)
    }
}

#[async_trait]
impl DirectorySnapshot for Snapshot {
    async fn feed_end(&mut self) -> anyhow::Result<Option<FeedPosition>> {
        let last = rows(&self.0, &Statement::built(end_statement(FEED_COLUMNS), Vec::new()))?;
        Ok(last.first().map(end_position).transpose()?)
    }
}

#[async_trait]
impl Source for NewFile {
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64> {
        read_count(&self.connection, table)
    }

    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
        read_rows(&self.connection, table, last, limit)
    }

    async fn live(&mut self) -> anyhow::Result<LiveCounts> {
        read_live(&self.connection)
    }
}

#[async_trait]
impl Destination for NewFile {
    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> anyhow::Result<()> {
        let step = self.connection.transaction()?;
        write_rows(&step, table, rows)?;
        let derived = derived(table, rows)?;
        for (table, rows) in &derived.rows {
            write_rows(&step, table, rows)?;
        }
        if let Some(of) = TextIndex::in_table(table.name) {
            let texts = derived.texts.into_iter();
            let changes = texts.map(|(uid, fields)| TextChange { of, uid, was_indexed: false, fields: Some(fields) });
            apply(&step, &changes.collect::<Vec<_>>())?;
        }
        Ok(step.commit()?)
    }

    async fn finish(&mut self, changes: i64) -> anyhow::Result<()> {
        let live = read_live(&self.connection)?;
        counters::add(&self.connection, Counter::Groups, live.groups)?;
        counters::add(&self.connection, Counter::Users, live.users)?;
        counters::add(&self.connection, Counter::Memberships, live.memberships)?;
        Ok(counters::add(&self.connection, Counter::Changes, changes)?)
    }

    async fn counters(&mut self) -> anyhow::Result<LiveCounts> {
        let get = |counter| anyhow::Ok(i64::try_from(counters::get(&self.connection, counter)?)?);
        Ok(LiveCounts {
            groups: get(Counter::Groups)?,
            users: get(Counter::Users)?,
            memberships: get(Counter::Memberships)?,
            changes: get(Counter::Changes)?,
        })
    }

    async fn keep(mut self: Box<Self>) -> anyhow::Result<()> {
        refuse_existing(&self.to)?;
        publish(&self.file, &self.part, &self.to)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // If deletion fails, the next copy truncates the file.
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn read_count(connection: &Connection, table: &Table) -> anyhow::Result<u64> {
    Ok(connection.prepare_cached(&count(table))?.query_row([], |row| row.get(0))?)
}

fn read_rows(connection: &Connection, table: &Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
    let key = last.map_or(&[][..], |last| &last[..table.key]);
    Ok(select_rows(connection, table, &select(table, key.is_empty(), limit), key)?)
}

fn read_live(connection: &Connection) -> anyhow::Result<LiveCounts> {
    let live = |row: &rusqlite::Row<'_>| {
        Ok(LiveCounts { groups: row.get(0)?, users: row.get(1)?, memberships: row.get(2)?, changes: row.get(3)? })
    };
    Ok(connection.query_row(LIVE, [], live)?)
}
