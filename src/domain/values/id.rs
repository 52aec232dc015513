//! IDs: the text keys of groups and users, OrderCloud's `ID`.

use std::fmt;

use uuid::Uuid;

/// The maximum number of a group or user. A client that reads numbers as doubles reads every number up to it exactly.
pub const UID_MAX: i64 = (1 << 53) - 1;

/// An ID: 1 to 100 of the characters `A-Z a-z 0-9 - _`. It is unique among the live entities of its kind without regard
/// to case, and keeps its case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// The maximum length of an ID, in characters.
    pub const MAX: usize = 100;
    /// The rule that an invalid ID breaks, for error responses.
    pub const RULE: &'static str = "must be 1 to 100 of the characters A-Z, a-z, 0-9, - and _";

    /// Returns the text as an ID; `None` if it is not valid.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let valid = (1..=Self::MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        valid.then_some(Self(text))
    }

    /// Returns the UUID as a new ID: 26 characters of lower-case Crockford base32, in the sort order of the UUIDs.
    pub fn generated(uuid: Uuid) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let bits = uuid.as_u128();
        Self((0..26).rev().map(|digit| char::from(DIGITS[(bits >> (digit * 5) & 31) as usize])).collect())
    }

    /// Returns the ID of the erased user with the number: `erased-12`.
    pub fn of_erased(uid: i64) -> Self {
        Self(format!("erased-{uid}"))
    }

    /// The ID in its original case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The lower-case form, by which IDs are compared and sorted.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_allowed_characters_and_lengths() {
        for good in ["a", "A-b_9", &"x".repeat(100)] {
            assert!(Id::new(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a.b", "é", "a/b", "{x}", &"x".repeat(101)] {
            assert!(Id::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn generated_ids_sort_as_their_uuids() {
        let (low, high) = (Id::generated(Uuid::from_u128(1 << 100)), Id::generated(Uuid::from_u128(u128::MAX)));
        assert_eq!(high.as_str().len(), 26);
        assert!(low.as_str() < high.as_str());
        assert!(Id::new(high.as_str()).is_some());
    }
}
