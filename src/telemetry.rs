//! Logs and metrics: their set-up, and the descriptions of the metrics.

use std::io::{self, IsTerminal as _};

use anyhow::{anyhow, bail};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{LogConfig, LogFormat};
use crate::metric_names::{
    COMMIT_SIZE, DATABASE_CONNECTIONS, DATABASE_RETRIES, DATABASE_UNKNOWN_OUTCOMES, DATABASE_WAITING, FOLLOWERS,
    HTTP_LATENCY, HTTP_REQUESTS, SIGN_INS_LOST, TOKENS_EXPIRING, WAL_BYTES, WRITE_QUEUE,
};

/// Upper bounds of the latency histogram, in seconds.
const LATENCY_BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of the histogram of writes in one commit.
const COMMIT_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// A crate that logs the values of every statement at levels below `info`: keys, hashes, and the input of sign-ins.
const SECRET_LOGGING_CRATE: &str = "tokio_postgres";

/// Starts to write the log, including panics, to standard error. `default` is the filter if none is configured. Fails
/// if the filter is invalid, or if it names a crate that logs secrets.
pub fn init_logging(config: &LogConfig, default: &str) -> anyhow::Result<()> {
    let text = config.log.as_deref().unwrap_or(default);
    let Some(filter) = EnvFilter::try_new(text).ok().filter(|_| names_levels(text)) else {
        bail!(
            "--log (or ROLLBOOK_LOG) {text:?} is no filter; give error, warn, info, debug, trace or off, or levels by \
             module, such as info,rollbook::store=debug"
        )
    };
    if text.contains(SECRET_LOGGING_CRATE) {
        bail!("--log must not name {SECRET_LOGGING_CRATE}, because its log contains secrets; leave it out")
    }
    let filter = filter.add_directive(format!("{SECRET_LOGGING_CRATE}=info").parse()?);
    let colours = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr);
    // A line that cannot be written (a full disk, a closed pipe) is lost. To report that, the library would write to
    // standard error again and panic, in the middle of a request.
    let lines = lines.log_internal_errors(false);
    let result = match config.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    result.map_err(|error| anyhow!(error))?;
    std::panic::set_hook(Box::new(|panic| error!(%panic, "a thread panicked: this is a defect")));
    Ok(())
}

/// Whether every word of the filter without a `=` is a level. `EnvFilter` reads any other word as the name of a module,
/// so with a misspelled level it would log nothing.
fn names_levels(filter: &str) -> bool {
    let is_lone = |word: &&str| !word.is_empty() && !word.contains(['=', '[', ']', '{', '}']);
    filter.split(',').map(str::trim).filter(is_lone).all(|word| word.parse::<LevelFilter>().is_ok())
}

/// Starts to record metrics and returns the handle that renders `/metrics`. Fails if the process calls it twice.
pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(HTTP_LATENCY.to_owned()), &LATENCY_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(COMMIT_SIZE.to_owned()), &COMMIT_BUCKETS)?
        .install_recorder()?;
    describe_counter!(HTTP_REQUESTS, "Requests with a response, by route, method and status");
    describe_histogram!(HTTP_LATENCY, Unit::Seconds, "Time until the head of the response, by route and method");
    describe_gauge!(FOLLOWERS, "Requests that wait for changes, and streams of changes");
    describe_gauge!(WRITE_QUEUE, "Writes waiting for the writer");
    describe_gauge!(WAL_BYTES, Unit::Bytes, "Size of the write-ahead log");
    describe_histogram!(COMMIT_SIZE, "Writes committed in one transaction");
    describe_gauge!(TOKENS_EXPIRING, "Long-lived tokens that expire within 30 days, counted every hour; at most 1,000");
    describe_counter!(SIGN_INS_LOST, "Sign-ins that could not be recorded");
    describe_gauge!(DATABASE_CONNECTIONS, "Connections in the pool, updated at each request for one");
    describe_gauge!(DATABASE_WAITING, "Requests that wait for a database connection");
    describe_counter!(DATABASE_RETRIES, "Transactions repeated after a conflict or a lost connection");
    describe_counter!(DATABASE_UNKNOWN_OUTCOMES, "Commits whose outcome stayed unknown");
    Ok(recorder)
}

/// Sets the gauge of the long-lived tokens that expire soon.
pub fn set_expiring_tokens(count: usize) {
    metrics::gauge!(TOKENS_EXPIRING).set(count as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_word_of_a_filter_is_a_level() {
        for filter in
            ["info", "WARN", "off", "info,rollbook::store=debug", " warn , hyper=info,", "[list{a=1,b=2}]=debug"]
        {
            assert!(names_levels(filter), "{filter}");
        }
        for filter in ["bogus", "inof", "info,rollbook::store", "rollbook=debug,wran"] {
            assert!(!names_levels(filter), "{filter}");
        }
    }
}
