//! A directory to measure: a database full of made-up groups, and a token for it.

pub mod generate;

use std::sync::Arc;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rollbook::config::DatabaseConfig;
use rollbook::domain::community::Communities;
use rollbook::domain::journal::Door;
use rollbook::domain::role::{Caller, Permit, Roles, WriteGroups};
use rollbook::service::Service;
use rollbook::service::clients::{ClientDraft, new_secret};
use rollbook::service::groups::LabelledGroup;
use rollbook::service::tokens::{ClientAuth, Grant};
use rollbook::{Purpose, open};

/// How many writes are under way at a time while a directory is filled: as many as share one commit.
const AT_ONCE: usize = 256;

/// An open directory.
pub struct Directory {
    pub service: Arc<Service>,
    /// A bearer token with every right.
    pub token: String,
}

impl Directory {
    /// Opens the directory at the URL, or makes it.
    pub async fn open(database: &str) -> anyhow::Result<Self> {
        let config = DatabaseConfig {
            database: database.to_owned(),
            database_connections: 16,
            database_wait_seconds: 2,
            database_statement_seconds: 5,
            default_language: None,
            issuer: "rollbook".to_owned(),
        };
        let service = open(&config, Purpose::Serve).await?;
        service.ensure_signing_key().await?;
        let token = token(&service).await?;
        Ok(Self { service, token })
    }

    /// Writes the groups with the numbers from 0 to `groups`, every fourth of them through both APIs.
    pub async fn fill(&self, groups: usize) -> anyhow::Result<()> {
        let permit = writer()?;
        let written = stream::iter(0..groups).map(|number| self.write(&permit, number, groups));
        written.buffer_unordered(AT_ONCE).try_collect::<()>().await
    }

    async fn write(&self, permit: &Permit<WriteGroups>, number: usize, of: usize) -> anyhow::Result<()> {
        let group = self.service.create_group(permit, generate::draft(number, of)?).await?;
        if number.is_multiple_of(4) {
            let (labels, communities) = (generate::labels(&group.name)?, Some(generate::communities(number)));
            let group = LabelledGroup { uid: Some(group.uid), labels, communities };
            self.service.put_labelled_group(permit, group).await?;
        }
        Ok(())
    }
}

/// What a write of a group takes.
pub fn writer() -> anyhow::Result<Permit<WriteGroups>> {
    Arc::new(Caller::operator(Door::OrderCloud)).permit().context("the operator may do everything")
}

async fn token(service: &Service) -> anyhow::Result<String> {
    let secret = new_secret()?;
    let draft = ClientDraft {
        id: None,
        name: "benchmark".to_owned(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::new(),
        user: None,
        secret: Some(secret.clone()),
        access_minutes: 600,
        refresh_minutes: 0,
    };
    let permit = Arc::new(Caller::operator(Door::CommandLine)).permit()?;
    let client = service.create_client(&permit, draft).await?;
    let auth = ClientAuth { id: client.fields.id, secret: Some(secret) };
    Ok(service.grant(Grant::ClientCredentials { client: auth, scope: None }).await?.access_token)
}
