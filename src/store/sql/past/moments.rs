//! The directory at a moment: a group, a user, the members of a group, the groups of a user. An answer is made of the
//! present state and of the changes since the moment, newest first, so that its cost depends on what changed since and
//! not on the size of the directory.

use std::collections::BTreeMap;

use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupUid};
use crate::domain::history::{JoinedGroupsAt, JoinedGroupsAtQuery, MembersAt, MembersAtQuery, Subject};
use crate::domain::membership::{JoinedGroup, Member};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::copy::Row;

use super::entities_then::{group_then, present_entities, user_then};
use super::history::Trail;
use super::horizon::check_moment;
use super::members_then::{MembersThen, memberships_then};
use super::{SnapshotReader, Statement, integer, optional_integer, read_rows, text};

/// The number of rows that are looked up at a time.
const CHUNK: usize = 1_000;

/// Returns the group at the moment, with the number of its members then; `None` if it did not exist yet. This and the
/// other functions fail with `BeforeHorizon` for a moment before the horizon of the journal.
pub(crate) async fn group_at<S: SnapshotReader>(
    snapshot: &mut S,
    uid: GroupUid,
    at: Timestamp,
) -> Result<Option<Group>, S::Failure> {
    let Some(present) = present_entities::<Group, S>(snapshot, &[uid]).await?.remove(&uid) else { return Ok(None) };
    let count = present.members;
    if present.created > at {
        return Ok(None);
    }
    check_moment(snapshot, at).await?;
    let Some(mut group) = group_then(snapshot, present, at).await? else { return Ok(None) };
    group.members = match group.deleted {
        Some(_) => 0,
        None => MembersThen::read(snapshot, uid, at).await?.total(count),
    };
    Ok(Some(group))
}

/// Returns the user at the moment; `None` if they did not exist yet.
pub(crate) async fn user_at<S: SnapshotReader>(
    snapshot: &mut S,
    uid: UserUid,
    at: Timestamp,
) -> Result<Option<User>, S::Failure> {
    match present_entities::<User, S>(snapshot, &[uid]).await?.remove(&uid) {
        Some(present) if present.created <= at => {
            check_moment(snapshot, at).await?;
            user_then(snapshot, present, at).await
        }
        _ => Ok(None),
    }
}

/// Returns a page of the members that the group had at the moment, in the order of their IDs of today. A group that did
/// not exist, or was deleted, had none.
pub(crate) async fn members_at<S: SnapshotReader>(
    snapshot: &mut S,
    query: &MembersAtQuery,
) -> Result<MembersAt, S::Failure> {
    let none = MembersAt { items: Vec::new(), total: 0, next: None };
    let Some(present) = present_entities::<Group, S>(snapshot, &[query.group]).await?.remove(&query.group) else {
        return Ok(none);
    };
    let count = present.members;
    if present.created <= query.at {
        check_moment(snapshot, query.at).await?;
    }
    match group_then(snapshot, present, query.at).await? {
        Some(group) if group.deleted.is_none() => {}
        _ => return Ok(none),
    }
    let then = MembersThen::read(snapshot, query.group, query.at).await?;
    let limit = query.limit as usize;
    let mut page: BTreeMap<(String, UserUid), (Timestamp, Option<i64>)> = BTreeMap::new();
    let mut after = query.after.clone().unwrap_or_default();
    page.extend(
        then.former
            .range(after.clone()..)
            .filter(|(key, _)| **key > after)
            .take(limit + 1)
            .map(|(key, since)| (key.clone(), (*since, None))),
    );
    // Of the present members, as many as the page may need, and none of those behind them.
    let mut unread = limit + 1;
    while unread > 0 {
        let rows = present_members(snapshot, query.group, &after).await?;
        for row in &rows {
            let (uid, since) = (integer(row, 0)?, Timestamp::from_micros(integer(row, 2)?));
            after = (text(row, 1)?.to_owned(), uid);
            let value = match then.present.get(&uid) {
                None => (since, optional_integer(row, 3)?),
                Some(Some(earlier)) => (*earlier, None),
                Some(None) => continue,
            };
            page.insert(after.clone(), value);
            unread -= 1;
            if unread == 0 {
                break;
            }
        }
        if rows.len() < CHUNK {
            break;
        }
    }
    let more = page.len() > limit;
    let listed: Vec<_> = page.into_iter().take(limit).collect();
    let next = listed.last().filter(|_| more).map(|(key, _)| key.clone());
    let uids: Vec<_> = listed.iter().map(|((_, uid), _)| *uid).collect();
    let mut users = present_entities::<User, S>(snapshot, &uids).await?;
    let mut items = Vec::with_capacity(listed.len());
    for ((_, uid), (since, change)) in listed {
        let Some(user) = users.remove(&uid) else { continue };
        if let Some(user) = user_then(snapshot, user, query.at).await? {
            items.push(Member { user, since, change });
        }
    }
    Ok(MembersAt { items, total: u64::try_from(then.total(count)).unwrap_or_default(), next })
}

/// Returns a page of the groups that the user was in at the moment, in the order of their numbers, of those that the
/// caller may see now. A user who did not exist, or was deleted, was in none.
pub(crate) async fn joined_groups_at<S: SnapshotReader>(
    snapshot: &mut S,
    query: &JoinedGroupsAtQuery,
) -> Result<JoinedGroupsAt, S::Failure> {
    let mut page = JoinedGroupsAt { items: Vec::new(), next: None };
    match user_at(snapshot, query.user, query.at).await? {
        Some(user) if user.deleted.is_none() => {}
        _ => return Ok(page),
    }
    let changed = memberships_then(snapshot, Trail::MembershipsOf(query.user), query.at, |subject| match subject {
        Subject::Membership { group, .. } => Some(*group),
        _ => None,
    })
    .await?;
    let changed: BTreeMap<_, _> = changed.into_iter().collect();
    let mut after = query.after.unwrap_or_default();
    loop {
        const ROWS: &str = "SELECT group_uid, added, change FROM memberships \
             WHERE user_uid = $1 AND group_uid > $2 ORDER BY group_uid LIMIT 1000";
        let rows = read_rows(snapshot, Statement::constant(ROWS, vec![query.user.into(), after.into()])).await?;
        let mut then: BTreeMap<GroupUid, (Timestamp, Option<i64>)> = BTreeMap::new();
        for row in &rows {
            let since = Timestamp::from_micros(integer(row, 1)?);
            then.insert(integer(row, 0)?, (since, optional_integer(row, 2)?));
        }
        let is_last = rows.len() < CHUNK;
        let last = if is_last { GroupUid::MAX } else { then.last_key_value().map_or(GroupUid::MAX, |(uid, _)| *uid) };
        for (group, since) in changed.range(after.saturating_add(1)..=last) {
            match since {
                Some(since) => _ = then.insert(*group, (*since, None)),
                None => _ = then.remove(group),
            }
        }
        let uids: Vec<_> = then.keys().copied().collect();
        for part in uids.chunks(CHUNK) {
            let mut groups = present_entities::<Group, S>(snapshot, part).await?;
            for uid in part {
                let Some(group) = groups.remove(uid).filter(|group| is_visible(group, &query.visibility)) else {
                    continue;
                };
                let Some(group) = group_then(snapshot, group, query.at).await?.filter(|group| group.deleted.is_none())
                else {
                    continue;
                };
                if page.items.len() == query.limit as usize {
                    page.next = page.items.last().map(|joined: &JoinedGroup| joined.group.uid);
                    return Ok(page);
                }
                let (since, change) = then[uid];
                page.items.push(JoinedGroup { group, since, change });
            }
        }
        if is_last {
            return Ok(page);
        }
        after = last;
    }
}

fn is_visible(group: &Group, visibility: &Visibility) -> bool {
    visibility.sees(&group.fields.communities)
}

/// Reads the next [`CHUNK`] present members behind the folded ID and number.
async fn present_members<S: SnapshotReader>(
    snapshot: &mut S,
    group: GroupUid,
    after: &(String, UserUid),
) -> Result<Vec<Row>, S::Failure> {
    const ROWS: &str = "SELECT user_uid, user_key, added, change FROM memberships \
         WHERE group_uid = $1 AND live = 1 AND (user_key, user_uid) > ($2, $3) ORDER BY user_key, user_uid LIMIT 1000";
    let parameters = vec![group.into(), after.0.clone().into(), after.1.into()];
    read_rows(snapshot, Statement::constant(ROWS, parameters)).await
}
