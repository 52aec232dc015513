//! Connections that are held open and ask for nothing, or read and write as slowly as they may.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that are held until this is dropped. One that the server closes is opened again.
pub struct Held {
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    closed: AtomicU64,
}

/// What a connection does.
#[derive(Clone, Copy)]
enum Manner {
    /// Asks once, and is silent from then on.
    Idle,
    /// Sends a request byte by byte.
    SlowToAsk,
    /// Asks for every group, and reads as if over a thin wire.
    SlowToRead,
}

impl Held {
    /// So many that are idle, and so many that are slow.
    pub fn open(address: SocketAddr, token: &str, idle: usize, slow: usize) -> Self {
        let (mut tasks, counts) = (JoinSet::new(), Arc::new(Counts::default()));
        let manners = std::iter::repeat_n(Manner::Idle, idle)
            .chain((0..slow).map(|at| if at % 2 == 0 { Manner::SlowToAsk } else { Manner::SlowToRead }));
        for manner in manners {
            tasks.spawn(hold(address, token.to_owned(), manner, Arc::clone(&counts)));
        }
        Self { counts, _tasks: tasks }
    }

    /// How many are open now.
    pub fn are_open(&self) -> usize {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How often the server has closed one.
    pub fn closed(&self) -> u64 {
        self.counts.closed.load(Ordering::Relaxed)
    }
}

async fn hold(address: SocketAddr, token: String, manner: Manner, counts: Arc<Counts>) {
    const PAUSE: Duration = Duration::from_millis(200);
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            counts.open.fetch_add(1, Ordering::Relaxed);
            // How it ended is no matter: it has ended.
            _ = keep(stream, &token, manner).await;
            counts.open.fetch_sub(1, Ordering::Relaxed);
            counts.closed.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn keep(mut stream: TcpStream, token: &str, manner: Manner) -> std::io::Result<()> {
    let request = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
    };
    let mut part = vec![0; 4 * 1024];
    match manner {
        Manner::Idle => stream.write_all(&request("/v1/usergroups?pageSize=1")).await?,
        Manner::SlowToAsk => {
            for byte in request("/v1/usergroups?pageSize=1") {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        Manner::SlowToRead => stream.write_all(&request("/api/admin/v1/users-groups/list-all")).await?,
    }
    while stream.read(&mut part).await? > 0 {
        if matches!(manner, Manner::SlowToRead) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}
