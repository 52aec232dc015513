//! Readers of the feed as Server-Sent Events, in a process of their own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The environment variable with the token.
const TOKEN: &str = "ROLLBOOK_BENCH_TOKEN";
/// The beginning of an event.
const EVENT: &[u8] = b"\nevent: group.created";

/// So many readers behind a cursor.
#[derive(Args, Clone, Debug)]
pub(crate) struct Readers {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long)]
    pub count: usize,
    #[arg(long, allow_hyphen_values = true)]
    pub after: String,
}

/// Readers that run until they are stopped.
pub(crate) struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Readers {
    /// Starts them in a child process, and waits until all follow.
    pub(crate) fn start(self, token: &str) -> anyhow::Result<Running> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["readers", "--address", &self.address.to_string(), "--count", &self.count.to_string()])
            .arg(format!("--after={}", self.after))
            .env(TOKEN, token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no pipe")?;
        let mut output = BufReader::new(child.stdout.take().context("no pipe")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        ensure!(line == "ready\n", "the readers did not start: {line}");
        Ok(Running { child, input, output })
    }

    /// Reads in this process until the standard input ends; prints `ready`, then how many changes the first one got.
    #[tokio::main]
    pub(crate) async fn run_in_process(&self) -> anyhow::Result<()> {
        let token = std::env::var(TOKEN)?;
        let opened = try_join_all((0..self.count).map(|_| self.open(&token))).await?;
        println!("ready");
        std::io::stdout().flush()?;
        let mut streams = opened.into_iter();
        let first = streams.next().context("no reader")?;
        for stream in streams {
            tokio::spawn(async move { read(stream, |_| ()).await });
        }
        let (mut changes, mut tail) = (0, Vec::new());
        let counting = read(first, |bytes| {
            tail.extend_from_slice(bytes);
            changes += tail.windows(EVENT.len()).filter(|window| *window == EVENT).count();
            tail.drain(..tail.len().saturating_sub(EVENT.len() - 1));
        });
        let stopped = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            read = counting => read?,
            stopped = stopped => drop(stopped??),
        }
        println!("{changes}");
        Ok(())
    }

    /// Opens a stream, and waits for its first bytes.
    async fn open(&self, token: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        let request = format!(
            "GET /rollbook/v1/changes?after={} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {token}\r\n\r\n",
            self.after
        );
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        ensure!(status.ends_with(b"200"), "refused: {}", String::from_utf8_lossy(&status));
        Ok(stream)
    }
}

/// Passes what comes to `each`, until the end.
async fn read(mut stream: TcpStream, mut each: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut bytes).await? {
            0 => return Ok(()),
            length => each(&bytes[..length]),
        }
    }
}

impl Running {
    /// Ends the readers; returns how many changes each one got.
    pub(crate) fn stop(mut self) -> anyhow::Result<usize> {
        drop(self.input);
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(self.child.wait()?.success(), "the readers failed");
        Ok(line.trim().parse()?)
    }
}
