//! Restored groups and users in responses.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group;
use crate::domain::restore::Restored;
use crate::domain::user;

use super::{Group, User};

/// A restored group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct RestoredGroup {
    group: Group,
    /// The number of users who are members again.
    #[schema(example = 42)]
    members_restored: u64,
    /// The number of former members who are deleted; null if there are more than 10,000. They are members again as soon as
    /// they are restored.
    #[schema(example = 1)]
    users_gone: Option<u64>,
}

impl RestoredGroup {
    /// The group as a caller sees it. Fails if the stored labels are not JSON.
    pub(in crate::api::rollbook) fn new(restored: &Restored<group::Group>, visibility: &Visibility) -> Result<Self> {
        let group = Group::new(&restored.entity, visibility)?;
        let memberships = restored.memberships;
        Ok(Self { group, members_restored: memberships.returned, users_gone: memberships.gone })
    }
}

/// A restored user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::rollbook) struct RestoredUser {
    user: User,
    /// The number of groups that the user is in again.
    #[schema(example = 3)]
    groups_restored: u64,
    /// The number of former groups that are deleted; null if there are more than 10,000. The user is in them again as soon
    /// as they are restored.
    #[schema(example = 0)]
    groups_gone: Option<u64>,
}

impl RestoredUser {
    /// The user as a caller sees them.
    pub(in crate::api::rollbook) fn new(restored: &Restored<user::User>, visibility: &Visibility) -> Self {
        let memberships = restored.memberships;
        Self {
            user: User::single(&restored.entity, Some(memberships.returned), visibility),
            groups_restored: memberships.returned,
            groups_gone: memberships.gone,
        }
    }
}
