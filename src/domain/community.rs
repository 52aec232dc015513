//! Communities: opaque GUIDs that groups are linked to and callers may be limited to.

use std::collections::BTreeSet;
use std::fmt;

use uuid::Uuid;

/// A community of the organisation. Nothing registers communities here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(Uuid);

impl Community {
    /// Reads any standard spelling of a GUID: hyphenated, plain, braced or a URN, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for Community {
    /// Lower case, hyphenated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// A set of communities, in ascending order.
pub type Communities = BTreeSet<Community>;

/// Which groups a caller may see, list, count and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every group.
    All,
    /// Groups linked to at least one of these; none, if the set is empty.
    Within(Communities),
}

impl Visibility {
    /// Whether a group linked to `communities` may be seen.
    pub fn sees(&self, communities: &Communities) -> bool {
        match self {
            Self::All => true,
            Self::Within(own) => !own.is_disjoint(communities),
        }
    }

    /// What both limits allow; an empty set of `communities` is no limit.
    pub fn narrowed_by(self, communities: &Communities) -> Self {
        match self {
            visibility if communities.is_empty() => visibility,
            Self::All => Self::Within(communities.clone()),
            Self::Within(own) => Self::Within(own.intersection(communities).copied().collect()),
        }
    }

    /// The communities that limit the caller, if any do.
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
    fn two_limits_leave_what_they_share() {
        let [a, b] = [Community(Uuid::from_u128(1)), Community(Uuid::from_u128(2))];
        let only = |community| Communities::from([community]);
        assert_eq!(Visibility::All.narrowed_by(&Communities::new()), Visibility::All);
        let limited = Visibility::All.narrowed_by(&Communities::from([a, b])).narrowed_by(&only(b));
        assert_eq!(limited, Visibility::Within(only(b)));
        let nothing = limited.narrowed_by(&only(a));
        assert!(!nothing.sees(&only(a)) && !nothing.sees(&only(b)));
    }
}
