//! Requests that are safe to repeat (docs/ordercloud.md, section 12).

use crate::domain::answer::Answer;
use crate::domain::caller::{OperateDirectory, Permit};
use crate::domain::error::{Error, Result};
use crate::domain::idempotency::{Recording, Render, RequestKey};

use super::Service;

/// The maximum number of steps in which expired answers are deleted at a time.
const MAX_STEPS: u32 = 1_000;

impl Service {
    /// Returns how to record the answer to a request that is made now. `fingerprint` is the digest of the request.
    pub(crate) fn recording(&self, key: RequestKey, fingerprint: String, render: Render) -> Recording {
        Recording { key, fingerprint, at: self.clock.now(), render }
    }

    /// Returns the recorded answer to a request. Fails with `KeyReused` if the key was used for another request.
    pub(crate) async fn recorded_answer(&self, key: &RequestKey, fingerprint: &str) -> Result<Option<Answer>> {
        match self.store.recorded_answer(key, self.clock.now()).await? {
            Some(recorded) if recorded.fingerprint == fingerprint => Ok(Some(recorded.replayed())),
            Some(_) => Err(Error::KeyReused),
            None => Ok(None),
        }
    }

    /// Deletes recorded answers that have expired, in small transactions.
    pub(crate) async fn clear_recorded_answers(&self, _permit: &Permit<OperateDirectory>) -> Result<()> {
        for _ in 0..MAX_STEPS {
            if !self.store.clear_recorded_answers(self.clock.now()).await? {
                break;
            }
        }
        Ok(())
    }
}
