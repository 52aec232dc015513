//! `rollbook serve`.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;
use tracing::{info, warn};

use crate::config::{AdminClient, DatabaseConfig, ServeConfig};
use crate::domain::community::Communities;
use crate::domain::error::{Error, Kind};
use crate::domain::journal::Door;
use crate::domain::role::{Caller, ManageClients, Permit, Roles};
use crate::domain::user::Secret;
use crate::http::limits::Limits;
use crate::http::{descriptors, metrics, server};
use crate::service::Service;
use crate::service::clients::{ClientDraft, new_secret};
use crate::{Purpose, app, open, telemetry};

/// Serves until SIGINT or SIGTERM.
pub async fn run(config: ServeConfig, database: &DatabaseConfig) -> anyhow::Result<()> {
    let preset = AdminClient::from_env()?;
    let stop = stop_signal()?;
    let measured = telemetry::metrics()?;
    let service = open(database, Purpose::Serve).await?;
    let served = serve(&config, preset, &service, measured, stop).await;
    service.store().close().await;
    info!("stopped");
    served
}

async fn serve(
    config: &ServeConfig,
    preset: Option<AdminClient>,
    service: &Arc<Service>,
    measured: PrometheusHandle,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let limits = Limits { connections: usize::try_from(config.max_connections)?, ..Limits::default() };
    descriptors::make_room(limits.connections);
    let listener = bind(config.listen, "--listen").await?;
    let address = listener.local_addr()?;
    let beside = if address.ip().is_loopback() { metrics::routes(measured.clone()) } else { Router::new() };
    let app = app(service, beside)?;
    if let Some(apart) = config.metrics_listen {
        let routes = metrics::routes(measured.clone());
        tokio::spawn(server::serve(bind(apart, "--metrics-listen").await?, routes, limits, std::future::pending()));
    }
    tokio::spawn(keep_measuring(measured));
    service.ensure_signing_key().await?;
    let first = admit(service, preset).await?;
    announce(address, first.as_ref())?;
    server::serve(listener, app, limits, stop).await;
    Ok(())
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let advice = || format!("cannot listen on {address}; free it, or give another address with {flag}");
    let listener = TcpListener::bind(address).await.with_context(advice)?;
    if !address.ip().is_loopback() {
        warn!(%address, "listening beyond loopback, in plain HTTP: put a proxy that speaks TLS in front");
    }
    Ok(listener)
}

/// Histograms keep every sample until they are folded into their buckets.
async fn keep_measuring(measured: PrometheusHandle) {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        measured.run_upkeep();
    }
}

/// Done at the first SIGINT or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        info!("stopping: what is in flight is finished first");
    })
}

/// Sees to it that somebody can come in: the preset client or, in a new directory, one of our own making, which is
/// given back to be told once.
async fn admit(service: &Service, preset: Option<AdminClient>) -> anyhow::Result<Option<AdminClient>> {
    let permit = Arc::new(Caller::operator(Door::Server)).permit::<ManageClients>()?;
    if let Some(preset) = preset {
        keep_preset(service, &permit, preset).await?;
        return Ok(None);
    }
    if service.store().has_clients().await? {
        return Ok(None);
    }
    let secret = new_secret()?;
    let id = service.first_client_id().await?;
    match service.create_client(&permit, full_access(Some(id), secret.clone())).await {
        Ok(made) => Ok(Some(AdminClient { id: made.fields.id, secret })),
        // Another node that started at once was quicker, and tells its secret.
        Err(Error::AlreadyExists(Kind::Client, _)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn keep_preset(
    service: &Service,
    permit: &Permit<ManageClients>,
    AdminClient { id, secret }: AdminClient,
) -> anyhow::Result<()> {
    let known = match service.client(permit, &id).await {
        Err(Error::NotFound(Kind::Client, _)) => {
            match service.create_client(permit, full_access(Some(id.clone()), secret.clone())).await {
                // Another node that started at once was quicker.
                Err(Error::AlreadyExists(Kind::Client, _)) => service.client(permit, &id).await?,
                made => return Ok(made.map(drop)?),
            }
        }
        known => known?,
    };
    if !known.fields.roles.contains(Roles::FULL_ACCESS) {
        bail!("the client {id} exists without FullAccess; set ROLLBOOK_ADMIN_CLIENT_ID to another one")
    }
    service.set_client_secret(permit, &id, &secret).await?;
    Ok(())
}

fn full_access(id: Option<String>, secret: Secret) -> ClientDraft {
    ClientDraft {
        id,
        name: "admin".to_owned(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::new(),
        user: None,
        secret: Some(secret),
        access_minutes: 600,
        refresh_minutes: 0,
    }
}

/// Tells where the server listens and, once, the client it made: on standard output, never through the log.
fn announce(address: SocketAddr, first: Option<&AdminClient>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    if let Some(AdminClient { id, secret }) = first {
        let (secret, base) = (secret.expose_secret(), format!("http://{}", reachable(address)));
        write!(
            out,
            r#"
This directory is new. Here is a client with every right; its secret is shown this once:

    client_id      {id}
    client_secret  {secret}

Get a token and list the groups with it:

TOKEN=$(curl -s {base}/oauth/token -d grant_type=client_credentials -d client_id={id} -d client_secret={secret} | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s {base}/v1/usergroups -H "Authorization: Bearer $TOKEN"

The documents of every API: {base}/docs/
Another client, should the secret get lost: rollbook client create --name admin --role FullAccess

"#
        )?;
    }
    out.flush()
}

/// An address that a client on this machine can name: a wildcard is none.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
