//! The clock and random identifiers as parameters, so that tests can control them. `clippy.toml` forbids other code to
//! use the real ones.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use uuid::{ContextV7, Uuid};

use super::time::Timestamp;

/// A source of the current time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// A source of new identifiers.
pub trait Ids: Send + Sync {
    /// Returns a UUIDv7 for the time `now` or a later one. It is unique, and higher than all that this source returned
    /// before.
    fn uuid(&self, now: Timestamp) -> Uuid;
}

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the only code that reads the real clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// Random identifiers, each higher than those before it. If the clock was set back, they count on from the latest time
/// (RFC 9562, section 6.2, method 1).
#[derive(Debug, Default)]
pub(crate) struct RandomIds {
    context: Mutex<ContextV7>,
}

impl RandomIds {
    /// Returns a source whose identifiers are higher than `latest`, which an earlier process generated. A text that is
    /// no UUIDv7 is ignored.
    pub(crate) fn after(latest: Option<&str>) -> Self {
        let ids = Self::default();
        let latest = latest.and_then(|latest| Uuid::parse_str(latest).ok()).and_then(|latest| latest.get_timestamp());
        if let Some(latest) = latest {
            let (seconds, nanos) = latest.to_unix();
            // The next millisecond: the order within the same one is random.
            let next = seconds.saturating_mul(1_000_000) + u64::from(nanos / 1_000) + 1_000;
            ids.uuid(Timestamp::from_micros(next.try_into().unwrap_or(i64::MAX)));
        }
        ids
    }
}

impl Ids for RandomIds {
    #[allow(clippy::disallowed_methods, reason = "the only code that generates random identifiers")]
    fn uuid(&self, now: Timestamp) -> Uuid {
        let micros = now.as_micros().max(0).unsigned_abs();
        let nanos = u32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, micros / 1_000_000, nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_grow_when_the_clock_goes_back() {
        let seconds = |seconds: i64| Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000);
        let ids = RandomIds::default();
        let clock = [0, 0, 0, 60, 60, -3_600, -3_600, 30, 61, 61, 0];
        let generated: Vec<_> = clock.into_iter().map(|now| ids.uuid(seconds(now))).collect();
        assert!(generated.is_sorted_by(|one, next| one < next), "{generated:?}");
        assert!(generated.iter().all(|id| id.get_version_num() == 7));
        let latest = generated[10].to_string();
        for now in [-3_600, 0, 61, 62] {
            assert!(RandomIds::after(Some(&latest)).uuid(seconds(now)) > generated[10], "{now}");
        }
        assert!(RandomIds::after(Some("operation-1")).uuid(seconds(0)) < generated[10]);
    }
}
