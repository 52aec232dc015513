//! `rollbook group members`, `add-member` and `remove-member`.

use std::io::{self, Write as _};

use clap::Args;

use crate::cli::json;
use crate::cli::operator::{
    ReasonArgs, escaped, format_actor, format_time, parse_group, parse_moment, parse_user, permit,
};
use crate::cli::table::Table;
use crate::domain::caller::ReadGroups;
use crate::domain::community::Visibility;
use crate::domain::cursor::MAX_LIMIT;
use crate::domain::group::GroupKey;
use crate::domain::history::MembersAtQuery;
use crate::domain::membership::{Member, MemberKey, MemberQuery, MembersChange, MembersOptions, MembersOutcome};
use crate::domain::query::UserField;
use crate::domain::time::Timestamp;
use crate::domain::user::UserKey;
use crate::service::Service;

/// The arguments of `rollbook group members`.
#[derive(Debug, Args)]
pub(super) struct ListMembers {
    /// The group's ID, or `uid:` and its number
    #[arg(value_parser = parse_group)]
    group: GroupKey,
    /// Print the members that the group had at this time, e.g. 2026-03-01 or 2026-03-01T08:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Option<Timestamp>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl ListMembers {
    /// Prints the members, ordered by ID, with who added them.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (permit, mut table) = (permit::<ReadGroups>()?, Table::new());
        // By its number, so that all pages are of the same group.
        let group = service.group_by_key(&permit, &self.group).await?.uid;
        if !self.json {
            table.line("ID\tUSERNAME\tSINCE\tADDED_BY")?;
        }
        let mut query = MemberQuery {
            visibility: Visibility::All,
            group: GroupKey::Uid(group),
            search: None,
            key: MemberKey::Own(UserField::Id),
            descending: false,
            after: None,
            limit: MAX_LIMIT,
        };
        if let Some(at) = self.at {
            return self.print_then(service, GroupKey::Uid(group), at, &mut table).await;
        }
        loop {
            let (_, page) = service.list_members(&permit, query.clone()).await?;
            self.print(service, &page.items, &mut table).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(table.flush()?),
            }
        }
    }

    /// Prints the members that the group had at the moment.
    async fn print_then(
        &self,
        service: &Service,
        group: GroupKey,
        at: Timestamp,
        table: &mut Table,
    ) -> anyhow::Result<()> {
        let permit = permit::<ReadGroups>()?;
        // The service finds the group.
        let mut query = MembersAtQuery { group: 0, at, after: None, limit: MAX_LIMIT };
        loop {
            let page = service.members_at(&permit, &group, query.clone()).await?.1;
            self.print(service, &page.items, table).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(table.flush()?),
            }
        }
    }

    async fn print(&self, service: &Service, members: &[Member], table: &mut Table) -> anyhow::Result<()> {
        let actors = service.actors_of(&permit::<ReadGroups>()?, members.iter().map(|member| member.change)).await?;
        for member in members {
            let actor = member.change.and_then(|change| actors.get(&change));
            match self.json {
                true => json::print(&json::member(member, actor))?,
                false => {
                    let (id, username) = (&member.user.fields.id, escaped(&member.user.fields.username));
                    let (since, by) = (format_time(member.since), format_actor(actor));
                    table.line(format!("{id}\t{username}\t{since}\t{by}"))?;
                }
            }
        }
        Ok(())
    }
}

/// The arguments of `rollbook group add-member` and `remove-member`.
#[derive(Debug, Args)]
pub(super) struct ChangeMembers {
    /// The group's ID, or `uid:` and its number
    #[arg(value_parser = parse_group)]
    group: GroupKey,
    /// The users: each an ID, `uid:` and the number, or `username:` and the username
    #[arg(required = true, value_name = "USER", value_parser = parse_user)]
    users: Vec<UserKey>,
    #[command(flatten)]
    reason: ReasonArgs,
}

impl ChangeMembers {
    /// Adds the users and prints how many were added.
    pub(super) async fn add(self, service: &Service) -> anyhow::Result<()> {
        let change = MembersChange::Delta { add: self.users, remove: Vec::new() };
        let MembersOutcome { added, unchanged, .. } = made(service, self.group, change, &self.reason).await?;
        print_counts(added, "added", unchanged, "already members")
    }

    /// Removes the users and prints how many were removed.
    pub(super) async fn remove(self, service: &Service) -> anyhow::Result<()> {
        let change = MembersChange::Delta { add: Vec::new(), remove: self.users };
        let MembersOutcome { removed, unchanged, .. } = made(service, self.group, change, &self.reason).await?;
        print_counts(removed, "removed", unchanged, "no members")
    }
}

async fn made(
    service: &Service,
    group: GroupKey,
    change: MembersChange,
    reason: &ReasonArgs,
) -> anyhow::Result<MembersOutcome> {
    Ok(service.change_members(&reason.permit()?, group, change, MembersOptions::default()).await?)
}

/// Prints a line with the number of changed users, and of unchanged ones if there are any.
fn print_counts(changed: u64, verb: &str, unchanged: u64, state: &str) -> anyhow::Result<()> {
    let rest = if unchanged == 0 { String::new() } else { format!("; {state}: {unchanged}") };
    Ok(writeln!(io::stdout(), "Users {verb}: {changed}{rest}.")?)
}
