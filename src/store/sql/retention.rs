//! Dropping the oldest changes: which entries one step drops, and the horizon behind them (docs/rollbook.md, section 14).
//!
//! A step drops the entries with the lowest numbers, as long as they are old enough, with their rows of users, and the
//! nodes of the index of batches that cover no later entry. The horizon is stored in the same transaction. The last entry
//! is always kept: the number of the last entry tells caches what changed since, and its time the least time of the next.

use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;

use super::journal::MembersEntry;
use super::rows::Columns;

/// Selects the horizon as text.
pub(crate) const HORIZON: &str = "SELECT value FROM settings WHERE key = 'journal_horizon'";
/// Stores the horizon as text.
pub(crate) const STORE_HORIZON: &str = "INSERT INTO settings (key, value) VALUES ('journal_horizon', $1) \
                                        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
/// Selects the first entries behind the number, except for the last one of all, in order. The states are read of members only: they name the
/// users whose rows are to be deleted.
pub(crate) const OLDEST: &str = "SELECT seq, at, CASE WHEN kind = 'members' THEN before END, \
     CASE WHEN kind = 'members' THEN after END FROM journal \
     WHERE seq > $1 AND seq < (SELECT max(seq) FROM journal) ORDER BY seq LIMIT 500";
/// The number of entries that [`OLDEST`] selects.
const ENTRIES: usize = 500;
/// The number of rows of users after which a step drops no further entry.
const USERS: usize = 10_000;
/// The number of nodes of the index of batches that one step deletes.
pub(crate) const NODES: i64 = 500;

/// How far the journal reaches back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Horizon {
    /// The earliest moment that can be asked for: the time of the latest change that was dropped.
    pub at: Timestamp,
    /// The number of the last entry that was dropped.
    pub seq: i64,
}

impl Horizon {
    /// Reads the text that [`HORIZON`] selects. Fails if it is none.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let numbers = text.split_once(' ').and_then(|(at, seq)| Some((at.parse().ok()?, seq.parse().ok()?)));
        let unreadable = || Error::internal(anyhow::anyhow!("the horizon of the journal cannot be read: {text:.40}"));
        let (at, seq) = numbers.ok_or_else(unreadable)?;
        Ok(Self { at: Timestamp::from_micros(at), seq })
    }

    /// The text to store.
    pub(crate) fn text(self) -> String {
        format!("{} {}", self.at.as_micros(), self.seq)
    }
}

/// An entry that [`OLDEST`] selects.
#[derive(Debug)]
pub(crate) struct Oldest {
    seq: i64,
    at: Timestamp,
    users: Vec<UserUid>,
}

impl Oldest {
    /// Reads a row of [`OLDEST`].
    pub(crate) fn read<R: Columns>(row: &R) -> Result<Self>
    where
        R::Error: Into<anyhow::Error>,
    {
        let integer = |at| row.integer(at).map_err(Error::internal);
        let text = |at| row.optional_text(at).map_err(Error::internal);
        let mut users = Vec::new();
        if let Some(removed) = text(2)? {
            let removed: MembersEntry<(UserUid, i64)> = serde_json::from_str(removed).map_err(Error::internal)?;
            users.extend(removed.users.into_iter().map(|(user, _)| user));
        }
        if let Some(added) = text(3)? {
            let added: MembersEntry<UserUid> = serde_json::from_str(added).map_err(Error::internal)?;
            users.extend(added.users);
        }
        Ok(Self { seq: integer(0)?, at: Timestamp::from_micros(integer(1)?), users })
    }
}

/// What one step drops.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The numbers of the entries.
    pub entries: Vec<i64>,
    /// The rows of users: the numbers of the users and of the entries.
    pub users: (Vec<UserUid>, Vec<i64>),
    /// The horizon after it; `None` if nothing was ever dropped.
    pub horizon: Option<Horizon>,
    /// Whether there may be more entries to drop.
    pub more: bool,
}

impl Dropped {
    /// Decides what is dropped of the oldest entries behind the present horizon.
    pub(crate) fn of(oldest: Vec<Oldest>, before: Timestamp, mut horizon: Option<Horizon>) -> Self {
        let mut dropped = Self { more: oldest.len() == ENTRIES, ..Self::default() };
        for Oldest { seq, at, users } in oldest {
            if at >= before {
                dropped.more = false;
                break;
            }
            if dropped.users.0.len() >= USERS {
                dropped.more = true;
                break;
            }
            dropped.entries.push(seq);
            dropped.users.1.extend(std::iter::repeat_n(seq, users.len()));
            dropped.users.0.extend(users);
            horizon = Some(Horizon { at: horizon.map_or(at, |horizon| horizon.at.max(at)), seq });
        }
        dropped.horizon = horizon;
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oldest(seq: i64, at: i64, users: usize) -> Oldest {
        Oldest { seq, at: Timestamp::from_micros(at), users: vec![7; users] }
    }

    #[test]
    fn a_step_drops_what_is_old_up_to_a_number_of_rows() {
        let before = Timestamp::from_micros(100);
        let horizon = |at, seq| Some(Horizon { at: Timestamp::from_micros(at), seq });
        let dropped =
            Dropped::of(vec![oldest(5, 10, 2), oldest(6, 8, 0), oldest(7, 100, 0), oldest(8, 9, 0)], before, None);
        assert_eq!((dropped.entries, dropped.users, dropped.more), (vec![5, 6], (vec![7, 7], vec![5, 5]), false));
        assert_eq!(dropped.horizon, horizon(10, 6));
        let long = vec![oldest(5, 10, 0), oldest(6, 10, 100_000), oldest(7, 10, 0)];
        let dropped = Dropped::of(long, before, horizon(50, 4));
        assert_eq!((dropped.entries, dropped.users.0.len(), dropped.more), (vec![5, 6], 100_000, true));
        assert_eq!(dropped.horizon, horizon(50, 6));
        assert_eq!(
            Dropped::of(Vec::new(), before, horizon(50, 4)),
            Dropped { horizon: horizon(50, 4), ..Dropped::default() }
        );
        let full = (1..=500).map(|seq| oldest(seq, 1, 0)).collect();
        assert!(Dropped::of(full, before, None).more);
    }

    #[test]
    fn the_text_of_a_horizon_is_read_again() {
        let horizon = Horizon { at: Timestamp::from_micros(1_700_000_000_000_001), seq: 42 };
        assert_eq!(Horizon::parse(&horizon.text()).unwrap(), horizon);
        assert!(Horizon::parse("x").is_err() && Horizon::parse("1 x").is_err());
    }
}
