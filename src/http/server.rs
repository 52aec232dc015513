//! The server itself: connections, their number, and the end of them.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::limits::Limits;
use super::patience::Patient;

/// The largest head of a request. It is well above the limit of a URL, so that a URL over its limit is refused by
/// the API in the API's own words, and only what is larger still by the parser.
const HEAD_BYTES: usize = 128 * 1024;

/// Serves until `stop` is done; then accepts no more, finishes what is in flight within the limit, and returns.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let (slots, open) = (Arc::new(Semaphore::new(limits.connections)), GracefulShutdown::new());
    let http = http(&limits);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                let stream = Patient::new(stream, limits.write_time);
                tokio::spawn(converse(http.clone(), stream, app.clone(), open.watcher(), slot));
            }
            Err(error) => refused(&error).await,
        }
    }
    drop(listener);
    if timeout(limits.stop_time, open.shutdown()).await.is_err() {
        warn!("requests were still in flight after {} s and were cut off", limits.stop_time.as_secs());
    }
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_header_size(HEAD_BYTES);
    // As much of an answer waits for a client that reads slowly, and a part of it more.
    http.max_buf_size(HEAD_BYTES);
    http
}

/// The next connection, once there is room for it: while there is none, it waits in the kernel's queue.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

/// A connection that was gone before it was accepted is nobody's loss. Anything else, e.g. no file descriptor
/// left, stays true for a while: trying again at once would spin.
async fn refused(error: &io::Error) {
    const PAUSE: Duration = Duration::from_millis(100);
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput) {
        warn!(%error, "a connection could not be accepted");
        sleep(PAUSE).await;
    }
}

async fn converse(
    http: http1::Builder,
    stream: Patient<TcpStream>,
    app: Router,
    watcher: Watcher,
    _slot: OwnedSemaphorePermit,
) {
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;

    use axum::body::Body;
    use axum::routing::get;
    use bytes::Bytes;
    use futures_util::stream;
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::{Notify, oneshot};
    use tokio::task::JoinHandle;

    use super::*;

    /// A server with one route, `/`, that tells `entered` of a request and answers it once it is `released`.
    struct Held {
        address: SocketAddr,
        entered: Arc<Notify>,
        released: Arc<Notify>,
        stop: oneshot::Sender<()>,
        stopped: JoinHandle<()>,
    }

    async fn held(limits: Limits) -> Held {
        let (entered, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (enter, release) = (Arc::clone(&entered), Arc::clone(&released));
        let answer = async move || {
            enter.notify_one();
            release.notified().await;
            "done"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel();
        let app = Router::new().route("/", get(answer));
        let stopped = tokio::spawn(serve(listener, app, limits, async { stopping.await.unwrap() }));
        Held { address, entered, released, stop, stopped }
    }

    /// Asks over a connection of its own, which ends with the answer.
    fn ask(address: SocketAddr) -> JoinHandle<String> {
        tokio::spawn(async move {
            let client = reqwest::Client::new();
            client.get(format!("http://{address}/")).send().await.unwrap().text().await.unwrap()
        })
    }

    #[tokio::test]
    async fn a_stop_finishes_what_is_in_flight() {
        let server = held(Limits::default()).await;
        let answer = ask(server.address);
        server.entered.notified().await;
        server.stop.send(()).unwrap();
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        server.released.notify_one();
        assert_eq!(answer.await.unwrap(), "done");
        server.stopped.await.unwrap();
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_ever() {
        let server = held(Limits { stop_time: Duration::from_millis(1), ..Limits::default() }).await;
        let answer = ask(server.address);
        server.entered.notified().await;
        server.stop.send(()).unwrap();
        server.stopped.await.unwrap();
        answer.abort();
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_makes_room_for_the_next() {
        let endless = async || Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[0; 65_536]))));
        let app = Router::new().route("/endless", get(endless)).route("/", get(async || "done"));
        let limits = Limits { connections: 1, write_time: Duration::from_millis(1), ..Limits::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, app, limits, std::future::pending()));
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(ask(address).await.unwrap(), "done");
    }

    #[tokio::test]
    async fn a_full_server_takes_the_next_when_one_leaves() {
        let server = held(Limits { connections: 1, ..Limits::default() }).await;
        let first = ask(server.address);
        server.entered.notified().await;
        let second = ask(server.address);
        server.released.notify_one();
        assert_eq!(first.await.unwrap(), "done");
        server.entered.notified().await;
        server.released.notify_one();
        assert_eq!(second.await.unwrap(), "done");
    }
}
