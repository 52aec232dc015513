//! Integrity: once damage of the database was reported, the store refuses writes until an operator has repaired it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{Error, Result};

use super::connector::Connector;

/// The known damage of the database.
pub(crate) struct Integrity {
    connector: Arc<Connector>,
    /// The timeline of the primary that reported damage.
    damaged: Mutex<Option<u32>>,
}

impl Integrity {
    /// No damage is known yet.
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        Self { connector, damaged: Mutex::default() }
    }

    /// Fails with `Damaged` if the current primary has reported damage: nothing may be written then.
    pub(crate) fn check(&self) -> Result<()> {
        let damaged = *self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        // A standby that became the primary has data files of its own, which may be intact.
        if damaged == Some(self.timeline()) {
            return Err(Error::Damaged(format!("{} is damaged", self.connector.display_url())));
        }
        Ok(())
    }

    /// Returns the result of a read or write unchanged, and records damage that it reports. The record lasts until the
    /// process ends or another server becomes the primary.
    pub(crate) fn record_damage<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(Error::Damaged(cause)) = &result {
            let current = Some(self.timeline());
            let before = std::mem::replace(&mut *self.damaged.lock().unwrap_or_else(PoisonError::into_inner), current);
            if before != current {
                tracing::error!(
                    database = self.connector.display_url(),
                    cause,
                    "the database is damaged and takes no more writes: promote a standby or restore a backup \
                     (docs/operations.md, section 7)"
                );
            }
        }
        result
    }

    fn timeline(&self) -> u32 {
        self.connector.cluster_state().highest_timeline()
    }
}
