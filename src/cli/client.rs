//! `rollbook client`: the programs that may ask for tokens.

use std::io::{self, Write as _};

use anyhow::bail;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::config::DatabaseConfig;
use crate::domain::client::Client;
use crate::domain::community::Community;
use crate::domain::role::{ManageClients, Roles};
use crate::domain::user::Secret;
use crate::service::Service;
use crate::service::clients::{ClientDraft, new_secret};

use super::operator::{
    all_of, find_user, on_directory, parse_community, permit, role_parser, shown, shown_communities, shown_roles,
};

/// How many clients are read at a time for a list.
const BATCH: u32 = 100;

/// The arguments of `rollbook client`.
#[derive(Debug, Args)]
pub struct ClientArgs {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Make a client and print its client_id and, this once, its secret
    Create(CreateClient),
    /// Print all clients, one a line, fields divided by tabs
    List,
    /// Give a client a new secret, print it this once, and end the client's tokens
    Rotate {
        /// The client_id
        client_id: String,
        /// Print one JSON object with client_id and client_secret
        #[arg(long)]
        json: bool,
    },
    /// Let a disabled client in again
    Enable {
        /// The client_id
        client_id: String,
    },
    /// Shut a client out and end its tokens
    Disable {
        /// The client_id
        client_id: String,
    },
    /// Delete a client and end its tokens
    Delete {
        /// The client_id
        client_id: String,
    },
}

#[derive(Debug, Args)]
struct CreateClient {
    /// A name to know it by
    #[arg(long)]
    name: String,
    /// A role the client has; may be given again. Users who sign in through it keep only these of their own roles;
    /// without any, they keep all
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser())]
    roles: Vec<Roles>,
    /// A community (GUID) the client is limited to; may be given again. Without any, it is not limited
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community)]
    communities: Vec<Community>,
    /// Who acts when the client signs in for itself: the ID or username of a user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// A client without a secret: only users can sign in through it
    #[arg(long)]
    public: bool,
    /// How long its access tokens live, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 600)]
    access_minutes: i64,
    /// How long its refresh tokens live, in minutes; 0 = it gets none
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    refresh_minutes: i64,
    /// Print one JSON object with client_id and client_secret
    #[arg(long)]
    json: bool,
}

/// Does what was asked for and prints what came of it on standard output.
pub async fn run(args: ClientArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    on_directory(database, async |service| args.command.run(service).await).await
}

impl ClientCommand {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(service).await,
            Self::List => list(service).await,
            Self::Rotate { client_id, json } => rotate(service, &client_id, json).await,
            Self::Enable { client_id } => {
                let client = service.enable_client(&permit::<ManageClients>()?, &client_id, true).await?;
                say(&format!("The client {} is enabled.", client.fields.id))
            }
            Self::Disable { client_id } => {
                let client = service.enable_client(&permit::<ManageClients>()?, &client_id, false).await?;
                say(&format!("The client {} is disabled; its tokens end within 5 seconds.", client.fields.id))
            }
            Self::Delete { client_id } => {
                service.delete_client(&permit::<ManageClients>()?, &client_id).await?;
                say(&format!("The client {client_id} is deleted; its tokens end within 5 seconds."))
            }
        }
    }
}

impl CreateClient {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let user = match &self.user {
            Some(named) => Some(find_user(service, named).await?.uid),
            None => None,
        };
        let secret = if self.public { None } else { Some(new_secret()?) };
        let draft = ClientDraft {
            id: None,
            name: self.name,
            roles: all_of(&self.roles),
            communities: self.communities.into_iter().collect(),
            user,
            secret: secret.clone(),
            access_minutes: self.access_minutes,
            refresh_minutes: self.refresh_minutes,
        };
        let client = service.create_client(&permit::<ManageClients>()?, draft).await?;
        tell_secret(&client, secret.as_ref(), self.json)
    }
}

async fn rotate(service: &Service, client_id: &str, json: bool) -> anyhow::Result<()> {
    let permit = permit::<ManageClients>()?;
    if service.client(&permit, client_id).await?.secret_hash.is_none() {
        bail!(
            "the client {client_id} is public: it has no secret to rotate; make another with `rollbook client create`"
        );
    }
    let secret = new_secret()?;
    let client = service.set_client_secret(&permit, client_id, &secret).await?;
    tell_secret(&client, Some(&secret), json)
}

async fn list(service: &Service) -> anyhow::Result<()> {
    let permit = permit::<ManageClients>()?;
    let mut out = io::stdout();
    writeln!(out, "CLIENT_ID\tSTATE\tKIND\tROLES\tCOMMUNITIES\tACCESS_MINUTES\tREFRESH_MINUTES\tNAME")?;
    let mut after = 0;
    loop {
        let clients = service.clients_after(&permit, after, BATCH).await?;
        let Some(last) = clients.last() else { return Ok(()) };
        after = last.uid;
        for client in &clients {
            writeln!(out, "{}", line(client))?;
        }
    }
}

fn line(client: &Client) -> String {
    let fields = &client.fields;
    let state = if fields.enabled { "enabled" } else { "disabled" };
    let kind = if client.secret_hash.is_some() { "secret" } else { "public" };
    let (roles, communities) = (shown_roles(fields.roles), shown_communities(&fields.communities));
    let (access, refresh) = (fields.access_minutes, fields.refresh_minutes);
    let (id, name) = (shown(&fields.id), shown(&fields.name));
    format!("{id}\t{state}\t{kind}\t{roles}\t{communities}\t{access}\t{refresh}\t{name}")
}

fn tell_secret(client: &Client, secret: Option<&Secret>, json: bool) -> anyhow::Result<()> {
    let id = &client.fields.id;
    let told = match (secret.map(|secret| secret.expose_secret()), json) {
        (Some(secret), true) => json!({ "client_id": id, "client_secret": secret }).to_string(),
        (None, true) => json!({ "client_id": id }).to_string(),
        (Some(secret), false) => {
            format!("client_id:     {id}\nclient_secret: {secret}\nKeep the secret now: it is not shown again.")
        }
        (None, false) => format!("client_id: {id}\nThe client is public: it has no secret."),
    };
    say(&told)
}

fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
