//! Counters of live entities. Every change updates them in its transaction, so that no list has to count.

/// A stored counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Live groups.
    Groups,
    /// Live users.
    Users,
    /// Memberships of live users in live groups.
    Memberships,
}

impl Counter {
    /// The name of the counter in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Memberships => "memberships",
        }
    }
}
