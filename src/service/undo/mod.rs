//! Use cases of undoing: the changes of an operation, or those that a filter finds, are taken back in one transaction
//! (docs/rollbook.md, section 15).

mod plan;
mod working;
mod writes;

use std::sync::Arc;

use crate::domain::caller::{Caller, ManageClients, Permit, ReadChanges, UndoChanges, WriteGroups, WriteUsers};
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::history::{
    CHANGES_MAX, ChangeFilter, FeedPage, FeedPosition, FeedQuery, JournaledChange, Order, Span, State, Subject,
};
use crate::domain::text::fold;
use crate::domain::undo::{OnConflict, UNDO_MAX, UndoOptions, UndoOutcome, UndoneChange};
use crate::store::{UndoFn, UndoPlan, UndoScope, UndoState};

use super::Service;
use plan::{Excluded, Planner};

/// The maximum length of the states of all changes of an undo, in bytes of JSON.
const BYTES_MAX: usize = 128 << 20;
/// How often an undo is planned anew, because changes that cannot be undone make that of others impossible.
const ROUNDS_MAX: usize = 256;
/// The maximum number of parts of the journal that an undo looks through, each of some thousand entries.
const PARTS_MAX: usize = 1_000;

/// Which changes are undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct UndoSelection {
    /// Their properties.
    pub filter: ChangeFilter,
    /// Their times.
    pub span: Span,
}

impl Service {
    /// Returns a page of the changes of an operation that the caller may see, the oldest first. Fails with `NotFound` if
    /// there are none.
    pub(crate) async fn changes_of_operation(
        &self,
        permit: &Permit<ReadChanges>,
        operation: &str,
        after: Option<FeedPosition>,
        limit: u32,
    ) -> Result<FeedPage> {
        let is_first = after.is_none();
        let page = self
            .store
            .changes(FeedQuery {
                visibility: permit.caller().visibility.clone(),
                filter: ChangeFilter { operations: vec![operation.to_owned()], ..ChangeFilter::default() },
                span: Span::default(),
                order: Order::Ascending,
                after,
                limit,
                is_settled: false,
            })
            .await?;
        if is_first && page.changes.is_empty() { Err(no_operation(operation)) } else { Ok(page) }
    }

    /// Undoes the changes of the operation, as [`Self::undo`] does. Also fails with `NotFound` if the caller may see none.
    pub(crate) async fn undo_operation(
        &self,
        permit: &Permit<UndoChanges>,
        operation: &str,
        options: UndoOptions,
    ) -> Result<UndoOutcome> {
        let filter = ChangeFilter { operations: vec![operation.to_owned()], ..ChangeFilter::default() };
        let changes = self.changes_to_undo(permit, UndoSelection { filter, span: Span::default() }).await?;
        if changes.is_empty() {
            return Err(no_operation(operation));
        }
        self.undo_changes(permit, changes, options).await
    }

    /// Undoes all selected changes that the caller may see, the newest first, in one transaction. Fails with `Forbidden`
    /// or `NotAuthorizedToAdmin` if the caller may not make one of the inverse changes, with `UndoTooLarge` for too many
    /// changes, and with `UndoConflicts` if one of them cannot be undone, unless the options say otherwise. Then nothing is
    /// changed.
    pub(crate) async fn undo(
        &self,
        permit: &Permit<UndoChanges>,
        selection: UndoSelection,
        options: UndoOptions,
    ) -> Result<UndoOutcome> {
        let changes = self.changes_to_undo(permit, selection).await?;
        self.undo_changes(permit, changes, options).await
    }

    async fn undo_changes(
        &self,
        permit: &Permit<UndoChanges>,
        changes: Vec<JournaledChange>,
        options: UndoOptions,
    ) -> Result<UndoOutcome> {
        permit.refuse_condition()?;
        changes.iter().try_for_each(|change| check_rights(permit.caller(), &change.subject))?;
        let mut operation = self.operation(permit);
        if options.dry_run {
            operation.recording = None;
        }
        let (scope, caller) = (scope(&changes), Arc::clone(permit.caller()));
        let rule: UndoFn = Arc::new(move |present| plan(present, &changes, &caller, options));
        let outcome = self.store.undo(operation.clone(), scope, rule).await;
        // Also after an error, because the change may still have been committed.
        self.tokens.invalidate_token_cache();
        let outcome = outcome?;
        if outcome.operation.is_some() {
            let (channel, user, client) = (operation.channel.name(), operation.actor.user, operation.actor.client);
            let (operation, undone) = (&operation.id, outcome.undone);
            tracing::info!(operation, channel, user, client, kind = "undo", undone, "written");
        }
        Ok(outcome)
    }

    /// Reads the selected changes that the caller may see, the newest first.
    async fn changes_to_undo(
        &self,
        permit: &Permit<UndoChanges>,
        selection: UndoSelection,
    ) -> Result<Vec<JournaledChange>> {
        let mut query = FeedQuery {
            visibility: permit.caller().visibility.clone(),
            filter: selection.filter,
            span: selection.span,
            order: Order::Descending,
            after: None,
            limit: CHANGES_MAX,
            is_settled: false,
        };
        let (mut changes, mut bytes) = (Vec::new(), 0);
        for _ in 0..PARTS_MAX {
            let page = self.store.journaled_changes(query.clone()).await?;
            bytes += page.bytes;
            changes.extend(page.changes);
            if changes.len() > UNDO_MAX || bytes > BYTES_MAX {
                return Err(Error::UndoTooLarge);
            }
            if !page.more {
                changes.sort_unstable_by_key(|change| std::cmp::Reverse(change.id));
                return Ok(changes);
            }
            query.after = page.next;
        }
        Err(Error::ListTooCostly)
    }
}

fn no_operation(id: &str) -> Error {
    Error::NotFound(ResourceKind::Operation, id.to_owned())
}

/// Fails unless the caller may change what the change is about.
fn check_rights(caller: &Arc<Caller>, subject: &Subject) -> Result<()> {
    match subject {
        Subject::Group(_) | Subject::Membership { .. } => caller.permit::<WriteGroups>().map(drop),
        Subject::User(_) => caller.permit::<WriteUsers>().map(drop),
        Subject::Client(_) | Subject::Token(_) | Subject::Key(_) => caller.permit::<ManageClients>().map(drop),
    }
}

/// What the undo of the changes depends on.
fn scope(changes: &[JournaledChange]) -> UndoScope {
    let mut scope = UndoScope::default();
    for change in changes {
        match change.subject {
            Subject::Group(uid) => {
                scope.groups.insert(uid);
                if change.before.is_none() {
                    scope.counted_groups.insert(uid);
                }
            }
            Subject::User(uid) => {
                scope.users.insert(uid);
                if change.before.is_none() {
                    scope.counted_users.insert(uid);
                }
            }
            Subject::Membership { group, user } => {
                scope.groups.insert(group);
                scope.users.insert(user);
                scope.memberships.insert((group, user));
            }
            Subject::Client(uid) => _ = scope.clients.insert(uid),
            Subject::Token(_) | Subject::Key(_) => {}
        }
        for state in change.before.iter().chain(&change.after) {
            match state {
                State::Group(group) => _ = scope.group_ids.insert(group.fields.id.key()),
                State::User(user) => {
                    scope.user_ids.insert(user.fields.id.key());
                    scope.usernames.insert(fold(&user.fields.username));
                }
                State::Client(client) => scope.users.extend(client.fields.user),
                State::Token(_) => {}
            }
        }
    }
    scope
}

/// The rule of the undo.
fn plan(present: &UndoState, changes: &[JournaledChange], caller: &Caller, options: UndoOptions) -> Result<UndoPlan> {
    let mut excluded = Excluded::new();
    for _ in 0..ROUNDS_MAX {
        let mut planner = Planner::new(present, caller, &excluded);
        let results = changes.iter().map(|change| Ok(UndoneChange { id: change.id, result: planner.undo(change)? }));
        let results = results.collect::<Result<Vec<_>>>()?;
        let collisions = planner.collisions();
        if collisions.is_empty() {
            return decide(planner, UndoOutcome::new(results, options.dry_run), options);
        }
        excluded.extend(collisions);
    }
    Err(Error::UndoTooLarge)
}

fn decide(planner: Planner<'_>, outcome: UndoOutcome, options: UndoOptions) -> Result<UndoPlan> {
    if options.dry_run {
        return Ok(UndoPlan { outcome, ..UndoPlan::default() });
    }
    if outcome.conflicts > 0 && options.on_conflict == OnConflict::Fail {
        return Err(Error::UndoConflicts(Box::new(outcome)));
    }
    Ok(writes::writes(planner, outcome))
}
