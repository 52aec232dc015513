//! Why a user is, or was, in a group: each uninterrupted membership, with the changes that began and ended it.

use crate::domain::change_type::ChangeType;
use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::GroupUid;
use crate::domain::history::{Change, HistoryOf, HistoryQuery, Order, Span, Spell, Subject};
use crate::domain::time::Timestamp;
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
    let beginning = Beginning::of(&changes, present(snapshot, group, user).await?);
    let mut spells = from_changes(changes, &beginning);
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

/// The membership and its ends at one moment.
struct Beginning {
    /// When the membership was given; `None` = there is none.
    since: Option<Timestamp>,
    group_is_live: bool,
    user_is_live: bool,
}

impl Beginning {
    /// The state before the first of the changes, which are in order: earlier ones may no longer be kept. A first change
    /// tells what it changed; what none of them changed is as it is at present.
    fn of(changes: &[Change], present: Self) -> Self {
        use ChangeType::{GroupDeleted, GroupRestored, MembershipAdded, MembershipRemoved, UserDeleted, UserRestored};
        let first = |kinds: [ChangeType; 2]| changes.iter().find(|change| kinds.contains(&change.kind));
        let was_live = |deleted: ChangeType, restored: ChangeType, is_live| {
            first([deleted, restored]).map_or(is_live, |change| change.kind == deleted)
        };
        Self {
            since: match first([MembershipAdded, MembershipRemoved]) {
                None => present.since,
                Some(change) if change.kind == MembershipAdded => None,
                Some(change) => Some(change.since.unwrap_or(change.time)),
            },
            group_is_live: was_live(GroupDeleted, GroupRestored, present.group_is_live),
            user_is_live: was_live(UserDeleted, UserRestored, present.user_is_live),
        }
    }
}

/// Reads the membership and its ends as they are at present.
async fn present<S: SnapshotReader>(snapshot: &mut S, group: GroupUid, user: UserUid) -> Result<Beginning, S::Failure> {
    const MEMBERSHIP: &str = "SELECT added FROM memberships WHERE group_uid = $1 AND user_uid = $2";
    const GROUP: &str = "SELECT 1 FROM groups WHERE uid = $1 AND deleted IS NULL";
    const USER: &str = "SELECT 1 FROM users WHERE uid = $1 AND deleted IS NULL";
    let statements = vec![
        Statement::constant(MEMBERSHIP, vec![group.into(), user.into()]),
        Statement::constant(GROUP, vec![group.into()]),
        Statement::constant(USER, vec![user.into()]),
    ];
    let found = snapshot.read(statements).await?;
    let since = found.first().and_then(|rows| rows.first()).map(|row| integer(row, 0)).transpose()?;
    let is_live = |at: usize| found.get(at).is_some_and(|rows| !rows.is_empty());
    Ok(Beginning { since: since.map(Timestamp::from_micros), group_is_live: is_live(1), user_is_live: is_live(2) })
}

/// Returns the spells of a membership, the earliest first. `changes` are those of the membership and the deletions and
/// restorations of its ends, in order; `beginning` is the state before them.
fn from_changes(changes: Vec<Change>, beginning: &Beginning) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    let (mut group_is_live, mut user_is_live) = (beginning.group_is_live, beginning.user_is_live);
    let mut is_member = beginning.since.is_some();
    if let Some(start) = beginning.since.filter(|_| group_is_live && user_is_live) {
        // What began it is no longer kept.
        spells.push(Spell { start, end: None, added: None, ended: None });
    }
    for change in changes {
        let was_open = is_member && group_is_live && user_is_live;
        match change.kind {
            ChangeType::MembershipAdded => is_member = true,
            ChangeType::MembershipRemoved => is_member = false,
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
