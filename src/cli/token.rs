//! `rollbook token`: manages long-lived tokens, for programs that cannot get tokens from the token endpoint.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::config::DatabaseConfig;
use crate::domain::caller::ReadClients;
use crate::domain::long_lived_token::{DAYS_DEFAULT, DAYS_MAX, LongLivedToken};
use crate::service::Service;
use crate::service::tokens::NewLongLivedToken;

use super::json;
use super::operator::{ReasonArgs, escaped, format_time, permit, with_directory};
use super::table::Table;

/// The number of tokens that `list` reads at a time.
const BATCH_SIZE: u32 = 100;

/// The arguments of `rollbook token`.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Create a long-lived token of a client and print it, which happens only once
    ///
    /// The token acts as the client, with the client's roles, communities and user. It stays valid if the client gets a
    /// new secret. It ends if the client is disabled or deleted, and with the tokens of the user that the client acts
    /// for.
    Create {
        /// The client_id; the client must not be public
        client: String,
        /// A name that people recognize the token by
        #[arg(long)]
        name: String,
        /// The number of days until the token expires
        #[arg(long, value_name = "DAYS", default_value_t = DAYS_DEFAULT, value_parser = clap::value_parser!(i64).range(1..=DAYS_MAX))]
        days: i64,
        /// Print one JSON object with id, token and expires
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Print all tokens that have not ended, one per line, with fields separated by tabs
    ///
    /// An expired token is listed until it is revoked. The time of the last use is in whole hours.
    List {
        /// Print only the tokens of the client with this client_id
        client: Option<String>,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token
    Revoke {
        /// The ID of the token, as `list` prints it
        id: String,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

/// Runs the command and prints its result on standard output.
pub(super) async fn run(TokenArgs { command }: TokenArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| match command {
        TokenCommand::Create { client, name, days, json, reason } => {
            let created = service.create_long_lived_token(&reason.permit()?, &client, &name, days).await?;
            print_secret(&created, json)
        }
        TokenCommand::List { client, json } => list(service, client.as_deref(), json).await,
        TokenCommand::Revoke { id, reason } => {
            let revoked = service.revoke_long_lived_token(&reason.permit()?, &id).await?;
            print_line(&format!("The token {} is revoked within 5 seconds.", revoked.fields.id))
        }
    })
    .await
}

/// Prints the new token, once.
fn print_secret(NewLongLivedToken { secret, token }: &NewLongLivedToken, json: bool) -> anyhow::Result<()> {
    let (id, secret) = (&token.fields.id, secret.expose_secret());
    print_line(&match json {
        true => json!({ "id": id, "token": secret, "expires": json::time(token.fields.expires) }).to_string(),
        false => {
            let expires = format_time(token.fields.expires);
            format!("id:      {id}\ntoken:   {secret}\nexpires: {expires}\nSave the token now: it is not shown again.")
        }
    })
}

/// Prints the tokens that have not ended, ordered by number: all, or those of one client.
async fn list(service: &Service, client: Option<&str>, json: bool) -> anyhow::Result<()> {
    let (permit, mut table) = (permit::<ReadClients>()?, Table::new());
    let client = match client {
        Some(id) => Some(service.client(&permit, id).await?),
        None => None,
    };
    if !json {
        table.line("ID\tCLIENT\tCREATED\tEXPIRES\tLAST_USED\tNAME")?;
    }
    let mut after = 0;
    loop {
        let tokens = service.long_lived_tokens_after(&permit, client.as_ref(), after, BATCH_SIZE).await?;
        let Some(last) = tokens.last() else { return Ok(table.flush()?) };
        after = last.uid;
        for token in &tokens {
            let client = service.client_of_token(&permit, token).await?;
            let client = client.as_ref().map(|client| &*client.fields.id);
            match json {
                true => json::print(&json::token(token, client))?,
                false => table.line(line(token, client.unwrap_or("-")))?,
            }
        }
    }
}

/// The token as a line of the list.
fn line(token: &LongLivedToken, client: &str) -> String {
    let (created, expires) = (format_time(token.created), format_time(token.fields.expires));
    let last_used = token.last_used.map_or_else(|| "-".to_owned(), format_time);
    let (id, client, name) = (escaped(&token.fields.id), escaped(client), escaped(&token.fields.name));
    format!("{id}\t{client}\t{created}\t{expires}\t{last_used}\t{name}")
}

fn print_line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
