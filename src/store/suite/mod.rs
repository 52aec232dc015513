//! The conformance suite: tests that each store runs on a database of its own. A new store is complete when these and
//! the API tests pass on it.

pub(crate) mod database;
pub(crate) mod entities;
pub(crate) mod journal;
pub(crate) mod lists;
mod test_store;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::community::{Communities, Community};
use crate::domain::env::Clock;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupFields, GroupKey};
use crate::domain::id::Id;
use crate::domain::journal::{Actor, Channel, Operation, Operator};
use crate::domain::labels::{Labels, Tag};
use crate::domain::lockout::Attempt;
use crate::domain::reason::Reason;
use crate::domain::role::Roles;
use crate::domain::sign_in::{Origin, PasswordAttempt, Refusal};
use crate::domain::target::Target;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserFields, UserKey, UserUid};
use crate::domain::xp::Xp;
use crate::json::Json;

use super::{CurrentUser, Mutation, Store, UserUpdate};

pub(crate) use test_store::{IndexNode, JournalRow, JournalUser, Replayed, SchemaColumn, State, TestStore};

/// Defines the tests of the suite: `conformance!(open)`, where `open` returns a store on an empty database and a value
/// that keeps the database alive.
macro_rules! conformance {
    ($open:path) => {
        $crate::store::suite::conformance! { $open;
            entities {
                groups: ids_are_unique_without_case, renaming_moves_and_frees, tombstones_are_found_by_number,
                    equal_fields_change_nothing, acknowledged_writes_are_read_at_once, refused_writes_change_nothing,
                    communities_limit, xp_is_kept_as_spelled;
                users: usernames_are_unique_without_case, lists_filter_by_type, deleting_hides,
                    rules_see_the_roles_of_acting_clients, a_new_client_keeps_its_user;
                memberships: are_counted_and_ordered, outlive_renames_and_not_deletions, are_limited;
                member_changes: follow_a_model, all_land, are_refused_as_a_whole, raise_the_version_of_memberships;
                signing_in: ten_failures_lock, refresh_tokens_are_kept_until_they_expire,
                    rotated_refresh_tokens_are_used_once, refresh_tokens_rotate_together, ended_tokens_are_known,
                    keys_are_kept, keys_are_journaled_without_their_material;
                sign_ins: are_read_in_order_by_any_filter, unknown_names_of_a_minute_are_one_record,
                    refused_passwords_are_recorded_as_they_are_counted, old_ones_are_deleted_and_their_positions_end;
                long_lived_tokens: are_found_by_hash, are_listed_until_they_end, uses_are_noted,
                    are_journaled_without_secrets;
                sessions: sessions_are_found_with_their_user, sessions_end_by_name_for_their_user_alone,
                    expired_and_surplus_sessions_go, a_setup_code_is_used_once,
                    an_administrator_is_a_live_user_with_every_role;
                answers: are_kept_for_a_day, refused_writes_leave_the_key_free, clients_tokens_and_keys_have_them;
                restore: brings_a_group_back, brings_a_user_back, is_refused_and_changes_nothing, follows_a_model,
                    keeps_counts_when_all_happens_at_once, a_batch_journals_what_it_drops;
                erasure: leaves_nothing_personal, keeps_that_it_happened, is_done_once_and_for_good,
                    is_finished_after_a_crash, empties_any_number_of_entries;
                counts: tell_each_change_once, are_those_of_visible_groups;
            }
            lists {
                groups: order_is_by_folded_key_with_nulls_lowest, pages_hold_every_row_once, xp_compares_by_type,
                    absent_values_match_negatives_alone, long_texts_are_compared_whole,
                    long_numbers_are_compared_whole, every_plan_gives_the_same, many_values_match_like_one,
                    pages_make_the_whole_list_in_every_order, cached_results_do_not_outlive_a_change,
                    xp_sorts_by_least_value;
                walks: have_every_row_once_in_every_order, go_through_users_in_every_order,
                    may_begin_after_a_number_of_rows, miss_and_repeat_nothing_that_keeps_its_place,
                    go_through_tombstones_newest_first;
                combining: matches_the_sets_of_its_parts;
                relations: filter_and_sort_as_a_model_does_after_every_change, locked_users_and_times_are_found;
                search: finds_every_substring, searches_fields_and_drops_old_texts, terms_have_no_syntax;
                members: every_order_is_walked, tell_who_is_found_and_since_when, large_groups_are_searched,
                    groups_of_a_user_are_walked;
            }
            journal {
                entries: rebuilds_the_state, keeps_who_and_why, times_never_go_back,
                    times_follow_the_order_of_changes, batches_are_split_into_short_entries,
                    users_find_entries_of_many_members, contains_no_secret;
                past: the_past_is_as_it_was, the_feed_rebuilds_the_state, a_history_is_a_part_of_the_feed,
                    spells_are_when_the_user_was_a_member, names_are_those_of_the_moment,
                    a_position_that_is_gone_is_refused;
                feed: nothing_is_behind_the_end, a_filter_moves_past_other_operations, a_wait_ends_after_a_change,
                    a_directory_keeps_its_identity;
                batches: leave_what_single_writes_leave, refuse_one_and_keep_the_others, repeated_change_nothing,
                    restore_what_was_deleted, restore_nothing_by_another_number_or_id, keep_the_numbers_of_users,
                    previews_tell_the_outcomes_and_write_nothing;
                batch_index: finds_what_a_scan_finds;
                retention: answers_are_the_same_or_refused, spells_and_names_need_no_earlier_changes,
                    old_entries_leave_nothing_behind;
            }
            database {
                schema: is_as_described;
                folding: older_keys_are_folded_again, exchanged_keys_find_their_owners, current_keys_are_not_read,
                    newer_keys_are_refused, a_collision_is_refused_and_changes_nothing;
                statistics: the_last_sample_of_a_day_counts, samples_of_one_day_come_from_many_servers, old_samples_go,
                    a_journal_is_whole_until_changes_are_dropped, a_database_tells_what_it_is;
            }
        }
    };
    ($open:path; $($room:ident { $($module:ident: $($test:ident),+;)+ })+) => {$(
        mod $room {$(
            mod $module {
                $(#[tokio::test]
                async fn $test() {
                    let (store, _alive) = $open().await;
                    $crate::store::suite::$room::$module::$test(&store).await;
                })+
            }
        )+}
    )+};
}
pub(crate) use conformance;

/// A clock that stands still.
#[derive(Debug)]
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Returns the time of the given second.
pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// Returns an operation at the given second, with a reason and an operator that name the second.
pub(crate) fn operation(second: i64) -> Operation {
    Operation {
        id: format!("operation-{second}"),
        clock: Arc::new(Still(time(second))),
        actor: Actor::default(),
        channel: Channel::CommandLine,
        reason: Some(Reason::new(format!("reason-{second}")).unwrap()),
        operator: Some(Operator { user: format!("user-{second}"), host: format!("host-{second}") }),
        undoes: None,
        recording: None,
    }
}

/// Returns an ID.
pub(crate) fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// Returns the community with the number, at most 99.
pub(crate) fn community(number: u8) -> Community {
    Community::parse(&format!("00000000-0000-0000-0000-0000000000{number:02}")).unwrap()
}

/// Returns a language tag.
pub(crate) fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

/// Returns an xp document.
pub(crate) fn xp(text: &str) -> Option<Xp> {
    Some(Xp::new(&Json::parse(text.as_bytes()).unwrap()).unwrap())
}

/// Returns a group with this ID and name and no other fields.
pub(crate) fn group(group_id: &str, name: &str) -> GroupFields {
    GroupFields {
        id: id(group_id),
        labels: Labels::named(&Tag::parse("en").unwrap(), name.to_owned()),
        description: None,
        xp: None,
        communities: Communities::new(),
    }
}

/// Returns an active user whose other fields follow from the ID.
pub(crate) fn user(user_id: &str) -> UserFields {
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

/// Writes the fields to the group with the key, or to a new group, at the given second.
pub(crate) async fn put_group(
    store: &impl Store,
    second: i64,
    key: impl Into<Target<GroupKey>>,
    fields: GroupFields,
) -> Result<Group> {
    store.write_group(operation(second), key.into(), Box::new(move |_| Ok(Mutation::Put(fields.clone())))).await
}

/// Creates a group at second 1.
pub(crate) async fn make_group(store: &impl Store, fields: GroupFields) -> Group {
    put_group(store, 1, Target::New, fields).await.unwrap()
}

/// Deletes the group with the key, at the given second.
pub(crate) async fn delete_group(store: &impl Store, second: i64, key: impl Into<Target<GroupKey>>) -> Group {
    store.write_group(operation(second), key.into(), Box::new(|_| Ok(Mutation::Delete))).await.unwrap()
}

/// Writes the fields to the user with the key, or to a new user, at the given second.
pub(crate) async fn put_user(
    store: &impl Store,
    second: i64,
    key: impl Into<Target<UserKey>>,
    fields: UserFields,
) -> Result<User> {
    let update =
        move |_: Option<CurrentUser<'_>>| Ok(Mutation::Put(UserUpdate { fields: fields.clone(), password_hash: None }));
    store.write_user(operation(second), key.into(), Box::new(update)).await
}

/// Creates a user at second 1.
pub(crate) async fn make_user(store: &impl Store, fields: UserFields) -> User {
    put_user(store, 1, Target::New, fields).await.unwrap()
}

/// Deletes the user with the key, at the given second.
pub(crate) async fn delete_user(store: &impl Store, second: i64, key: impl Into<Target<UserKey>>) -> User {
    store.write_user(operation(second), key.into(), Box::new(|_| Ok(Mutation::Delete))).await.unwrap()
}

/// Counts an attempt of the user to sign in at `at`, with the right password or a wrong one. Returns whether the user may
/// sign in.
pub(crate) async fn count_sign_in(store: &impl Store, user: UserUid, at: Timestamp, is_right: bool) -> Result<bool> {
    let origin = Origin { channel: Channel::Core, source: None };
    let wrong = (!is_right).then_some(Refusal::WrongPassword);
    let outcome = store.count_sign_in(PasswordAttempt { user, client: None, at, origin, wrong }).await?;
    Ok(outcome == Some(Attempt::Succeeded))
}
