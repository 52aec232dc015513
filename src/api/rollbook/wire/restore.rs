//! Restored groups and users in responses.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group;
use crate::domain::restore::Restored;

use super::Group;

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
