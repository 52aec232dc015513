//! Serves a directory in the process of the benchmark, as the program does.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use rollbook::config::{LogConfig, LogFormat};
use rollbook::http::limits::Limits;
use rollbook::http::server;
use rollbook::telemetry;
use tokio::net::TcpListener;
use tokio::time::interval;

/// Installs logs and metrics as the program does, but without a line for each write, which would distort the figures.
pub(crate) fn observe() -> anyhow::Result<()> {
    telemetry::init_logging(&LogConfig { log: None, log_format: LogFormat::Text }, "warn")?;
    tokio::spawn(keep_measuring(telemetry::init_metrics()?));
    Ok(())
}

/// Histograms keep every sample until they are folded into their buckets.
async fn keep_measuring(measured: PrometheusHandle) {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        measured.run_upkeep();
    }
}

/// Serves the app until the process ends; returns the address.
pub(crate) async fn serve(app: Router) -> anyhow::Result<SocketAddr> {
    let listener = listener().await?;
    let address = listener.local_addr()?;
    tokio::spawn(server::serve(listener, app, Limits::default(), std::future::pending()));
    Ok(address)
}

/// A listener on a free port of loopback.
pub(crate) async fn listener() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}
