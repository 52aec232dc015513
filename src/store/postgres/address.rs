//! Where the database is, and connecting to it.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode as Encryption, TargetSessionAttrs};
use tokio_postgres::error::DbError;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls;
use super::trouble::text;
use super::url::{Host, SslMode, Url};

/// How long a connection may be idle before it is asked whether the other side is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
/// How long what was sent may stay unacknowledged by the other side's system.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Where a database is and how it is connected to.
pub struct Address {
    hosts: Vec<Host>,
    /// The host to begin with: the last that answered, or the one behind the last that did not.
    first: AtomicUsize,
    /// All but the host.
    config: Config,
    tls: MakeRustlsConnect,
    timeout: Duration,
    shown: String,
}

/// Why there is no connection: each host that was tried, with its reason.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(String);

impl From<tokio_postgres::Error> for Unreachable {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(text(&error))
    }
}

impl Address {
    /// Reads a `postgres://` URL; a password in it goes before the other. Fails with a sentence that says what to
    /// write instead, and which quotes no password.
    pub fn parse(url: &str, password: Option<&SecretString>) -> anyhow::Result<Self> {
        let url = Url::parse(url)?;
        let mode = url.ssl_mode()?;
        Ok(Self {
            first: AtomicUsize::new(0),
            config: config(&url, mode, password),
            tls: tls::connector(mode, url.options.ssl_root_cert.as_deref())?,
            timeout: url.options.timeout(),
            shown: url.to_string(),
            hosts: url.hosts,
        })
    }

    /// The URL without its password and options, for messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects to the first host that will do, and tells `on_notice` of the server's notices, each before the answer
    /// behind it arrives. Each address of a host has the URL's time limit.
    pub async fn connect(&self, on_notice: impl Fn(&DbError) + Send + 'static) -> Result<Client, Unreachable> {
        let count = self.hosts.len();
        let first = self.first.load(Ordering::Relaxed);
        let mut reasons = Vec::new();
        for at in (first..first + count).map(|at| at % count) {
            let host = &self.hosts[at];
            match self.connect_to(host).await {
                Ok((client, driver)) => {
                    self.first.store(at, Ordering::Relaxed);
                    tokio::spawn(drive(driver, on_notice));
                    return Ok(client);
                }
                Err(Unreachable(reason)) => {
                    // Told at once: the caller's patience may end before the last host.
                    self.first.store((at + 1) % count, Ordering::Relaxed);
                    reasons.push(format!("{host}: {reason}"));
                }
            }
        }
        Err(Unreachable(reasons.join("; ")))
    }

    async fn connect_to(&self, host: &Host) -> Result<(Client, Driver), Unreachable> {
        if host.is_socket() {
            return self.connect_at(host, None).await;
        }
        let looked_up = timeout(self.timeout, lookup_host((&*host.name, host.port))).await.map_err(|_| self.late())?;
        let addresses = looked_up.map_err(|error| Unreachable(format!("its address is not known: {error}")))?;
        let mut reason = Unreachable("it has no address".to_owned());
        for address in addresses {
            match self.connect_at(host, Some(address)).await {
                Err(error) => reason = error,
                connected => return connected,
            }
        }
        Err(reason)
    }

    /// tokio-postgres bounds the first step alone; a server that hangs answers none of the others.
    async fn connect_at(&self, host: &Host, address: Option<SocketAddr>) -> Result<(Client, Driver), Unreachable> {
        let mut config = self.config.clone();
        config.host(&host.name).port(host.port);
        if let Some(address) = address {
            config.hostaddr(address.ip());
        }
        let connected = timeout(self.timeout, config.connect(self.tls.clone())).await.map_err(|_| self.late())?;
        Ok(connected?)
    }

    fn late(&self) -> Unreachable {
        Unreachable(format!("no answer within {} s", self.timeout.as_secs()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

fn config(url: &Url, mode: SslMode, password: Option<&SecretString>) -> Config {
    let mut config = Config::new();
    config
        .dbname(&url.database)
        .application_name(url.options.application_name.as_deref().unwrap_or("rollbook"))
        .ssl_mode(if mode == SslMode::Disable { Encryption::Disable } else { Encryption::Require })
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        .tcp_user_timeout(UNACKNOWLEDGED);
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

/// Moves what is sent and received until the client is dropped or the connection is lost.
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
    use std::net::TcpListener;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::postgres::scratch::Scratch;

    fn address(url: &str) -> Address {
        Address::parse(url, None).unwrap()
    }

    /// The URL with another host before its own.
    fn behind(host: SocketAddr, url: &str) -> String {
        let mark = if url.contains('@') { "@" } else { "//" };
        url.replacen(mark, &format!("{mark}{host},"), 1)
    }

    #[tokio::test]
    async fn a_host_that_hangs_is_passed_over_and_remembered() {
        let scratch = Scratch::new().await;
        // The system takes the connection, and nobody ever reads from it.
        let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = behind(hanging.local_addr().unwrap(), scratch.url());
        let address = address(&format!("{url}&connect_timeout=1"));
        address.connect(|_| {}).await.unwrap();
        assert_eq!(address.first.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_written_to_will_do_only_if_asked_for() {
        let scratch = Scratch::new().await;
        let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', \
                         current_database()); END $$";
        scratch.connect().await.batch_execute(read_only).await.unwrap();
        let refused = address(scratch.url()).connect(|_| {}).await.unwrap_err().to_string();
        assert!(refused.contains("does not allow writes"), "{refused}");
        address(&format!("{}&target_session_attrs=any", scratch.url())).connect(|_| {}).await.unwrap();
    }

    #[tokio::test]
    async fn notices_come_before_the_answer() {
        let scratch = Scratch::new().await;
        let (sender, notices) = channel();
        let on_notice = move |notice: &DbError| sender.send(notice.message().to_owned()).unwrap();
        let client = address(scratch.url()).connect(on_notice).await.unwrap();
        client.batch_execute("DO $$ BEGIN RAISE WARNING 'hear me'; END $$").await.unwrap();
        assert_eq!(notices.try_recv().as_deref(), Ok("hear me"));
    }

    #[tokio::test]
    async fn every_host_has_its_reason_and_no_password_is_told() {
        let closed = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (one, two) = (closed(), closed());
        let address = address(&format!("postgres://someone:hush@{one},{two}/d"));
        let told = address.connect(|_| {}).await.unwrap_err().to_string();
        assert!(told.contains(&format!("{one}: ")) && told.contains(&format!("; {two}: ")), "{told}");
        assert!(!format!("{told} {address:?} {} {:?}", address.shown(), address.config).contains("hush"));
    }
}
