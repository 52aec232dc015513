//! `rollbook user groups`.

use clap::Args;

use crate::cli::json;
use crate::cli::operator::{escaped, format_actor, format_time, parse_moment, parse_user, permit};
use crate::cli::table::Table;
use crate::domain::caller::ReadGroups;
use crate::domain::community::Visibility;
use crate::domain::cursor::MAX_LIMIT;
use crate::domain::history::JoinedGroupsAtQuery;
use crate::domain::membership::{JoinedGroup, JoinedGroupKey, JoinedGroupQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::UserKey;
use crate::service::Service;

/// The arguments of `rollbook user groups`.
#[derive(Debug, Args)]
pub(super) struct ListJoinedGroups {
    /// The user's ID, `uid:` and the number, or `username:` and the username
    #[arg(value_parser = parse_user)]
    user: UserKey,
    /// Print the groups that the user was in at this time, e.g. 2026-03-01 or 2026-03-01T08:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Option<Timestamp>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl ListJoinedGroups {
    /// Prints the groups of the user, ordered by number, with who added the user.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (permit, mut table) = (permit::<ReadGroups>()?, Table::new());
        if let Some(at) = self.at {
            return self.print_then(service, at, &mut table).await;
        }
        let mut query = JoinedGroupQuery {
            visibility: Visibility::All,
            user: self.user.clone(),
            key: JoinedGroupKey::Uid,
            descending: false,
            after: None,
            limit: MAX_LIMIT,
        };
        let mut is_first = true;
        loop {
            let (user, page) = service.list_joined_groups(&permit, query.clone()).await?;
            self.print(service, &page.items, is_first, &mut table).await?;
            is_first = false;
            // By the number, so that all pages are of the same user.
            match page.next {
                Some(next) => (query.after, query.user) = (Some(next), UserKey::Uid(user.uid)),
                None => return Ok(table.flush()?),
            }
        }
    }

    /// Prints the groups that the user was in at the moment.
    async fn print_then(&self, service: &Service, at: Timestamp, table: &mut Table) -> anyhow::Result<()> {
        let permit = permit::<ReadGroups>()?;
        // The service finds the user.
        let mut query = JoinedGroupsAtQuery { user: 0, visibility: Visibility::All, at, after: None, limit: MAX_LIMIT };
        loop {
            let page = service.joined_groups_at(&permit, &self.user, query.clone()).await?.1;
            self.print(service, &page.items, query.after.is_none(), table).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(table.flush()?),
            }
        }
    }

    async fn print(
        &self,
        service: &Service,
        groups: &[JoinedGroup],
        is_first: bool,
        table: &mut Table,
    ) -> anyhow::Result<()> {
        if is_first && !self.json {
            table.line("NUMBER\tID\tSINCE\tADDED_BY\tNAME")?;
        }
        let actors = service.actors_of(&permit::<ReadGroups>()?, groups.iter().map(|joined| joined.change)).await?;
        for joined in groups {
            let actor = joined.change.and_then(|change| actors.get(&change));
            let group = &joined.group;
            match self.json {
                true => json::print(&json::joined_group(joined, actor))?,
                false => {
                    let (since, by, name) = (format_time(joined.since), format_actor(actor), escaped(&group.name));
                    table.line(format!("{}\t{}\t{since}\t{by}\t{name}", group.uid, group.fields.id))?;
                }
            }
        }
        Ok(())
    }
}
