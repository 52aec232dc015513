//! A directory of one size: open in this process, as it is served, with callers of every kind.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use rollbook::domain::community::Communities;
use serde_json::Value;

use super::file::Size;
use super::fixed::fixed;
use super::people::EVERYBODY;
use super::place::Place;
use super::statements::Statements;
use super::support::{self, Directory, generate};
use super::timing::{self, Answer, Effort, Timed};

/// One of the directories that are compared.
pub struct Side {
    pub size: Size,
    pub directory: Directory,
    pub app: Router,
    /// The same directory for a caller who is limited to one community, that of the group that everybody is in.
    pub limited: Directory,
    pub statements: Statements,
}

/// What asking again and again gave.
pub struct Asked {
    pub timed: Timed,
    /// The first time.
    pub first: Duration,
    /// The database's own milliseconds for one.
    pub database: Option<f64>,
}

impl Side {
    /// Opens a directory that was filled to this size.
    pub async fn open(place: &Place, size: Size) -> anyhow::Result<Self> {
        let directory = Directory::open(&place.url()).await?;
        let app = rollbook::app(&directory.service, fixed())?;
        let community: Communities = generate::communities(EVERYBODY).into_iter().take(1).collect();
        let token = support::token(&directory.service, community).await?;
        let limited = Directory { service: Arc::clone(&directory.service), token };
        Ok(Self { size, directory, app, limited, statements: Statements::of(place).await? })
    }

    /// Asks for a list.
    pub async fn ask(&self, caller: Caller, uri: &str, effort: Effort) -> anyhow::Result<Asked> {
        let directory = match caller {
            Caller::Unlimited => &self.directory,
            Caller::Limited => &self.limited,
        };
        let once = Effort { warm_up: 0, runs: 1, patience: Duration::ZERO };
        let first = timing::time(&self.app, directory, uri, None, once).await?.median;
        let before = self.statements.total().await?;
        let timed = timing::time(&self.app, directory, uri, None, effort).await?;
        let spent = self.statements.total().await?.zip(before).map(|(after, before)| after - before);
        let database = spent.map(|spent| spent / timed.asked as f64);
        Ok(Asked { timed, first, database })
    }

    /// Has a change made, which must succeed.
    pub async fn change(&self, method: Method, uri: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.directory.token));
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body))?;
        let answer = timing::answer(&self.app, request).await.with_context(|| uri.to_owned())?;
        ensure!(answer.status.is_success(), "{uri}: {}", String::from_utf8_lossy(&answer.body));
        Ok(answer)
    }

    /// Lets go of the database.
    pub async fn close(self) {
        self.directory.service.store().close().await;
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Unlimited,
    Limited,
}

/// What the figures count in.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
