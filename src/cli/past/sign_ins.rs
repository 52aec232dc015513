//! `rollbook sign-ins`: who signed in or tried to, when, through what and from where.

use anyhow::Context as _;
use clap::Args;

use crate::config::DatabaseConfig;
use crate::domain::caller::{ReadChanges, ReadSignIns};
use crate::domain::history::{CHANGES_MAX, Order, Span};
use crate::domain::sign_in::{RecordedSignIn, SignInFilter, SignInQuery, SignInType};
use crate::domain::time::Timestamp;
use crate::domain::user::UserKey;
use crate::service::Service;

use crate::cli::json;
use crate::cli::operator::{escaped, format_time, parse_moment, parse_user, permit, with_directory};
use crate::cli::table::Table;

/// The number of sign-ins that are printed without a start time.
const LATEST: u32 = 50;

/// The arguments of `rollbook sign-ins`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SignInsArgs {
    /// Print all sign-ins from this time on, the oldest first; without it, the latest 50
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    since: Option<Timestamp>,
    /// Print only sign-ins of this user: the ID, `uid:` and the number, or `username:` and the username
    #[arg(long, value_name = "USER", value_parser = parse_user)]
    user: Option<UserKey>,
    /// Print only sign-ins of this type: sign_in.succeeded, sign_in.failed or sign_in.locked; can be repeated
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    types: Vec<SignInType>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Prints recorded sign-ins.
pub(in crate::cli) async fn run(args: SignInsArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| args.run(service).await).await
}

impl SignInsArgs {
    async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (reading, naming) = (permit::<ReadSignIns>()?, permit::<ReadChanges>()?);
        let mut filter = SignInFilter { types: self.types, ..SignInFilter::default() };
        if let Some(key) = &self.user {
            let user = service.named_user(&naming, key).await?;
            filter.users.push(user.context("there is no such user; rollbook user list prints all")?);
        }
        let mut query = SignInQuery {
            filter,
            span: Span { since: self.since, until: None },
            order: if self.since.is_some() { Order::Ascending } else { Order::Descending },
            after: None,
            limit: if self.since.is_some() { CHANGES_MAX } else { LATEST },
        };
        let mut printer = Printer { table: Table::new(), json: self.json, begun: false };
        let mut latest = Vec::new();
        loop {
            let page = service.sign_ins(&reading, query.clone()).await?;
            match query.order {
                Order::Ascending => printer.print(&page.sign_ins)?,
                Order::Descending => latest.extend(page.sign_ins),
            }
            if !page.more || latest.len() >= LATEST as usize {
                break;
            }
            query.after = page.next;
        }
        // Read from the newest on, and printed as they happened.
        latest.truncate(LATEST as usize);
        latest.reverse();
        printer.print(&latest)
    }
}

/// Prints sign-ins, as a list or as JSON lines.
struct Printer {
    json: bool,
    table: Table,
    /// Whether the heading was printed.
    begun: bool,
}

impl Printer {
    /// Prints sign-ins, under a heading the first time.
    fn print(&mut self, sign_ins: &[RecordedSignIn]) -> anyhow::Result<()> {
        if self.json {
            return sign_ins.iter().try_for_each(|sign_in| json::print(&json::sign_in(sign_in)));
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.table.line("TIME\tTYPE\tUSER\tCLIENT\tSOURCE\tCHANNEL\tCOUNT\tREASON")?;
        }
        let named = |name: Option<&str>| name.map_or_else(|| "-".to_owned(), escaped);
        for sign_in in sign_ins {
            let user = named(sign_in.user.as_ref().map(|user| &*user.id));
            let client = named(sign_in.client.as_ref().map(|client| &*client.name));
            let (source, reason) = (named(sign_in.source.as_deref()), named(sign_in.reason.as_deref()));
            let (time, kind, channel) = (format_time(sign_in.at), sign_in.kind.name(), sign_in.channel.name());
            let count = sign_in.count;
            self.table.line(format!("{time}\t{kind}\t{user}\t{client}\t{source}\t{channel}\t{count}\t{reason}"))?;
        }
        Ok(self.table.flush()?)
    }
}

fn parse_type(text: &str) -> Result<SignInType, String> {
    text.parse().map_err(|()| {
        let names: Vec<_> = SignInType::ALL.into_iter().map(SignInType::name).collect();
        format!("must be one of {}", names.join(", "))
    })
}
