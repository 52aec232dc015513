//! `rollbook serve`: opens the directory and serves it until a signal stops the server.

mod administrators;
mod expiring_tokens;
mod upkeep;

use std::env;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::config::{AdminClient, DatabaseConfig, ServeConfig};
use crate::domain::caller::{Caller, ManageClients, Permit, ReadClients};
use crate::domain::client::ACCESS_MINUTES_DEFAULT;
use crate::domain::community::Communities;
use crate::domain::error::{Error, ResourceKind};
use crate::domain::journal::Channel;
use crate::domain::role::Roles;
use crate::domain::user::Secret;
use crate::http::limits::Limits;
use crate::http::{descriptors, metrics, middleware, server};
use crate::service::Service;
use crate::service::clients::{ClientDraft, new_secret};
use crate::service::setup::FirstAdministrator;
use crate::{Purpose, app, open, telemetry};

use administrators::LINK_MINUTES;

/// The maximum number of connections to the separate address of the metrics.
const METRICS_CONNECTIONS: usize = 32;

/// The maximum number of connections that wait to be accepted: the value of the standard library.
const BACKLOG: u32 = 128;

/// Serves until SIGINT or SIGTERM; ignores SIGHUP. Fails if the store loses its database.
pub(super) async fn run(config: ServeConfig, database: &DatabaseConfig) -> anyhow::Result<()> {
    let presets = Presets { client: AdminClient::from_env()?, user: administrators::preset()? };
    let stop = stop_signal()?;
    ignore_hangup()?;
    let metrics_handle = telemetry::init_metrics()?;
    let limits = limits(&config, database)?;
    // Before the directory is opened: if an address is in use, no new database is left behind.
    let sockets = Sockets::bind(&config)?;
    let service = open(database, Purpose::Serve).await?;
    if let Some(days) = config.journal_days {
        tokio::spawn(upkeep::drop_old_changes(Arc::clone(&service), days));
    }
    let settings = Settings { limits, sign_in_days: config.sign_in_days };
    let served = serve(sockets, settings, database, presets, &service, metrics_handle, stop).await;
    service.close().await;
    if served.is_ok() {
        info!("stopped");
    }
    served
}

/// The configured limits, with fewer connections if the process may not open enough file descriptors.
fn limits(config: &ServeConfig, database: &DatabaseConfig) -> anyhow::Result<Limits> {
    let wanted = usize::try_from(config.max_connections)?;
    let connections = descriptors::connection_limit(wanted, usize::try_from(database.database_connections)?);
    let body_budget = usize::try_from(config.body_budget_mib)? * 1024 * 1024;
    Ok(Limits { connections, body_budget, ..Limits::default() })
}

/// The settings of a server that is being started.
struct Settings {
    limits: Limits,
    /// How long sign-ins are kept.
    sign_in_days: u32,
}

/// Whom the environment presets.
struct Presets {
    client: Option<AdminClient>,
    user: Option<FirstAdministrator>,
}

/// Serves on the sockets until `stop` completes or the store loses its database, which is an error.
async fn serve(
    sockets: Sockets,
    Settings { limits, sign_in_days }: Settings,
    database: &DatabaseConfig,
    presets: Presets,
    service: &Arc<Service>,
    metrics_handle: PrometheusHandle,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let listener = sockets.apis.listen()?;
    let address = listener.local_addr()?;
    let metrics_routes =
        if address.ip().is_loopback() { metrics::local_routes(metrics_handle.clone()) } else { Router::new() };
    let app = app(service, metrics_routes, limits, database.base_url())?;
    let mut metrics_address = None;
    if let Some(socket) = sockets.metrics {
        let listener = socket.listen()?;
        metrics_address = Some(listener.local_addr()?);
        let limits = Limits { connections: METRICS_CONNECTIONS, ..limits };
        let routes = middleware::wrap(metrics::routes(metrics_handle.clone()), Vec::new(), limits);
        tokio::spawn(server::serve(listener, routes, limits, std::future::pending()));
    }
    tokio::spawn(upkeep::aggregate_metrics(metrics_handle));
    tokio::spawn(upkeep::tidy(Arc::clone(service), sign_in_days));
    tokio::spawn(upkeep::record_sign_ins(Arc::clone(service)));
    service.ensure_signing_key(&Arc::new(Caller::operator(Channel::Server)).permit()?).await?;
    let new_client = ensure_admin_client(service, presets.client).await?;
    if let Some(user) = presets.user {
        administrators::ensure(service, user).await?;
    }
    let setup_code = administrators::setup_code(service).await;
    tokio::spawn(expiring_tokens::watch(Arc::clone(service)));
    // Not an error: the first client already exists, and the next start would not print its secret either.
    if let Err(error) = announce(address, metrics_address, new_client.as_ref(), setup_code.as_ref(), database) {
        warn!(
            %address,
            %error,
            "standard output cannot be written; if the directory is new, create a client with rollbook client create --role FullAccess"
        );
    }
    let mut lost = None;
    let end = async {
        tokio::select! {
            () = stop => {}
            reason = service.wait_for_loss() => lost = Some(reason),
        }
        service.end_followers();
    };
    server::serve(listener, app, limits, end).await;
    lost.map_or(Ok(()), |reason| bail!(reason))
}

/// The sockets of the server, bound to their addresses.
struct Sockets {
    apis: BoundSocket,
    metrics: Option<BoundSocket>,
}

impl Sockets {
    /// Binds the addresses of the configuration.
    fn bind(config: &ServeConfig) -> anyhow::Result<Self> {
        let metrics = config.metrics_listen.map(|address| BoundSocket::new(address, "--metrics-listen")).transpose()?;
        Ok(Self { apis: BoundSocket::new(config.listen, "--listen")?, metrics })
    }
}

/// A socket that is bound to its address and refuses connections until it listens, so that a load balancer skips a node
/// that is still starting.
struct BoundSocket {
    socket: TcpSocket,
    address: SocketAddr,
    /// The flag that sets the address, for errors.
    flag: &'static str,
}

impl BoundSocket {
    fn new(address: SocketAddr, flag: &'static str) -> anyhow::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of a server that has just stopped may still occupy the address.
        socket.set_reuseaddr(true)?;
        socket.bind(address).with_context(|| advice(address, flag))?;
        Ok(Self { socket, address, flag })
    }

    /// Starts to listen. Warns if other machines can reach the address.
    fn listen(self) -> anyhow::Result<TcpListener> {
        let Self { socket, address, flag } = self;
        let listener = socket.listen(BACKLOG).with_context(|| advice(address, flag))?;
        if !address.ip().is_loopback() {
            warn!(%address, "listening on an address that is not loopback, in plain HTTP: put a proxy that speaks TLS in front");
        }
        Ok(listener)
    }
}

/// The error message for an address that cannot be bound.
fn advice(address: SocketAddr, flag: &str) -> String {
    format!("cannot listen on {address}; free it, or give another address with {flag}")
}

/// A future that completes at the first SIGINT or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        info!("stopping: open requests are finished first");
    })
}

/// Ignores SIGHUP: a terminal sends it when it closes, and an operator may send it to reload settings.
fn ignore_hangup() -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            info!("SIGHUP is ignored: settings are read only at the start; restart the server to change them");
        }
    });
    Ok(())
}

/// Ensures that a client can sign in: the preset one or, in a new directory, a client that is created here. Returns the
/// created client, whose secret is printed once.
async fn ensure_admin_client(service: &Service, preset: Option<AdminClient>) -> anyhow::Result<Option<AdminClient>> {
    let permit = Arc::new(Caller::operator(Channel::Server)).permit::<ManageClients>()?;
    if let Some(preset) = preset {
        apply_preset(service, &permit, preset).await?;
        return Ok(None);
    }
    if service.has_clients(&permit).await? {
        return Ok(None);
    }
    let secret = new_secret()?;
    let id = service.first_client_id().await?;
    match service.create_client(&permit, full_access(Some(id), secret.clone())).await {
        Ok(created) => Ok(Some(AdminClient { id: created.fields.id, secret })),
        // Another node that started at the same time was faster, and prints the secret of its client.
        Err(Error::AlreadyExists(ResourceKind::Client, _)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Creates the preset client, or sets its secret if it exists. Fails if it exists without `FullAccess`.
async fn apply_preset(
    service: &Service,
    permit: &Permit<ManageClients>,
    AdminClient { id, secret }: AdminClient,
) -> anyhow::Result<()> {
    let reading = permit.caller().permit::<ReadClients>()?;
    let client = match service.client(&reading, &id).await {
        Err(Error::NotFound(ResourceKind::Client, _)) => {
            match service.create_client(permit, full_access(Some(id.clone()), secret.clone())).await {
                // Another node that started at the same time was faster.
                Err(Error::AlreadyExists(ResourceKind::Client, _)) => service.client(&reading, &id).await?,
                created => return Ok(created.map(drop)?),
            }
        }
        client => client?,
    };
    if !client.fields.roles.contains(Roles::FULL_ACCESS) {
        bail!("the client {id} exists without FullAccess; set ROLLBOOK_ADMIN_CLIENT_ID to another one")
    }
    service.set_client_secret(permit, &id, &secret).await?;
    Ok(())
}

/// A draft of a client with every role.
fn full_access(id: Option<String>, secret: Secret) -> ClientDraft {
    ClientDraft {
        id,
        name: "admin".to_owned(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::new(),
        user: None,
        secret: Some(secret),
        access_minutes: ACCESS_MINUTES_DEFAULT,
        refresh_minutes: 0,
        refresh_rotation: false,
        enabled: true,
        strict_members: false,
        max_removal_percent: None,
    }
}

/// Prints the addresses of the server and, once, the client that it created: on standard output, never in the log. The
/// printed commands work in a shell of the same folder and environment. `printf` is a builtin of the shell, so that no
/// secret is an argument of a process. URLs begin with the public URL if it is configured.
fn announce(
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    new_client: Option<&AdminClient>,
    setup_code: Option<&Secret>,
    config: &DatabaseConfig,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    if let Some(metrics) = metrics {
        writeln!(out, "metrics on http://{metrics}/metrics")?;
    }
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
    if let Some(code) = setup_code {
        write!(
            out,
            r#"
Open the console and make yourself its first administrator. The link works once, for {LINK_MINUTES} minutes:

    {base}/console/setup?code={code}
"#,
            code = code.expose_secret()
        )?;
    }
    if let Some(AdminClient { id, secret }) = new_client {
        let secret = secret.expose_secret();
        let program = shell_word(&env::args_os().next().unwrap_or_default().to_string_lossy());
        let database = config.flag().map(|url| format!(" --database {}", shell_word(url))).unwrap_or_default();
        write!(
            out,
            r#"
This directory is new. Here is a client with all rights, for programs; its secret is shown only once:

    client_id      {id}
    client_secret  {secret}

Get a token and list the groups with it:

TOKEN=$(printf 'grant_type=client_credentials&client_id={id}&client_secret={secret}' | curl -s {base}/oauth/token -d @- | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
printf 'Authorization: Bearer %s' "$TOKEN" | curl -s {base}/v1/usergroups -H @-

The documentation of every API: {base}/docs/
If the secret is lost, create another client:

{program} client create --name admin --role FullAccess{database}

"#
        )?;
    }
    out.flush()
}

/// The text as one word of a POSIX shell, quoted if necessary.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=./:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The address with which a client on this machine reaches the server: loopback instead of a wildcard.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell_are_quoted_where_they_must_be() {
        assert_eq!(shell_word("target/release/rollbook"), "target/release/rollbook");
        assert_eq!(shell_word("sqlite:/a b/it's.db"), r"'sqlite:/a b/it'\''s.db'");
        assert_eq!(shell_word("postgres://u@h/d?a=b&c=d"), "'postgres://u@h/d?a=b&c=d'");
        assert_eq!(shell_word(""), "''");
    }
}
