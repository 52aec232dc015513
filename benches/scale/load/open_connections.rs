//! Open connections that send nothing, or that read and write as slowly as the server allows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that stay open until this is dropped. One that the server closes is opened again.
pub(crate) struct OpenConnections {
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    closed: AtomicU64,
}

/// The behaviour of a connection.
#[derive(Clone, Copy)]
enum ClientBehaviour {
    /// Sends one request, and nothing after it.
    Idle,
    /// Sends a request byte by byte.
    SlowToSend,
    /// Requests all groups, and reads as over a slow network.
    SlowToRead,
}

impl OpenConnections {
    /// Opens this many idle connections, and this many slow ones.
    pub(crate) fn open(address: SocketAddr, token: &str, idle: usize, slow: usize) -> Self {
        let (mut tasks, counts) = (JoinSet::new(), Arc::new(Counts::default()));
        let manners = std::iter::repeat_n(ClientBehaviour::Idle, idle).chain(
            (0..slow).map(|at| if at % 2 == 0 { ClientBehaviour::SlowToSend } else { ClientBehaviour::SlowToRead }),
        );
        for behaviour in manners {
            tasks.spawn(keep_open(address, token.to_owned(), behaviour, Arc::clone(&counts)));
        }
        Self { counts, _tasks: tasks }
    }

    /// The number of open connections.
    pub(crate) fn open_count(&self) -> usize {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How often the server has closed one.
    pub(crate) fn closed(&self) -> u64 {
        self.counts.closed.load(Ordering::Relaxed)
    }
}

async fn keep_open(address: SocketAddr, token: String, behaviour: ClientBehaviour, counts: Arc<Counts>) {
    const RETRY_PAUSE: Duration = Duration::from_millis(200);
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            counts.open.fetch_add(1, Ordering::Relaxed);
            // It does not matter how the connection ended.
            _ = keep(stream, &token, behaviour).await;
            counts.open.fetch_sub(1, Ordering::Relaxed);
            counts.closed.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

async fn keep(mut stream: TcpStream, token: &str, behaviour: ClientBehaviour) -> std::io::Result<()> {
    let request = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
    };
    let mut part = vec![0; 4 * 1024];
    match behaviour {
        ClientBehaviour::Idle => stream.write_all(&request("/v1/usergroups?pageSize=1")).await?,
        ClientBehaviour::SlowToSend => {
            for byte in request("/v1/usergroups?pageSize=1") {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        ClientBehaviour::SlowToRead => stream.write_all(&request("/api/admin/v1/users-groups/list-all")).await?,
    }
    while stream.read(&mut part).await? > 0 {
        if matches!(behaviour, ClientBehaviour::SlowToRead) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}
