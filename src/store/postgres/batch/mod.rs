//! Batches in PostgreSQL: what the items depend on is read and locked at once ([`reading`]), what they come to is decided
//! in memory in their order ([`deciding`]), and what is new is written in bulk. So a batch costs a handful of
//! statements, not some for each item; only what is put in the place of something else is written one by one.

mod deciding;
mod reading;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::error::Result;
use crate::domain::group::GroupUid;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::user::UserUid;
use crate::store::sql::copy::{GROUPS, USERS};
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::{Batch, Entry};
use crate::store::sql::layout::{Beside, group_row, user_row};
use crate::store::{Item, ItemChange};

use super::copy::{write_beside, write_rows};
use super::journal::append;
use super::pipeline::parameters;
use super::transaction::{Change, Trace, Writing};
use super::trouble::Trouble;
use super::{counters, groups, users};
use deciding::{Decided, Deciding, NewMember, Rewritten};

/// How long a statement of a batch may take, and all of them together.
const LIMIT: Duration = Duration::from_secs(60);

/// Writes the items, one after the other.
pub struct WriteBatch {
    pub operation: Operation,
    pub items: Vec<Item>,
    pub language: Tag,
}

#[async_trait]
impl Change for WriteBatch {
    type Output = Vec<Result<ItemChange>>;

    fn trace(&self) -> Trace<'_> {
        Trace::Operation(&self.operation.id)
    }

    fn limit(&self) -> Option<Duration> {
        Some(LIMIT)
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<Self::Output, Trouble> {
        self.write(writing).await.map_err(|trouble| match trouble {
            // What a unique index refuses was not there yet when it was read: all is decided anew.
            Trouble::Taken(index) => Trouble::NotMade(format!("the unique index {index} refused a row of a batch")),
            other => other,
        })
    }
}

impl WriteBatch {
    async fn write(&self, writing: &mut Writing<'_>) -> Result<Vec<Result<ItemChange>>, Trouble> {
        let known = reading::read(writing, &self.items).await?;
        let mut deciding = Deciding::new(known, &self.language, self.operation.at);
        let mut outcomes = Vec::with_capacity(self.items.len());
        for (at, item) in self.items.iter().enumerate() {
            match deciding.decide(at, item) {
                Err(error) if !error.is_refusal() => return Err(error.into()),
                outcome => outcomes.push(outcome),
            }
        }
        let Decided { mut told, rewritten, users, mut groups, members } = deciding.end();
        let mut joined = BTreeMap::new();
        let new = self.insert_members(writing, &members).await?;
        for NewMember { at, group, user, .. } in members.into_iter().filter(|member| new.contains(&member.pair())) {
            outcomes[at] = Ok(ItemChange::Created);
            told.member(group, user);
            *joined.entry(group).or_default() += 1;
        }
        rewrite(writing, &rewritten).await?;
        let client = writing.write().await?;
        write_rows(client, USERS, &users.iter().map(user_row).collect::<Vec<_>>()).await?;
        write_beside(client, USERS, &Beside::of_users(&users)).await?;
        let memberships = joined.values().sum();
        groups.iter_mut().for_each(|group| group.members = joined.remove(&group.uid).unwrap_or_default());
        write_rows(client, GROUPS, &groups.iter().map(group_row).collect::<Vec<_>>()).await?;
        write_beside(client, GROUPS, &Beside::of_groups(&groups)).await?;
        count_members(writing, joined);
        counters::add(writing, Counter::Groups, groups.len() as i64);
        counters::add(writing, Counter::Users, users.len() as i64);
        counters::add(writing, Counter::Memberships, memberships);
        self.tell(writing, &told)?;
        Ok(outcomes)
    }

    /// Stores the memberships that are not there yet, and gives these.
    async fn insert_members(
        &self,
        writing: &mut Writing<'_>,
        members: &[NewMember],
    ) -> Result<HashSet<(GroupUid, UserUid)>, Trouble> {
        if members.is_empty() {
            return Ok(HashSet::new());
        }
        let groups: Vec<_> = members.iter().map(|member| member.group).collect();
        let users: Vec<_> = members.iter().map(|member| member.user).collect();
        let keys: Vec<_> = members.iter().map(|member| &*member.user_key).collect();
        let sql = "INSERT INTO memberships (group_uid, user_uid, user_key, live, added) \
                   SELECT group_uid, user_uid, user_key, 1, $4 FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TEXT[]) \
                   AS new (group_uid, user_uid, user_key) ON CONFLICT DO NOTHING RETURNING group_uid, user_uid";
        let stored = writing.read(sql, &[&groups, &users, &keys, &self.operation.at.as_micros()]).await?;
        let pair = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        stored.iter().map(pair).collect()
    }

    fn tell(&self, writing: &mut Writing<'_>, told: &Batch) -> Result<()> {
        if let Some(entry) = Entry::of_batch(told)? {
            append(writing, &self.operation, entry);
        }
        Ok(())
    }
}

/// Queues what is put in the place of something else: step by step, as one may take the username that another gives up.
async fn rewrite(writing: &mut Writing<'_>, steps: &[Rewritten]) -> Result<(), Trouble> {
    for step in steps {
        match step {
            Rewritten::Group(before, after) => groups::put(writing, Some(before), after),
            Rewritten::User(before, after) => users::put(writing, Some(before), after).await?,
        }
    }
    Ok(())
}

/// Counts the new members of groups that were there before.
fn count_members(writing: &mut Writing<'_>, joined: BTreeMap<GroupUid, i64>) {
    if !joined.is_empty() {
        let sql = "UPDATE groups SET members = members + more FROM unnest($1::BIGINT[], $2::BIGINT[]) AS new (of, more) \
                   WHERE uid = of";
        let (groups, more): (Vec<_>, Vec<_>) = joined.into_iter().unzip();
        writing.queue(sql, parameters![groups, more]);
    }
}
