//! The peers as processes: started, waited for, watched and ended.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// A process that is killed when this is dropped: what it keeps is in a temporary folder.
pub struct Process(Child);

impl Process {
    /// Starts a server, and waits until it listens at the address. What it says goes into the file.
    pub async fn serve(mut command: Command, address: SocketAddr, log: &Path) -> anyhow::Result<Self> {
        const PATIENCE: Duration = Duration::from_secs(120);
        let file = std::fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut process = Self(command.spawn().with_context(|| format!("{command:?}"))?);
        let since = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let said = || std::fs::read_to_string(log).unwrap_or_default();
            if let Some(status) = process.0.try_wait()? {
                anyhow::bail!("it ended with {status}: {}", said());
            }
            ensure!(since.elapsed() < PATIENCE, "it does not listen: {}", said());
            sleep(Duration::from_millis(50)).await;
        }
        Ok(process)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended needs no end.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A free port of this machine alone.
pub async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Its own alone: none of files.
    pub private: u64,
    /// All that is resident, what is shared counted in parts: files that are mapped, too.
    pub resident: u64,
}

impl Memory {
    /// What a process and all that it started take.
    pub fn of(process: u32) -> anyhow::Result<Self> {
        let mut all = vec![process];
        let mut at = 0;
        while let Some(parent) = all.get(at).copied() {
            all.extend(children(parent)?);
            at += 1;
        }
        let each = all.iter().map(|process| of_one(*process)).collect::<anyhow::Result<Vec<_>>>()?;
        let sum = |part: fn(&Self) -> u64| each.iter().map(part).sum();
        Ok(Self { private: sum(|one| one.private), resident: sum(|one| one.resident) })
    }
}

fn of_one(process: u32) -> anyhow::Result<Memory> {
    let told = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let bytes = |name: &str| {
        let kilobytes = told.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
        Ok::<_, anyhow::Error>(kilobytes.with_context(|| format!("no {name} is told"))?.parse::<u64>()? * 1024)
    };
    Ok(Memory { private: bytes("Pss_Anon:")?, resident: bytes("Pss:")? })
}

fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let all = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(all.filter(|process| parent_of(*process) == Some(parent)).collect())
}

/// The process that started this one.
pub fn parent_of(process: u32) -> Option<u32> {
    let told = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    told.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// How long this process has kept processors busy.
pub fn processor_time() -> anyhow::Result<Duration> {
    let told = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold anything; times follow 11 fields behind it, in hundredths of a second.
    let (_, fields) = told.rsplit_once(')').context("no name is told")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(10 * ticks))
}
