//! The hourly check of a server for long-lived tokens that expire soon: a gauge, and once a day a warning for each.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::interval;
use tracing::warn;

use crate::domain::caller::{Caller, ReadClients};
use crate::domain::error::Result;
use crate::domain::journal::Channel;
use crate::service::Service;
use crate::telemetry;

use crate::cli::json;

/// The time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(3_600);
/// The number of checks between two warnings about the same token.
const CHECKS_PER_WARNING: u64 = 24;
/// The highest number of tokens that a check counts and names.
const MAX_REPORTED: u32 = 1_000;

/// Checks at once and then every hour, for as long as the server runs. A check that fails is left out: requests report
/// why.
pub(super) async fn watch(service: Arc<Service>) {
    let mut ticks = interval(CHECK_INTERVAL);
    for number in 0_u64.. {
        ticks.tick().await;
        if let Err(error) = check(&service, number % CHECKS_PER_WARNING == 0).await {
            tracing::debug!(%error, "it is unknown which tokens expire soon");
        }
    }
}

/// Sets the gauge and, if `warns`, logs a warning for each token.
async fn check(service: &Service, warns: bool) -> Result<()> {
    let permit = Arc::new(Caller::operator(Channel::Server)).permit::<ReadClients>()?;
    let tokens = service.expiring_long_lived_tokens(&permit, MAX_REPORTED).await?;
    telemetry::set_expiring_tokens(tokens.len());
    for token in tokens.iter().filter(|_| warns) {
        let client = service.client_of_token(&permit, token).await?.map(|client| client.fields.id);
        let (id, name) = (&token.fields.id, &token.fields.name);
        // The log is in UTC.
        let expires = json::time(token.fields.expires);
        warn!(id, name, client, expires, "a long-lived token expires soon: create another one and revoke this one");
    }
    Ok(())
}
