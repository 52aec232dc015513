//! Rollbook: a directory of user groups behind several APIs.
//!
//! Imports point inward only, which a test checks:
//!
//! | Module | Content | Imports |
//! |---|---|---|
//! | [`json`] | JSON values | nothing |
//! | `metric_names` | the names of the metrics | nothing |
//! | [`domain`] | groups, users, memberships, clients, their rules, and the queries on lists | `json` |
//! | [`auth`] | the cryptography of sign-ins | `domain` |
//! | [`store`] | the storage: a trait, and a folder for each database | `domain`, `json`, `metric_names` |
//! | [`service`] | the use cases: authorization, rules, and a call of the store | `store`, `auth`, `domain`, `metric_names` |
//! | [`http`] | the base of all APIs: server, limits, authentication, bodies, error responses | `service`, `domain`, `json`, `metric_names` |
//! | [`api`] | the APIs: a folder for each, independent of the others | `http`, `service`, `domain`, `json` |
//! | `console` | the pages of the console | `http`, `service`, `domain`, `json` |
//! | [`bulk`] | bulk import and export as lines of JSON | `http`, `service`, `domain`, `json` |
//! | [`config`] | the settings and their help texts | `domain` |
//! | [`telemetry`] | logs and metrics | `config`, `metric_names` |
//! | [`cli`] | the commands | `bulk`, `http`, `service`, `domain`, `config`, `telemetry`, and [`open`] and [`app`] of this file |
//!
//! This file is the only one that lists the stores and the APIs: one match arm for each store, one entry of [`APIS`]
//! for each API.

mod api;
mod auth;
mod bulk;
pub mod cli;
pub mod config;
mod console;
pub mod domain;
pub mod http;
pub mod json;
mod metric_names;
pub mod service;
mod store;
pub mod telemetry;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use utoipa::openapi::OpenApi;

use api::ApiDefinition;
use config::DatabaseConfig;
use domain::env::{RandomIds, SystemClock};
use domain::export_item::ExportItem;
use domain::journal::Channel;
use domain::user::Secret;
use http::ApiState;
use http::docs::Document;
use http::followers::Followers;
use http::limits::Limits;
use http::request::bodies::{self, BodyLayer};
use http::response::envelope::Envelope;
use service::Service;
use store::Store;
use store::copy::{Destination, DirectorySnapshot};
pub(crate) use store::copy::{Progress as CopyProgress, Report as CopyReport, Stage as CopyStage};
use store::postgres::{self, PostgresStore};
pub(crate) use store::sql::export::ExportEnd;
pub(crate) use store::sqlite::create_folders_of;
use store::sqlite::{self, SqliteStore};

/// Every API.
pub(crate) const APIS: &[ApiDefinition] = &[api::core::API, api::ordercloud::API, api::rollbook::API, api::scim::API];

/// The time limit of one list, after which it fails as too costly.
const LIST_LIMIT: Duration = Duration::from_secs(1);

/// The name of `--database` in errors: its value comes from the flag or the variable.
const DATABASE: &str = "--database (or ROLLBOOK_DATABASE)";

/// The purpose for which a process opens the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To serve it. With SQLite, only one process at a time can.
    Serve,
    /// To run one command. A server may use the directory at the same time.
    Command,
}

/// Opens the configured directory. Fails with a message that says what to do.
pub async fn open(config: &DatabaseConfig, purpose: Purpose) -> anyhow::Result<Arc<Service>> {
    let store: Arc<dyn Store> = match DatabaseUrl::parse(&config.database, DATABASE)? {
        DatabaseUrl::File(path) => {
            let options = sqlite::SqliteOptions {
                path,
                default_language: config.default_language.clone(),
                create: purpose == Purpose::Serve,
                serve: purpose == Purpose::Serve,
                list_limit: LIST_LIMIT,
            };
            Arc::new(SqliteStore::open(options).await?)
        }
        DatabaseUrl::Server(url) => {
            let options = postgres::PostgresOptions {
                url,
                password: DatabaseConfig::password()?,
                default_language: config.default_language.clone(),
                serve: purpose == Purpose::Serve,
                limits: postgres::DatabaseLimits {
                    connections: config.database_connections as usize,
                    wait: Duration::from_secs(config.database_wait_seconds.into()),
                    statement: Duration::from_secs(config.database_statement_seconds.into()),
                    list: LIST_LIMIT,
                },
            };
            Arc::new(PostgresStore::open(options).await?)
        }
    };
    let ids = RandomIds::after(store.latest_operation().await?.as_deref());
    Ok(Arc::new(Service::new(store, Arc::new(SystemClock), Arc::new(ids), config.issuer().to_owned())))
}

/// Copies the directory at the URL `from`, which may be in use, to the URL `to`, which must have none. Calls
/// `on_progress` as the copy proceeds. Fails with a message that says what to do, and then leaves nothing at `to`.
pub async fn copy(
    from: &str,
    to: &str,
    password: Option<Secret>,
    mut on_progress: impl FnMut(CopyProgress) + Send,
) -> anyhow::Result<CopyReport> {
    let to: Box<dyn Destination> = match DatabaseUrl::parse(to, "--to (or ROLLBOOK_COPY_TO)")? {
        DatabaseUrl::File(path) => Box::new(sqlite::NewFile::create(&path)?),
        DatabaseUrl::Server(url) => Box::new(postgres::NewDirectory::begin(&url, password.as_ref()).await?),
    };
    let mut from = DatabaseUrl::parse(from, "--from (or ROLLBOOK_COPY_FROM)")?.snapshot(password.as_ref()).await?;
    store::copy::copy(&mut *from, to, &store::sql::copy::TABLES, &mut on_progress).await
}

/// Calls `each` with every live group, then every live user, then every membership of one snapshot of the directory,
/// which may be in use. Returns where a reader of the feed goes on after it. Fails with a message that says what to do,
/// or with the error of `each`.
pub async fn export(
    database: &str,
    password: Option<Secret>,
    each: &mut (dyn FnMut(ExportItem) -> anyhow::Result<()> + Send),
) -> anyhow::Result<ExportEnd> {
    let mut from = DatabaseUrl::parse(database, DATABASE)?.snapshot(password.as_ref()).await?;
    store::sql::export::export(&mut *from, each).await
}

/// A parsed database URL.
enum DatabaseUrl {
    /// The path of an SQLite file.
    File(PathBuf),
    /// The URL of a PostgreSQL database.
    Server(String),
}

impl DatabaseUrl {
    /// Parses the value of `flag`.
    fn parse(url: &str, flag: &str) -> anyhow::Result<Self> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::File(path.strip_prefix("//").unwrap_or(path).into()))
            }
            Some(("postgres" | "postgresql", _)) => Ok(Self::Server(url.to_owned())),
            _ => bail!(
                "{flag} names no database; give sqlite:PATH, e.g. sqlite:rollbook-data/rollbook.db, or \
                 postgres://USER@HOST/DATABASE"
            ),
        }
    }

    /// Opens a consistent snapshot of the directory.
    async fn snapshot(self, password: Option<&Secret>) -> anyhow::Result<Box<dyn DirectorySnapshot>> {
        Ok(match self {
            Self::File(path) => Box::new(sqlite::Snapshot::of(&path)?),
            Self::Server(url) => Box::new(postgres::Snapshot::of(&url, password).await?),
        })
    }
}

/// Returns the router of all APIs and pages over one directory, with the middleware around it and around the `extra`
/// routes. `base_url` is the URL at which callers reach the server, if it is configured. Fails if an OpenAPI document
/// cannot be serialized.
pub fn app(service: &Arc<Service>, extra: Router, limits: Limits, base_url: Option<String>) -> anyhow::Result<Router> {
    let base_url: Option<Arc<str>> = base_url.map(Into::into);
    let shared = bodies::BodyBudget::new(limits);
    let followers = Followers::new(limits.followers);
    let mut routes = extra.merge(http::health::routes(Arc::clone(service)));
    let mut documents = Vec::new();
    for definition in APIS {
        let (router, openapi) = documented(definition);
        let (service, base_url) = (Arc::clone(service), base_url.clone());
        let followers = followers.clone();
        let api = ApiState { service, channel: definition.channel, base_url, followers };
        let bodies = BodyLayer {
            shared: shared.clone(),
            authenticator: api.clone(),
            sign_in: definition.sign_in,
            large_bodies: definition.large_bodies,
        };
        routes = routes.merge(router.layer(bodies).with_state(api));
        let mut served = vec![(definition.openapi_path, openapi.to_json()?)];
        if let Some((path, base)) = definition.openapi_of_vendor {
            served.push((path, http::openapi::rebased(openapi, base).to_json()?));
        }
        documents.push(Document { title: definition.title, served });
    }
    let api = ApiState { service: Arc::clone(service), channel: Channel::Console, base_url, followers };
    let routes = routes.merge(console::routes(api, shared)).merge(http::docs::routes(documents, console::START));
    let envelope = |definition: &ApiDefinition| Envelope {
        prefixes: definition.prefixes,
        is_open_to_other_origins: true,
        render: definition.render,
    };
    let envelopes = APIS.iter().map(envelope).chain([console::ENVELOPE]).collect();
    Ok(http::middleware::wrap(routes, envelopes, limits))
}

/// Returns the OpenAPI document of the API `name` as indented JSON. Fails with the list of names if there is no such
/// API.
pub fn openapi(name: &str) -> anyhow::Result<String> {
    let names = || APIS.iter().map(|definition| definition.name).collect::<Vec<_>>().join(", ");
    let definition = APIS.iter().find(|definition| definition.name == name);
    let definition =
        definition.with_context(|| format!("there is no API called {name:?}; give one of: {}", names()))?;
    Ok(documented(definition).1.to_pretty_json()?)
}

fn documented(definition: &ApiDefinition) -> (Router<ApiState>, OpenApi) {
    let (router, openapi) = (definition.router)().split_for_parts();
    (router, (definition.openapi)(openapi))
}
