//! Match sets: the entities that match a filter, or a part of it, as a compressed bitmap of their numbers.

use roaring::RoaringTreemap;

/// A set of live entities.
#[derive(Clone, Debug)]
pub(crate) enum MatchSet {
    /// The entities with these numbers.
    These(RoaringTreemap),
    /// All live entities except those with these numbers, which must be live, too.
    AllBut(RoaringTreemap),
}

impl MatchSet {
    /// The set of all live entities.
    pub(crate) fn all() -> Self {
        Self::AllBut(RoaringTreemap::new())
    }

    /// The empty set.
    pub(crate) fn none() -> Self {
        Self::These(RoaringTreemap::new())
    }

    /// The set of these entities.
    pub(crate) fn of(uids: &[i64]) -> Self {
        Self::These(uids.iter().map(|uid| *uid as u64).collect())
    }

    /// Whether the set is known to contain all live entities.
    pub(crate) fn is_all(&self) -> bool {
        matches!(self, Self::AllBut(uids) if uids.is_empty())
    }

    /// The size of the set if `live` entities are live.
    pub(crate) fn len(&self, live: u64) -> u64 {
        match self {
            Self::These(uids) => uids.len(),
            Self::AllBut(uids) => live.saturating_sub(uids.len()),
        }
    }

    /// Whether the set contains the live entity.
    pub(crate) fn contains(&self, uid: i64) -> bool {
        match self {
            Self::These(uids) => uids.contains(uid as u64),
            Self::AllBut(uids) => !uids.contains(uid as u64),
        }
    }

    /// The live entities that are not in the set.
    pub(crate) fn complement(self) -> Self {
        match self {
            Self::These(uids) => Self::AllBut(uids),
            Self::AllBut(uids) => Self::These(uids),
        }
    }

    /// The intersection of the sets.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(a), Self::These(b)) => Self::These(a & b),
            (Self::These(a), Self::AllBut(b)) | (Self::AllBut(b), Self::These(a)) => Self::These(a - b),
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a | b),
        }
    }

    /// The union of the sets.
    pub(crate) fn or(self, other: Self) -> Self {
        self.complement().and(other.complement()).complement()
    }
}

/// The numbers of a bitmap, which are above zero, as the `i64` that they are elsewhere.
pub(crate) fn uids_of(bitmap: &RoaringTreemap) -> impl DoubleEndedIterator<Item = i64> {
    bitmap.iter().map(|uid| uid as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements of a set if the entities 1 to 6 are live.
    fn elements(match_set: &MatchSet) -> Vec<i64> {
        let elements: Vec<_> = (1..=6).filter(|uid| match_set.contains(*uid)).collect();
        assert_eq!(match_set.len(6), elements.len() as u64);
        elements
    }

    #[test]
    fn sets_and_their_complements_combine() {
        let (a, b) = (MatchSet::of(&[1, 2, 3]), MatchSet::of(&[3, 4]));
        for (in_a, a) in [(true, a.clone()), (false, a.complement())] {
            for (in_b, b) in [(true, b.clone()), (false, b.clone().complement())] {
                let is_in = |uid: i64| ((uid <= 3) == in_a, (uid == 3 || uid == 4) == in_b);
                let both: Vec<_> = (1..=6).filter(|uid| is_in(*uid) == (true, true)).collect();
                let either: Vec<_> = (1..=6).filter(|uid| is_in(*uid) != (false, false)).collect();
                assert_eq!((elements(&a.clone().and(b.clone())), elements(&a.clone().or(b))), (both, either));
            }
        }
        assert_eq!((MatchSet::all().len(6), MatchSet::none().len(6)), (6, 0));
    }
}
