//! Who asks, and what they may do.
//!
//! A service method takes a [`Permit`] of the kind it needs, and a permit is only to be had from a [`Caller`] that
//! holds a role for it: an operation whose check was forgotten does not compile.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use super::community::Visibility;
use super::error::{Error, Result};
use super::journal::{Actor, Door};
use super::time::Timestamp;

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Every operation.
    pub const FULL_ACCESS: Self = Self(1);
    /// Reads and writes groups and their members.
    pub const GROUP_ADMIN: Self = Self(1 << 1);
    /// Reads groups and their members.
    pub const GROUP_READER: Self = Self(1 << 2);
    /// Reads and writes users.
    pub const USER_ADMIN: Self = Self(1 << 3);
    /// Reads users.
    pub const USER_READER: Self = Self(1 << 4);
    /// No role.
    pub const NONE: Self = Self(0);

    /// Every role there is, with its name, in the order in which they are listed.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::FULL_ACCESS, "FullAccess"),
        (Self::GROUP_ADMIN, "AdminUserGroupAdmin"),
        (Self::GROUP_READER, "AdminUserGroupReader"),
        (Self::USER_ADMIN, "AdminUserAdmin"),
        (Self::USER_READER, "AdminUserReader"),
    ];

    /// As bits, for a store to keep.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From the bits a store kept.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Both sets in one.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// No role at all.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any role is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every role of `other` is in this set itself.
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether every role of `other` is held: itself, or through FullAccess.
    pub const fn cover(self, other: Self) -> bool {
        self.intersects(Self::FULL_ACCESS) || self.contains(other)
    }

    /// What both sets allow, where FullAccess covers any role.
    pub const fn cut_to(self, other: Self) -> Self {
        match (self.intersects(Self::FULL_ACCESS), other.intersects(Self::FULL_ACCESS)) {
            (true, false) => other,
            (false, true) => self,
            (true, true) => self.with(other),
            (false, false) => Self(self.0 & other.0),
        }
    }

    /// The names, in the order of [`Self::NAMES`].
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(role, _)| self.intersects(*role)).map(|(_, name)| name)
    }

    /// The roles named in `names`; unknown names count for nothing.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(|name| name.parse().ok()).fold(Self::NONE, Self::with)
    }
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::NAMES.into_iter().find(|(_, own)| *own == name);
        known.map(|(role, _)| role).ok_or_else(|| {
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

/// The rights of one request, and who stands behind it.
#[derive(Clone, Debug)]
pub struct Caller {
    pub roles: Roles,
    pub visibility: Visibility,
    /// The user and client recorded in the journal.
    pub actor: Actor,
    /// The API through which the caller came.
    pub door: Door,
    /// The token that was shown: what logoff ends. The operator at the command line has none.
    pub token: Option<TokenId>,
}

/// What identifies one token until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenId {
    pub jti: String,
    pub expires: Timestamp,
}

impl Caller {
    /// The operator at the command line, or the server itself: may do everything.
    pub fn operator(door: Door) -> Self {
        Self { roles: Roles::FULL_ACCESS, visibility: Visibility::All, actor: Actor::default(), door, token: None }
    }

    /// A permit for `P`, if the caller holds one of the roles it takes and is not too limited for it.
    pub fn permit<P: Permission>(self: &Arc<Self>) -> Result<Permit<P>> {
        if !self.roles.intersects(P::ROLES) {
            Err(Error::Forbidden { sufficient: P::ROLES, assigned: self.roles })
        } else if P::UNLIMITED_ONLY && self.visibility.limit().is_some() {
            Err(Error::NotAuthorizedToAdmin)
        } else {
            Ok(Permit { caller: Arc::clone(self), permission: PhantomData })
        }
    }
}

/// A kind of operation, with the roles any one of which allows it.
pub trait Permission: Send + Sync + 'static {
    const ROLES: Roles;
    /// Whether callers limited to communities are refused, whatever their roles (docs/ordercloud.md, section 10).
    const UNLIMITED_ONLY: bool = false;
}

/// Proof that the caller may do what `P` stands for.
#[derive(Debug)]
pub struct Permit<P> {
    caller: Arc<Caller>,
    permission: PhantomData<fn() -> P>,
}

impl<P> Permit<P> {
    /// Who holds the permit.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $($role:ident)|+ $(, unlimited only: $unlimited:literal)?;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Permission for $name {
            const ROLES: Roles = Roles::NONE$(.with(Roles::$role))+;
            $(const UNLIMITED_ONLY: bool = $unlimited;)?
        }
    )+};
}

permissions! {
    /// Reading groups and memberships.
    ReadGroups = FULL_ACCESS | GROUP_ADMIN | GROUP_READER;
    /// Changing groups and memberships.
    WriteGroups = FULL_ACCESS | GROUP_ADMIN;
    /// Reading users.
    ReadUsers = FULL_ACCESS | USER_ADMIN | USER_READER;
    /// Changing users.
    WriteUsers = FULL_ACCESS | USER_ADMIN, unlimited only: true;
    /// Managing clients: the operator's alone, at the command line.
    ManageClients = FULL_ACCESS;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_knows_full_access() {
        let (full, admin, reader) = (Roles::FULL_ACCESS, Roles::GROUP_ADMIN, Roles::GROUP_READER);
        assert_eq!(full.cut_to(reader), reader);
        assert_eq!(reader.cut_to(full), reader);
        assert_eq!(full.with(admin).cut_to(full), full.with(admin));
        assert_eq!(admin.with(reader).cut_to(reader), reader);
        assert_eq!(admin.cut_to(reader), Roles::NONE);
        assert!(full.cover(admin) && !admin.cover(reader) && admin.cover(Roles::NONE));
    }

    #[test]
    fn a_permit_needs_a_role() {
        let caller = |roles| Arc::new(Caller { roles, ..Caller::operator(Door::CommandLine) });
        assert!(caller(Roles::GROUP_READER).permit::<ReadGroups>().is_ok());
        assert!(caller(Roles::GROUP_READER).permit::<WriteGroups>().is_err());
        assert!(caller(Roles::USER_READER).permit::<ReadGroups>().is_err());
    }

    #[test]
    fn limited_callers_only_read_users() {
        let visibility = Visibility::Within(std::collections::BTreeSet::new());
        let caller =
            |roles| Arc::new(Caller { roles, visibility: visibility.clone(), ..Caller::operator(Door::OrderCloud) });
        let admin = caller(Roles::FULL_ACCESS);
        assert!(admin.permit::<ReadUsers>().is_ok() && admin.permit::<WriteGroups>().is_ok());
        assert!(matches!(admin.permit::<WriteUsers>(), Err(Error::NotAuthorizedToAdmin)));
        assert!(matches!(caller(Roles::USER_READER).permit::<WriteUsers>(), Err(Error::Forbidden { .. })));
    }
}
