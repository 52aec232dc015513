//! The rotation of refresh tokens: a token is replaced by its successor when it is used.

use super::time::Timestamp;

/// The time after its first use during which a rotated refresh token still returns the same successor, in seconds. It
/// is there because a response may get lost, and because a client may send several refresh requests at once.
pub(crate) const REFRESH_GRACE_SECONDS: i64 = 30;

/// What the use of a refresh token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// The first use: the token is marked as used and its successor is stored.
    First,
    /// A further use within the grace period, which changes nothing: the successor is stored already.
    Repeated,
    /// A use after the grace period. Somebody else may have the token, so its family ends.
    Replayed,
}

impl Rotation {
    /// Classifies a use at `now` of a token that was first used at `used`. A `now` before `used` is within the grace
    /// period, because the clocks of two servers may differ.
    pub(crate) fn of(used: Option<Timestamp>, now: Timestamp) -> Self {
        match used {
            None => Self::First,
            Some(used) if now < used.plus_seconds(REFRESH_GRACE_SECONDS) => Self::Repeated,
            Some(_) => Self::Replayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_a_replay_after_the_grace_period() {
        let second = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let used_at_100 = |now| Rotation::of(Some(second(100)), second(now));
        assert_eq!(Rotation::of(None, second(100)), Rotation::First);
        assert_eq!([90, 100, 129].map(used_at_100), [Rotation::Repeated; 3]);
        assert_eq!(used_at_100(130), Rotation::Replayed);
    }
}
