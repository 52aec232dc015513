//! What every store must do, as tests that each store runs on a database of its own. A new store is done when these
//! and the API tests pass on it.

pub mod batches;
pub mod copy;
pub mod groups;
pub mod journal;
pub mod lists;
pub mod memberships;
pub mod plans;
pub mod search;
pub mod signing_in;
pub mod users;

use std::collections::BTreeMap;

use crate::domain::community::{Communities, Community};
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupFields, GroupKey};
use crate::domain::id::Id;
use crate::domain::journal::{Actor, Door, Operation};
use crate::domain::json::Json;
use crate::domain::labels::{Labels, Tag};
use crate::domain::role::Roles;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserFields, UserKey};
use crate::domain::xp::Xp;

use super::{Store, UserWrite, Write};

pub use journal::Replayed;

/// A store under test: also tells its journal, and takes one.
pub trait TestStore: Store {
    /// Every entry of the journal, in order.
    fn journal(&self) -> Vec<JournalRow>;
    /// Every live and deleted thing as the journal would tell it, with what is maintained beside it.
    fn state(&self) -> State;
    /// Makes the changes in an empty store, by the means with which it makes all others.
    fn replay(&self, changes: Vec<Replayed>) -> impl Future<Output = Result<()>> + Send;
    /// Another store, on an empty database, and what keeps that alive.
    fn another(&self) -> impl Future<Output = (Self, impl Send)> + Send
    where
        Self: Sized;
}

/// An entry of the journal.
#[derive(Clone, Debug)]
pub struct JournalRow {
    pub operation: String,
    /// Microseconds.
    pub at: i64,
    pub door: String,
    pub kind: String,
    pub change: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Everything that the journal must be able to rebuild, and the counts that follow from it.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct State {
    pub groups: BTreeMap<i64, String>,
    pub users: BTreeMap<i64, String>,
    pub clients: BTreeMap<i64, String>,
    /// Group and user, live or not.
    pub memberships: BTreeMap<(i64, i64), String>,
    /// Live members by group.
    pub members: BTreeMap<i64, i64>,
    /// Live groups, users and memberships.
    pub counters: [u64; 3],
    /// All that searches, filters and links are answered from.
    pub side_rows: Vec<String>,
}

/// Runs the suite: `conformance!(open)` where `open` gives a store on an empty database and what keeps it alive.
macro_rules! conformance {
    ($open:path) => {
        $crate::store::suite::conformance! { $open;
            groups: ids_are_unique_without_case, renaming_moves_and_frees, tombstones_stay_known,
                nothing_changed_nothing_moved, what_was_acknowledged_is_read_at_once, refused_writes_leave_no_trace, communities_limit, xp_is_kept_as_spelled;
            lists: order_is_by_folded_key_with_nulls_lowest, pages_hold_every_row_once, xp_compares_by_type,
                absent_values_match_negatives_alone, long_texts_are_compared_whole, every_plan_gives_the_same,
                pages_make_the_whole_list_in_every_order, what_was_found_is_not_remembered_beyond_a_change,
                xp_sorts_by_least_value;
            search: finds_every_substring, knows_fields_and_forgets, holds_no_syntax;
            users: usernames_are_unique_without_case, lists_filter_by_type, deleting_hides;
            memberships: are_counted_and_ordered, outlive_renames_and_not_deletions, are_limited;
            batches: leave_what_single_writes_leave, refuse_one_and_keep_the_others, repeated_change_nothing;
            signing_in: ten_failures_lock, refresh_tokens_are_used_once, ended_tokens_are_known, keys_are_kept;
            journal: rebuilds_the_state, tells_no_secret;
        }
    };
    ($open:path; $($module:ident: $($test:ident),+;)+) => {$(
        mod $module {
            $(#[tokio::test]
            async fn $test() {
                let (store, _alive) = $open().await;
                $crate::store::suite::$module::$test(&store).await;
            })+
        }
    )+};
}
pub(crate) use conformance;

/// An operation of the tests at a second of their own.
pub fn operation(second: i64) -> Operation {
    let id = format!("operation-{second}");
    Operation { id, at: Timestamp::from_micros(second * 1_000_000), actor: Actor::default(), door: Door::CommandLine }
}

/// An ID.
pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// A community by a small number.
pub fn community(number: u8) -> Community {
    Community::parse(&format!("00000000-0000-0000-0000-0000000000{number:02}")).unwrap()
}

/// An xp document.
pub fn xp(text: &str) -> Option<Xp> {
    Some(Xp::new(&Json::parse(text.as_bytes()).unwrap()).unwrap())
}

/// A group with this ID and name, and nothing else.
pub fn group(group_id: &str, name: &str) -> GroupFields {
    GroupFields {
        id: id(group_id),
        labels: Labels::named(&Tag::parse("en").unwrap(), name.to_owned()),
        description: None,
        xp: None,
        communities: Communities::new(),
    }
}

/// An active user with this ID, which is also the rest of it.
pub fn user(user_id: &str) -> UserFields {
    UserFields {
        id: id(user_id),
        username: user_id.to_owned(),
        first_name: "F".to_owned(),
        last_name: user_id.to_owned(),
        email: format!("{user_id}@example.com"),
        phone: None,
        terms_accepted: None,
        active: true,
        xp: None,
        roles: Roles::NONE,
        communities: Communities::new(),
        generation: 0,
        password_set: None,
    }
}

/// Writes the fields to the group with the key, at the second.
pub async fn put_group(store: &impl Store, second: i64, key: GroupKey, fields: GroupFields) -> Result<Group> {
    store.write_group(operation(second), key, Box::new(move |_| Ok(Write::Put(fields.clone())))).await
}

/// Makes a group.
pub async fn make_group(store: &impl Store, fields: GroupFields) -> Group {
    put_group(store, 1, GroupKey::New, fields).await.unwrap()
}

/// Deletes the group with the key.
pub async fn delete_group(store: &impl Store, second: i64, key: GroupKey) -> Group {
    store.write_group(operation(second), key, Box::new(|_| Ok(Write::Delete))).await.unwrap()
}

/// Writes the fields to the user with the key, at the second.
pub async fn put_user(store: &impl Store, second: i64, key: UserKey, fields: UserFields) -> Result<User> {
    let edit = move |_: Option<&User>| Ok(Write::Put(UserWrite { fields: fields.clone(), password_hash: None }));
    store.write_user(operation(second), key, Box::new(edit)).await
}

/// Makes a user.
pub async fn make_user(store: &impl Store, fields: UserFields) -> User {
    put_user(store, 1, UserKey::New, fields).await.unwrap()
}

/// Deletes the user with the key.
pub async fn delete_user(store: &impl Store, second: i64, key: UserKey) -> User {
    store.write_user(operation(second), key, Box::new(|_| Ok(Write::Delete))).await.unwrap()
}
