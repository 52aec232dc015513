//! Counters: how much of everything there is, maintained with every change.

use rusqlite::Connection;

/// A number that is kept, not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Live groups.
    Groups,
    /// Live users.
    Users,
    /// Memberships of live users in live groups.
    Memberships,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Memberships => "memberships",
        }
    }
}

/// The value of the counter.
pub fn get(connection: &Connection, counter: Counter) -> rusqlite::Result<u64> {
    let sql = "SELECT value FROM counters WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([counter.name()], |row| row.get(0))
}

/// Adds to the counter.
pub fn add(connection: &Connection, counter: Counter, change: i64) -> rusqlite::Result<()> {
    if change != 0 {
        let sql = "UPDATE counters SET value = value + ?2 WHERE name = ?1";
        connection.prepare_cached(sql)?.execute((counter.name(), change))?;
    }
    Ok(())
}
