//! Counters: how much of everything there is, maintained with every change.

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
    /// The name under which it is kept.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Memberships => "memberships",
        }
    }
}
