//! How memberships at a moment differ from the present ones, from the changes since, newest first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::change_type::ChangeType;
use crate::domain::error::Result;
use crate::domain::group::GroupUid;
use crate::domain::history::Subject;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::copy::{Row, Value};

use super::entities_then::{present_entities, user_then};
use super::history::{HistoryReader, Trail};
use super::{SnapshotReader, Statement, integer, list_of, read_rows};

/// The number of rows that are looked up at a time.
const CHUNK: usize = 1_000;

/// Returns, for each membership of the trail that changed after the moment, when it had begun, or `None` if it did not
/// exist at the moment. `key` is what tells the memberships apart.
pub(super) async fn memberships_then<S: SnapshotReader>(
    snapshot: &mut S,
    trail: Trail,
    at: Timestamp,
    key: impl Fn(&Subject) -> Option<i64> + Send,
) -> Result<HashMap<i64, Option<Timestamp>>, S::Failure> {
    let mut reader = HistoryReader::since(trail, at);
    let mut then = HashMap::new();
    while let Some(changes) = reader.next_changes(snapshot).await? {
        for change in changes {
            // The changes come newest first, so the earliest one after the moment has the last word.
            if let Some(key) = key(&change.subject) {
                then.insert(key, change.since.filter(|_| change.kind == ChangeType::MembershipRemoved));
            }
        }
    }
    Ok(then)
}

/// How the members of a group at a moment differ from the present ones.
pub(super) struct MembersThen {
    /// Present members: when they had begun another membership, or `None` if they were no members.
    pub(super) present: HashMap<UserUid, Option<Timestamp>>,
    /// Former members, who were members at the moment and are none now, by folded ID and number, each with when the membership had begun.
    pub(super) former: BTreeMap<(String, UserUid), Timestamp>,
}

impl MembersThen {
    /// Reads the differences. Their number is that of the memberships that changed since.
    pub(super) async fn read<S: SnapshotReader>(
        snapshot: &mut S,
        group: GroupUid,
        at: Timestamp,
    ) -> Result<Self, S::Failure> {
        let changed = memberships_then(snapshot, Trail::Members(group), at, |subject| match subject {
            Subject::Membership { user, .. } => Some(*user),
            _ => None,
        })
        .await?;
        let lives = users_deleted_or_restored(snapshot, group, at).await?;
        let concerned: BTreeSet<UserUid> = changed.keys().chain(&lives).copied().collect();
        let concerned: Vec<_> = concerned.into_iter().collect();
        let mut then = Self { present: HashMap::new(), former: BTreeMap::new() };
        for part in concerned.chunks(CHUNK) {
            let rows = membership_rows(snapshot, group, part).await?;
            for (uid, user) in present_entities::<User, S>(snapshot, part).await? {
                let row = rows.get(&uid);
                let since = changed.get(&uid).copied().unwrap_or_else(|| row.map(|row| row.added));
                let key = (user.fields.id.key(), uid);
                let was_live = match lives.contains(&uid) {
                    true => user_then(snapshot, user, at).await?.is_some_and(|user| user.deleted.is_none()),
                    false => user.deleted.is_none_or(|deleted| deleted > at),
                };
                let since = since.filter(|_| was_live);
                match (row.filter(|row| row.is_live), since) {
                    (Some(row), since) if since != Some(row.added) => _ = then.present.insert(uid, since),
                    (None, Some(since)) => _ = then.former.insert(key, since),
                    _ => {}
                }
            }
        }
        Ok(then)
    }

    /// The number of members at the moment, of a group that has `count` members now.
    pub(super) fn total(&self, count: i64) -> i64 {
        let added_since = self.present.values().filter(|since| since.is_none()).count();
        count - added_since as i64 + self.former.len() as i64
    }
}

/// A row of a membership.
struct MembershipRow {
    added: Timestamp,
    is_live: bool,
}

async fn membership_rows<S: SnapshotReader>(
    snapshot: &mut S,
    group: GroupUid,
    users: &[UserUid],
) -> Result<HashMap<UserUid, MembershipRow>, S::Failure> {
    let sql = format!(
        "SELECT user_uid, added, live FROM memberships WHERE group_uid = $1 AND user_uid IN ({})",
        list_of(users.iter().copied())
    );
    let rows = read_rows(snapshot, Statement::built(sql, vec![group.into()])).await?;
    let read = |row: &Row| {
        let added = Timestamp::from_micros(integer(row, 1)?);
        Ok((integer(row, 0)?, MembershipRow { added, is_live: integer(row, 2)? == 1 }))
    };
    Ok(rows.iter().map(read).collect::<Result<_>>()?)
}

/// Returns the users who were restored after the moment, and those with a membership of the group who were deleted.
async fn users_deleted_or_restored<S: SnapshotReader>(
    snapshot: &mut S,
    group: GroupUid,
    at: Timestamp,
) -> Result<BTreeSet<UserUid>, S::Failure> {
    // CROSS JOIN keeps SQLite from scanning the members of the group: few users were deleted.
    const DELETED: &str = "SELECT u.uid FROM users u CROSS JOIN memberships m \
         WHERE u.deleted > $2 AND m.user_uid = u.uid AND m.group_uid = $1";
    const RESTORED: &str = "SELECT subject FROM journal WHERE change = 'restored' AND kind = 'user' AND at > $1";
    let deleted: Vec<Value> = vec![group.into(), at.as_micros().into()];
    let statements =
        vec![Statement::constant(DELETED, deleted), Statement::constant(RESTORED, vec![at.as_micros().into()])];
    let rows = snapshot.read(statements).await?;
    Ok(rows.iter().flatten().map(|row| integer(row, 0)).collect::<Result<_>>()?)
}
