//! What a caller sends along with a change: why it is made, under which condition, and how to record
//! its answer.

use std::sync::Arc;

use super::entity::Entity;
use super::idempotency::Recording;
use super::reason::Reason;

/// What accompanies the change that a permit allows.
#[derive(Clone, Debug, Default)]
pub struct ChangeContext {
    /// Why the change is made.
    pub reason: Option<Reason>,
    /// The condition under which it is made.
    pub precondition: Option<Precondition>,
    /// The ID of the operation; `None` = a new one. The caller uses each ID once.
    pub(crate) operation: Option<Arc<str>>,
    /// How to record its answer, so that the request can be repeated.
    pub(crate) recording: Option<Recording>,
}

/// A condition on the entity before the change, which the transaction of the change checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// The entity exists and is one of these (`If-Match`).
    pub is: Option<Versions>,
    /// The entity does not exist or is none of these (`If-None-Match`).
    pub is_not: Option<Versions>,
}

/// Versions of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Every version.
    Any,
    /// These versions.
    These(Vec<EntityVersion>),
}

/// One version of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityVersion {
    /// The entity's number.
    pub uid: i64,
    /// The entity's version.
    pub version: i64,
}

impl EntityVersion {
    /// The present version of the entity.
    pub(crate) fn of(entity: &impl Entity) -> Self {
        Self { uid: entity.uid(), version: entity.version() }
    }
}

impl Precondition {
    /// Whether the condition holds for the present entity; `None` = it does not exist.
    pub(crate) fn holds(&self, present: Option<EntityVersion>) -> bool {
        self.is.as_ref().is_none_or(|versions| versions.include(present))
            && !self.is_not.as_ref().is_some_and(|versions| versions.include(present))
    }
}

impl Versions {
    fn include(&self, present: Option<EntityVersion>) -> bool {
        match self {
            Self::Any => present.is_some(),
            Self::These(versions) => present.is_some_and(|present| versions.contains(&present)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_compares_number_and_version() {
        let present = EntityVersion { uid: 7, version: 3 };
        let versions = |all: &[(i64, i64)]| {
            Some(Versions::These(all.iter().map(|&(uid, version)| EntityVersion { uid, version }).collect()))
        };
        for (versions, includes) in [
            (versions(&[(7, 2), (7, 3)]), true),
            (versions(&[(7, 2), (8, 3)]), false),
            (versions(&[]), false),
            (Some(Versions::Any), true),
        ] {
            let is = Precondition { is: versions.clone(), is_not: None };
            assert_eq!((is.holds(Some(present)), is.holds(None)), (includes, false), "{is:?}");
            let is_not = Precondition { is: None, is_not: versions };
            assert_eq!((is_not.holds(Some(present)), is_not.holds(None)), (!includes, true), "{is_not:?}");
        }
        assert!(Precondition::default().holds(None));
    }
}
