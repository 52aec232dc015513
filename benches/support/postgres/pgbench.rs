//! Runs pgbench.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::database::Database;

/// The longest warm-up in seconds, in which each connection prepares the statements of each script; it is not counted.
const WARM_UP: u32 = 3;

/// The transport to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// The same as the directory's.
    Tcp,
    /// The server's Unix socket.
    Socket,
}

/// pgbench, for one database.
pub(crate) struct Pgbench {
    environment: Vec<(&'static str, String)>,
    socket: Option<String>,
}

impl Pgbench {
    /// The pgbench for this database.
    pub(crate) async fn new(database: &Database) -> anyhow::Result<Self> {
        Ok(Self { environment: database.environment()?, socket: database.socket().await? })
    }

    /// Runs the scripts, chosen uniformly, on this many connections; returns transactions per second.
    pub(crate) async fn run(
        &self,
        scripts: &[PathBuf],
        connections: usize,
        seconds: u32,
        transport: Transport,
    ) -> anyhow::Result<f64> {
        let mut command = Command::new("pgbench");
        // The warm-up need not be longer than the measurement. One second more, because the last one may be incomplete.
        let warm_up = WARM_UP.min(seconds);
        command.args(["-n", "-M", "prepared", "-j", "2", "-P", "1", "-T", &(warm_up + seconds + 1).to_string()]);
        command.args(["-c", &connections.to_string()]).env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
        scripts.iter().for_each(|script| _ = command.arg("-f").arg(script));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if transport == Transport::Socket {
            command.env("PGHOST", self.socket.as_deref().context("the server has no socket here")?);
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.context("pgbench cannot be run; it comes with PostgreSQL's server or client programs")?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {text}");
        let rates: Vec<f64> = text.lines().filter_map(progress).skip(warm_up as usize).take(seconds as usize).collect();
        ensure!(rates.len() == seconds as usize, "pgbench reported too little progress: {text}");
        Ok(rates.iter().sum::<f64>() / f64::from(seconds))
    }
}

/// The rate in a line of the output: `progress: 1.0 s, 5241.3 tps, lat 3.046 ms stddev 1.512, 0 failed`.
fn progress(line: &str) -> Option<f64> {
    let (_, rate) = line.strip_prefix("progress: ")?.split_once("s, ")?;
    rate.split_once(" tps")?.0.parse().ok()
}
