//! `rollbook group list` and `show`.

use std::io::{self, Write as _};

use clap::Args;

use crate::cli::json;
use crate::cli::operator::{escaped, format_communities, format_time, permit};
use crate::cli::table::Table;
use crate::domain::caller::ReadGroups;
use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorQuery, MAX_LIMIT};
use crate::domain::group::{Group, GroupKey};
use crate::domain::query::{Field, Filter, GroupField, Search};
use crate::domain::text::fold;
use crate::domain::xp::Xp;
use crate::service::Service;

/// The arguments of `rollbook group list`.
#[derive(Debug, Args)]
pub(super) struct ListGroups {
    /// Print only the groups with this text anywhere in their ID, Name or description, without regard to case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl ListGroups {
    /// Prints the groups, ordered by number. A page goes on after a number, so that groups that are created or deleted
    /// meanwhile do not shift others out of the list.
    pub(super) async fn run(self, service: &Service) -> anyhow::Result<()> {
        let (permit, mut table) = (permit::<ReadGroups>()?, Table::new());
        if !self.json {
            table.line("NUMBER\tID\tMEMBERS\tCOMMUNITIES\tNAME")?;
        }
        let search = self.search.map(|text| Search {
            term: fold(&text),
            fields: GroupField::SEARCHABLE.iter().copied().map(Field::Own).collect(),
        });
        let mut query = CursorQuery {
            visibility: Visibility::All,
            filter: Filter { search, conditions: Vec::new() },
            sort: Vec::new(),
            after: None,
            skip: 0,
            limit: MAX_LIMIT,
        };
        loop {
            let page = service.walk_groups(&permit, query.clone()).await?;
            for group in &page.items {
                match self.json {
                    true => json::print(&json::group(group)?)?,
                    false => table.line(line(group))?,
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(table.flush()?),
            }
        }
    }
}

/// The line of a group in the list.
fn line(group: &Group) -> String {
    let (id, name) = (&group.fields.id, escaped(&group.name));
    format!("{}\t{id}\t{}\t{}\t{name}", group.uid, group.members, format_communities(&group.fields.communities))
}

/// Prints a group, one property per line, or as one JSON object.
pub(super) async fn show(service: &Service, key: &GroupKey, json: bool) -> anyhow::Result<()> {
    let group = service.group_by_key(&permit::<ReadGroups>()?, key).await?;
    if json {
        return json::print(&json::group(&group)?);
    }
    let (fields, none) = (&group.fields, || "-".to_owned());
    let labels: Vec<_> = fields.labels.iter().map(|(tag, label)| format!("{tag}={}", escaped(label))).collect();
    for (name, value) in [
        ("number", group.uid.to_string()),
        ("ID", fields.id.to_string()),
        ("name", escaped(&group.name)),
        ("labels", labels.join(", ")),
        ("description", fields.description.as_deref().map_or_else(none, escaped)),
        ("xp", fields.xp.as_ref().map(Xp::as_str).map_or_else(none, escaped)),
        ("communities", format_communities(&fields.communities)),
        ("members", json::member_count(&group).to_string()),
        ("version", group.version.to_string()),
        ("created", format_time(group.created)),
        ("updated", format_time(group.updated)),
        ("deleted", group.deleted.map_or_else(none, format_time)),
    ] {
        writeln!(io::stdout(), "{:13}{value}", format!("{name}:"))?;
    }
    Ok(())
}
