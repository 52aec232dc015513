//! A SQLite file as the source and as the destination of a copy.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::store::copy::{Destination, Live, Row, Source, Table, Value};
use crate::store::sql::copy::{LIVE, beside, count, insert, select};
use crate::store::sql::counters::Counter;

use super::backup::{publish, snapshot_into, with_suffix};
use super::connection::{create_file, open_unshared};
use super::counters;
use super::migrate::migrate;
use super::search::{Searched, TextChange, apply};
use super::unusable;

/// A snapshot of a file that may be in use: a copy of it without a name, which is gone with the value.
pub struct Snapshot(Connection);

impl Snapshot {
    /// Takes the snapshot; for a while it takes as much of the disk as the file. Fails with a sentence that says what
    /// to do.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        if !path.exists() {
            bail!("there is no database {shown}: name another");
        }
        let copy = with_suffix(path, ".snapshot");
        let _claim = claim(&copy)?;
        let opened = snapshot_into(path, &copy).and_then(|()| Ok(open_unshared(&copy)?));
        let migrated = opened.and_then(|mut connection| migrate(&mut connection, &shown).map(|()| connection));
        // Whatever ends the program, the system then forgets it.
        fs::remove_file(&copy).with_context(|| format!("{} cannot be deleted", copy.display()))?;
        let connection = migrated.map_err(|error| match error.downcast_ref() {
            Some(error) => unusable(&shown, error),
            None => error,
        });
        Ok(Self(connection?))
    }
}

/// A new file, which has its name once it is kept; until then, another one that is gone with the value.
pub struct NewFile {
    connection: Connection,
    file: File,
    part: PathBuf,
    to: PathBuf,
    is_kept: bool,
}

impl NewFile {
    /// Begins a file that is not there yet. Fails with a sentence that says what to do.
    pub fn create(to: &Path) -> anyhow::Result<Self> {
        refuse_existing(to)?;
        let part = with_suffix(to, ".part");
        let file = claim(&part)?;
        let mut connection = open_unshared(&part)?;
        migrate(&mut connection, &part.display().to_string())?;
        Ok(Self { connection, file, part, to: to.to_owned(), is_kept: false })
    }
}

/// A log that an older file of the name left behind would be taken for the new one's.
fn refuse_existing(to: &Path) -> anyhow::Result<()> {
    for path in [to.to_owned(), with_suffix(to, "-wal")] {
        if path.exists() {
            bail!("{} exists already; name a file that does not with --to", path.display());
        }
    }
    Ok(())
}

/// Makes the file, empty, for this process alone. What an interrupted copy left in it is dropped.
fn claim(path: &Path) -> anyhow::Result<File> {
    create_file(path).context("nothing can be copied")?;
    let file = File::options().write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => file.set_len(0)?,
        Err(TryLockError::WouldBlock) => bail!("another copy is writing {}: wait for its end", path.display()),
        Err(TryLockError::Error(error)) => return Err(error).context("the file cannot be locked"),
    }
    Ok(file)
}

#[async_trait]
impl Source for Snapshot {
    async fn count(&mut self, table: &'static Table) -> anyhow::Result<u64> {
        read_count(&self.0, table)
    }

    async fn rows(&mut self, table: &'static Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
        read_rows(&self.0, table, last, limit)
    }

    async fn live(&mut self) -> anyhow::Result<Live> {
        read_live(&self.0)
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

    async fn live(&mut self) -> anyhow::Result<Live> {
        read_live(&self.connection)
    }
}

#[async_trait]
impl Destination for NewFile {
    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> anyhow::Result<()> {
        let step = self.connection.transaction()?;
        write_rows(&step, table, rows)?;
        let beside = beside(table, rows)?;
        for (table, rows) in &beside.rows {
            write_rows(&step, table, rows)?;
        }
        if let Some(of) = Searched::in_table(table.name) {
            let texts = beside.texts.into_iter();
            let changes = texts.map(|(uid, fields)| TextChange { of, uid, known: false, fields: Some(fields) });
            apply(&step, &changes.collect::<Vec<_>>())?;
        }
        Ok(step.commit()?)
    }

    async fn finish(&mut self) -> anyhow::Result<()> {
        let live = read_live(&self.connection)?;
        counters::add(&self.connection, Counter::Groups, live.groups)?;
        counters::add(&self.connection, Counter::Users, live.users)?;
        Ok(counters::add(&self.connection, Counter::Memberships, live.memberships)?)
    }

    async fn counters(&mut self) -> anyhow::Result<Live> {
        let get = |counter| anyhow::Ok(i64::try_from(counters::get(&self.connection, counter)?)?);
        Ok(Live { groups: get(Counter::Groups)?, users: get(Counter::Users)?, memberships: get(Counter::Memberships)? })
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
            // One that stays is emptied by the next copy.
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn read_count(connection: &Connection, table: &Table) -> anyhow::Result<u64> {
    Ok(connection.prepare_cached(&count(table))?.query_row([], |row| row.get(0))?)
}

fn read_rows(connection: &Connection, table: &Table, last: Option<&Row>, limit: usize) -> anyhow::Result<Vec<Row>> {
    let key = last.map_or(&[][..], |last| &last[..table.key]);
    let mut statement = connection.prepare(&select(table, key.is_empty(), limit))?;
    let row = |row: &rusqlite::Row<'_>| (0..table.columns.len()).map(|at| Ok(value(row.get_ref(at)?)?)).collect();
    Ok(statement.query_map(params_from_iter(key), row)?.collect::<rusqlite::Result<_>>()?)
}

fn read_live(connection: &Connection) -> anyhow::Result<Live> {
    let live = |row: &rusqlite::Row<'_>| Ok(Live { groups: row.get(0)?, users: row.get(1)?, memberships: row.get(2)? });
    Ok(connection.query_row(LIVE, [], live)?)
}

fn write_rows(connection: &Connection, table: &Table, rows: &[Row]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&insert(table))?;
    rows.iter().try_for_each(|row| statement.execute(params_from_iter(row)).map(drop))
}

fn value(found: ValueRef<'_>) -> Result<Value, rusqlite::types::FromSqlError> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        text => Value::Text(text.as_str()?.to_owned()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
