//! The text key of a group or user: OrderCloud's `ID`.

use std::fmt;

use uuid::Uuid;

/// 1 to 100 of `A-Z a-z 0-9 - _`, unique among live things of its kind without regard to case, case kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// The longest an ID may be, in characters.
    pub const MAX: usize = 100;
    /// What is told of a text that is no ID.
    pub const RULE: &'static str = "must be 1 to 100 of the characters A-Z, a-z, 0-9, - and _";

    /// Takes the text as an ID if it has the form of one.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let valid = (1..=Self::MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        valid.then_some(Self(text))
    }

    /// A new ID: the UUID in lower-case Crockford base32, 26 characters that sort as the UUID does.
    pub fn generated(uuid: Uuid) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let bits = uuid.as_u128();
        Self((0..26).rev().map(|digit| char::from(DIGITS[(bits >> (digit * 5) & 31) as usize])).collect())
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which IDs are compared and sorted.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
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
    fn takes_what_the_contract_allows() {
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
