//! `rollbook user groups`.

use std::io::{self, Write as _};

use clap::Args;

use crate::cli::json;
use crate::cli::operator::{escaped, format_actor, format_time, parse_user, permit};
use crate::domain::caller::ReadGroups;
use crate::domain::community::Visibility;
use crate::domain::cursor::MAX_LIMIT;
use crate::domain::membership::{JoinedGroupKey, JoinedGroupQuery};
use crate::domain::user::UserKey;
use crate::service::Service;

/// The arguments of `rollbook user groups`.
#[derive(Debug, Args)]
pub(super) struct ListJoinedGroups {
    /// The user's ID, `uid:` and the number, or `username:` and the username
    #[arg(value_parser = parse_user)]
    user: UserKey,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl ListJoinedGroups {
    /// Prints the groups of the user, ordered by number, with who added the user.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (permit, mut out) = (permit::<ReadGroups>()?, io::stdout());
        let mut query = JoinedGroupQuery {
            visibility: Visibility::All,
            user: self.user,
            key: JoinedGroupKey::Uid,
            descending: false,
            after: None,
            limit: MAX_LIMIT,
        };
        let mut is_first = true;
        loop {
            let (user, page) = service.list_joined_groups(&permit, query.clone()).await?;
            if is_first && !self.json {
                writeln!(out, "NUMBER\tID\tSINCE\tADDED_BY\tNAME")?;
            }
            is_first = false;
            let actors = service.actors_of(&permit, page.items.iter().map(|joined| joined.change)).await?;
            for joined in &page.items {
                let actor = joined.change.and_then(|change| actors.get(&change));
                let group = &joined.group;
                match self.json {
                    true => json::print(&json::joined_group(joined, actor))?,
                    false => {
                        let (since, by, name) = (format_time(joined.since), format_actor(actor), escaped(&group.name));
                        writeln!(out, "{}\t{}\t{since}\t{by}\t{name}", group.uid, group.fields.id)?;
                    }
                }
            }
            // By the number, so that all pages are of the same user.
            match page.next {
                Some(next) => (query.after, query.user) = (Some(next), UserKey::Uid(user.uid)),
                None => return Ok(()),
            }
        }
    }
}
