//! For the machines that watch the server: `/healthz` (the process answers) and `/readyz` (the directory does).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tracing::warn;

use crate::service::Service;

/// The two routes.
pub fn routes(service: Arc<Service>) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(service)
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.store().ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            warn!(%error, "not ready");
            let sentence = "The database cannot be read and written now; the log says why.\n";
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], sentence).into_response()
        }
    }
}
