//! The program as a child process: its commands, and a server that is started, observed and stopped.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rollbook::service::clients::new_secret;
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// The client that requests the benchmark's token.
const CLIENT: &str = "benchmark-program";

/// The program, for one directory.
#[derive(Clone)]
pub(crate) struct Program {
    path: PathBuf,
    database: String,
}

impl Program {
    /// The program that was built with this benchmark.
    pub(crate) fn new(database: &str) -> Self {
        Self { path: env!("CARGO_BIN_EXE_rollbook").into(), database: database.to_owned() }
    }

    /// One of its commands. The database URL is in the environment, as it may contain a password.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).env("ROLLBOOK_DATABASE", &self.database).env("ROLLBOOK_LOG", "error");
        command
    }

    /// Starts a server on a free port, and waits until it listens.
    pub(crate) fn serve(&self) -> anyhow::Result<Server> {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Starts a server that has a client with every right; returns a token of that client, which is valid on later
    /// servers, too.
    pub(crate) async fn serve_with_token(&self) -> anyhow::Result<(Server, String)> {
        let secret = new_secret()?;
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("ROLLBOOK_ADMIN_CLIENT_ID", CLIENT).env("ROLLBOOK_ADMIN_CLIENT_SECRET", secret.expose_secret());
        let server = Server::start(command)?;
        let form =
            [("grant_type", "client_credentials"), ("client_id", CLIENT), ("client_secret", secret.expose_secret())];
        let url = format!("http://{}/oauth/token", server.address);
        let response = reqwest::Client::new().post(url).form(&form).send().await?.error_for_status()?;
        let response: Value = serde_json::from_slice(&response.bytes().await?)?;
        let token = response["access_token"].as_str().context("the server returned no token")?.to_owned();
        Ok((server, token))
    }
}

/// A server that runs. It is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The time from its start until it listened.
    pub took: Duration,
}

impl Server {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(out).lines();
        while let Some(Ok(line)) = lines.next() {
            let Some(address) = line.strip_prefix("listening on http://") else { continue };
            let (took, address) = (started.elapsed(), address.trim().parse()?);
            // Reads the rest of the output, so that the server does not wait for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(Self { child, address, took });
        }
        bail!("the server ended without listening: {}", child.wait()?)
    }

    /// The private memory in bytes, without files.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        private_memory(self.child.id())
    }

    /// The process ID.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM, and waits until the server has exited.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        const STOP_TIMEOUT: Duration = Duration::from_secs(60);
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(sent.success(), "the server has exited before");
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            ensure!(since.elapsed() < STOP_TIMEOUT, "the server does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have exited already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The private memory of a process in bytes.
pub(crate) fn private_memory(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no RssAnon in the status")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}
