//! The peers as child processes: start, readiness, memory and exit.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// A process that is killed when this is dropped: its data are in a temporary folder.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a server, and waits until it listens at the address. Its output goes into the file.
    pub(crate) async fn serve(mut command: Command, address: SocketAddr, log: &Path) -> anyhow::Result<Self> {
        const START_TIMEOUT: Duration = Duration::from_secs(120);
        let file = std::fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut process = Self(command.spawn().with_context(|| format!("{command:?}"))?);
        let since = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let said = || std::fs::read_to_string(log).unwrap_or_default();
            if let Some(status) = process.0.try_wait()? {
                anyhow::bail!("it ended with {status}: {}", said());
            }
            ensure!(since.elapsed() < START_TIMEOUT, "it does not listen: {}", said());
            sleep(Duration::from_millis(50)).await;
        }
        Ok(process)
    }

    /// The process ID.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have exited already.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A free port of loopback.
pub(crate) async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Private memory, without files.
    pub private: u64,
    /// All resident memory, with shared pages counted proportionally, including mapped files.
    pub resident: u64,
}

impl Memory {
    /// The memory of a process and all its descendants.
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let mut all = vec![process];
        let mut at = 0;
        while let Some(parent) = all.get(at).copied() {
            all.extend(children(parent)?);
            at += 1;
        }
        let each = all.iter().map(|process| of_one(*process)).collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(each.first().is_some_and(Option::is_some), "process {process} has ended");
        let each = each.into_iter().flatten().collect::<Vec<_>>();
        let sum = |part: fn(&Self) -> u64| each.iter().map(part).sum();
        Ok(Self { private: sum(|one| one.private), resident: sum(|one| one.resident) })
    }
}

/// The memory of one process; `None` if it has ended. PostgreSQL ends processes of its own at any time.
fn of_one(process: u32) -> anyhow::Result<Option<Memory>> {
    /// What reading the memory of a process that ends meanwhile fails with.
    const NO_SUCH_PROCESS: i32 = 3;
    let output = match std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")) {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    // A process that has ended but is not yet reaped has no memory.
    if output.is_empty() {
        return Ok(None);
    }
    let bytes = |name: &str| {
        let kilobytes = output.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
        Ok::<_, anyhow::Error>(kilobytes.with_context(|| format!("no {name} in the status"))?.parse::<u64>()? * 1024)
    };
    Ok(Some(Memory { private: bytes("Pss_Anon:")?, resident: bytes("Pss:")? }))
}

fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let all = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(all.filter(|process| parent_of(*process) == Some(parent)).collect())
}

/// The process ID of this process's parent.
pub(crate) fn parent_of(process: u32) -> Option<u32> {
    let output = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    output.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// The processor time of this process.
pub(crate) fn processor_time() -> anyhow::Result<Duration> {
    let output = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may contain any character; the times follow 11 fields after it, in hundredths of a
    // second.
    let (_, fields) = output.rsplit_once(')').context("no name in the status")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(10 * ticks))
}
