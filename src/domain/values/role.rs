//! Roles: the rights of users and clients.

use std::fmt;
use std::str::FromStr;

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Every operation.
    pub const FULL_ACCESS: Self = Self(1);
    /// Reads and changes groups and their members.
    pub const GROUP_ADMIN: Self = Self(1 << 1);
    /// Reads groups and their members.
    pub const GROUP_READER: Self = Self(1 << 2);
    /// Reads and changes users.
    pub const USER_ADMIN: Self = Self(1 << 3);
    /// Reads users.
    pub const USER_READER: Self = Self(1 << 4);
    /// Reads everything and changes nothing.
    pub const AUDITOR: Self = Self(1 << 5);
    /// No role.
    pub const NONE: Self = Self(0);

    /// Every role with its name, in the order in which lists of roles show them.
    pub const NAMES: [(Self, &'static str); 6] = [
        (Self::FULL_ACCESS, "FullAccess"),
        (Self::GROUP_ADMIN, "AdminUserGroupAdmin"),
        (Self::GROUP_READER, "AdminUserGroupReader"),
        (Self::USER_ADMIN, "AdminUserAdmin"),
        (Self::USER_READER, "AdminUserReader"),
        (Self::AUDITOR, "Auditor"),
    ];

    /// The set as bits, the format of stores.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Returns the set with these bits, read from a store.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The union of both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set has no role.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the sets have a role in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every role of `other` is in this set. FullAccess does not count as the other roles.
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether this set grants every role of `other`. FullAccess grants every role.
    pub const fn covers(self, other: Self) -> bool {
        self.intersects(Self::FULL_ACCESS) || self.contains(other)
    }

    /// The roles that both sets grant. FullAccess grants every role.
    pub const fn restricted_to(self, other: Self) -> Self {
        match (self.intersects(Self::FULL_ACCESS), other.intersects(Self::FULL_ACCESS)) {
            (true, false) => other,
            (false, true) => self,
            (true, true) => self.with(other),
            (false, false) => Self(self.0 & other.0),
        }
    }

    /// The names of the roles, in the order of [`Self::NAMES`].
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(role, _)| self.intersects(*role)).map(|(_, name)| name)
    }

    /// Returns the roles with these names. Unknown names are ignored.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(|name| name.parse().ok()).fold(Self::NONE, Self::with)
    }
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.into_iter().find(|(_, own)| *own == name);
        found.map(|(role, _)| role).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.into_iter().map(|(_, name)| name).collect();
            format!("no such role; the roles are {}", names.join(", "))
        })
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restriction_respects_full_access() {
        let (full, admin, reader) = (Roles::FULL_ACCESS, Roles::GROUP_ADMIN, Roles::GROUP_READER);
        assert_eq!(full.restricted_to(reader), reader);
        assert_eq!(reader.restricted_to(full), reader);
        assert_eq!(full.with(admin).restricted_to(full), full.with(admin));
        assert_eq!(admin.with(reader).restricted_to(reader), reader);
        assert_eq!(admin.restricted_to(reader), Roles::NONE);
        assert!(full.covers(admin) && !admin.covers(reader) && admin.covers(Roles::NONE));
    }
}
