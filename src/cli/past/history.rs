//! `rollbook history` and `rollbook changes`: what changed, when, by whom, through what and why.

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::DatabaseConfig;
use crate::domain::caller::{Permit, ReadChanges, ReadGroups, ReadUsers};
use crate::domain::community::Visibility;
use crate::domain::group::GroupKey;
use crate::domain::history::{CHANGES_MAX, Change, FeedQuery, HistoryOf, HistoryQuery, Order, Span};
use crate::domain::time::Timestamp;
use crate::domain::user::UserKey;
use crate::service::Service;

use crate::cli::json;
use crate::cli::operator::{
    escaped, format_actor, format_time, parse_group, parse_moment, parse_user, permit, with_directory,
};
use crate::cli::table::Table;

use super::selection::SelectionArgs;

/// The number of changes that `changes` prints without a start time.
const LATEST: u32 = 50;

/// The arguments of `rollbook history`.
#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryArgs {
    #[command(subcommand)]
    command: HistoryCommand,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Print the changes of a group and of its memberships, the newest first
    Group {
        /// The group's ID, or `uid:` and its number, which also finds a deleted group
        #[arg(value_parser = parse_group)]
        group: GroupKey,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Print the changes of a user and of the user's memberships, the newest first
    User {
        /// The user's ID, `uid:` and the number, or `username:` and the username
        #[arg(value_parser = parse_user)]
        user: UserKey,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Which changes of a history to print, and how.
#[derive(Debug, Args)]
struct OutputArgs {
    /// Print changes from this time on, e.g. 2026-03-01 or 2026-03-01T08:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    since: Option<Timestamp>,
    /// Print changes up to this time
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<Timestamp>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// The arguments of `rollbook changes`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ChangesArgs {
    /// Print all changes from this time on, the oldest first; without it, the latest 50
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    since: Option<Timestamp>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Go on printing changes as they happen, until interrupted
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Prints the history of a group or user.
pub(in crate::cli) async fn run_history(args: HistoryArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| args.command.run(service).await).await
}

/// Prints changes of the whole directory.
pub(in crate::cli) async fn run_changes(args: ChangesArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| args.run(service).await).await
}

impl HistoryCommand {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let output = match &self {
            Self::Group { output, .. } | Self::User { output, .. } => output,
        };
        let mut printer = Printer::new(output.json);
        let mut query = HistoryQuery {
            // The service finds the entity.
            of: HistoryOf::Group(0),
            visibility: Visibility::All,
            span: Span { since: output.since, until: output.until },
            types: None,
            order: Order::Descending,
            after: None,
            limit: CHANGES_MAX,
        };
        loop {
            let page = match &self {
                Self::Group { group, .. } => {
                    service.group_history(&permit::<ReadGroups>()?, group, query.clone()).await?.1
                }
                Self::User { user, .. } => service.user_history(&permit::<ReadUsers>()?, user, query.clone()).await?.1,
            };
            printer.print(&page.changes)?;
            if !page.more {
                return Ok(());
            }
            query.after = page.next;
        }
    }
}

impl ChangesArgs {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let permit = permit::<ReadChanges>()?;
        let mut printer = Printer::new(self.json);
        // What comes later is printed as it happens.
        let end = service.feed_end(&permit).await?;
        let (order, after) = match self.since {
            Some(_) => (Order::Ascending, None),
            None => (Order::Descending, end.clone()),
        };
        let mut query = FeedQuery {
            visibility: Visibility::All,
            span: Span { since: self.since, until: self.selection.until },
            filter: self.selection.filter(service, &permit).await?,
            order,
            after,
            limit: if self.since.is_some() { CHANGES_MAX } else { LATEST },
            is_settled: true,
        };
        let mut latest = Vec::new();
        loop {
            let page = service.changes(&permit, query.clone()).await?;
            let changes: Vec<_> = page.changes.into_iter().map(|change| change.change).collect();
            match order {
                Order::Ascending => printer.print(&changes)?,
                Order::Descending => latest.extend(changes),
            }
            query.after = page.next.or(query.after);
            if !page.more || latest.len() >= LATEST as usize {
                break;
            }
        }
        // Read from the newest on, and printed as they happened.
        latest.truncate(LATEST as usize);
        latest.reverse();
        printer.print(&latest)?;
        if order == Order::Descending {
            query.after = end;
        }
        if self.follow { follow(service, &permit, query, &mut printer).await } else { Ok(()) }
    }
}

/// Prints the changes behind the query's position as they happen, until SIGINT or SIGTERM.
async fn follow(
    service: &Service,
    permit: &Permit<ReadChanges>,
    query: FeedQuery,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut reader = service.follow(permit, FeedQuery { limit: CHANGES_MAX, ..query });
    loop {
        let ready = tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            ready = reader.ready() => ready,
        };
        if ready.is_break() {
            return Ok(());
        }
        let part = reader.read(permit).await?;
        printer.print(&part.changes().map(|change| change.change.clone()).collect::<Vec<_>>())?;
    }
}

/// Prints changes, as a list or as JSON lines.
struct Printer {
    json: bool,
    table: Table,
    /// Whether the heading was printed.
    begun: bool,
}

impl Printer {
    fn new(json: bool) -> Self {
        Self { json, table: Table::new(), begun: false }
    }

    /// Prints changes, under a heading the first time.
    fn print(&mut self, changes: &[Change]) -> anyhow::Result<()> {
        if self.json {
            return changes.iter().try_for_each(|change| json::print(&json::change(change)));
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.table.line("TIME\tTYPE\tGROUP\tUSER\tBY\tCHANNEL\tOPERATION\tREASON")?;
        }
        let named = |name: Option<&str>| name.map_or_else(|| "-".to_owned(), escaped);
        for change in changes {
            let group = named(change.group.as_ref().map(|group| group.id.as_str()));
            let user = named(change.user.as_ref().map(|user| user.id.as_str()));
            let (time, kind) = (format_time(change.time), change.kind.name());
            let (by, channel) = (format_actor(Some(&change.actor)), change.channel.name());
            let (operation, reason) = (&change.operation, named(change.reason.as_deref()));
            self.table.line(format!("{time}\t{kind}\t{group}\t{user}\t{by}\t{channel}\t{operation}\t{reason}"))?;
        }
        Ok(self.table.flush()?)
    }
}
