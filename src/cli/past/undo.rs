//! `rollbook undo`: takes back what an operation did, or all changes that its flags select.

use std::io::{self, Write as _};

use clap::Args;

use crate::config::DatabaseConfig;
use crate::domain::error::{Error, ResourceKind};
use crate::domain::history::{ChangeFilter, Span};
use crate::domain::time::Timestamp;
use crate::domain::undo::{OnConflict, UndoOptions, UndoOutcome, UndoResult, UndoneChange};
use crate::service::undo::UndoSelection;

use crate::cli::operator::{ReasonArgs, parse_moment, with_directory};
use crate::cli::table::Table;

use super::selection::SelectionArgs;

/// The arguments of `rollbook undo`.
#[derive(Debug, Args)]
pub(in crate::cli) struct UndoArgs {
    /// The operation, as `rollbook changes` prints it; without it, all changes that the flags select
    #[arg(required_unless_present_any = ["since", "channels", "clients"])]
    operation: Option<String>,
    /// Undo changes from this time on, e.g. 2026-03-01 or 2026-03-01T08:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    since: Option<Timestamp>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Print what would become of the changes, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Undo what can be undone, even if other changes cannot
    #[arg(long)]
    skip_conflicts: bool,
    #[command(flatten)]
    reason: ReasonArgs,
}

/// Undoes the changes and prints what became of them on standard output.
pub(in crate::cli) async fn run(args: UndoArgs, database: &DatabaseConfig) -> anyhow::Result<()> {
    with_directory(database, async |service| {
        let permit = args.reason.permit()?;
        let span = Span { since: args.since, until: args.selection.until };
        let filter = args.selection.filter(service, &permit).await?;
        let filter = ChangeFilter { operations: args.operation.iter().cloned().collect(), ..filter };
        let on_conflict = if args.skip_conflicts { OnConflict::Skip } else { OnConflict::Fail };
        let options = UndoOptions { dry_run: args.dry_run, on_conflict };
        match service.undo(&permit, UndoSelection { filter, span }, options).await {
            Ok(UndoOutcome { changes, .. }) if changes.is_empty() => match args.operation {
                Some(operation) => Err(Error::NotFound(ResourceKind::Operation, operation).into()),
                None => anyhow::bail!("no changes are selected, so nothing was undone"),
            },
            Ok(outcome) if args.dry_run && !args.skip_conflicts && outcome.conflicts > 0 => {
                print_conflicts(&outcome)?;
                Err(Error::UndoConflicts(Box::new(outcome)).into())
            }
            Err(Error::UndoConflicts(outcome)) => {
                print_conflicts(&outcome)?;
                Err(Error::UndoConflicts(outcome).into())
            }
            outcome => print_outcome(&outcome?),
        }
    })
    .await
}

fn print_outcome(outcome: &UndoOutcome) -> anyhow::Result<()> {
    print_conflicts(outcome)?;
    let UndoOutcome { operation, dry_run, undone, nothing_to_do, conflicts, .. } = outcome;
    let changes = if *undone == 1 { "change" } else { "changes" };
    let undone_is = match (dry_run, undone) {
        (true, _) => "would be undone",
        (false, 1) => "is undone",
        (false, _) => "are undone",
    };
    let rest = format!("{nothing_to_do} without effect by now; {conflicts} in conflict or impossible");
    let by = operation.as_ref().map(|operation| format!(" by operation {operation}")).unwrap_or_default();
    writeln!(io::stdout(), "{undone} {changes} {undone_is}{by}; {rest}.")?;
    Ok(())
}

/// Prints the changes that cannot be undone, one in each line.
fn print_conflicts(outcome: &UndoOutcome) -> anyhow::Result<()> {
    let mut table = Table::new();
    for UndoneChange { id, result } in outcome.changes.iter().filter(|change| change.result.is_conflict()) {
        let what = if matches!(result, UndoResult::Conflict(_)) { "changed since" } else { "cannot be undone" };
        table.line(format!("{id}\t{what}\t{}", result.detail().unwrap_or_default()))?;
    }
    Ok(table.flush()?)
}
