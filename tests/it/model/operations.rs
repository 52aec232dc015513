//! Random operations on a small set of names, so that they often collide.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value as Json, json};

use crate::support::{A, B};

/// IDs of groups and users; some differ in case only.
const GROUP_IDS: &[&str] = &["alpha", "ALPHA", "beta", "Beta", "gamma-3"];
/// IDs of users; two differ in case only.
pub(crate) const USER_IDS: &[&str] = &["ada", "ADA", "bob", "cyd", "dan"];
const USERNAMES: &[&str] = &["Ada", "böb", "BÖB", "cyd", "dan", "eve"];
/// Names and labels of groups.
pub(crate) const NAMES: &[&str] = &["Ops", "ops", "Team Ärger", "Zug", "x"];

/// The fields of a group's body in a POST or PUT.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The ID, if the body has one.
    pub id: Option<&'static str>,
    /// The name.
    pub name: &'static str,
    /// The description.
    pub description: Option<&'static str>,
    /// The xp document.
    pub xp: Option<Json>,
}

/// The fields of a group's body in a PATCH; an inner `None` is a null.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// The new ID.
    pub id: Option<&'static str>,
    /// The new name.
    pub name: Option<&'static str>,
    /// The new description.
    pub description: Option<Option<&'static str>>,
    /// The new xp document, to be merged.
    pub xp: Option<Option<Json>>,
}

/// The labels, and the communities if the request has them.
#[derive(Clone, Debug)]
pub(crate) struct Labelled {
    /// Pairs of language tag and label.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The communities.
    pub communities: Option<Vec<&'static str>>,
}

/// One request. An [`Index`] picks a group by number, live or deleted.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// OrderCloud's POST of a group.
    Post(Draft),
    /// OrderCloud's PUT: the ID in the path, the body.
    Put(&'static str, Draft),
    /// OrderCloud's PATCH: the ID in the path, the body.
    Patch(&'static str, Patch),
    /// OrderCloud's DELETE of a group.
    Delete(&'static str),
    /// OrderCloud's GET of a group.
    Get(&'static str),
    /// OrderCloud's POST of an assignment: the group, the user.
    Assign(&'static str, &'static str),
    /// OrderCloud's DELETE of an assignment: the group, the user.
    Unassign(&'static str, &'static str),
    /// OrderCloud's list of assignments, filtered by group and user.
    Assignments(Option<&'static str>, Option<&'static str>),
    /// OrderCloud's POST of a user: the ID, the username.
    PostUser(&'static str, &'static str),
    /// OrderCloud's PATCH of a user: the ID in the path, the new ID and username.
    PatchUser(&'static str, Option<&'static str>, Option<&'static str>),
    /// OrderCloud's DELETE of a user.
    DeleteUser(&'static str),
    /// The Core API's add of a group.
    Add(Labelled),
    /// The Core API's edit of a group.
    Edit(Index, Labelled),
    /// The Core API's delete of a group.
    DeleteNumber(Index),
    /// The Core API's read of a group.
    GetNumber(Index),
}

/// A sequence of operations, each by the caller limited to community A (`true`) or by the other one; the first ones
/// create users.
pub(crate) fn sequence(length: usize) -> impl Strategy<Value = Vec<(bool, Operation)>> {
    let users = ["ada", "bob", "cyd"].map(|user| (false, Operation::PostUser(user, user)));
    vec((proptest::bool::weighted(0.25), operation()), length)
        .prop_map(move |operations| users.iter().cloned().chain(operations).collect())
}

fn operation() -> impl Strategy<Value = Operation> {
    let (group, user) = (|| select(GROUP_IDS), || select(USER_IDS));
    let username = || select(USERNAMES);
    prop_oneof![
        4 => draft().prop_map(Operation::Post),
        4 => (group(), draft()).prop_map(|(id, draft)| Operation::Put(id, draft)),
        5 => (group(), patch()).prop_map(|(id, patch)| Operation::Patch(id, patch)),
        1 => group().prop_map(Operation::Delete),
        1 => group().prop_map(Operation::Get),
        9 => (group(), user()).prop_map(|(group, user)| Operation::Assign(group, user)),
        4 => (group(), user()).prop_map(|(group, user)| Operation::Unassign(group, user)),
        1 => (option::of(group()), option::of(user())).prop_map(|(group, user)| Operation::Assignments(group, user)),
        3 => (user(), username()).prop_map(|(id, username)| Operation::PostUser(id, username)),
        2 => (user(), option::of(user()), option::of(username()))
            .prop_map(|(uri, id, username)| Operation::PatchUser(uri, id, username)),
        1 => user().prop_map(Operation::DeleteUser),
        2 => labelled().prop_map(Operation::Add),
        4 => (any::<Index>(), labelled()).prop_map(|(nth, labelled)| Operation::Edit(nth, labelled)),
        4 => any::<Index>().prop_map(Operation::DeleteNumber),
        1 => any::<Index>().prop_map(Operation::GetNumber),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    (option::weighted(0.7, select(GROUP_IDS)), select(NAMES), description(), option::of(xp()))
        .prop_map(|(id, name, description, xp)| Draft { id, name, description, xp })
}

fn patch() -> impl Strategy<Value = Patch> {
    let id = option::weighted(0.3, select(GROUP_IDS));
    (id, option::of(select(NAMES)), option::of(description()), option::of(option::weighted(0.8, xp())))
        .prop_map(|(id, name, description, xp)| Patch { id, name, description, xp })
}

fn description() -> impl Strategy<Value = Option<&'static str>> {
    option::of(select(&["", "What it is for", "ops & more"][..]))
}

fn xp() -> impl Strategy<Value = Json> {
    let leaf = select(vec![Json::Null, json!(1), json!(1.5), json!("one"), json!([1, { "a": 2 }]), json!([])]);
    let value = leaf.prop_recursive(2, 6, 3, object);
    object(value)
}

fn object(value: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    let member = (select(&["a", "b", "c"][..]), value).prop_map(|(key, value)| (key.to_owned(), value));
    vec(member, 0..3).prop_map(|members| Json::Object(members.into_iter().collect::<Map<_, _>>()))
}

fn labelled() -> impl Strategy<Value = Labelled> {
    let labels = proptest::sample::subsequence(vec!["de", "en", "it"], 1..=3);
    let named = (labels, select(NAMES), select(NAMES));
    let labels = named.prop_map(|(tags, first, then)| {
        tags.into_iter().enumerate().map(|(at, tag)| (tag, if at == 0 { first } else { then })).collect()
    });
    let communities = option::weighted(0.7, proptest::sample::subsequence(vec![A, B], 0..=2));
    (labels, communities).prop_map(|(labels, communities)| Labelled { labels, communities })
}
