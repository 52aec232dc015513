//! A directory to measure, and a token for it.

pub(crate) mod generate;

use std::sync::Arc;

use rollbook::config::DatabaseConfig;
use rollbook::domain::caller::Caller;
use rollbook::domain::community::Communities;
use rollbook::domain::journal::Channel;
use rollbook::domain::role::Roles;
use rollbook::domain::sign_in::Origin;
use rollbook::service::Service;
use rollbook::service::clients::{ClientDraft, new_secret};
use rollbook::service::tokens::{ClientAuth, Grant};
use rollbook::{Purpose, open};

/// An open directory.
pub(crate) struct Directory {
    /// The use cases.
    pub service: Arc<Service>,
    /// A bearer token with every right.
    pub token: String,
}

impl Directory {
    /// Opens the directory at the URL, or creates it.
    pub(crate) async fn open(database: &str) -> anyhow::Result<Self> {
        let config = DatabaseConfig {
            database: database.to_owned(),
            database_connections: 16,
            database_wait_seconds: 2,
            database_statement_seconds: 5,
            default_language: None,
            issuer: None,
            public_url: None,
        };
        let service = open(&config, Purpose::Serve).await?;
        service.ensure_signing_key(&Arc::new(Caller::operator(Channel::Server)).permit()?).await?;
        let token = token(&service, Communities::new()).await?;
        Ok(Self { service, token })
    }
}

/// A bearer token with every right, limited to these communities if there are any.
pub(crate) async fn token(service: &Service, communities: Communities) -> anyhow::Result<String> {
    let secret = new_secret()?;
    let draft = ClientDraft {
        id: None,
        name: "benchmark".to_owned(),
        roles: Roles::FULL_ACCESS,
        communities,
        user: None,
        secret: Some(secret.clone()),
        access_minutes: 600,
        refresh_minutes: 0,
        refresh_rotation: false,
        enabled: true,
        strict_members: false,
        max_removal_percent: None,
    };
    let permit = Arc::new(Caller::operator(Channel::CommandLine)).permit()?;
    let client = service.create_client(&permit, draft).await?;
    let auth = ClientAuth { id: client.fields.id, secret: Some(secret) };
    let origin = Origin { channel: Channel::CommandLine, source: None };
    Ok(service.grant(Grant::ClientCredentials { client: auth, scope: None }, origin).await?.access_token)
}
