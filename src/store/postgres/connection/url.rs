//! Parsing of `postgres://` URLs. Error messages never quote a part of the URL that may contain a password, not even
//! one that was not percent-encoded correctly.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

/// The supported options, for messages.
const OPTIONS: &str = "sslmode, sslrootcert, target_session_attrs, connect_timeout, application_name, host";
const DEFAULT_PORT: u16 = 5432;
/// The default of `connect_timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum of `connect_timeout`, in seconds.
const MAX_TIMEOUT: u64 = 600;

/// A parsed database URL.
pub(crate) struct PostgresUrl {
    /// The role. `None` = the name of the operating system's user.
    pub user: Option<String>,
    /// The password. `None` = not in the URL.
    pub password: Option<SecretString>,
    /// The hosts, at least one, in the order in which they are tried.
    pub hosts: Vec<Host>,
    /// The name of the database.
    pub database: String,
    /// The options after the question mark.
    pub options: UrlOptions,
}

/// The address of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// A host name, an IP address, or (with a leading slash) the folder of a Unix socket.
    pub name: String,
    /// The TCP port, also part of the name of a Unix socket.
    pub port: u16,
}

/// The options of a database URL.
#[derive(Debug, Default)]
pub(crate) struct UrlOptions {
    /// The TLS mode. `None` = not given.
    pub ssl_mode: Option<SslMode>,
    /// A PEM file of trusted certificates. `None` = those that the operating system trusts.
    pub ssl_root_cert: Option<PathBuf>,
    /// Whether a server that does not accept writes can be used.
    pub any_session: bool,
    /// The time limit for connecting to one address. `None` = the default.
    pub connect_timeout: Option<Duration>,
    /// The name of this program in `pg_stat_activity`. `None` = `rollbook`.
    pub application_name: Option<String>,
    /// The host, if it is not in its usual place in the URL.
    host: Option<String>,
}

/// What a connection requires of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SslMode {
    /// No encryption.
    Disable,
    /// Encryption, and a trusted certificate of the server.
    Require,
    /// As `Require`, and the certificate must be for the name of the host.
    VerifyFull,
}

impl PostgresUrl {
    /// Parses the URL. Fails with a message that says what to write instead.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.context("the URL of PostgreSQL must begin with postgres://")?;
        let (location, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = location.split_once('/').unwrap_or((location, ""));
        if options.contains('@') || database.contains(['@', '/']) {
            bail!(
                "the URL of PostgreSQL has an '@' or '/' in the wrong place: inside a name or password write '@' as \
                 %40, '/' as %2F, ':' as %3A, '?' as %3F and '%' as %25"
            );
        }
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let database = decode(database)?;
        if database.is_empty() {
            bail!("the URL of PostgreSQL names no database: write postgres://USER@HOST/DATABASE");
        }
        let options = UrlOptions::parse(options)?;
        Ok(Self {
            user: Some(decode(user)?).filter(|user| !user.is_empty()),
            password: Some(decode(password)?).filter(|password| !password.is_empty()).map(SecretString::from),
            hosts: hosts_of(hosts, options.host.as_deref())?,
            database,
            options,
        })
    }

    /// The TLS mode: the given one. The default is `Disable` if all hosts are this machine and no certificates are
    /// given, and otherwise `VerifyFull`. Fails if the mode contradicts the other options.
    pub(crate) fn ssl_mode(&self) -> anyhow::Result<SslMode> {
        let is_local = self.hosts.iter().all(Host::is_local) && self.options.ssl_root_cert.is_none();
        let mode = self.options.ssl_mode.unwrap_or(if is_local { SslMode::Disable } else { SslMode::VerifyFull });
        if mode == SslMode::Disable && self.options.ssl_root_cert.is_some() {
            bail!("sslrootcert has no effect with sslmode=disable: leave one of them out");
        }
        if mode != SslMode::Disable && self.hosts.iter().any(Host::is_socket) {
            bail!("TLS is not possible over a Unix socket: name a host, or leave sslmode and sslrootcert out");
        }
        Ok(mode)
    }
}

/// The URL without its password and options.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let hosts: Vec<_> = self.hosts.iter().map(Host::to_string).collect();
        write!(f, "postgres://{user}{}/{}", hosts.join(","), self.database)
    }
}

impl Host {
    /// Whether the host is the folder of a Unix socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.name.starts_with('/')
    }

    /// Whether the host is certainly this machine.
    fn is_local(&self) -> bool {
        let is_loopback = self.name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        self.is_socket() || self.name == "localhost" || is_loopback
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let (name, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            Some((address, port)) => (address, port),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0),
            None => port.is_empty().then_some(DEFAULT_PORT),
        };
        let port = port.context(
            "a port in the URL of PostgreSQL is not a number from 1 to 65535 (write an IPv6 address in brackets, and a \
             ':' inside a name or password as %3A)",
        )?;
        Ok(Self { name: decode(name)?, port })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]", self.name)?,
            false => f.write_str(&self.name.replace('/', "%2F"))?,
        }
        if self.port == DEFAULT_PORT { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// The hosts of the URL, or the one of the `option`.
fn hosts_of(text: &str, option: Option<&str>) -> anyhow::Result<Vec<Host>> {
    let mut hosts = text.split(',').map(Host::parse).collect::<anyhow::Result<Vec<_>>>()?;
    match (option, &mut *hosts) {
        (Some(name), [host]) if host.name.is_empty() => host.name = name.to_owned(),
        (Some(_), _) => bail!("the URL of PostgreSQL names a host twice: before the database and by the option host"),
        (None, _) => {}
    }
    if hosts.iter().any(|host| host.name.is_empty()) {
        bail!("the URL of PostgreSQL lacks a host: write postgres://USER@HOST/DATABASE");
    }
    Ok(hosts)
}

impl UrlOptions {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if seen.contains(&name) {
                bail!("the URL of PostgreSQL gives the option {name} twice");
            }
            seen.push(name);
            options.set(name, decode(value)?)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: String) -> anyhow::Result<()> {
        match name {
            "sslmode" => self.ssl_mode = Some(SslMode::parse(&value)?),
            "sslrootcert" => self.ssl_root_cert = Some(value.into()),
            "target_session_attrs" => self.any_session = is_any(&value)?,
            "connect_timeout" => self.connect_timeout = Some(seconds(&value)?),
            "application_name" => self.application_name = Some(value),
            "host" => self.host = Some(value),
            _ => bail!("the URL of PostgreSQL has an unknown option {name:?}; supported options: {OPTIONS}"),
        }
        Ok(())
    }

    /// The time limit for connecting to one address.
    pub(crate) fn timeout(&self) -> Duration {
        self.connect_timeout.unwrap_or(DEFAULT_TIMEOUT)
    }
}

impl SslMode {
    fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "disable" => Self::Disable,
            "require" => Self::Require,
            "verify-full" => Self::VerifyFull,
            _ => bail!("sslmode must be disable, require or verify-full"),
        })
    }
}

fn is_any(text: &str) -> anyhow::Result<bool> {
    match text {
        "any" => Ok(true),
        "read-write" => Ok(false),
        _ => bail!("target_session_attrs must be read-write or any"),
    }
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    let seconds = text.parse().ok().filter(|seconds| (1..=MAX_TIMEOUT).contains(seconds));
    seconds.map(Duration::from_secs).with_context(|| format!("connect_timeout must be 1 to {MAX_TIMEOUT} seconds"))
}

fn decode(text: &str) -> anyhow::Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).ok().context("the percent-encoded text in the URL of PostgreSQL is not UTF-8")
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn host(name: &str, port: u16) -> Host {
        Host { name: name.to_owned(), port }
    }

    fn refusal(url: &str) -> String {
        format!("{:#}", PostgresUrl::parse(url).and_then(|url| url.ssl_mode()).unwrap_err())
    }

    #[test]
    fn every_part_is_read() {
        let url = PostgresUrl::parse(
            "postgresql://us%40er:p%3A@s%2Fs@one,two:6432,[::1]:7/d%2Fb?sslmode=require&sslrootcert=%2Fca.pem\
             &target_session_attrs=any&connect_timeout=9&application_name=a%20b",
        )
        .unwrap();
        assert_eq!(url.user.as_deref(), Some("us@er"));
        assert_eq!(url.password.as_ref().unwrap().expose_secret(), "p:@s/s");
        assert_eq!(url.hosts, [host("one", 5432), host("two", 6432), host("::1", 7)]);
        assert_eq!(url.database, "d/b");
        assert_eq!(url.ssl_mode().unwrap(), SslMode::Require);
        assert_eq!(url.options.ssl_root_cert.as_deref(), Some("/ca.pem".as_ref()));
        assert!(url.options.any_session);
        assert_eq!(url.options.timeout(), Duration::from_secs(9));
        assert_eq!(url.options.application_name.as_deref(), Some("a b"));
        assert_eq!(url.to_string(), "postgres://us@er@one,two:6432,[::1]:7/d/b");
    }

    #[test]
    fn defaults_are_safe() {
        let url = PostgresUrl::parse("postgres://db.example/rollbook").unwrap();
        assert!(url.user.is_none() && url.password.is_none() && !url.options.any_session);
        assert_eq!(url.options.timeout(), DEFAULT_TIMEOUT);
        let mode = |url: &str| PostgresUrl::parse(url).unwrap().ssl_mode().unwrap();
        assert_eq!(mode("postgres://db.example/d"), SslMode::VerifyFull);
        assert_eq!(mode("postgres://localhost,db.example/d"), SslMode::VerifyFull);
        assert_eq!(mode("postgres://10.0.0.1/d"), SslMode::VerifyFull);
        assert_eq!(mode("postgres://localhost,127.0.0.2,[::1]/d"), SslMode::Disable);
        assert_eq!(mode("postgres://localhost/d?sslrootcert=ca.pem"), SslMode::VerifyFull);
    }

    #[test]
    fn a_unix_socket_is_named_in_two_ways() {
        for url in ["postgres://%2Frun%2Fpg:99/d", "postgres://:99/d?host=/run/pg", "postgres://:99/d?host=%2Frun%2Fpg"]
        {
            let url = PostgresUrl::parse(url).unwrap();
            assert_eq!(url.hosts, [host("/run/pg", 99)]);
            assert_eq!(url.ssl_mode().unwrap(), SslMode::Disable);
            assert_eq!(url.to_string(), "postgres://%2Frun%2Fpg:99/d");
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        assert!(
            refusal("postgres://h/d?sslmod=require").contains("unknown option \"sslmod\"; supported options: sslmode,")
        );
        assert!(refusal("postgres://h/d?sslmode=prefer").contains("disable, require or verify-full"));
        assert!(refusal("postgres://h/d?sslmode=disable&sslmode=require").contains("sslmode twice"));
        assert!(refusal("postgres://h/d?sslmode=disable&sslrootcert=ca.pem").contains("leave one of them out"));
        assert!(refusal("postgres://%2Ftmp/d?sslmode=require").contains("Unix socket"));
        assert!(refusal("postgres://h/d?target_session_attrs=standby").contains("read-write or any"));
        assert!(refusal("postgres://h/d?connect_timeout=0").contains("1 to 600"));
        assert!(refusal("postgres://h/d?host=/tmp").contains("twice"));
        for url in ["postgres://u@h", "postgres://u@h/", "postgres://u@h?sslmode=disable"] {
            assert!(refusal(url).contains("no database"), "{url}");
        }
        for url in ["postgres:///d", "postgres://u@/d", "postgres://u@h,/d"] {
            assert!(refusal(url).contains("lacks a host"), "{url}");
        }
        for url in
            ["postgres://h:x/d", "postgres://h:0/d", "postgres://h:65536/d", "postgres://::1/d", "postgres://[::1]5/d"]
        {
            assert!(refusal(url).contains("65535"), "{url}");
        }
        assert!(refusal("mysql://h/d").contains("postgres://"));
        assert!(refusal("postgres://h/%ff").contains("UTF-8"));
    }

    #[test]
    fn a_password_that_was_not_encoded_is_not_printed() {
        for url in [
            "postgres://u:hush/hush@h/d",
            "postgres://u:hush?hush@h/d",
            "postgres://u:hush:hush/d",
            "postgres://u:hush",
        ] {
            assert!(!refusal(url).contains("hush"), "{url}");
        }
        let url = PostgresUrl::parse("postgres://u:hush@h/d").unwrap();
        assert_eq!(url.to_string(), "postgres://u@h/d");
    }
}
