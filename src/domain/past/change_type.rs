//! The types of changes: what a change did to what (docs/rollbook.md, section 11).

use std::str::FromStr;

/// What a change did to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeType {
    /// A group was created.
    GroupCreated,
    /// A group was changed.
    GroupUpdated,
    /// A group was deleted, and its memberships ended.
    GroupDeleted,
    /// A deleted group was restored.
    GroupRestored,
    /// A user was created.
    UserCreated,
    /// A user was changed.
    UserUpdated,
    /// A user was deleted, and their memberships ended.
    UserDeleted,
    /// A deleted user was restored.
    UserRestored,
    /// The personal fields of a deleted user were emptied for good, here and in all earlier changes.
    UserErased,
    /// A user became a member of a group.
    MembershipAdded,
    /// A user was removed from a group.
    MembershipRemoved,
    /// A client was created.
    ClientCreated,
    /// A client was changed.
    ClientUpdated,
    /// A client was deleted.
    ClientDeleted,
    /// A long-lived token was created.
    TokenCreated,
    /// A long-lived token was changed.
    TokenUpdated,
    /// A long-lived token was revoked.
    TokenDeleted,
    /// A signing key was created.
    KeyCreated,
}

impl ChangeType {
    /// Every type.
    pub const ALL: [Self; 18] = [
        Self::GroupCreated,
        Self::GroupUpdated,
        Self::GroupDeleted,
        Self::GroupRestored,
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDeleted,
        Self::UserRestored,
        Self::UserErased,
        Self::MembershipAdded,
        Self::MembershipRemoved,
        Self::ClientCreated,
        Self::ClientUpdated,
        Self::ClientDeleted,
        Self::TokenCreated,
        Self::TokenUpdated,
        Self::TokenDeleted,
        Self::KeyCreated,
    ];

    /// The types of changes of users.
    pub const OF_USERS: [Self; 5] =
        [Self::UserCreated, Self::UserUpdated, Self::UserDeleted, Self::UserRestored, Self::UserErased];

    /// The name of the type in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GroupCreated => "group.created",
            Self::GroupUpdated => "group.updated",
            Self::GroupDeleted => "group.deleted",
            Self::GroupRestored => "group.restored",
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDeleted => "user.deleted",
            Self::UserRestored => "user.restored",
            Self::UserErased => "erased",
            Self::MembershipAdded => "membership.added",
            Self::MembershipRemoved => "membership.removed",
            Self::ClientCreated => "client.created",
            Self::ClientUpdated => "client.updated",
            Self::ClientDeleted => "client.deleted",
            Self::TokenCreated => "token.created",
            Self::TokenUpdated => "token.updated",
            Self::TokenDeleted => "token.deleted",
            Self::KeyCreated => "key.created",
        }
    }
}

impl FromStr for ChangeType {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_name_of_its_own() {
        for kind in ChangeType::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!("group".parse::<ChangeType>(), Err(()));
    }
}
