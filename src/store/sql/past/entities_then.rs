//! A group or user as it was at a moment.

use std::collections::HashMap;

use crate::domain::error::Result;
use crate::domain::group::Group;
use crate::domain::history::State;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::sql::columns::{Record, select};

use super::history::{HistoryReader, Trail};
use super::states::{Journaled, record, state};
use super::{SnapshotReader, Statement, integer, list_of, read_rows};

/// Reads the entities with these numbers, live and deleted, as they are now.
pub(super) async fn present_entities<E: Record, S: SnapshotReader>(
    snapshot: &mut S,
    uids: &[i64],
) -> Result<HashMap<i64, E>, S::Failure> {
    let mut found = HashMap::with_capacity(uids.len());
    if uids.is_empty() {
        return Ok(found);
    }
    let sql = select::<E>(&format!("WHERE uid IN ({})", list_of(uids.iter().copied())));
    for row in read_rows(snapshot, Statement::built(sql, Vec::new())).await? {
        found.insert(integer(&row, 0)?, record(&row)?);
    }
    Ok(found)
}

/// Returns the group as it was at the moment, but for its members; `None` if it did not exist yet.
pub(super) async fn group_then<S: SnapshotReader>(
    snapshot: &mut S,
    present: Group,
    at: Timestamp,
) -> Result<Option<Group>, S::Failure> {
    if present.created > at {
        return Ok(None);
    }
    if present.updated <= at {
        return Ok(Some(present));
    }
    match state_then::<Group, S>(snapshot, Trail::GroupItself(present.uid), at).await? {
        Some(State::Group(group)) => Ok(Some(*group)),
        _ => Ok(Some(present)),
    }
}

/// Returns the user as they were at the moment; `None` if they did not exist yet.
pub(super) async fn user_then<S: SnapshotReader>(
    snapshot: &mut S,
    present: User,
    at: Timestamp,
) -> Result<Option<User>, S::Failure> {
    if present.created > at {
        return Ok(None);
    }
    if present.updated <= at {
        return Ok(Some(present));
    }
    match state_then::<User, S>(snapshot, Trail::UserItself(present.uid), at).await? {
        Some(State::User(user)) => Ok(Some(*user)),
        _ => Ok(Some(present)),
    }
}

/// Returns the state before the first change after the moment; `None` if there is no such change.
async fn state_then<E: Journaled, S: SnapshotReader>(
    snapshot: &mut S,
    trail: Trail,
    at: Timestamp,
) -> Result<Option<State>, S::Failure> {
    let mut reader = HistoryReader::since(trail, at);
    let mut before = None;
    while let Some(changes) = reader.next_changes(snapshot).await? {
        before = changes.into_iter().next_back().map_or(before, |earliest| earliest.before);
    }
    let language = snapshot.language().clone();
    Ok(before.map(|json| state::<E>(&json, &language)).transpose()?)
}
