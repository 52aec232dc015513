//! `rollbook client`: manages the clients, which are the programs that may request tokens.

use std::io::{self, Write as _};

use anyhow::bail;
use clap::{ArgGroup, Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::config::DatabaseConfig;
use crate::domain::caller::ReadClients;
use crate::domain::client::{ACCESS_MINUTES_DEFAULT, Client};
use crate::domain::community::Community;
use crate::domain::error::{Error, Violation};
use crate::domain::role::Roles;
use crate::domain::user::{Secret, User};
use crate::service::Service;
use crate::service::clients::{ClientDraft, ClientPatch, NewSecret, new_secret};

use super::json;
use super::notify;
use super::operator::{
    ReasonArgs, community_set, escaped, find_user, format_communities, format_roles, parse_community, permit,
    role_parser, union_of, with_directory,
};
use super::table::Table;

/// The number of clients that `list` reads at a time.
const BATCH_SIZE: u32 = 100;

/// The arguments of `rollbook client`.
#[derive(Debug, Args)]
pub(super) struct ClientArgs {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Create a client and print its client_id and its secret, which is shown only once
    Create(CreateClient),
    /// Print all clients, one per line, with fields separated by tabs
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Change a client
    ///
    /// What no flag names stays as it is. A removed role, another user and disabling the client revoke its tokens.
    Set(SetClient),
    /// Give a client a new secret, print it once, and revoke the client's tokens
    Rotate {
        /// The client_id
        client_id: String,
        /// Print one JSON object with client_id and client_secret
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Enable a disabled client
    Enable {
        /// The client_id
        client_id: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Disable a client and revoke its tokens
    Disable {
        /// The client_id
        client_id: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Delete a client and revoke its tokens
    Delete {
        /// The client_id
        client_id: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

#[derive(Debug, Args)]
struct CreateClient {
    /// A name that people recognize the client by
    #[arg(long)]
    name: String,
    /// A role of the client; repeat the flag for several roles
    ///
    /// Users who sign in through the client keep only those of their own roles that are listed here. A client without
    /// roles can do nothing itself, and users who sign in through it keep all of their roles.
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser())]
    roles: Vec<Roles>,
    /// A community (GUID) that the client is limited to; repeat the flag for up to 100 communities
    ///
    /// Without this flag, the client is not limited.
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community)]
    communities: Vec<Community>,
    /// The user that the client acts as if it signs in for itself: an ID or a username
    ///
    /// The client's tokens name this user and become invalid with the user; their roles are those of the client.
    /// Without this flag, the client acts in its own name.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Create a client without a secret: only users can sign in through it, so --user is not allowed
    #[arg(long, conflicts_with = "user")]
    public: bool,
    /// The lifetime of its access tokens, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = ACCESS_MINUTES_DEFAULT)]
    access_minutes: i64,
    /// The lifetime of its refresh tokens, in minutes; 0: it gets no refresh tokens
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    refresh_minutes: i64,
    /// Rotate refresh tokens: each is valid for one use, which returns the next one
    ///
    /// A second use ends the whole sign-in (RFC 9700). Without this flag, a refresh token is valid until it expires.
    /// The vendor's SDKs do not support rotation.
    #[arg(long)]
    refresh_rotation: bool,
    /// Over SCIM, refuse unknown members rather than ignoring them
    #[arg(long)]
    strict_members: bool,
    /// Over SCIM, the share of members that one request may remove
    ///
    /// It holds for a request that removes more than 20 members of a group. Without this flag, there is no limit.
    #[arg(long, value_name = "PERCENT")]
    max_removal_percent: Option<i64>,
    /// Print one JSON object with client_id and client_secret
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reason: ReasonArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
struct SetClient {
    /// The client_id
    client_id: String,
    /// The new name
    #[arg(long, group = "change")]
    name: Option<String>,
    /// A role of the client; repeat the flag for several roles, which replace the present ones
    #[arg(long = "role", value_name = "ROLE", value_parser = role_parser(), group = "change")]
    roles: Vec<Roles>,
    /// Remove all roles: users who sign in through the client then keep all of their own
    #[arg(long, group = "change", conflicts_with = "roles")]
    no_roles: bool,
    /// A community (GUID) that the client is limited to; repeat the flag for several, which replace the present ones
    #[arg(long = "community", value_name = "GUID", value_parser = parse_community, group = "change")]
    communities: Vec<Community>,
    /// Remove the limit to communities
    #[arg(long, group = "change", conflicts_with = "communities")]
    no_communities: bool,
    /// The user that the client acts as if it signs in for itself: an ID or a username
    #[arg(long, value_name = "USER", group = "change")]
    user: Option<String>,
    /// Let the client act in its own name
    #[arg(long, group = "change", conflicts_with = "user")]
    no_user: bool,
    /// The lifetime of its access tokens, in minutes
    #[arg(long, value_name = "MINUTES", group = "change")]
    access_minutes: Option<i64>,
    /// The lifetime of its refresh tokens, in minutes; 0: it gets no refresh tokens
    #[arg(long, value_name = "MINUTES", group = "change")]
    refresh_minutes: Option<i64>,
    /// Whether refresh tokens are rotated: each is valid for one use, which returns the next one
    #[arg(long, value_name = "BOOL", group = "change")]
    refresh_rotation: Option<bool>,
    /// Whether the client may get tokens
    #[arg(long, value_name = "BOOL", group = "change")]
    enabled: Option<bool>,
    /// Whether SCIM refuses unknown members rather than ignoring them
    #[arg(long, value_name = "BOOL", group = "change")]
    strict_members: Option<bool>,
    /// Over SCIM, the share of members that one request may remove
    ///
    /// It holds for a request that removes more than 20 members of a group.
    #[arg(long, value_name = "PERCENT", group = "change")]
    max_removal_percent: Option<i64>,
    /// Remove the limit of removals
    #[arg(long, group = "change", conflicts_with = "max_removal_percent")]
    no_max_removal_percent: bool,
    #[command(flatten)]
    reason: ReasonArgs,
}

/// Runs the command and prints its result on standard output.
pub(super) async fn run(args: ClientArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| args.command.run(service).await).await
}

impl ClientCommand {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(service).await,
            Self::List { json } => list(service, json).await,
            Self::Set(set) => set.run(service).await,
            Self::Rotate { client_id, json, reason } => rotate(service, &client_id, json, &reason).await,
            Self::Enable { client_id, reason } => {
                let client = service.patch_client(&reason.permit()?, &client_id, enabling(true)).await?;
                print_line(&format!("The client {} is enabled.", client.fields.id))
            }
            Self::Disable { client_id, reason } => {
                let client = service.patch_client(&reason.permit()?, &client_id, enabling(false)).await?;
                print_line(&format!(
                    "The client {} is disabled; its tokens are revoked within 5 seconds.",
                    client.fields.id
                ))
            }
            Self::Delete { client_id, reason } => {
                service.delete_client(&reason.permit()?, &client_id).await?;
                print_line(&format!("The client {client_id} is deleted; its tokens are revoked within 5 seconds."))
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
            roles: union_of(&self.roles),
            communities: community_set(self.communities)?,
            user,
            secret: secret.clone(),
            access_minutes: self.access_minutes,
            refresh_minutes: self.refresh_minutes,
            refresh_rotation: self.refresh_rotation,
            enabled: true,
            strict_members: self.strict_members,
            max_removal_percent: self.max_removal_percent,
        };
        let client = service.create_client(&self.reason.permit()?, draft).await.map_err(with_flags)?;
        print_secret(&client, secret.as_ref(), self.json)?;
        warn_without_roles(&client);
        Ok(())
    }
}

impl SetClient {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let changes_roles = self.no_roles || !self.roles.is_empty();
        let changes_communities = self.no_communities || !self.communities.is_empty();
        let communities = community_set(self.communities)?;
        let user = match &self.user {
            Some(named) => Some(Some(find_user(service, named).await?.uid)),
            None => self.no_user.then_some(None),
        };
        let patch = ClientPatch {
            name: self.name,
            roles: changes_roles.then(|| union_of(&self.roles)),
            communities: changes_communities.then_some(communities),
            access_minutes: self.access_minutes,
            refresh_minutes: self.refresh_minutes,
            refresh_rotation: self.refresh_rotation,
            enabled: self.enabled,
            user,
            strict_members: self.strict_members,
            max_removal_percent: self.max_removal_percent.map(Some).or(self.no_max_removal_percent.then_some(None)),
            ..ClientPatch::default()
        };
        let client = service.patch_client(&self.reason.permit()?, &self.client_id, patch).await.map_err(with_flags)?;
        print_line(&format!("The client {} is changed.", client.fields.id))?;
        warn_without_roles(&client);
        Ok(())
    }
}

/// The patch that enables or disables a client.
fn enabling(enabled: bool) -> ClientPatch {
    ClientPatch { enabled: Some(enabled), ..ClientPatch::default() }
}

/// The error with the flags of `client create` and `client set` in place of the fields of Rollbook's own API.
fn with_flags(error: Error) -> Error {
    match error {
        Error::Invalid(violations) => Error::Invalid(violations.into_iter().map(of_flag).collect()),
        other => other,
    }
}

fn of_flag(violation: Violation) -> Violation {
    let (flag, hint) = match violation.field {
        "name" => ("--name", ""),
        "accessMinutes" => ("--access-minutes", ""),
        "refreshMinutes" => ("--refresh-minutes", ""),
        "refreshRotation" => ("--refresh-rotation", ": give --refresh-minutes of 1 or more"),
        "user" => ("--user", ""),
        "maxRemovalPercent" => ("--max-removal-percent", ""),
        other => (other, ""),
    };
    Violation::new(flag, violation.reason + hint)
}

/// Sets a new secret and prints it. Fails if the client is public.
async fn rotate(service: &Service, client_id: &str, json: bool, reason: &ReasonArgs) -> anyhow::Result<()> {
    match service.rotate_client_secret(&reason.permit()?, client_id).await {
        Err(Error::PublicClient(id)) => bail!(
            "the client {id} is public: it has no secret to rotate; create another client with `rollbook client create`"
        ),
        rotated => {
            let NewSecret { client, secret } = rotated?;
            print_secret(&client, Some(&secret), json)
        }
    }
}

/// Prints all clients, ordered by number.
async fn list(service: &Service, json: bool) -> anyhow::Result<()> {
    let permit = permit::<ReadClients>()?;
    let mut table = Table::new();
    if !json {
        table.line(
            "CLIENT_ID\tSTATE\tKIND\tUSER\tROLES\tCOMMUNITIES\tACCESS_MINUTES\tREFRESH_MINUTES\tREFRESH_ROTATION\t\
             STRICT_MEMBERS\tMAX_REMOVAL_PERCENT\tNAME",
        )?;
    }
    let mut after = 0;
    loop {
        let clients = service.clients_after(&permit, after, BATCH_SIZE).await?;
        let Some(last) = clients.last() else { return Ok(table.flush()?) };
        after = last.uid;
        for client in &clients {
            let user = service.user_of_client(&permit, client).await?;
            match json {
                true => json::print(&json::client(client, user.as_ref()))?,
                false => table.line(line(client, user.as_ref()))?,
            }
            warn_without_roles(client);
        }
    }
}

/// Warns on standard error if a client has no role: operators easily mistake this for "all roles".
fn warn_without_roles(client: &Client) {
    if !client.fields.roles.is_empty() {
        return;
    }
    let own = if client.secret_hash.is_some() { "its own tokens open nothing, and " } else { "" };
    notify(format_args!(
        "warning: the client {} has no role: {own}users who sign in through it keep all of their own roles; create \
         another client with --role if this is not intended",
        escaped(&client.fields.id)
    ));
}

/// The line of a client in the list.
fn line(client: &Client, user: Option<&User>) -> String {
    let fields = &client.fields;
    let state = if fields.enabled { "enabled" } else { "disabled" };
    let kind = if client.secret_hash.is_some() { "secret" } else { "public" };
    let user = user.map_or_else(|| "-".to_owned(), |user| user.fields.id.to_string());
    let (roles, communities) = (format_roles(fields.roles), format_communities(&fields.communities));
    let (access, refresh) = (fields.access_minutes, fields.refresh_minutes);
    let on = |on: bool| if on { "on" } else { "off" };
    let (rotation, strict) = (on(fields.refresh_rotation), on(fields.strict_members));
    let removals = fields.max_removal_percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string());
    let (id, name) = (escaped(&fields.id), escaped(&fields.name));
    format!(
        "{id}\t{state}\t{kind}\t{user}\t{roles}\t{communities}\t{access}\t{refresh}\t{rotation}\t{strict}\t{removals}\t{name}"
    )
}

/// Prints the client's ID and its secret, if it has one.
fn print_secret(client: &Client, secret: Option<&Secret>, json: bool) -> anyhow::Result<()> {
    let id = &client.fields.id;
    let text = match (secret.map(|secret| secret.expose_secret()), json) {
        (Some(secret), true) => json!({ "client_id": id, "client_secret": secret }).to_string(),
        (None, true) => json!({ "client_id": id }).to_string(),
        (Some(secret), false) => {
            format!("client_id:     {id}\nclient_secret: {secret}\nSave the secret now: it is not shown again.")
        }
        (None, false) => format!("client_id: {id}\nThe client is public: it has no secret."),
    };
    print_line(&text)
}

fn print_line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
