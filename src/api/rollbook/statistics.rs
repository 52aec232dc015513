//! How the directory grew (docs/rollbook.md, section 9).

use axum::extract::State;

use crate::domain::caller::{Permit, ReadStatistics};
use crate::http::request::extract::Query;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::parameters;
use super::wire::Statistics;

/// Get numbers by day
///
/// The groups, users and memberships at the end of each of the last 90 days in UTC, and the changes on it, the oldest day
/// first. The last day is today, with the present numbers. A number is null if it is unknown, as on a day on which no server
/// ran. Callers limited to communities are refused.
#[utoipa::path(
    get,
    path = "/rollbook/v1/statistics",
    operation_id = "statistics.get",
    tag = "Directory",
    responses((status = 200, description = "One item for each day", body = Statistics))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    permit: Permit<ReadStatistics>,
    Query(query): Query,
) -> Result<JsonResponse<Statistics>, Failure> {
    parameters::check_names(&query, &[])?;
    let counts = api.service.daily_counts(&permit).await?;
    Ok(JsonResponse(Statistics { items: counts.into_iter().map(Into::into).collect() }))
}
