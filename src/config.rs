//! The configuration. Each setting is a flag and an environment variable, and its doc comment is its help text. Secrets
//! are environment variables only, because every user of the machine can read arguments.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use axum::http::Uri;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::domain::client::{SECRET_MAX, SECRET_MIN, is_valid_secret};
use crate::domain::labels::Tag;
use crate::domain::user::Secret;

/// The database URL if none is configured.
const DEFAULT_DATABASE: &str = "sqlite:rollbook-data/rollbook.db";

/// The settings of the directory, for the server and for every other command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The directory")]
pub struct DatabaseConfig {
    /// The URL of the database: sqlite:PATH or postgres://USER@HOST/DATABASE
    ///
    /// With sqlite:PATH, `serve` creates the file and its folders if they do not exist. The full form of the other is
    /// `postgres://USER@HOST[:PORT][,HOST...]/DATABASE[?OPTIONS]`, with the options sslmode (disable, require,
    /// verify-full), sslrootcert (a PEM file), target_session_attrs (read-write, any), connect_timeout (seconds),
    /// application_name and host. An argument must not contain a password: set ROLLBOOK_DATABASE_PASSWORD.
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = DEFAULT_DATABASE,
        value_parser = NonEmptyStringValueParser::new(),
        hide_env_values = true,
        global = true
    )]
    pub database: String,

    /// The maximum number of connections to PostgreSQL
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "16",
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        global = true,
        hide_short_help = true
    )]
    pub database_connections: u32,

    /// How long a request waits for a connection before it is refused
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_WAIT_SECONDS",
        value_name = "SECONDS",
        default_value = "2",
        value_parser = clap::value_parser!(u32).range(1..=3_600),
        global = true,
        hide_short_help = true
    )]
    pub database_wait_seconds: u32,

    /// The time limit of one statement in PostgreSQL
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_STATEMENT_SECONDS",
        value_name = "SECONDS",
        default_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=3_600),
        global = true,
        hide_short_help = true
    )]
    pub database_statement_seconds: u32,

    /// The language whose label is a group's Name [default: the directory's own, "en" for a new one]
    #[arg(
        long,
        env = "ROLLBOOK_DEFAULT_LANGUAGE",
        value_name = "TAG",
        value_parser = tag,
        global = true,
        hide_short_help = true
    )]
    pub default_language: Option<Tag>,

    /// The issuer and audience of tokens, "iss" and "aud" [default: the public URL if it is set, else "rollbook"]
    #[arg(
        long,
        env = "ROLLBOOK_ISSUER",
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new(),
        global = true,
        hide_short_help = true
    )]
    pub issuer: Option<String>,

    /// The URL by which callers reach the server, such as `https://groups.example.com`: the base of every absolute
    /// link. Programs that verify tokens get the keys from its path /oauth/certs
    #[arg(
        long,
        env = "ROLLBOOK_PUBLIC_URL",
        value_name = "URL",
        value_parser = public_url,
        global = true,
        hide_short_help = true
    )]
    pub public_url: Option<String>,
}

impl DatabaseConfig {
    /// The database URL as an argument of another command. `None` if the command does not need it, because it is the
    /// default, or must not have it, because it contains a password.
    pub fn flag(&self) -> Option<&str> {
        Some(&*self.database).filter(|url| *url != DEFAULT_DATABASE && !has_password(url))
    }

    /// The issuer and audience of tokens.
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().or(self.public_url.as_deref()).unwrap_or("rollbook")
    }

    /// The URL at which callers reach the server, without a slash at its end: the public URL, otherwise the issuer if it
    /// is a URL.
    pub fn base_url(&self) -> Option<String> {
        let issuer = || self.issuer.as_deref().and_then(|issuer| public_url(issuer).ok());
        self.public_url.clone().or_else(issuer)
    }

    /// The password for PostgreSQL from the environment, if it is set. Fails if it is not UTF-8.
    pub fn password() -> anyhow::Result<Option<Secret>> {
        Ok(variable(DATABASE_PASSWORD)?.map(Secret::from))
    }
}

/// Fails if an argument is a database URL with a password, or a flag with such a value.
pub fn refuse_passwords(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    for argument in arguments {
        let argument = argument.to_string_lossy();
        let value = if argument.starts_with("--") { argument.split_once('=').map(|(_, value)| value) } else { None };
        if has_password(value.unwrap_or(&argument)) {
            bail!(
                "an argument contains the password of the database, and every user of this machine can read arguments: \
                 leave it out of the URL and set {DATABASE_PASSWORD}, or set ROLLBOOK_DATABASE to the whole URL; and \
                 change that password"
            );
        }
    }
    Ok(())
}

fn has_password(url: &str) -> bool {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    rest.and_then(|rest| rest.rsplit_once('@')).is_some_and(|(login, _)| login.contains(':'))
}

/// The settings of the log, which is written to standard error.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The log")]
pub struct LogConfig {
    /// The lowest level that is logged [default: info for `serve`, warn for the other commands]
    ///
    /// One of error, warn, info, debug, trace and off, or levels by module: "info,rollbook::store=debug".
    #[arg(
        long,
        env = "ROLLBOOK_LOG",
        value_name = "FILTER",
        value_parser = NonEmptyStringValueParser::new(),
        global = true,
        hide_short_help = true
    )]
    pub log: Option<String>,

    /// The format of log lines
    #[arg(
        long,
        env = "ROLLBOOK_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        global = true,
        hide_short_help = true
    )]
    pub log_format: LogFormat,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Text for people
    Text,
    /// One JSON object per line
    Json,
}

/// The settings of the server.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "ROLLBOOK_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub listen: SocketAddr,

    /// A second address, for /metrics only; port 0 takes a free one
    ///
    /// The address of the APIs also serves /metrics if it is a loopback address.
    #[arg(long, env = "ROLLBOOK_METRICS_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,

    /// How many days the journal keeps changes; older ones are dropped [default: for ever]
    ///
    /// Questions about moments before that are then refused. Give all nodes of a directory the same number.
    #[arg(
        long,
        env = "ROLLBOOK_JOURNAL_DAYS",
        value_name = "DAYS",
        value_parser = clap::value_parser!(u32).range(1..=36_500),
        hide_short_help = true
    )]
    pub journal_days: Option<u32>,

    /// The maximum number of client connections; further ones wait. Fewer if the system's limit of open files requires
    /// it
    #[arg(
        long,
        env = "ROLLBOOK_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "10000",
        value_parser = clap::value_parser!(u32).range(1..),
        hide_short_help = true
    )]
    pub max_connections: u32,

    /// The total memory for the bodies of all requests; further requests are refused
    #[arg(
        long,
        env = "ROLLBOOK_BODY_BUDGET_MIB",
        value_name = "MIB",
        default_value = "256",
        value_parser = clap::value_parser!(u32).range(1..=1_048_576),
        hide_short_help = true
    )]
    pub body_budget_mib: u32,

    /// How many days the server keeps who signed in and from which address
    #[arg(
        long,
        env = "ROLLBOOK_SIGN_IN_DAYS",
        value_name = "DAYS",
        default_value = "90",
        value_parser = clap::value_parser!(u32).range(1..=36_500),
        hide_short_help = true
    )]
    pub sign_in_days: u32,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// Parses an http or https URL without user, query and fragment. Removes the slashes at its end.
fn public_url(text: &str) -> Result<String, String> {
    let is_complete = |uri: &Uri| {
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().is_some_and(|authority| {
            let has_port = authority.as_str().len() > authority.host().len();
            !authority.host().is_empty() && (!has_port || authority.port_u16().is_some())
        });
        scheme && host
    };
    let plain = !text.contains(['?', '#', '@']);
    match text.parse::<Uri>() {
        Ok(uri) if plain && is_complete(&uri) => Ok(text.trim_end_matches('/').to_owned()),
        _ => {
            Err("must be an http or https URL without query and fragment, such as https://groups.example.com"
                .to_owned())
        }
    }
}

fn tag(text: &str) -> Result<Tag, String> {
    Tag::parse(text).ok_or_else(|| "must be a BCP 47 language tag, such as en or pt-BR".to_owned())
}

/// The help text for the settings that are environment variables only.
pub const ENVIRONMENT_HELP: &str = "\
Environment variables without a flag:
  ROLLBOOK_DATABASE_PASSWORD    The password for PostgreSQL, unless the URL in ROLLBOOK_DATABASE contains it
  ROLLBOOK_ADMIN_CLIENT_ID      A client with FullAccess, which the server creates at start or gives the secret below
  ROLLBOOK_ADMIN_CLIENT_SECRET  20 to 128 characters";

const DATABASE_PASSWORD: &str = "ROLLBOOK_DATABASE_PASSWORD";
const ADMIN_ID: &str = "ROLLBOOK_ADMIN_CLIENT_ID";
const ADMIN_SECRET: &str = "ROLLBOOK_ADMIN_CLIENT_SECRET";

/// The administrator's client from the environment.
pub struct AdminClient {
    /// The `client_id`.
    pub id: String,
    /// The secret, which satisfies [`is_valid_secret`].
    pub secret: Secret,
}

impl AdminClient {
    /// Reads both variables. `None` if neither is set. Fails if only one is set, or if the secret is not valid.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        Self::new(variable(ADMIN_ID)?, variable(ADMIN_SECRET)?)
    }

    fn new(id: Option<String>, secret: Option<String>) -> anyhow::Result<Option<Self>> {
        match (id, secret) {
            (None, None) => Ok(None),
            (Some(_), None) => bail!("{ADMIN_ID} is set and {ADMIN_SECRET} is not; set both or neither"),
            (None, Some(_)) => bail!("{ADMIN_SECRET} is set and {ADMIN_ID} is not; set both or neither"),
            (Some(_), Some(secret)) if !is_valid_secret(&secret) => {
                bail!("{ADMIN_SECRET} must have {SECRET_MIN} to {SECRET_MAX} characters; choose another one")
            }
            (Some(id), Some(secret)) => Ok(Some(Self { id, secret: secret.into() })),
        }
    }
}

/// The value of an environment variable; an empty one counts as not set. Fails if it is not UTF-8.
pub(crate) fn variable(name: &str) -> anyhow::Result<Option<String>> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    value.into_string().ok().with_context(|| format!("{name} is not UTF-8; set it to plain text")).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_client_needs_both_variables() {
        let preset = |id: Option<&str>, secret: Option<&str>| {
            AdminClient::new(id.map(str::to_owned), secret.map(str::to_owned)).map(|own| own.map(|own| own.id))
        };
        assert_eq!(preset(None, None).unwrap(), None);
        assert_eq!(preset(Some("ci"), Some("01234567890123456789")).unwrap().as_deref(), Some("ci"));
        for (id, secret) in [(Some("ci"), None), (None, Some("01234567890123456789")), (Some("ci"), Some("short"))] {
            let error = preset(id, secret).unwrap_err().to_string();
            assert!(error.contains("ROLLBOOK_ADMIN_CLIENT_") && !error.contains("0123"), "{error}");
        }
    }

    #[test]
    fn a_public_url_is_complete_and_has_no_user_query_or_fragment() {
        for (text, url) in [
            ("https://groups.example.com", "https://groups.example.com"),
            ("http://10.0.0.1:8080/", "http://10.0.0.1:8080"),
            ("http://[::1]:8080/rollbook/", "http://[::1]:8080/rollbook"),
        ] {
            assert_eq!(public_url(text).as_deref(), Ok(url));
        }
        for text in [
            "",
            "groups.example.com",
            "/rollbook",
            "ftp://h",
            "https://",
            "https://h?x",
            "https://h/#x",
            "https://u:p@h",
            "https://h:",
            "https://h:99999",
            "https://a b",
        ] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_with_passwords_are_refused() {
        let refused = |argument: &str| refuse_passwords([argument.into()]).map_err(|error| error.to_string());
        for argument in
            ["postgres://u:hush@h/d", "postgresql://u:hush/hush@h/d", "--from=postgres://u:hush@h,h/d?host=x"]
        {
            let error = refused(argument).unwrap_err();
            assert!(error.contains("set ROLLBOOK_DATABASE_PASSWORD") && !error.contains("hush"), "{argument}: {error}");
        }
        for argument in
            ["postgres://u@h:5432,h:1/d?connect_timeout=3", "postgres://h:5432/d", "sqlite:a:b@c", "--x=a:b@c"]
        {
            assert_eq!(refused(argument), Ok(()), "{argument}");
        }
    }
}
