//! Restored groups and users.

use crate::domain::error::{Error, Result};

/// The number up to which former memberships that stay ended are counted.
pub(crate) const GONE_MAX: u64 = 10_000;

/// A group or user after its deletion was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored<E> {
    /// The group or user.
    pub entity: E,
    /// What became of its memberships.
    pub memberships: RestoredMemberships,
}

/// What became of the memberships of a restored group or user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredMemberships {
    /// How many came back: those whose other end is live.
    pub returned: u64,
    /// How many did not, because the user or group at the other end is deleted; `None` = more than [`GONE_MAX`].
    pub gone: Option<u64>,
}

impl<E> Restored<E> {
    /// The restored entity with what became of its memberships. Fails if there is no such result, because the entity was
    /// not restored: a defect.
    pub(crate) fn new(entity: E, memberships: Option<RestoredMemberships>) -> Result<Self> {
        let not_restored = || Error::internal(anyhow::anyhow!("an update function did not restore the entity"));
        Ok(Self { entity, memberships: memberships.ok_or_else(not_restored)? })
    }
}

impl RestoredMemberships {
    /// The result with these numbers. `gone` may have been counted up to one more than [`GONE_MAX`].
    pub(crate) fn new(returned: u64, gone: u64) -> Self {
        Self { returned, gone: Some(gone).filter(|gone| *gone <= GONE_MAX) }
    }
}
