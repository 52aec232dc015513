//! The connector: opens connections to the database, on the first host of the URL that can be used.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode as Encryption, TargetSessionAttrs};
use tokio_postgres::error::DbError;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::database_error::text;
use super::primary::{ClusterState, ServerIdentity};
use super::tls;
use super::url::{Host, PostgresUrl, SslMode};

/// How long a connection may be idle before TCP keepalive probes are sent.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// The pause between two probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// How many probes may be lost before the connection is closed.
const KEEPALIVE_RETRIES: u32 = 3;
/// The time limit for the request to cancel a statement.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);
/// How long sent data may stay unacknowledged before the connection is closed.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// The part of a connection that sends and receives; the client is the other part.
type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// The hosts of a database, and the settings for connecting to them.
pub(crate) struct Connector {
    /// The hosts, in the order of the URL.
    hosts: Vec<Host>,
    /// The index of the host to try first: the last one that worked, or the one after the last that failed.
    first: AtomicUsize,
    /// What is known about the cluster from its servers.
    cluster_state: ClusterState,
    /// The settings of connections, without the host.
    config: Config,
    tls: MakeRustlsConnect,
    /// The time limit for connecting to one address.
    timeout: Duration,
    display_url: String,
    /// Whether a transaction pooler was detected in front of the database.
    transaction_pooler: AtomicBool,
}

/// Why no connection could be opened: each host that was tried, with the reason.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreachable(String);

impl From<tokio_postgres::Error> for Unreachable {
    fn from(error: tokio_postgres::Error) -> Self {
        let reason = text(&error);
        // The server requests a password, and none is configured.
        if reason.ends_with("password missing") {
            return Self(format!("{reason}; set ROLLBOOK_DATABASE_PASSWORD"));
        }
        Self(reason)
    }
}

impl Connector {
    /// Makes a connector from a `postgres://` URL. A password in the URL takes precedence over `password`. Fails with a
    /// message that says what to write instead, and quotes no password.
    pub(crate) fn parse(url: &str, password: Option<&SecretString>) -> anyhow::Result<Self> {
        let url = PostgresUrl::parse(url)?;
        let mode = url.ssl_mode()?;
        Ok(Self {
            first: AtomicUsize::new(0),
            cluster_state: ClusterState::default(),
            config: config(&url, mode, password),
            tls: tls::tls_connector(mode, url.options.ssl_root_cert.as_deref())?,
            timeout: url.options.timeout(),
            display_url: url.to_string(),
            transaction_pooler: AtomicBool::new(false),
            hosts: url.hosts,
        })
    }

    /// The URL without its password and options, for messages.
    pub(crate) fn display_url(&self) -> &str {
        &self.display_url
    }

    /// Whether a pooler was detected that gives each transaction another session: then no session can be used.
    pub(crate) fn has_transaction_pooler(&self) -> bool {
        self.transaction_pooler.load(Ordering::Acquire)
    }

    /// Records whether there is such a pooler.
    pub(crate) fn set_transaction_pooler(&self, detected: bool) {
        self.transaction_pooler.store(detected, Ordering::Release);
    }

    /// The hosts, in the order of the URL.
    pub(crate) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The index of the host that sessions are on; `None` if no session was opened yet.
    pub(crate) fn current_host(&self) -> Option<usize> {
        (self.cluster_state.highest_timeline() > 0).then(|| self.first.load(Ordering::Relaxed))
    }

    /// What is known about the cluster from its servers.
    pub(crate) fn cluster_state(&self) -> &ClusterState {
        &self.cluster_state
    }

    /// Records the identity that the host with the index `at` reports. If it shows that the host is a new primary, that
    /// host is tried first from now on. Fails with the reason if the host must not be used.
    pub(crate) fn record_identity(&self, at: usize, identity: &ServerIdentity) -> Result<(), String> {
        let before = self.cluster_state.highest_timeline();
        self.cluster_state.admit(identity)?;
        let highest = self.cluster_state.highest_timeline();
        if highest > before {
            self.first.store(at, Ordering::Relaxed);
        }
        if highest > before && before > 0 {
            tracing::warn!(host = %self.hosts[at], timeline = highest, "this server has become the primary");
        }
        Ok(())
    }

    /// Connects to the first host that can be used. Each address of a host has the time limit of the URL. `on_notice`
    /// is called with each notice of the server, before the response that follows the notice is delivered.
    pub(crate) async fn connect(
        &self,
        on_notice: impl Fn(&DbError) + Clone + Send + 'static,
    ) -> Result<Client, Unreachable> {
        self.connect_with_identity(on_notice).await.map(|(client, _)| client)
    }

    /// As [`Self::connect`]; also returns the identity of the server.
    pub(crate) async fn connect_with_identity(
        &self,
        on_notice: impl Fn(&DbError) + Clone + Send + 'static,
    ) -> Result<(Client, ServerIdentity), Unreachable> {
        let count = self.hosts.len();
        let first = self.first.load(Ordering::Relaxed);
        let mut reasons = Vec::new();
        for at in (first..first + count).map(|at| at % count) {
            match self.connect_and_admit(at, on_notice.clone()).await {
                Ok(connected) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(connected);
                }
                Err(Unreachable(reason)) => {
                    // Set here rather than after the loop: the caller may give up before the last host. If another
                    // task has found the primary meanwhile, its value is kept.
                    let _exchanged =
                        self.first.compare_exchange(at, (at + 1) % count, Ordering::Relaxed, Ordering::Relaxed);
                    reasons.push(format!("{}: {reason}", self.hosts[at]));
                }
            }
        }
        Err(Unreachable(reasons.join("; ")))
    }

    /// Connects to the host with the index `at`. Fails if it must not be used.
    async fn connect_and_admit(
        &self,
        at: usize,
        on_notice: impl Fn(&DbError) + Send + 'static,
    ) -> Result<(Client, ServerIdentity), Unreachable> {
        let (client, driver) = self.connect_to(&self.hosts[at], &self.config).await?;
        tokio::spawn(drive(driver, on_notice));
        let identity = ServerIdentity::query(&client).await.map_err(Unreachable)?;
        self.record_identity(at, &identity).map_err(Unreachable)?;
        Ok((client, identity))
    }

    /// Connects to the host with the index `at` to query its identity, even if it does not accept writes.
    pub(crate) async fn connect_for_identity(&self, at: usize) -> Result<Client, Unreachable> {
        let mut config = self.config.clone();
        config.target_session_attrs(TargetSessionAttrs::Any);
        let (client, driver) = self.connect_to(&self.hosts[at], &config).await?;
        tokio::spawn(drive(driver, |_| {}));
        Ok(client)
    }

    /// Requests the server to cancel the statement that runs on the connection. The request may get lost.
    pub(crate) async fn cancel(&self, client: &Client) {
        match timeout(CANCEL_TIMEOUT, client.cancel_token().cancel_query(self.tls.clone())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = text(&error), "a statement could not be cancelled"),
            Err(_) => tracing::debug!("a statement could not be cancelled in time"),
        }
    }

    /// Connects to one of the addresses of the host.
    async fn connect_to(&self, host: &Host, config: &Config) -> Result<(Client, Driver), Unreachable> {
        if host.is_socket() {
            return self.connect_at(host, None, config).await;
        }
        let looked_up =
            timeout(self.timeout, lookup_host((&*host.name, host.port))).await.map_err(|_| self.timed_out())?;
        let addresses = looked_up.map_err(|error| Unreachable(format!("its address cannot be looked up: {error}")))?;
        let mut reason = Unreachable("it has no address".to_owned());
        for address in addresses {
            match self.connect_at(host, Some(address), config).await {
                Err(error) => reason = error,
                connected => return connected,
            }
        }
        Err(reason)
    }

    /// Connects to one address. Sets a time limit of its own, because that of tokio-postgres covers only the TCP
    /// connect: a server that hangs would never respond to the log-in.
    async fn connect_at(
        &self,
        host: &Host,
        address: Option<SocketAddr>,
        config: &Config,
    ) -> Result<(Client, Driver), Unreachable> {
        let mut config = config.clone();
        config.host(&host.name).port(host.port);
        if let Some(address) = address {
            config.hostaddr(address.ip());
        }
        let connected = timeout(self.timeout, config.connect(self.tls.clone())).await.map_err(|_| self.timed_out())?;
        Ok(connected?)
    }

    fn timed_out(&self) -> Unreachable {
        Unreachable(format!("no response within {} s", self.timeout.as_secs()))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.display_url).finish()
    }
}

fn config(url: &PostgresUrl, mode: SslMode, password: Option<&SecretString>) -> Config {
    let mut config = Config::new();
    config
        .dbname(&url.database)
        .application_name(url.options.application_name.as_deref().unwrap_or("rollbook"))
        .ssl_mode(if mode == SslMode::Disable { Encryption::Disable } else { Encryption::Require })
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        .tcp_user_timeout(TCP_USER_TIMEOUT);
    if !url.options.any_session {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if let Some(user) = &url.user {
        config.user(user);
    }
    if let Some(password) = url.password.as_ref().or(password) {
        config.password(password.expose_secret());
    }
    config
}

/// Sends and receives until the client is dropped or the connection is lost.
async fn drive(mut driver: Driver, on_notice: impl Fn(&DbError)) {
    while let Some(message) = poll_fn(|context| driver.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => on_notice(&notice),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(error = text(&error), "a connection to the database was lost");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::postgres::test_database::TestDatabase;

    fn connector(url: &str) -> Connector {
        Connector::parse(url, None).unwrap()
    }

    /// The URL with another host before its own.
    fn with_first_host(host: SocketAddr, url: &str) -> String {
        let mark = if url.contains('@') { "@" } else { "//" };
        url.replacen(mark, &format!("{mark}{host},"), 1)
    }

    #[tokio::test]
    async fn a_host_that_hangs_is_skipped_also_later() {
        let test_database = TestDatabase::new().await;
        // The operating system accepts the connection, and nobody reads from it.
        let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = with_first_host(hanging.local_addr().unwrap(), test_database.url());
        let connector = connector(&format!("{url}&connect_timeout=1"));
        connector.connect(|_| {}).await.unwrap();
        assert_eq!(connector.first.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_read_only_server_is_used_only_with_target_session_attrs_any() {
        let test_database = TestDatabase::new().await;
        let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', \
                         current_database()); END $$";
        test_database.connect().await.batch_execute(read_only).await.unwrap();
        let refused = connector(test_database.url()).connect(|_| {}).await.unwrap_err().to_string();
        assert!(refused.contains("does not allow writes"), "{refused}");
        connector(&format!("{}&target_session_attrs=any", test_database.url())).connect(|_| {}).await.unwrap();
    }

    #[tokio::test]
    async fn notices_come_before_the_response() {
        let test_database = TestDatabase::new().await;
        let (sender, notices) = channel();
        let on_notice = move |notice: &DbError| sender.send(notice.message().to_owned()).unwrap();
        let client = connector(test_database.url()).connect(on_notice).await.unwrap();
        client.batch_execute("DO $$ BEGIN RAISE WARNING 'hear me'; END $$").await.unwrap();
        assert_eq!(notices.try_recv().as_deref(), Ok("hear me"));
    }

    #[tokio::test]
    async fn the_error_of_a_missing_password_names_the_variable() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut connection, _) = server.accept().unwrap();
            let _ = connection.read(&mut [0; 1024]).unwrap();
            // AuthenticationCleartextPassword
            connection.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
        });
        let message =
            connector(&format!("postgres://someone@{address}/d")).connect(|_| {}).await.unwrap_err().to_string();
        assert!(message.contains("password missing; set ROLLBOOK_DATABASE_PASSWORD"), "{message}");
    }

    #[tokio::test]
    async fn the_error_names_every_host_and_no_password() {
        let closed = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (one, two) = (closed(), closed());
        let connector = connector(&format!("postgres://someone:hush@{one},{two}/d"));
        let message = connector.connect(|_| {}).await.unwrap_err().to_string();
        assert!(message.contains(&format!("{one}: ")) && message.contains(&format!("; {two}: ")), "{message}");
        assert!(
            !format!("{message} {connector:?} {} {:?}", connector.display_url(), connector.config).contains("hush")
        );
    }
}
