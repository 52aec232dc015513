//! Running pgbench.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::database::Database;

/// Seconds at most that are not counted at the beginning: in these each connection prepares the statements of each script.
const WARM_UP: u32 = 3;

/// How it reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// As the directory does.
    Tcp,
    /// The server's Unix socket.
    Socket,
}

/// pgbench, for one database.
pub struct Pgbench {
    environment: Vec<(&'static str, String)>,
    socket: Option<String>,
}

impl Pgbench {
    pub async fn new(database: &Database) -> anyhow::Result<Self> {
        Ok(Self { environment: database.environment()?, socket: database.socket().await? })
    }

    /// Runs the scripts, any of them as likely as any other, on so many connections; gives how many a second.
    pub async fn run(
        &self,
        scripts: &[PathBuf],
        connections: usize,
        seconds: u32,
        transport: Transport,
    ) -> anyhow::Result<f64> {
        let mut command = Command::new("pgbench");
        // As long as what is counted is enough, and one second more, as the last one may be cut off.
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
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {told}");
        let rates: Vec<f64> = told.lines().filter_map(progress).skip(warm_up as usize).take(seconds as usize).collect();
        ensure!(rates.len() == seconds as usize, "pgbench told too little of its progress: {told}");
        Ok(rates.iter().sum::<f64>() / f64::from(seconds))
    }
}

/// The rate that a line tells: `progress: 1.0 s, 5241.3 tps, lat 3.046 ms stddev 1.512, 0 failed`.
fn progress(line: &str) -> Option<f64> {
    let (_, rate) = line.strip_prefix("progress: ")?.split_once("s, ")?;
    rate.split_once(" tps")?.0.parse().ok()
}
