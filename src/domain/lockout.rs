//! The lockout of users after failed sign-ins.

use super::time::Timestamp;

/// The number of failed sign-ins that locks a user out. The APIs count them together.
pub(crate) const MAX_FAILURES: i64 = 10;
/// The duration of a lockout, in seconds.
pub(crate) const LOCK_SECONDS: i64 = 600;

/// The failed sign-ins of an active user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// The number of failures since the last success or the end of the last lockout.
    pub count: i64,
    /// The end of the last lockout, also if it is over.
    pub locked_until: Option<Timestamp>,
}

/// The outcome of a sign-in attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The user is locked out. The attempt fails, even if the password was right, and is not counted.
    LockedOut,
    /// The attempt succeeds. The failures are cleared.
    Succeeded,
    /// The attempt fails. These are the failures after it.
    Failed(Failures),
}

impl Failures {
    /// Returns the outcome of an attempt at `at`. `is_right` is whether the password was right.
    pub(crate) fn attempt(self, at: Timestamp, is_right: bool) -> Attempt {
        if self.locked_until.is_some_and(|until| at < until) {
            return Attempt::LockedOut;
        }
        if is_right {
            return Attempt::Succeeded;
        }
        // After a lockout the count starts again at one.
        let count = if self.locked_until.is_some() { 1 } else { self.count + 1 };
        let locked_until = (count >= MAX_FAILURES).then(|| at.plus_seconds(LOCK_SECONDS));
        Attempt::Failed(Self { count, locked_until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn failures(count: i64, locked_until: Option<i64>) -> Failures {
        Failures { count, locked_until: locked_until.map(second) }
    }

    #[test]
    fn the_tenth_failure_locks_the_user_out() {
        assert_eq!(failures(8, None).attempt(second(5), false), Attempt::Failed(failures(9, None)));
        assert_eq!(failures(9, None).attempt(second(5), false), Attempt::Failed(failures(10, Some(605))));
        assert_eq!(failures(9, None).attempt(second(5), true), Attempt::Succeeded);
    }

    #[test]
    fn a_lockout_refuses_the_right_password_and_the_count_starts_again_after_it() {
        let locked = failures(10, Some(605));
        for is_right in [false, true] {
            assert_eq!(locked.attempt(second(604), is_right), Attempt::LockedOut);
        }
        assert_eq!(locked.attempt(second(605), true), Attempt::Succeeded);
        assert_eq!(locked.attempt(second(605), false), Attempt::Failed(failures(1, None)));
    }
}
