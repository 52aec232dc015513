//! Why a user is, or was, in a group: each uninterrupted membership, with the changes that began and ended it.

use crate::domain::change_type::ChangeType;
use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::GroupUid;
use crate::domain::history::{Change, HistoryOf, HistoryQuery, Order, Span, Spell, Subject};
use crate::domain::user::UserUid;

use super::entries::{StoredChange, load};
use super::history::history;
use super::names::named;
use super::{SnapshotReader, Statement, integer, read_rows};

/// The maximum number of changes of one membership that are read, and of deletions and restorations of each of its ends.
/// Earlier ones are left out.
const CHANGES_MAX: u32 = 1_000;

/// Returns the spells, the latest first.
pub(crate) async fn spells<S: SnapshotReader>(
    snapshot: &mut S,
    group: GroupUid,
    user: UserUid,
) -> Result<Vec<Spell>, S::Failure> {
    let query = HistoryQuery {
        of: HistoryOf::Membership(group, user),
        visibility: Visibility::All,
        span: Span::default(),
        types: None,
        order: Order::Descending,
        after: None,
        limit: CHANGES_MAX,
    };
    let mut changes = history(snapshot, &query).await?.changes;
    for (kind, uid) in [("group", group), ("user", user)] {
        let interruptions = interruptions(snapshot, kind, uid).await?;
        changes.extend(named(snapshot, interruptions).await?);
    }
    changes.sort_by_key(|change| change.id);
    let mut spells = from_changes(changes);
    spells.reverse();
    Ok(spells)
}

/// Reads the latest deletions and restorations of a group or user.
async fn interruptions<S: SnapshotReader>(
    snapshot: &mut S,
    kind: &str,
    uid: i64,
) -> Result<Vec<StoredChange>, S::Failure> {
    let sql = format!(
        "SELECT seq FROM journal WHERE kind = $1 AND subject = $2 AND change IN ('deleted', 'restored') \
         ORDER BY seq DESC LIMIT {CHANGES_MAX}"
    );
    let rows = read_rows(snapshot, Statement::built(sql, vec![kind.to_owned().into(), uid.into()])).await?;
    let numbers = rows.iter().map(|row| integer(row, 0)).collect::<Result<Vec<_>>>()?;
    let mut changes = Vec::new();
    for entry in load(snapshot, &numbers, Order::Descending).await? {
        changes.extend(entry.changes(
            Order::Descending,
            |subject| matches!(subject, Subject::Group(own) | Subject::User(own) if *own == uid),
        )?);
    }
    Ok(changes)
}

/// Returns the spells of a membership, the earliest first. `changes` are those of the membership and the deletions and
/// restorations of its ends, in order.
fn from_changes(changes: Vec<Change>) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    let (mut is_member, mut group_is_live, mut user_is_live) = (false, true, true);
    for change in changes {
        let was_open = is_member && group_is_live && user_is_live;
        match change.kind {
            ChangeType::MembershipAdded => is_member = true,
            ChangeType::MembershipRemoved => {
                // What began it may no longer be kept.
                if !is_member && group_is_live && user_is_live {
                    let start = change.since.unwrap_or(change.time);
                    spells.push(Spell { start, end: Some(change.time), added: None, ended: Some(change) });
                    continue;
                }
                is_member = false;
            }
            ChangeType::GroupDeleted => group_is_live = false,
            ChangeType::GroupRestored => group_is_live = true,
            ChangeType::UserDeleted => user_is_live = false,
            ChangeType::UserRestored => user_is_live = true,
            _ => {}
        }
        match (was_open, is_member && group_is_live && user_is_live) {
            (false, true) => {
                spells.push(Spell { start: change.time, end: None, added: Some(change), ended: None });
            }
            (true, false) => {
                if let Some(spell) = spells.last_mut() {
                    spell.end = Some(change.time);
                    spell.ended = Some(change);
                }
            }
            _ => {}
        }
    }
    spells
}
