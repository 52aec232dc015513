//! Dropping the oldest changes of the journal (docs/rollbook.md, section 14).

use crate::domain::caller::{OperateDirectory, Permit};
use crate::domain::error::Result;

use super::Service;

/// The number of steps in which old changes are dropped at a time, at most. Each drops up to 500 entries.
const MAX_STEPS: u32 = 10_000;
/// The number of seconds of a day.
const DAY: i64 = 24 * 60 * 60;

impl Service {
    /// Drops the changes that are older than this number of days, in small transactions.
    pub(crate) async fn drop_old_changes(&self, _permit: &Permit<OperateDirectory>, days: u32) -> Result<()> {
        let before = self.clock.now().plus_seconds(-i64::from(days) * DAY);
        for _ in 0..MAX_STEPS {
            if !self.store.drop_changes(before).await? {
                break;
            }
        }
        Ok(())
    }
}
