//! The HTTP/1.1 server: accepting connections, the connection limit, and the graceful shutdown.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::framing::{Framed, HEAD_BYTES, HeadRefusal};
use super::limits::Limits;
use super::middleware::RefusedRequest;
use super::request::client_address::Peer;
use super::timeouts::WriteTimeout;

/// Serves `app` until `stop` completes. Then it accepts no more connections, waits for the requests in progress for at
/// most [`Limits::stop_time`], and returns.
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
            Ok((stream, peer, slot)) => {
                let stream = WriteTimeout::new(stream, limits.write_time);
                tokio::spawn(serve_connection(http.clone(), stream, peer, app.clone(), open.watcher(), slot));
            }
            Err(error) => handle_accept_error(&error).await,
        }
    }
    drop(listener);
    if timeout(limits.stop_time, open.shutdown()).await.is_err() {
        warn!("the server stopped while requests were in progress for more than {} s", limits.stop_time.as_secs());
    }
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_header_size(HEAD_BYTES);
    // This also bounds the part of a response that is buffered for a client that reads slowly.
    http.max_buf_size(HEAD_BYTES);
    http
}

/// Waits for a free slot and accepts the next connection. Until then, clients wait in the kernel's queue.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, Peer(address), slot))
}

/// Logs an error of `accept` and pauses. A connection that the client closed before it was accepted is ignored. Any
/// other cause, e.g. no free file descriptor, persists for a while, so an immediate retry would be a busy loop.
async fn handle_accept_error(error: &io::Error) {
    const RETRY_PAUSE: Duration = Duration::from_millis(100);
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput) {
        warn!(%error, "a connection could not be accepted");
        sleep(RETRY_PAUSE).await;
    }
}

async fn serve_connection(
    http: http1::Builder,
    stream: WriteTimeout<TcpStream>,
    peer: Peer,
    app: Router,
    watcher: Watcher,
    _slot: OwnedSemaphorePermit,
) {
    let refusal = Arc::new(HeadRefusal::default());
    let stream = TokioIo::new(Framed::new(stream, Arc::clone(&refusal)));
    let requests = AtomicU64::new(0);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(error) = refusal.error_for(requests.fetch_add(1, Ordering::Relaxed)) {
            request.extensions_mut().insert(RefusedRequest(error.clone()));
        }
        if let Some(uri) = without_repeated_slashes(request.uri()) {
            *request.uri_mut() = uri;
        }
        request.extensions_mut().insert(peer);
        app.clone().oneshot(request)
    });
    let connection = http.serve_connection(stream, service);
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection ended with an error");
    }
}

/// Returns the URI with a single leading slash if it has several, otherwise `None`. Clients whose base URL ends with a
/// slash send two (docs/ordercloud.md, section 1).
fn without_repeated_slashes(uri: &Uri) -> Option<Uri> {
    let target = uri.path_and_query()?.as_str();
    let rest = target.strip_prefix("//")?.trim_start_matches('/');
    format!("/{rest}").parse().ok()
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

    /// A server with one route, `/`, that notifies `entered` of a request and responds after `released` is notified.
    struct TestServer {
        address: SocketAddr,
        entered: Arc<Notify>,
        released: Arc<Notify>,
        stop: oneshot::Sender<()>,
        stopped: JoinHandle<()>,
    }

    async fn test_server(limits: Limits) -> TestServer {
        let (entered, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (enter, release) = (Arc::clone(&entered), Arc::clone(&released));
        let handler = async move || {
            enter.notify_one();
            release.notified().await;
            "done"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel();
        let app = Router::new().route("/", get(handler));
        let stopped = tokio::spawn(serve(listener, app, limits, async { stopping.await.unwrap() }));
        TestServer { address, entered, released, stop, stopped }
    }

    /// Sends a request over a new connection, which is closed after the response.
    fn send(address: SocketAddr) -> JoinHandle<String> {
        tokio::spawn(async move {
            let client = reqwest::Client::new();
            client.get(format!("http://{address}/")).send().await.unwrap().text().await.unwrap()
        })
    }

    #[tokio::test]
    async fn a_stop_waits_for_requests_in_progress() {
        let server = test_server(Limits::default()).await;
        let response = send(server.address);
        server.entered.notified().await;
        server.stop.send(()).unwrap();
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        server.released.notify_one();
        assert_eq!(response.await.unwrap(), "done");
        server.stopped.await.unwrap();
    }

    #[tokio::test]
    async fn a_stop_waits_no_longer_than_its_limit() {
        let server = test_server(Limits { stop_time: Duration::from_millis(1), ..Limits::default() }).await;
        let response = send(server.address);
        server.entered.notified().await;
        server.stop.send(()).unwrap();
        server.stopped.await.unwrap();
        response.abort();
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_frees_its_slot() {
        let endless = async || Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[0; 65_536]))));
        let app = Router::new().route("/endless", get(endless)).route("/", get(async || "done"));
        let limits = Limits { connections: 1, write_time: Duration::from_millis(1), ..Limits::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, app, limits, std::future::pending()));
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(send(address).await.unwrap(), "done");
    }

    #[test]
    fn leading_slashes_are_merged() {
        let one = |uri: &str| without_repeated_slashes(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(one("//v1/usergroups?a=//b").as_deref(), Some("/v1/usergroups?a=//b"));
        assert_eq!(one("////").as_deref(), Some("/"));
        assert_eq!(one("//?a").as_deref(), Some("/?a"));
        for other in ["/", "/v1//usergroups", "*", "http://host/v1"] {
            assert_eq!(one(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_full_server_accepts_the_next_connection_when_one_closes() {
        let server = test_server(Limits { connections: 1, ..Limits::default() }).await;
        let first = send(server.address);
        server.entered.notified().await;
        let second = send(server.address);
        server.released.notify_one();
        assert_eq!(first.await.unwrap(), "done");
        server.entered.notified().await;
        server.released.notify_one();
        assert_eq!(second.await.unwrap(), "done");
    }
}
