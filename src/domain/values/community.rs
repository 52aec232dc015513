//! Communities: opaque GUIDs to which groups are linked and callers may be limited.

use std::collections::BTreeSet;
use std::fmt;

use uuid::Uuid;

/// A community of the organisation. The directory does not register communities and accepts any GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(Uuid);

impl Community {
    /// The maximum number of communities of a group, user or client (docs/core.md, section 3).
    pub const MAX: usize = 100;

    /// Parses a GUID in any standard format: hyphenated, plain, braced or a URN, in either case. `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// Returns the communities without duplicates. Fails with the broken rule if there are more than [`Self::MAX`].
    pub fn set(communities: impl IntoIterator<Item = Self>) -> Result<Communities, String> {
        let set: Communities = communities.into_iter().collect();
        if set.len() > Self::MAX {
            return Err(format!("must not name more than {} communities", Self::MAX));
        }
        Ok(set)
    }
}

impl fmt::Display for Community {
    /// Writes the GUID in lower case, with hyphens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// A set of communities, in ascending order.
pub type Communities = BTreeSet<Community>;

/// The groups that a caller may see, list, count and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every group.
    All,
    /// Groups linked to at least one of these communities. With an empty set, no group.
    Within(Communities),
}

impl Visibility {
    /// Whether the caller may see a group linked to `communities`.
    pub fn sees(&self, communities: &Communities) -> bool {
        match self {
            Self::All => true,
            Self::Within(own) => !own.is_disjoint(communities),
        }
    }

    /// Whether the caller may know of the community.
    pub fn knows(&self, community: &Community) -> bool {
        self.limit().is_none_or(|own| own.contains(community))
    }

    /// Those of `communities` that the caller may know of, in ascending order.
    pub fn seen<'a>(&'a self, communities: &'a Communities) -> impl Iterator<Item = &'a Community> {
        communities.iter().filter(|community| self.knows(community))
    }

    /// Returns the visibility limited to `communities` as well. An empty set is no limit.
    pub fn narrowed_by(self, communities: &Communities) -> Self {
        match self {
            visibility if communities.is_empty() => visibility,
            Self::All => Self::Within(communities.clone()),
            Self::Within(own) => Self::Within(own.intersection(communities).copied().collect()),
        }
    }

    /// The communities to which the caller is limited; `None` = the caller sees every group.
    pub fn limit(&self) -> Option<&Communities> {
        match self {
            Self::All => None,
            Self::Within(own) => Some(own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_no_duplicates() {
        let numbered = |numbers: std::ops::Range<u128>| numbers.map(|number| Community(Uuid::from_u128(number)));
        let twice = numbered(0..100).chain(numbered(0..100));
        assert_eq!(Community::set(twice).unwrap().len(), 100);
        assert!(Community::set(numbered(0..101)).is_err());
    }

    #[test]
    fn a_limited_caller_knows_only_their_own_communities() {
        let [a, b] = [Community(Uuid::from_u128(1)), Community(Uuid::from_u128(2))];
        let both = Communities::from([a, b]);
        assert_eq!(Visibility::All.seen(&both).count(), 2);
        assert_eq!(Visibility::Within([a].into()).seen(&both).collect::<Vec<_>>(), [&a]);
    }

    #[test]
    fn two_limits_leave_their_intersection() {
        let [a, b] = [Community(Uuid::from_u128(1)), Community(Uuid::from_u128(2))];
        let only = |community| Communities::from([community]);
        assert_eq!(Visibility::All.narrowed_by(&Communities::new()), Visibility::All);
        let limited = Visibility::All.narrowed_by(&Communities::from([a, b])).narrowed_by(&only(b));
        assert_eq!(limited, Visibility::Within(only(b)));
        let nothing = limited.narrowed_by(&only(a));
        assert!(!nothing.sees(&only(a)) && !nothing.sees(&only(b)));
    }
}
