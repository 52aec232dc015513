//! Rollbook: one directory of user groups, and every API a door into it.
//!
//! The layers are folders, and imports point inward only:
//!
//! | Folder | What it is | What it uses |
//! |---|---|---|
//! | [`domain`] | groups, users, memberships, clients, the questions asked of them and the rules they obey | nothing of ours |
//! | [`auth`] | the cryptography of signing in | `domain` |
//! | [`store`] | what keeps the directory: a trait, and a folder for each database | `domain` |
//! | [`service`] | the use cases: who may do what, and what it means | `store`, `auth`, `domain` |
//! | [`http`] | what every API stands on: server, limits, callers, bodies, failures | `service`, `domain` |
//! | [`dialect`] | the APIs: a folder for each, none of which knows another | `http`, `service`, `domain` |
//! | [`interchange`] | the directory as lines of JSON, for import and export | `service`, `domain` |
//! | [`cli`] | the commands | all of these, through [`open`] and [`app`] |
//!
//! This file alone names the stores and the dialects there are: one arm a store, one line a dialect.

pub mod auth;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod domain;
pub mod http;
pub mod interchange;
pub mod service;
pub mod store;
pub mod telemetry;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use utoipa::openapi::OpenApi;

use config::DatabaseConfig;
use dialect::Dialect;
use domain::env::{RandomIds, SystemClock};
use domain::thing::Thing;
use domain::user::Secret;
use http::Api;
use http::docs::Document;
use http::limits::Limits;
use http::render::Envelope;
use service::Service;
use store::Store;
use store::copy::{Destination, Source};
pub use store::copy::{Progress as CopyProgress, Report as CopyReport, Stage as CopyStage};
use store::postgres::{self, PostgresStore};
use store::sqlite::{self, SqliteStore};

/// Every API there is.
pub const DIALECTS: &[Dialect] = &[dialect::core::DIALECT, dialect::ordercloud::DIALECT];

/// How long the store works on one list before it gives it up as too costly.
const LIST_LIMIT: Duration = Duration::from_secs(1);

/// What a process opens the directory for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To serve it; one process at a time where the store is a file.
    Serve,
    /// To run one command on it, perhaps beside a server.
    Command,
}

/// Opens the directory that the configuration names. Fails with a sentence that says what to do.
pub async fn open(config: &DatabaseConfig, purpose: Purpose) -> anyhow::Result<Arc<Service>> {
    let store: Arc<dyn Store> = match Place::of(&config.database, "--database")? {
        Place::File(path) => {
            let options = sqlite::Options {
                path,
                default_language: config.default_language.clone(),
                create: purpose == Purpose::Serve,
                serve: purpose == Purpose::Serve,
                list_limit: LIST_LIMIT,
            };
            Arc::new(SqliteStore::open(options).await?)
        }
        Place::Server(url) => {
            let options = postgres::Options {
                url,
                password: DatabaseConfig::password()?,
                default_language: config.default_language.clone(),
                create: purpose == Purpose::Serve,
                limits: postgres::Limits {
                    connections: config.database_connections as usize,
                    wait: Duration::from_secs(config.database_wait_seconds.into()),
                    statement: Duration::from_secs(config.database_statement_seconds.into()),
                    list: LIST_LIMIT,
                },
            };
            Arc::new(PostgresStore::open(options).await?)
        }
    };
    Ok(Arc::new(Service::new(store, Arc::new(SystemClock), Arc::new(RandomIds), config.issuer.clone())))
}

/// Copies the directory at one URL to another, where there is none yet; it may be in use. `told` hears how far the
/// copy has come. Fails with a sentence that says what to do, and has then left nothing.
pub async fn copy(
    from: &str,
    to: &str,
    password: Option<Secret>,
    mut told: impl FnMut(CopyProgress) + Send,
) -> anyhow::Result<CopyReport> {
    let to: Box<dyn Destination> = match Place::of(to, "--to")? {
        Place::File(path) => Box::new(sqlite::NewFile::create(&path)?),
        Place::Server(url) => Box::new(postgres::NewDirectory::begin(&url, password.as_ref()).await?),
    };
    let mut from = Place::of(from, "--from")?.snapshot(password.as_ref()).await?;
    store::copy::copy(&mut *from, to, &store::sql::copy::TABLES, &mut told).await
}

/// Gives every live group, then every live user, then every membership of one snapshot of the directory to `each`; it
/// may be in use. Fails with a sentence that says what to do, or as `each` does.
pub async fn export(
    database: &str,
    password: Option<Secret>,
    each: &mut (dyn FnMut(Thing) -> anyhow::Result<()> + Send),
) -> anyhow::Result<()> {
    let mut from = Place::of(database, "--database")?.snapshot(password.as_ref()).await?;
    store::sql::export::export(&mut *from, each).await
}

/// Where a URL says that a directory is.
enum Place {
    File(PathBuf),
    Server(String),
}

impl Place {
    /// Reads the URL that `flag` was given.
    fn of(url: &str, flag: &str) -> anyhow::Result<Self> {
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

    /// A consistent snapshot of the directory.
    async fn snapshot(self, password: Option<&Secret>) -> anyhow::Result<Box<dyn Source>> {
        Ok(match self {
            Self::File(path) => Box::new(sqlite::Snapshot::of(&path)?),
            Self::Server(url) => Box::new(postgres::Snapshot::of(&url, password).await?),
        })
    }
}

/// Every API over one directory, with the pages around them, as it is served. `extra` routes stand behind the same
/// middleware.
pub fn app(service: &Arc<Service>, extra: Router) -> anyhow::Result<Router> {
    let mut routes = extra.merge(http::health::routes(Arc::clone(service)));
    let mut documents = Vec::new();
    for dialect in DIALECTS {
        let (router, openapi) = documented(dialect);
        routes = routes.merge(router.with_state(Api { service: Arc::clone(service), door: dialect.door }));
        let json = openapi.to_json()?.into();
        documents.push(Document { name: dialect.name, further_paths: dialect.openapi_paths, json });
    }
    let envelope = |dialect: &Dialect| Envelope { prefixes: dialect.prefixes, render: dialect.render };
    let envelopes = DIALECTS.iter().map(envelope).collect();
    Ok(http::outer::wrap(routes.merge(http::docs::routes(documents)), envelopes, Limits::default()))
}

/// The OpenAPI document of the dialect called `name`, indented for people. Fails with the names there are.
pub fn openapi(name: &str) -> anyhow::Result<String> {
    let names = || DIALECTS.iter().map(|dialect| dialect.name).collect::<Vec<_>>().join(", ");
    let dialect = DIALECTS.iter().find(|dialect| dialect.name == name);
    let dialect = dialect.with_context(|| format!("there is no API called {name:?}; give one of: {}", names()))?;
    Ok(documented(dialect).1.to_pretty_json()?)
}

fn documented(dialect: &Dialect) -> (Router<Api>, OpenApi) {
    let (router, openapi) = (dialect.router)().split_for_parts();
    (router, (dialect.openapi)(openapi))
}
