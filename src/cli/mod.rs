//! The command line: one file a command. `rollbook` alone serves.

mod backup;
mod client;
mod copy;
mod errors;
mod export;
mod files;
mod import;
mod keys;
mod openapi;
mod operator;
mod password;
mod serve;
mod user;

use clap::{Parser, Subcommand};

use crate::config::{DatabaseConfig, ENVIRONMENT_HELP, LogConfig, ServeConfig, refuse_passwords};
use crate::telemetry;

/// A self-hosted directory of user groups that speaks several APIs over one durable store
///
/// Without a command it serves. Flags stand behind the command: `rollbook client list --database sqlite:PATH`.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, args_conflicts_with_subcommands = true, after_help = ENVIRONMENT_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeConfig,
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(flatten)]
    log: LogConfig,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the APIs
    #[command(after_help = ENVIRONMENT_HELP)]
    Serve(ServeConfig),
    /// Make, list and change API clients: the programs that ask for tokens
    Client(client::ClientArgs),
    /// Make, list and change users
    User(user::UserArgs),
    /// Make and list the keys that tokens are signed with
    Keys(keys::KeysArgs),
    /// Copy the directory to a file, consistently, while it is being served
    Backup(backup::BackupArgs),
    /// Copy the directory to another database, consistently, while it is being served
    Copy(copy::CopyArgs),
    /// Import groups, users and memberships from a file of JSON lines, while the directory is being served
    Import(import::ImportArgs),
    /// Export groups, users and memberships as JSON lines, consistently, while the directory is being served
    Export(export::ExportArgs),
    /// Print the OpenAPI document of an API
    Openapi(openapi::OpenapiArgs),
}

impl Cli {
    /// Does what was asked for. An error is one sentence that says what to do.
    pub async fn run(self) -> anyhow::Result<()> {
        let (command, database) = (self.command.unwrap_or(Command::Serve(self.serve)), &self.database);
        refuse_passwords(std::env::args_os())?;
        telemetry::log(&self.log, if matches!(command, Command::Serve(_)) { "info" } else { "warn" })?;
        errors::explain(match command {
            Command::Serve(config) => serve::run(config, database).await,
            Command::Client(args) => client::run(args, database).await,
            Command::User(args) => user::run(args, database).await,
            Command::Keys(args) => keys::run(args, database).await,
            Command::Backup(args) => backup::run(args, database).await,
            Command::Copy(args) => copy::run(args).await,
            Command::Import(args) => import::run(args, database).await,
            Command::Export(args) => export::run(args, database).await,
            Command::Openapi(args) => openapi::run(&args),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        let cli = parse("rollbook --listen 127.0.0.1:0 --database sqlite:x.db").unwrap();
        assert!(cli.command.is_none() && cli.serve.listen.port() == 0 && cli.database.database == "sqlite:x.db");
        let cli = parse("rollbook serve --listen 127.0.0.1:1 --database sqlite:y.db").unwrap();
        assert!(matches!(cli.command, Some(Command::Serve(own)) if own.listen.port() == 1));
        assert_eq!(cli.database.database, "sqlite:y.db");
        assert!(parse("rollbook --listen 127.0.0.1:0 serve").is_err(), "a flag that would be ignored");
        assert!(parse("rollbook --default-language e_n").is_err());
    }
}
