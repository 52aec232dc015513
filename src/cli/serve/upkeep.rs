//! What a server does beside its requests, from time to time.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tracing::{debug, warn};

use crate::domain::caller::Caller;
use crate::domain::journal::Channel;
use crate::service::Service;

/// The pause between two runs that delete what has expired.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(600);
/// The pause between two writes of the sign-ins that wait to be recorded.
const RECORD_INTERVAL: Duration = Duration::from_millis(500);

/// Finishes erasures that were interrupted, then from time to time deletes what has expired and stores the numbers of the
/// day. Failures are only logged: the next run does it.
pub(super) async fn tidy(service: Arc<Service>, sign_in_days: u32) {
    match Arc::new(Caller::operator(Channel::Server)).permit() {
        Ok(permit) => {
            if let Err(error) = service.finish_erasures(&permit).await {
                warn!(%error, "the erasure of a user could not be finished; the next start goes on");
            }
        }
        Err(error) => debug!(%error, "erasures were not finished"),
    }
    // Not at the start: the first write of a process comes from a request.
    let mut ticks = interval_at(Instant::now() + UPKEEP_INTERVAL, UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        let permit = match Arc::new(Caller::operator(Channel::Server)).permit() {
            Ok(permit) => permit,
            Err(error) => {
                debug!(%error, "nothing that has expired was deleted");
                continue;
            }
        };
        if let Err(error) = service.keep_daily_count(&permit).await {
            debug!(%error, "the numbers of the day were not stored");
        }
        if let Err(error) = service.clear_recorded_answers(&permit).await {
            debug!(%error, "expired answers were not deleted");
        }
        if let Err(error) = service.clear_sign_ins(&permit, sign_in_days).await {
            debug!(%error, "old sign-ins were not deleted");
        }
    }
}

/// Writes the sign-ins that wait to be recorded. Failures are only logged: the next run tries again.
pub(super) async fn record_sign_ins(service: Arc<Service>) {
    let mut ticks = interval(RECORD_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = service.write_sign_ins().await {
            debug!(%error, "sign-ins were not recorded yet");
        }
    }
}

/// Drops changes that are older than this number of days. Failures are only logged: the next run drops them too.
pub(super) async fn drop_old_changes(service: Arc<Service>, days: u32) {
    let mut ticks = interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        let dropped = match Arc::new(Caller::operator(Channel::Server)).permit() {
            Ok(permit) => service.drop_old_changes(&permit, days).await,
            Err(error) => Err(error),
        };
        if let Err(error) = dropped {
            warn!(%error, "old changes were not dropped; the next run drops them");
        }
    }
}

/// Aggregates the samples of histograms every second: they use memory until then.
pub(super) async fn aggregate_metrics(metrics: PrometheusHandle) {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
