//! The command line, with one file or folder per command. `rollbook` without a command serves.

mod backup;
mod client;
mod copy;
mod errors;
mod export;
mod files;
mod group;
mod import;
mod json;
mod keys;
mod openapi;
mod operator;
mod password;
mod past;
mod serve;
mod table;
mod token;
mod user;

use std::env;
use std::fmt::Display;
use std::io::{self, Write as _};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{DatabaseConfig, ENVIRONMENT_HELP, LogConfig, ServeConfig, refuse_passwords};
use crate::telemetry;

/// A self-hosted directory of user groups that offers several APIs on one durable store
///
/// Without a command, it serves. Flags follow the command: `rollbook client list --database sqlite:PATH`.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, args_conflicts_with_subcommands = true, after_long_help = ENVIRONMENT_HELP)]
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
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Serve(ServeConfig),
    /// Create, list and change API clients: the programs that request tokens
    Client(client::ClientArgs),
    /// Create, list and revoke long-lived tokens of clients
    Token(token::TokenArgs),
    /// Create, list and delete groups, and change their members
    Group(group::GroupArgs),
    /// Create, list and change users
    User(user::UserArgs),
    /// Undo the deletion of a group or user
    Restore(past::restore::RestoreArgs),
    /// Undo an operation, or changes of a time, a client or a channel
    Undo(past::undo::UndoArgs),
    /// Print the changes of a group or user
    History(past::history::HistoryArgs),
    /// Print changes of the whole directory
    Changes(past::history::ChangesArgs),
    /// Print who signed in or tried to
    SignIns(past::sign_ins::SignInsArgs),
    /// Create and list the keys that sign tokens
    Keys(keys::KeysArgs),
    /// Write a consistent copy of the directory to a file, while it is being served
    Backup(backup::BackupArgs),
    /// Write a consistent copy of the directory to another database, while it is being served
    Copy(copy::CopyArgs),
    /// Import groups, users and memberships from a file of JSON lines
    ///
    /// The directory may be served meanwhile.
    Import(import::ImportArgs),
    /// Export groups, users and memberships as JSON lines
    ///
    /// They are of one moment. The directory may be served meanwhile.
    Export(export::ExportArgs),
    /// Print the OpenAPI document of an API
    Openapi(openapi::OpenapiArgs),
}

impl Cli {
    /// Reads the arguments and the environment. Ends the process if they request help or are invalid.
    pub fn read() -> Self {
        let arguments = with_plain_usage(Self::built_command()).try_get_matches();
        let arguments = arguments.unwrap_or_else(|error| with_tip(error).exit());
        Self::from_arg_matches(&arguments).unwrap_or_else(|error| error.exit())
    }

    /// The definition of the command line. It is built, so that every command has its full name in usage lines.
    fn built_command() -> clap::Command {
        let mut command = Self::command();
        command.build();
        without_empty_variables(command)
    }

    /// Runs the command. An error is one sentence that says what to do.
    pub async fn run(self) -> anyhow::Result<()> {
        let (command, database) = (self.command.unwrap_or(Command::Serve(self.serve)), &self.database);
        refuse_passwords(env::args_os())?;
        telemetry::init_logging(&self.log, if matches!(command, Command::Serve(_)) { "info" } else { "warn" })?;
        errors::explain(match command {
            Command::Serve(config) => serve::run(config, database).await,
            Command::Client(args) => client::run(args, database).await,
            Command::Token(args) => token::run(args, database).await,
            Command::Group(args) => group::run(args, database).await,
            Command::User(args) => user::run(args, database).await,
            Command::Restore(args) => past::restore::run(args, database).await,
            Command::Undo(args) => past::undo::run(args, database).await,
            Command::History(args) => past::history::run_history(args, database).await,
            Command::Changes(args) => past::history::run_changes(args, database).await,
            Command::SignIns(args) => past::sign_ins::run(args, database).await,
            Command::Keys(args) => keys::run(args, database).await,
            Command::Backup(args) => backup::run(args, database).await,
            Command::Copy(args) => copy::run(args).await,
            Command::Import(args) => import::run(args, database).await,
            Command::Export(args) => export::run(args, database).await,
            Command::Openapi(args) => openapi::run(&args),
        })
    }
}

/// Prints a line for people on standard error. Ignores write errors: `eprintln!` would panic, and stop an import
/// half-way.
pub fn notify(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The command, changed so that an empty environment variable counts as not set: a file of variables with nothing after
/// the name means this. An empty flag is an error.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let unset = |arg: clap::Arg| {
        let is_empty = arg.get_env().and_then(env::var_os).is_some_and(|text| text.is_empty());
        if is_empty { arg.env(Resettable::Reset) } else { arg }
    };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

/// The command with usage lines that leave out the flags that the environment sets. clap itself shows them in errors as
/// if the user had typed them, and in help as if they were required.
fn with_plain_usage(command: clap::Command) -> clap::Command {
    let optional = |arg: clap::Arg| {
        let is_set = arg.get_env().is_some_and(|name| env::var_os(name).is_some());
        if is_set { arg.required(false) } else { arg }
    };
    let usage = command.clone().mut_args(optional).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    command.override_usage(usage).mut_subcommands(with_plain_usage)
}

/// The error, with a tip if the cause is a flag before its command.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let text = |kind| error.get(kind).map(ToString::to_string);
    if error.kind() == ErrorKind::ArgumentConflict
        && let (Some(command), Some(flag)) = (text(ContextKind::InvalidSubcommand), text(ContextKind::PriorArg))
    {
        let tip = format!("flags follow the command: rollbook {command} ... {flag}");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

#[cfg(test)]
mod tests {
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
