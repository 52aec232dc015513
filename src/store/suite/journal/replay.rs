//! The changes that a journal records, read from its entries so that another store can repeat them.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::entity::Entity;
use crate::domain::group::Group;
use crate::domain::labels::Tag;
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::copy::Value;
use crate::store::sql::columns::{Column, Field};
use crate::store::sql::copy::Cells;
use crate::store::sql::entity::StoredEntity;
use crate::store::sql::journal::batch_entry::BatchEntities;
use crate::store::sql::journal::{MembersEntry, MembershipEntry};
use crate::store::suite::{JournalRow, Replayed};

/// Reads the text of an entry, if there is one.
pub(super) fn read<'a, T: Deserialize<'a>>(text: Option<&'a String>) -> Option<T> {
    text.map(|text| serde_json::from_str(text).unwrap())
}

fn read_entity<E: StoredEntity>(text: Option<&String>) -> Option<E> {
    read::<Box<RawValue>>(text).map(|entry| entity(&entry))
}

/// Rebuilds an entity from a journal entry. A column that the journal does not contain is NULL, 0 or empty.
fn entity<E: StoredEntity>(entry: &RawValue) -> E {
    let texts: HashMap<&str, &RawValue> = serde_json::from_str(entry.get()).unwrap();
    let value = |column: &Column<E>| {
        let json = column.journaled_as.map(|name| texts[name].get());
        match (json, &column.field) {
            (Some("null"), _) => Value::Null,
            (Some(json), Field::Labels(_) | Field::Xp(_)) => json.to_owned().into(),
            (Some(json), Field::Flag(_)) => i64::from(json == "true").into(),
            (Some(json), Field::Roles(_)) => {
                let names: Vec<String> = serde_json::from_str(json).unwrap();
                i64::from(Roles::from_names(names.iter().map(String::as_str)).bits()).into()
            }
            (Some(json), Field::Communities(_)) => serde_json::from_str::<Vec<String>>(json).unwrap().join(" ").into(),
            (Some(json), Field::Text(_) | Field::OptionalText(_)) => {
                serde_json::from_str::<String>(json).unwrap().into()
            }
            (Some(json), _) => json.parse::<i64>().unwrap().into(),
            (None, Field::Text(_)) => String::new().into(),
            (None, Field::Integer(_)) => 0.into(),
            (None, _) => Value::Null,
        }
    };
    let journaled = E::COLUMNS.iter().filter(|column| column.journaled_as.is_some());
    assert_eq!(journaled.count(), texts.len(), "{}", entry.get());
    E::read(&Cells(&E::COLUMNS.iter().map(value).collect())).unwrap()
}

/// Returns the changes that a journal records, in order. Live members are counted along the way, because no entry
/// contains the count.
pub(super) fn changes(journal: &[JournalRow]) -> Vec<Replayed> {
    let mut members = Members::default();
    journal.iter().flat_map(|row| changes_of(row, &mut members)).collect()
}

/// Returns the changes of one entry. `members` are the memberships before it, and after it when this returns.
pub(super) fn changes_of(row: &JournalRow, members: &mut Members) -> Vec<Replayed> {
    let (before, after) = (row.before.as_ref(), row.after.as_ref());
    match row.kind.as_str() {
        "group" => vec![members.group(read_entity(before), read_entity(after).unwrap())],
        "user" => vec![members.user(read_entity(before), read_entity(after).unwrap())],
        "client" => vec![Replayed::Client(read_entity(before).map(Box::new), Box::new(read_entity(after).unwrap()))],
        "token" => vec![Replayed::Token(read_entity(before).map(Box::new), Box::new(read_entity(after).unwrap()))],
        "membership" => vec![match (read::<MembershipEntry>(before), read::<MembershipEntry>(after)) {
            (None, Some(added)) => members.member(added.group, added.user, Some(Timestamp::from_micros(added.added))),
            (Some(gone), None) => members.member(gone.group, gone.user, None),
            _ => panic!("a membership comes or goes"),
        }],
        "members" => members_entry(read(before), read(after), Timestamp::from_micros(row.at), members),
        // The journal does not rebuild keys.
        "key" => Vec::new(),
        "batch" => {
            batch(read(before).unwrap_or_default(), read(after).unwrap(), Timestamp::from_micros(row.at), members)
        }
        kind => panic!("unknown kind {kind}"),
    }
}

fn members_entry(
    removed: Option<MembersEntry<(i64, i64)>>,
    added: Option<MembersEntry<i64>>,
    at: Timestamp,
    members: &mut Members,
) -> Vec<Replayed> {
    let mut changes = Vec::new();
    if let Some(MembersEntry { group, users }) = removed {
        changes.extend(users.into_iter().map(|(user, _)| members.member(group, user, None)));
    }
    if let Some(MembersEntry { group, users }) = added {
        changes.extend(users.into_iter().map(|user| members.member(group, user, Some(at))));
    }
    changes
}

fn batch(before: BatchEntities, after: BatchEntities, at: Timestamp, members: &mut Members) -> Vec<Replayed> {
    let mut changes = Vec::new();
    for (was, is) in paired::<Group>(&before.groups, &after.groups) {
        changes.push(members.group(was, is));
    }
    for (was, is) in paired::<User>(&before.users, &after.users) {
        changes.push(members.user(was, is));
    }
    changes.extend(after.memberships.into_iter().map(|(group, user)| members.member(group, user, Some(at))));
    changes
}

/// Returns each state with the state before it; a created entity has none.
fn paired<E: StoredEntity>(before: &[Box<RawValue>], after: &[Box<RawValue>]) -> Vec<(Option<E>, E)> {
    let mut before = before.iter().map(|entry| entity::<E>(entry)).peekable();
    let step = |is: E| (before.next_if(|was| was.uid() == is.uid() && was.version() < is.version()), is);
    after.iter().map(|entry| entity(entry)).map(step).collect()
}

/// The memberships, also those of deleted groups and users.
#[derive(Default)]
pub(super) struct Members {
    pairs: BTreeSet<(i64, i64)>,
    deleted_groups: BTreeSet<i64>,
    deleted_users: BTreeSet<i64>,
}

impl Members {
    fn of_group(&self, group: i64) -> i64 {
        let is_counted = |(own, user): &&(i64, i64)| *own == group && !self.deleted_users.contains(user);
        self.pairs.iter().filter(is_counted).count() as i64
    }

    fn group(&mut self, before: Option<Group>, after: Group) -> Replayed {
        follow(&mut self.deleted_groups, &after);
        let group = |group: Group| {
            let name = group.fields.labels.name(&Tag::parse("en").unwrap()).to_owned();
            Box::new(Group { name, members: self.of_group(group.uid), ..group })
        };
        Replayed::Group(before.map(group), group(after))
    }

    fn user(&mut self, before: Option<User>, after: User) -> Replayed {
        follow(&mut self.deleted_users, &after);
        Replayed::User(before.map(Box::new), Box::new(after))
    }

    fn member(&mut self, group: i64, user: i64, added: Option<Timestamp>) -> Replayed {
        match added {
            Some(_) => _ = self.pairs.insert((group, user)),
            None => _ = self.pairs.remove(&(group, user)),
        }
        match added {
            None if self.deleted_groups.contains(&group) || self.deleted_users.contains(&user) => {
                Replayed::FormerMembership(group, user)
            }
            added => Replayed::Membership(group, user, added),
        }
    }
}

/// Keeps the numbers of the deleted entities of a kind.
fn follow(deleted: &mut BTreeSet<i64>, after: &impl Entity) {
    match after.is_live() {
        true => _ = deleted.remove(&after.uid()),
        false => _ = deleted.insert(after.uid()),
    }
}
