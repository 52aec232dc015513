//! A target: a directory of one size, open in this process as it is served, with callers of every kind.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use rollbook::domain::community::Communities;
use rollbook::http::limits::Limits;
use serde_json::Value;

use super::data::database_url::DatabaseUrl;
use super::data::file::Size;
use super::fixed::fixed;
use super::people::EVERYBODY;
use super::statements::Statements;
use super::support::{self, Directory, generate};
use super::timing::{self, Effort, Response, Timed};

/// One of the directories that are compared.
pub(crate) struct Target {
    /// The size to which it was filled.
    pub size: Size,
    /// The open directory.
    pub directory: Directory,
    /// The app that serves it.
    pub app: Router,
    /// The same directory for a caller who is limited to one community, that of the group that has every user.
    pub limited: Directory,
    /// The database's own clock.
    pub statements: Statements,
}

/// The result of repeating a request.
pub(crate) struct Measurement {
    /// The figures of the repeated request.
    pub timed: Timed,
    /// The time of the first request.
    pub first: Duration,
    /// The database's own time for one request, in milliseconds.
    pub database: Option<f64>,
}

impl Target {
    /// Opens a directory that was filled to this size.
    pub(crate) async fn open(database_url: &DatabaseUrl, size: Size) -> anyhow::Result<Self> {
        let directory = Directory::open(&database_url.url()).await?;
        let app = rollbook::app(&directory.service, fixed(), Limits::default(), None)?;
        let community: Communities = generate::communities(EVERYBODY).into_iter().take(1).collect();
        let token = support::token(&directory.service, community).await?;
        let limited = Directory { service: Arc::clone(&directory.service), token };
        Ok(Self { size, directory, app, limited, statements: Statements::of(database_url).await? })
    }

    /// Measures a list request.
    pub(crate) async fn measure(&self, caller: Caller, uri: &str, effort: Effort) -> anyhow::Result<Measurement> {
        let directory = match caller {
            Caller::Unlimited => &self.directory,
            Caller::Limited => &self.limited,
        };
        let once = Effort { warm_up: 0, runs: 1, time_limit: Duration::ZERO };
        let first = timing::time(&self.app, directory, uri, None, once).await?.median;
        let before = self.statements.total().await?;
        let timed = timing::time(&self.app, directory, uri, None, effort).await?;
        let spent = self.statements.total().await?.zip(before).map(|(after, before)| after - before);
        let database = spent.map(|spent| spent / timed.measured as f64);
        Ok(Measurement { timed, first, database })
    }

    /// Sends a change, which must succeed.
    pub(crate) async fn change(&self, method: Method, uri: &str, body: Option<&Value>) -> anyhow::Result<Response> {
        let request = Request::builder().method(method).uri(uri).header(header::HOST, "localhost");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.directory.token));
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body))?;
        let response = timing::respond(&self.app, request).await.with_context(|| uri.to_owned())?;
        ensure!(response.status.is_success(), "{uri}: {}", String::from_utf8_lossy(&response.body));
        Ok(response)
    }

    /// Closes the database.
    pub(crate) async fn close(self) {
        self.directory.service.close().await;
    }
}

/// The caller of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A caller who sees every group.
    Unlimited,
    /// A caller limited to one community.
    Limited,
}

/// The unit of the figures.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
