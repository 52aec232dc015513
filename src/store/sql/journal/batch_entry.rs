//! The journal entries of a batch. A batch writes its changes as a few entries of many entities each. An entry has at
//! most 64 KiB, so that reading one change never reads a whole batch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::error::Result;
use crate::domain::group::{Group, GroupKey, GroupUid};
use crate::domain::id::Id;
use crate::domain::journal::ChangeKind;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};

use super::batch_index::Touch;
use super::{JournalEntry, raw, to_text};
use crate::store::sql::entity::{StoredEntity, is_restored};
use crate::store::sql::tables::{Groups, Listing as _, Users};

/// The maximum length of the states in one entry, before and after together, in bytes. An entity that is longer has an
/// entry of its own.
pub(crate) const PIECE_BYTES: usize = 64 << 10;
/// The most that the names and brackets around the entities take in one entry.
const FRAME_BYTES: usize = 128;

/// The most former memberships of one group in an entry, so that it stays below [`PIECE_BYTES`].
const FORMER_MEMBERS: usize = 1_500;

/// The changes of a batch, in their order.
#[derive(Debug, Default)]
pub(crate) struct BatchEntry {
    /// The former memberships that restored entities lose, by group: the user, and when the user was added.
    former: BTreeMap<GroupUid, Vec<(UserUid, Timestamp)>>,
    groups: Vec<Change>,
    users: Vec<Change>,
    memberships: Vec<(GroupUid, UserUid)>,
}

/// The change of one entity.
#[derive(Debug)]
pub(crate) enum Change {
    /// It was created or updated.
    Written {
        /// Its number.
        uid: i64,
        /// Its state before; `None` if it was created.
        before: Option<Box<RawValue>>,
        /// Its state after.
        after: Box<RawValue>,
    },
    /// It was restored, which has an entry of its own.
    Restored(JournalEntry),
}

/// One entry of a batch.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The entry.
    pub entry: JournalEntry,
    /// The numbers in the entry, for the index of batches; none for an entry that has another index.
    pub touched: Vec<(Touch, i64)>,
}

impl BatchEntry {
    /// Adds a group or user that was written.
    pub(crate) fn entity<E: Batched>(&mut self, before: Option<&E>, after: &E) -> Result<()> {
        let change = match is_restored(before, after) {
            true => Change::Restored(JournalEntry::of(before, after)?),
            false => Change::Written { uid: after.uid(), before: before.map(raw).transpose()?, after: raw(after)? },
        };
        E::changes(self).push(change);
        Ok(())
    }

    /// Adds a former membership that a restored group or user loses. The user was added to the group at `added`.
    pub(crate) fn former_member(&mut self, group: GroupUid, user: UserUid, added: Timestamp) {
        self.former.entry(group).or_default().push((user, added));
    }

    /// Adds a user who was added to a group.
    pub(crate) fn member(&mut self, group: GroupUid, user: UserUid) {
        self.memberships.push((group, user));
    }

    /// Returns the entries of the batch, whose changes were made at `at`; none if it changed nothing. The former
    /// memberships come first, so that they end while their entity is deleted. The groups follow, then the users, then
    /// the memberships.
    pub(crate) fn pieces(self, at: Timestamp) -> Result<Vec<Piece>> {
        let mut pieces = Pieces { at, done: Vec::new(), current: Content::default() };
        for (group, mut users) in self.former {
            users.sort_unstable();
            for users in users.chunks(FORMER_MEMBERS) {
                pieces.single(JournalEntry::of_members(group, &[], users, at)?)?;
            }
        }
        for change in self.groups {
            pieces.entity::<Group>(change)?;
        }
        for change in self.users {
            pieces.entity::<User>(change)?;
        }
        for (group, user) in self.memberships {
            pieces.member(group, user)?;
        }
        pieces.finish()
    }
}

/// Returns the number of the entry of each membership in the entries, in their order. The entries are given by their
/// numbers, with what they touch.
pub(crate) fn of_members(entries: &[(i64, Vec<(Touch, i64)>)]) -> Vec<i64> {
    let members = |(seq, touched): &(i64, Vec<(Touch, i64)>)| {
        let count = touched.iter().filter(|(touch, _)| *touch == Touch::GroupMember).count();
        std::iter::repeat_n(*seq, count)
    };
    entries.iter().flat_map(members).collect()
}

/// Distributes changes to entries.
struct Pieces {
    at: Timestamp,
    done: Vec<Piece>,
    current: Content,
}

/// The content of the entry that is being filled.
#[derive(Default)]
struct Content {
    bytes: usize,
    before: BatchEntities,
    after: BatchEntities,
    touched: Vec<(Touch, i64)>,
}

impl Pieces {
    fn entity<E: Batched>(&mut self, change: Change) -> Result<()> {
        let (uid, before, after) = match change {
            Change::Written { uid, before, after } => (uid, before, after),
            Change::Restored(entry) => return self.single(Some(entry)),
        };
        let length = |state: &RawValue| state.get().len() + 1;
        self.reserve(before.as_deref().map_or(0, length) + length(&after))?;
        let touch = if before.is_some() { E::UPDATED } else { E::CREATED };
        self.current.touched.push((touch, uid));
        E::among(&mut self.current.before).extend(before);
        E::among(&mut self.current.after).push(after);
        Ok(())
    }

    /// Adds an entry of another kind, if there is one, behind those before it.
    fn single(&mut self, entry: Option<JournalEntry>) -> Result<()> {
        self.close()?;
        self.done.extend(entry.map(|entry| Piece { entry, touched: Vec::new() }));
        Ok(())
    }

    fn member(&mut self, group: GroupUid, user: UserUid) -> Result<()> {
        let digits = |number: i64| number.checked_ilog10().unwrap_or(0) as usize + 1;
        self.reserve(digits(group) + digits(user) + "[,],".len())?;
        self.current.touched.extend([(Touch::GroupMember, group), (Touch::UserMember, user)]);
        self.current.after.memberships.push((group, user));
        Ok(())
    }

    /// Makes room for this many more bytes.
    fn reserve(&mut self, bytes: usize) -> Result<()> {
        if self.current.bytes + bytes > PIECE_BYTES - FRAME_BYTES {
            self.close()?;
        }
        self.current.bytes += bytes;
        Ok(())
    }

    /// Ends the current entry, if it has any content.
    fn close(&mut self) -> Result<()> {
        let Content { before, after, touched, .. } = std::mem::take(&mut self.current);
        if after.is_empty() {
            return Ok(());
        }
        let before = if before.is_empty() { None } else { Some(to_text(&before)?) };
        let entry = JournalEntry {
            kind: "batch",
            change: if before.is_some() { ChangeKind::Updated } else { ChangeKind::Created },
            count: after.len() as i64,
            at: self.at,
            subject: 0,
            member: None,
            before,
            after: Some(to_text(&after)?),
            users: Vec::new(),
        };
        self.done.push(Piece { entry, touched });
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Piece>> {
        self.close()?;
        Ok(self.done)
    }
}

/// The entities of a batch's journal entry. An entity with a state before the batch was updated; the others were
/// created. The memberships were added at the time of the entry.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct BatchEntities {
    /// The groups, as in entries of single groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Box<RawValue>>,
    /// The users, as in entries of single users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Box<RawValue>>,
    /// The added memberships, as numbers of group and user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<(GroupUid, UserUid)>,
}

impl BatchEntities {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.groups.len() + self.users.len() + self.memberships.len()
    }
}

/// A kind of entity that a batch can write.
pub(crate) trait Batched: StoredEntity {
    /// How the index of batches records that an entity of this kind was created.
    const CREATED: Touch;
    /// How the index of batches records that an entity of this kind was updated.
    const UPDATED: Touch;
    /// The column of memberships with the numbers of this kind.
    const MEMBERSHIP_END: &'static str;

    /// Returns the key that finds the live entity with the ID.
    fn key(id: &Id) -> Self::Key;
    /// Returns the entities of this kind in a journal entry.
    fn among(entities: &mut BatchEntities) -> &mut Vec<Box<RawValue>>;
    /// Returns the changes of entities of this kind.
    fn changes(batch: &mut BatchEntry) -> &mut Vec<Change>;
}

impl Batched for Group {
    const CREATED: Touch = Touch::GroupCreated;
    const UPDATED: Touch = Touch::GroupUpdated;
    const MEMBERSHIP_END: &'static str = Groups::MEMBERSHIPS.own;

    fn key(id: &Id) -> GroupKey {
        GroupKey::Id(id.clone())
    }

    fn among(entities: &mut BatchEntities) -> &mut Vec<Box<RawValue>> {
        &mut entities.groups
    }

    fn changes(batch: &mut BatchEntry) -> &mut Vec<Change> {
        &mut batch.groups
    }
}

impl Batched for User {
    const CREATED: Touch = Touch::UserCreated;
    const UPDATED: Touch = Touch::UserUpdated;
    const MEMBERSHIP_END: &'static str = Users::MEMBERSHIPS.own;

    fn key(id: &Id) -> UserKey {
        UserKey::Id(id.clone())
    }

    fn among(entities: &mut BatchEntities) -> &mut Vec<Box<RawValue>> {
        &mut entities.users
    }

    fn changes(batch: &mut BatchEntry) -> &mut Vec<Change> {
        &mut batch.users
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(bytes: usize) -> Box<RawValue> {
        RawValue::from_string(format!("\"{}\"", "x".repeat(bytes - 2))).unwrap()
    }

    fn pieces(batch: BatchEntry) -> Vec<Piece> {
        batch.pieces(Timestamp::from_micros(7)).unwrap()
    }

    fn length(piece: &Piece) -> usize {
        [&piece.entry.before, &piece.entry.after].into_iter().flatten().map(String::len).sum()
    }

    #[test]
    fn entries_have_at_most_64_kib_and_all_changes_in_order() {
        assert!(pieces(BatchEntry::default()).is_empty());
        let change = |uid| Change::Written { uid, before: (uid % 2 == 0).then(|| state(700)), after: state(900) };
        let batch = BatchEntry {
            groups: (1..=300).map(change).collect(),
            users: (1..=300).map(change).collect(),
            memberships: (1..=20_000).map(|number| (number, 1_000_000 + number)).collect(),
            ..BatchEntry::default()
        };
        let pieces = pieces(batch);
        assert!(pieces.iter().all(|piece| length(piece) <= PIECE_BYTES), "{:?}", pieces.iter().map(length).max());
        assert!(pieces.len() < 24, "{}", pieces.len());
        let touched: Vec<_> = pieces.iter().flat_map(|piece| piece.touched.clone()).collect();
        let of =
            |wanted: &'static [Touch]| touched.iter().filter(|(touch, _)| wanted.contains(touch)).map(|(_, uid)| *uid);
        assert!(of(&[Touch::GroupCreated, Touch::GroupUpdated]).eq(1..=300));
        assert!(of(&[Touch::UserUpdated]).eq((1..=300).filter(|uid| uid % 2 == 0)));
        assert!(of(&[Touch::GroupMember]).eq(1..=20_000) && of(&[Touch::UserMember]).eq(1_000_001..=1_020_000));
    }

    #[test]
    fn an_entity_above_the_limit_has_an_entry_of_its_own() {
        let change = |uid, bytes| Change::Written { uid, before: None, after: state(bytes) };
        let groups = vec![change(1, 10), change(2, PIECE_BYTES * 2), change(3, 10), change(4, 10)];
        let pieces = pieces(BatchEntry { groups, ..BatchEntry::default() });
        let numbers: Vec<Vec<i64>> =
            pieces.iter().map(|piece| piece.touched.iter().map(|(_, uid)| *uid).collect()).collect();
        assert_eq!(numbers, [vec![1], vec![2], vec![3, 4]]);
    }
}
