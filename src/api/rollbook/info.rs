//! What the directory is (docs/rollbook.md, section 9).

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::request::caller::Bearer;
use crate::http::request::extract::Query;
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};

use super::parameters;
use super::wire::date;

/// The directory. A number is null if the caller may not know it, or if counting would cost too much.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "version": "0.3.0", "store": "postgres", "defaultLanguage": "en", "groups": 1200, "users": 48000,
    "memberships": 310000, "changes": 512345, "oldestChange": "2026-06-04T20:35:36.38Z",
}))]
pub(super) struct Info {
    /// The version of the server.
    version: &'static str,
    /// The database: `sqlite` or `postgres`.
    store: &'static str,
    /// The language of the label that is a group's name.
    default_language: String,
    /// The groups that the caller may see.
    groups: Option<u64>,
    /// The users.
    users: Option<u64>,
    /// The memberships in the groups that the caller may see.
    memberships: Option<u64>,
    /// The changes since the directory was made, each of a batch by itself. It only grows.
    changes: Option<u64>,
    /// The time of the oldest change that is kept.
    #[schema(format = DateTime)]
    oldest_change: Option<String>,
}

/// Get the directory's size and version
///
/// Numbers need a role that reads what they count; `changes` and `oldestChange` need `FullAccess` or `Auditor`, and a
/// caller who is not limited to communities. The groups and memberships of a caller limited to communities are counted to
/// 10,000 groups.
#[utoipa::path(
    get,
    path = "/rollbook/v1/info",
    operation_id = "info.get",
    tag = "Directory",
    responses((status = 200, description = "The directory", body = Info))
)]
pub(super) async fn get(
    State(api): State<ApiState>,
    Bearer(caller): Bearer,
    Query(query): Query,
) -> Result<JsonResponse<Info>, Failure> {
    parameters::check_names(&query, &[])?;
    let info = api.service.directory_info(&caller).await?;
    Ok(JsonResponse(Info {
        version: env!("CARGO_PKG_VERSION"),
        store: info.store,
        default_language: api.service.default_language().as_str().to_owned(),
        groups: info.groups,
        users: info.users,
        memberships: info.memberships,
        changes: info.changes,
        oldest_change: info.oldest_change.map(date),
    }))
}
