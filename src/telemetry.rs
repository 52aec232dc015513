//! Logs and metrics: where they go and what they are called.

use std::io::{self, IsTerminal as _};

use anyhow::{anyhow, bail};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::error;
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};
use crate::http::metrics::{LATENCY, REQUESTS};

const WRITE_QUEUE: &str = "rollbook_write_queue";
const WAL_BYTES: &str = "rollbook_wal_bytes";
const COMMIT_SIZE: &str = "rollbook_commit_size";
const DATABASE_CONNECTIONS: &str = "rollbook_database_connections";
const DATABASE_WAITING: &str = "rollbook_database_waiting";
const DATABASE_RETRIES: &str = "rollbook_database_retries_total";
const DATABASE_UNKNOWN: &str = "rollbook_database_unknown_outcomes_total";

/// Upper bounds of latencies, in seconds.
const LATENCY_BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of the number of writes in one commit.
const COMMIT_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Below this severity it logs the values of every statement: keys, hashes, what somebody typed as a username.
const TELLTALE: &str = "tokio_postgres";

/// Sends what is logged from now on to standard error, panics included; by `default` where no filter is configured.
/// Fails on a filter that cannot be read.
pub fn log(config: &LogConfig, default: &str) -> anyhow::Result<()> {
    let wanted = config.log.as_deref().unwrap_or(default);
    let Ok(filter) = EnvFilter::try_new(wanted) else {
        bail!("--log {wanted:?} is no filter; give a level such as info, or levels by module")
    };
    if wanted.contains(TELLTALE) {
        bail!("--log must not name {TELLTALE}: what that logs has secrets in it; leave it out")
    }
    let filter = filter.add_directive(format!("{TELLTALE}=info").parse()?);
    let colours = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr);
    let set = match config.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    set.map_err(|error| anyhow!(error))?;
    std::panic::set_hook(Box::new(|panic| error!(%panic, "a thread panicked: this is a defect")));
    Ok(())
}

/// Starts measuring: gives the handle from which `/metrics` is rendered. Once a process.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(LATENCY.to_owned()), &LATENCY_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(COMMIT_SIZE.to_owned()), &COMMIT_BUCKETS)?
        .install_recorder()?;
    describe_counter!(REQUESTS, "Requests answered, by route, method and status");
    describe_histogram!(LATENCY, Unit::Seconds, "Time until the head of the answer, by route and method");
    describe_gauge!(WRITE_QUEUE, "Writes waiting for the writer");
    describe_gauge!(WAL_BYTES, Unit::Bytes, "Size of the write-ahead log");
    describe_histogram!(COMMIT_SIZE, "Writes committed together");
    describe_gauge!(DATABASE_CONNECTIONS, "Pooled connections to the database, when one was last asked for");
    describe_gauge!(DATABASE_WAITING, "Requests that wait for a connection to the database");
    describe_counter!(DATABASE_RETRIES, "Transactions made again after a conflict or a lost connection");
    describe_counter!(DATABASE_UNKNOWN, "Changes of which nobody could say whether they were committed");
    Ok(recorder)
}
