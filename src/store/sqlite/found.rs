//! What a filter lets through, as numbers of things in memory: an eighth of a byte a thing where they are many.

use roaring::RoaringTreemap;

/// Live things, by their numbers.
#[derive(Clone, Debug)]
pub enum Found {
    These(RoaringTreemap),
    /// All live things but these, which are live, too.
    AllBut(RoaringTreemap),
}

impl Found {
    /// Every live thing.
    pub fn all() -> Self {
        Self::AllBut(RoaringTreemap::new())
    }

    /// Nothing.
    pub fn none() -> Self {
        Self::These(RoaringTreemap::new())
    }

    /// The things with the numbers.
    pub fn these(uids: &[i64]) -> Self {
        Self::These(uids.iter().map(|uid| *uid as u64).collect())
    }

    /// How many, of so many live things.
    pub fn len(&self, live: u64) -> u64 {
        match self {
            Self::These(uids) => uids.len(),
            Self::AllBut(uids) => live.saturating_sub(uids.len()),
        }
    }

    /// Whether the live thing with the number is among them.
    pub fn has(&self, uid: i64) -> bool {
        match self {
            Self::These(uids) => uids.contains(uid as u64),
            Self::AllBut(uids) => !uids.contains(uid as u64),
        }
    }

    /// All others.
    pub fn others(self) -> Self {
        match self {
            Self::These(uids) => Self::AllBut(uids),
            Self::AllBut(uids) => Self::These(uids),
        }
    }

    /// What is in both.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(a), Self::These(b)) => Self::These(a & b),
            (Self::These(a), Self::AllBut(b)) | (Self::AllBut(b), Self::These(a)) => Self::These(a - b),
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a | b),
        }
    }

    /// What is in at least one of them.
    pub fn or(self, other: Self) -> Self {
        self.others().and(other.others()).others()
    }
}

/// The numbers of things, which are above zero, as they are kept here; and back.
pub fn numbers(uids: &RoaringTreemap) -> impl DoubleEndedIterator<Item = i64> {
    uids.iter().map(|uid| uid as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the things 1 to 6.
    fn members(found: &Found) -> Vec<i64> {
        let members: Vec<_> = (1..=6).filter(|uid| found.has(*uid)).collect();
        assert_eq!(found.len(6), members.len() as u64);
        members
    }

    #[test]
    fn sets_and_their_complements_combine() {
        let (a, b) = (Found::these(&[1, 2, 3]), Found::these(&[3, 4]));
        for (a_in, a) in [(true, a.clone()), (false, a.others())] {
            for (b_in, b) in [(true, b.clone()), (false, b.clone().others())] {
                let among = |uid: i64| ((uid <= 3) == a_in, (uid == 3 || uid == 4) == b_in);
                let both: Vec<_> = (1..=6).filter(|uid| among(*uid) == (true, true)).collect();
                let either: Vec<_> = (1..=6).filter(|uid| among(*uid) != (false, false)).collect();
                assert_eq!((members(&a.clone().and(b.clone())), members(&a.clone().or(b))), (both, either));
            }
        }
        assert_eq!((Found::all().len(6), Found::none().len(6)), (6, 0));
    }
}
