//! Everything that can be configured: each setting is a flag, an environment variable and its own documentation.
//! Secrets are no flags: an argument is there for every user of the machine to read.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::domain::client::{SECRET_MAX, SECRET_MIN};
use crate::domain::labels::Tag;
use crate::domain::user::Secret;

/// Which directory, for the server and for every command beside it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The directory")]
pub struct DatabaseConfig {
    /// Where the directory is kept: sqlite:PATH, where `serve` makes the file and its folders if they are missing, or
    /// `postgres://USER@HOST[:PORT][,HOST...]/DATABASE[?OPTIONS]`, with the options sslmode (disable, require,
    /// verify-full), sslrootcert (a PEM file), target_session_attrs (read-write, any), connect_timeout (seconds),
    /// application_name and host. A password is no part of an argument: see below
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook-data/rollbook.db",
        hide_env_values = true,
        global = true
    )]
    pub database: String,

    /// How many connections to PostgreSQL there are at most
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "16",
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        global = true
    )]
    pub database_connections: u32,

    /// For how long a request waits for one of them before it is refused
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_WAIT_SECONDS",
        value_name = "SECONDS",
        default_value = "2",
        value_parser = clap::value_parser!(u32).range(1..=3_600),
        global = true
    )]
    pub database_wait_seconds: u32,

    /// For how long PostgreSQL works on one statement before it gives it up
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_STATEMENT_SECONDS",
        value_name = "SECONDS",
        default_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=3_600),
        global = true
    )]
    pub database_statement_seconds: u32,

    /// The language whose label is a group's Name [default: as the directory was made, "en" for a new one]
    #[arg(long, env = "ROLLBOOK_DEFAULT_LANGUAGE", value_name = "TAG", value_parser = tag, global = true)]
    pub default_language: Option<Tag>,

    /// The name under which tokens are issued and accepted: their "iss" and "aud"
    #[arg(long, env = "ROLLBOOK_ISSUER", value_name = "NAME", default_value = "rollbook", global = true)]
    pub issuer: String,
}

impl DatabaseConfig {
    /// The password for PostgreSQL that is in the environment, if there is one.
    pub fn password() -> anyhow::Result<Option<Secret>> {
        Ok(variable(DATABASE_PASSWORD)?.map(Secret::from))
    }
}

/// Fails if one of the arguments is a database's URL with a password, or has one as its value.
pub fn refuse_passwords(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    for argument in arguments {
        let argument = argument.to_string_lossy();
        let value = if argument.starts_with("--") { argument.split_once('=').map(|(_, value)| value) } else { None };
        if has_password(value.unwrap_or(&argument)) {
            bail!(
                "an argument holds the password of the database, and every user of this machine can read arguments: \
                 leave it out of the URL and set {DATABASE_PASSWORD}, or set ROLLBOOK_DATABASE to the whole URL; and \
                 change that password"
            );
        }
    }
    Ok(())
}

fn has_password(url: &str) -> bool {
    let place = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    place.and_then(|place| place.rsplit_once('@')).is_some_and(|(login, _)| login.contains(':'))
}

/// What is logged, to standard error.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The log")]
pub struct LogConfig {
    /// The least severe level that is logged, also by module: "info,rollbook::store=debug" [default: info for
    /// `serve`, warn for the other commands, which print what they did]
    #[arg(long, env = "ROLLBOOK_LOG", value_name = "FILTER", global = true)]
    pub log: Option<String>,

    /// How log lines are written
    #[arg(long, env = "ROLLBOOK_LOG_FORMAT", value_name = "FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// How the server is reached.
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

    /// A second address, to serve /metrics alone; beside the APIs they are served on a loopback address only
    #[arg(long, env = "ROLLBOOK_METRICS_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,

    /// How many connections are served at a time; further ones wait
    #[arg(
        long,
        env = "ROLLBOOK_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "10000",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_connections: u32,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

fn tag(text: &str) -> Result<Tag, String> {
    Tag::parse(text).ok_or_else(|| "this is no BCP 47 language tag, such as en or pt-BR".to_owned())
}

/// What `--help` says of the settings that are environment variables alone.
pub const ENVIRONMENT_HELP: &str = "\
Environment variables without a flag:
  ROLLBOOK_DATABASE_PASSWORD    The password for PostgreSQL, unless the URL in ROLLBOOK_DATABASE has it
  ROLLBOOK_ADMIN_CLIENT_ID      With the secret: a FullAccess client that is made at the start, or given this secret
  ROLLBOOK_ADMIN_CLIENT_SECRET  20 to 128 characters";

const DATABASE_PASSWORD: &str = "ROLLBOOK_DATABASE_PASSWORD";
const ADMIN_ID: &str = "ROLLBOOK_ADMIN_CLIENT_ID";
const ADMIN_SECRET: &str = "ROLLBOOK_ADMIN_CLIENT_SECRET";

/// The client preset by the environment.
pub struct AdminClient {
    pub id: String,
    pub secret: Secret,
}

impl AdminClient {
    /// Reads both variables; `None` where neither is set. Fails with a sentence where one is missing or unfit.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        Self::new(variable(ADMIN_ID)?, variable(ADMIN_SECRET)?)
    }

    fn new(id: Option<String>, secret: Option<String>) -> anyhow::Result<Option<Self>> {
        match (id, secret) {
            (None, None) => Ok(None),
            (Some(_), None) => bail!("{ADMIN_ID} is set and {ADMIN_SECRET} is not; set both or neither"),
            (None, Some(_)) => bail!("{ADMIN_SECRET} is set and {ADMIN_ID} is not; set both or neither"),
            (Some(_), Some(secret)) if !(SECRET_MIN..=SECRET_MAX).contains(&secret.chars().count()) => {
                bail!("{ADMIN_SECRET} must have {SECRET_MIN} to {SECRET_MAX} characters; choose another one")
            }
            (Some(id), Some(secret)) => Ok(Some(Self { id, secret: secret.into() })),
        }
    }
}

/// The variable's text; empty counts as not set.
fn variable(name: &'static str) -> anyhow::Result<Option<String>> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    value.into_string().ok().with_context(|| format!("{name} is not UTF-8; set it to plain text")).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_client_is_whole_or_absent() {
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
    fn passwords_are_no_arguments() {
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
