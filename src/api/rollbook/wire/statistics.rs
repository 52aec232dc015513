//! Numbers by day (docs/rollbook.md, section 9).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::statistics;

/// The numbers of the last days.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct Statistics {
    /// One item for each day, the oldest first.
    pub items: Vec<DailyCount>,
}

/// The numbers of one day. A number is null if it is unknown.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::rollbook) struct DailyCount {
    /// The day in UTC.
    #[schema(format = Date, example = "2026-11-26")]
    day: String,
    /// The groups at the end of the day.
    #[schema(example = 1200)]
    groups: Option<u64>,
    /// The users at the end of the day.
    #[schema(example = 48000)]
    users: Option<u64>,
    /// The memberships at the end of the day.
    #[schema(example = 310000)]
    memberships: Option<u64>,
    /// The changes on the day, each of a batch by itself.
    #[schema(example = 731)]
    changes: Option<u64>,
}

impl From<statistics::DailyCount> for DailyCount {
    fn from(count: statistics::DailyCount) -> Self {
        let statistics::DailyCount { day, groups, users, memberships, changes } = count;
        Self { day: day.to_string(), groups, users, memberships, changes }
    }
}
