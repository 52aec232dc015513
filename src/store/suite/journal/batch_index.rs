//! The index of batches: a look-up finds the entries that a scan of the journal finds, and reads few nodes.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::batches::{group_item, member_item, user_item};
use crate::store::sql::journal::batch_entry::BatchEntities;
use crate::store::sql::journal::batch_index::{Segment, Touch, decode};
use crate::store::suite::*;

/// Looks up entries of batches, and counts the nodes that it reads.
struct LookUp<'a, S> {
    store: &'a S,
    read: Cell<usize>,
}

impl<S: TestStore> LookUp<'_, S> {
    /// Returns the numbers of the entries that touched the entity in this way.
    fn entries(&self, kind: Touch, number: i64) -> BTreeSet<i64> {
        let (segment, low) = Segment::of(kind, number);
        let of_segment = format!("kind = '{}' AND segment = {}", kind.name(), segment.high);
        let mut found = BTreeSet::new();
        let mut nodes = self.store.batch_index(&format!("{of_segment} AND merged = 0"));
        while let Some(node) = nodes.pop() {
            self.read.set(self.read.get() + 1);
            if !decode(&node.numbers).unwrap().contains(low) {
                continue;
            }
            if node.level == 0 {
                found.insert(node.first);
            } else {
                let below = format!(
                    "{of_segment} AND level = {} AND first_seq BETWEEN {} AND {}",
                    node.level - 1,
                    node.first,
                    node.last
                );
                nodes.extend(self.store.batch_index(&below));
            }
        }
        found
    }

    /// Returns the numbers of the entries that may have added the user to the group: both got a membership in them.
    fn entries_of_pair(&self, group: i64, user: i64) -> BTreeSet<i64> {
        let (of_group, of_user) = (self.entries(Touch::GroupMember, group), self.entries(Touch::UserMember, user));
        &of_group & &of_user
    }
}

/// What an entry touched, read from its text.
fn scan(row: &JournalRow) -> BTreeSet<(Touch, i64)> {
    #[derive(Deserialize)]
    struct Numbered {
        uid: i64,
    }
    let entities = |text: &Option<String>| -> BatchEntities {
        text.as_ref().map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
    };
    let (before, after) = (entities(&row.before), entities(&row.after));
    let uids = |states: &[Box<RawValue>]| -> BTreeSet<i64> {
        states.iter().map(|state| serde_json::from_str::<Numbered>(state.get()).unwrap().uid).collect()
    };
    let mut touched = BTreeSet::new();
    for (created, updated, before, after) in [
        (Touch::GroupCreated, Touch::GroupUpdated, &before.groups, &after.groups),
        (Touch::UserCreated, Touch::UserUpdated, &before.users, &after.users),
    ] {
        let (before, after) = (uids(before), uids(after));
        touched.extend(after.difference(&before).map(|uid| (created, *uid)));
        touched.extend(before.iter().map(|uid| (updated, *uid)));
    }
    for (group, user) in after.memberships {
        touched.extend([(Touch::GroupMember, group), (Touch::UserMember, user)]);
    }
    touched
}

/// Three hundred batches: enough that nodes of the second level are merged.
const BATCHES: i64 = 300;

pub(crate) async fn finds_what_a_scan_finds(store: &impl TestStore) {
    let name = |number: i64| format!("e{number}");
    for batch in 0..BATCHES {
        // Numbers in two segments. The group 1 changes in every batch, the others in a few.
        let far = if batch % 2 == 0 { 0 } else { 100_000 };
        let (group_uid, user_uid) = (far + 2 + batch, far + 1 + batch);
        let mut items = vec![
            group_item(Some(1), group("first", &name(batch))),
            group_item(Some(group_uid), group(&name(group_uid), "n")),
            user_item(Some(user_uid), user(&name(user_uid))),
            member_item("first", &name(user_uid)),
        ];
        if batch >= 20 {
            let earlier = (batch - 20) + if batch % 2 == 0 { 0 } else { 100_000 };
            items.push(group_item(None, group(&name(earlier + 2), "again")));
            items.push(member_item(&name(earlier + 2), &name(earlier + 1)));
            items.push(user_item(None, UserFields { active: false, ..user(&name(earlier + 1)) }));
        }
        let outcomes = store.write_batch(operation(batch), items).await.unwrap();
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        // Other entries between those of the batches.
        if batch % 10 == 0 {
            make_group(store, group(&format!("single-{batch}"), "n")).await;
        }
    }
    let journal = store.journal();
    let mut scanned: BTreeMap<(Touch, i64), BTreeSet<i64>> = BTreeMap::new();
    for row in journal.iter().filter(|row| row.kind == "batch") {
        for touch in scan(row) {
            scanned.entry(touch).or_default().insert(row.seq);
        }
    }
    assert!(scanned[&(Touch::GroupMember, 1)].len() as i64 >= BATCHES);
    let look_up = LookUp { store, read: Cell::new(0) };
    let numbers =
        [1, 2, 3, 21, 22, 150, 151, 299, 300, 301, 100_002, 100_003, 100_150, 100_299, 100_301, 65_536, 7_000];
    let kinds = [
        Touch::GroupCreated,
        Touch::GroupUpdated,
        Touch::GroupMember,
        Touch::UserCreated,
        Touch::UserUpdated,
        Touch::UserMember,
    ];
    for (kind, number) in kinds.into_iter().flat_map(|kind| numbers.map(|number| (kind, number))) {
        look_up.read.set(0);
        let found = look_up.entries(kind, number);
        let expected = scanned.remove(&(kind, number)).unwrap_or_default();
        assert_eq!(found, expected, "{} {number}", kind.name());
        // Fewer than sixteen roots at each of three levels, and sixteen nodes at two levels for each entry.
        let most = 3 * 15 + 2 * 16 * found.len();
        assert!(look_up.read.get() <= most, "{} nodes for {} entries", look_up.read.get(), found.len());
    }
    let pairs = |row: &JournalRow| -> Vec<(i64, i64)> {
        serde_json::from_str::<BatchEntities>(row.after.as_ref().unwrap()).unwrap().memberships
    };
    for (group, user) in [(1, 1), (1, 151), (22, 21), (100_051, 100_050), (22, 151)] {
        let has_pair = |row: &&JournalRow| row.kind == "batch" && pairs(row).contains(&(group, user));
        let expected: BTreeSet<i64> = journal.iter().filter(has_pair).map(|row| row.seq).collect();
        let found = look_up.entries_of_pair(group, user);
        let found: BTreeSet<i64> =
            journal.iter().filter(|row| found.contains(&row.seq)).filter(has_pair).map(|row| row.seq).collect();
        assert_eq!(found, expected, "{group} {user}");
    }
    assert!(store.batch_index("level = 2").len() >= 2);
    assert!(store.batch_index("length(numbers) > 11000").is_empty());
}
