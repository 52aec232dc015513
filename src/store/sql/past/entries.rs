//! Journal entries, and the changes in them.

use std::str::FromStr as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::change_type::ChangeType;
use crate::domain::client::ClientUid;
use crate::domain::error::{Error, Result};
use crate::domain::history::{ChangeId, JournaledChange, Order, Subject};
use crate::domain::journal::{ChangeKind, Channel, Operator};
use crate::domain::labels::Tag;
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::copy::Row;
use crate::store::sql::journal::batch_entry::BatchEntities;
use crate::store::sql::journal::{MembersEntry, MembershipEntry};

use super::states::state_of;
use super::{SnapshotReader, Statement, integer, list_of, optional_integer, optional_text, read_rows, text};

/// The columns of [`Entry::read`].
pub(crate) const COLUMNS: &str = "seq, operation, at, actor_user, actor_client, channel, reason, operator_user, \
     operator_host, undoes, kind, change, subject, member, before, after";
/// The number of [`COLUMNS`].
pub(crate) const COLUMN_COUNT: usize = 16;

/// What the changes of an entry have in common.
#[derive(Debug)]
pub(crate) struct Circumstances {
    /// The ID of the operation.
    pub operation: Arc<str>,
    /// The time of the changes.
    pub at: Timestamp,
    /// The number of the user who acted.
    pub actor_user: Option<UserUid>,
    /// The number of the client whose token was used.
    pub actor_client: Option<ClientUid>,
    /// The channel.
    pub channel: Channel,
    /// Why the change was made.
    pub reason: Option<String>,
    /// The person at the command line.
    pub operator: Option<Operator>,
    /// The operation that the changes undo.
    pub undoes: Option<String>,
}

/// A journal entry.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The number of the entry.
    pub seq: i64,
    /// Who made it, when and why.
    pub circumstances: Arc<Circumstances>,
    kind: String,
    change: String,
    subject: i64,
    member: Option<UserUid>,
    before: Option<String>,
    after: Option<String>,
}

/// A change of an entry, with numbers instead of names.
#[derive(Clone, Debug)]
pub(crate) struct StoredChange {
    /// The identity.
    pub id: ChangeId,
    /// Who made it, when and why.
    pub circumstances: Arc<Circumstances>,
    /// What was done.
    pub kind: ChangeType,
    /// To what.
    pub subject: Subject,
    /// The entity before the change, as JSON.
    pub before: Option<String>,
    /// The entity after the change, as JSON.
    pub after: Option<String>,
    /// For a membership, when it began.
    pub since: Option<Timestamp>,
}

impl StoredChange {
    /// Returns the change with its states as entities.
    pub(crate) fn journaled(&self, language: &Tag) -> Result<JournaledChange> {
        let state = |json: &Option<String>| match json {
            Some(json) => state_of(&self.subject, json, language),
            None => Ok(None),
        };
        Ok(JournaledChange {
            id: self.id,
            kind: self.kind,
            subject: self.subject.clone(),
            time: self.circumstances.at,
            operation: Arc::clone(&self.circumstances.operation),
            before: state(&self.before)?,
            after: state(&self.after)?,
            since: self.since,
        })
    }
}

impl Entry {
    /// Reads an entry from a row with [`COLUMNS`].
    pub(crate) fn read(row: &Row) -> Result<Self> {
        let operator = match (optional_text(row, 7)?, optional_text(row, 8)?) {
            (Some(user), Some(host)) => Some(Operator { user: user.to_owned(), host: host.to_owned() }),
            _ => None,
        };
        let channel = text(row, 5)?;
        Ok(Self {
            seq: integer(row, 0)?,
            circumstances: Arc::new(Circumstances {
                operation: text(row, 1)?.into(),
                at: Timestamp::from_micros(integer(row, 2)?),
                actor_user: optional_integer(row, 3)?,
                actor_client: optional_integer(row, 4)?,
                channel: channel.parse().map_err(|()| unknown("channel", channel))?,
                reason: optional_text(row, 6)?.map(str::to_owned),
                operator,
                undoes: optional_text(row, 9)?.map(str::to_owned),
            }),
            kind: text(row, 10)?.to_owned(),
            change: text(row, 11)?.to_owned(),
            subject: integer(row, 12)?,
            member: optional_integer(row, 13)?,
            before: optional_text(row, 14)?.map(str::to_owned),
            after: optional_text(row, 15)?.map(str::to_owned),
        })
    }

    /// Returns the changes whose subjects are wanted, in the order.
    pub(crate) fn changes(self, order: Order, is_wanted: impl Fn(&Subject) -> bool) -> Result<Vec<StoredChange>> {
        let mut changes =
            Changes { seq: self.seq, circumstances: &self.circumstances, next: 0, is_wanted, found: Vec::new() };
        match &*self.kind {
            "membership" => changes.membership(&self)?,
            "members" => changes.members(&self)?,
            "batch" => changes.batch(&self)?,
            "user" if self.change == ChangeKind::Erased.name() => {
                let (subject, before, after) =
                    (Subject::User(self.subject), self.before.as_deref(), self.after.as_deref());
                changes.add(ChangeType::UserErased, subject, before, after, None);
            }
            _ => {
                let kind = ChangeType::from_str(&format!("{}.{}", self.kind, self.change));
                let kind = kind.map_err(|()| unknown("kind", &self.kind))?;
                let subject = subject(&self)?;
                changes.add(kind, subject, self.before.as_deref(), self.after.as_deref(), None);
            }
        }
        let mut found = changes.found;
        if order == Order::Descending {
            found.reverse();
        }
        Ok(found)
    }
}

/// The subject of an entry of one entity that is no membership.
fn subject(entry: &Entry) -> Result<Subject> {
    #[derive(Deserialize)]
    struct KeyEntry {
        kid: String,
    }
    Ok(match &*entry.kind {
        "group" => Subject::Group(entry.subject),
        "user" => Subject::User(entry.subject),
        "client" => Subject::Client(entry.subject),
        "token" => Subject::Token(entry.subject),
        "key" => Subject::Key(parsed::<KeyEntry>(entry.after.as_deref())?.map(|key| key.kid).unwrap_or_default()),
        other => return Err(unknown("kind", other)),
    })
}

/// Collects the changes of an entry that are wanted.
struct Changes<'a, F> {
    seq: i64,
    circumstances: &'a Arc<Circumstances>,
    next: u32,
    is_wanted: F,
    found: Vec<StoredChange>,
}

impl<F: Fn(&Subject) -> bool> Changes<'_, F> {
    /// Adds a change if it is wanted. Every change must be added, because the index counts them.
    fn add(
        &mut self,
        kind: ChangeType,
        subject: Subject,
        before: Option<&str>,
        after: Option<&str>,
        since: Option<Timestamp>,
    ) {
        let id = ChangeId { seq: self.seq, index: self.next };
        self.next += 1;
        if (self.is_wanted)(&subject) {
            let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
            let circumstances = Arc::clone(self.circumstances);
            self.found.push(StoredChange { id, circumstances, kind, subject, before, after, since });
        }
    }

    fn membership(&mut self, entry: &Entry) -> Result<()> {
        let subject = Subject::Membership { group: entry.subject, user: entry.member.unwrap_or_default() };
        let (kind, json) = match &entry.after {
            Some(after) => (ChangeType::MembershipAdded, Some(after)),
            None => (ChangeType::MembershipRemoved, entry.before.as_ref()),
        };
        let since = parsed::<MembershipEntry>(json.map(String::as_str))?;
        self.add(kind, subject, None, None, since.map(|entry| Timestamp::from_micros(entry.added)));
        Ok(())
    }

    /// The removed members come first.
    fn members(&mut self, entry: &Entry) -> Result<()> {
        if let Some(removed) = parsed::<MembersEntry<(UserUid, i64)>>(entry.before.as_deref())? {
            for (user, since) in removed.users {
                let subject = Subject::Membership { group: removed.group, user };
                self.add(ChangeType::MembershipRemoved, subject, None, None, Some(Timestamp::from_micros(since)));
            }
        }
        if let Some(added) = parsed::<MembersEntry<UserUid>>(entry.after.as_deref())? {
            for user in added.users {
                let subject = Subject::Membership { group: added.group, user };
                self.add(ChangeType::MembershipAdded, subject, None, None, Some(self.circumstances.at));
            }
        }
        Ok(())
    }

    fn batch(&mut self, entry: &Entry) -> Result<()> {
        let before: BatchEntities = parsed(entry.before.as_deref())?.unwrap_or_default();
        let after: BatchEntities = parsed(entry.after.as_deref())?.unwrap_or_default();
        let groups = [ChangeType::GroupCreated, ChangeType::GroupUpdated];
        self.batched(groups, Subject::Group, &before.groups, &after.groups)?;
        let users = [ChangeType::UserCreated, ChangeType::UserUpdated];
        self.batched(users, Subject::User, &before.users, &after.users)?;
        for (group, user) in after.memberships {
            let subject = Subject::Membership { group, user };
            self.add(ChangeType::MembershipAdded, subject, None, None, Some(self.circumstances.at));
        }
        Ok(())
    }

    /// Those with a state before were updated; both lists are in the same order.
    fn batched(
        &mut self,
        [created, updated]: [ChangeType; 2],
        subject: fn(i64) -> Subject,
        before: &[Box<RawValue>],
        after: &[Box<RawValue>],
    ) -> Result<()> {
        #[derive(Deserialize)]
        struct Numbered {
            uid: i64,
        }
        let number = |state: &RawValue| {
            serde_json::from_str::<Numbered>(state.get()).map(|state| state.uid).map_err(Error::internal)
        };
        let mut before = before.iter().peekable();
        for after in after {
            let uid = number(after)?;
            let is_same = before.peek().map(|state| number(state)).transpose()? == Some(uid);
            let state = if is_same { before.next() } else { None };
            let kind = if state.is_some() { updated } else { created };
            self.add(kind, subject(uid), state.map(|state| state.get()), Some(after.get()), None);
        }
        Ok(())
    }
}

fn parsed<'a, T: Deserialize<'a>>(json: Option<&'a str>) -> Result<Option<T>> {
    json.map(serde_json::from_str).transpose().map_err(Error::internal)
}

fn unknown(what: &str, name: &str) -> Error {
    Error::internal(anyhow::anyhow!("a journal entry has an unknown {what}: {name:.40}"))
}

/// Reads the entries with these numbers, in the order. One that is no longer kept is left out.
pub(crate) async fn load<S: SnapshotReader>(
    snapshot: &mut S,
    numbers: &[i64],
    order: Order,
) -> Result<Vec<Entry>, S::Failure> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {COLUMNS} FROM journal WHERE seq IN ({})", list_of(numbers.iter().copied()));
    let rows = read_rows(snapshot, Statement::built(sql, Vec::new())).await?;
    let mut entries = rows.iter().map(Entry::read).collect::<Result<Vec<_>>>()?;
    match order {
        Order::Ascending => entries.sort_unstable_by_key(|entry| entry.seq),
        Order::Descending => entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.seq)),
    }
    Ok(entries)
}
