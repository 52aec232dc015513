//! List requests, and the goal for each.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::data::file::Size;
use super::people::{self, BUSY, EVERYBODY, TEN};
use super::report::Goal;
use super::support::generate;
use super::target::Caller;

/// A list request.
pub(crate) struct ListCase {
    /// The name in the table.
    pub what: String,
    /// The path with the query.
    pub uri: String,
    /// The caller that sends it.
    pub caller: Caller,
    /// The expected number of matches.
    pub expected: Option<u64>,
    /// The goal, if there is one.
    pub goal: Option<Goal>,
}

impl ListCase {
    /// A request of a caller who sees everything.
    pub(crate) fn new(what: &str, path: &str, parameters: &[(&str, &str)]) -> Self {
        let (what, uri) = (what.to_owned(), uri(path, parameters));
        Self { what, uri, caller: Caller::Unlimited, expected: None, goal: None }
    }

    /// The goal for its median, in milliseconds.
    pub(crate) fn under(self, millis: f64) -> Self {
        Self { goal: Some(Goal::Under(millis)), ..self }
    }

    /// The number that it finds.
    pub(crate) fn matching(self, expected: usize) -> Self {
        Self { expected: Some(expected as u64), ..self }
    }

    fn limited(self) -> Self {
        Self { caller: Caller::Limited, ..self }
    }
}

const GROUPS: &str = "/v1/usergroups";
const USERS: &str = "/v1/adminusers";
const ASSIGNMENTS: &str = "/v1/usergroups/assignments";
const CORE: &str = "/api/admin/v1/users-groups/list";
const PAGE: usize = 20;

/// A path with a query.
pub(crate) fn uri(path: &str, parameters: &[(&str, &str)]) -> String {
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Pages of all groups, at any position.
pub(crate) fn pages(size: &Size) -> Vec<ListCase> {
    let (groups, last) = (size.groups, (size.groups / PAGE).to_string());
    let after = |number: usize| format!(">{}", generate::id(number));
    let walk = |what, number| {
        ListCase::new(what, GROUPS, &[("sortBy", "ID"), ("ID", &after(number)), ("page", "1"), ("pageSize", "100")])
    };
    vec![
        ListCase::new("first page of the default list", GROUPS, &[]).matching(groups).under(1.0),
        ListCase::new("first page by ID", GROUPS, &[("sortBy", "ID")]).matching(groups).under(1.0),
        ListCase::new("Core: first page", CORE, &[]).matching(groups).under(1.0),
        // IDs begin with one of eight words: the first by ID is the finance group with the lowest number.
        walk("100 after the ID at the beginning", 4).under(1.0),
        walk("100 after the ID in the middle", groups / 16 * 8 + 2).under(1.0),
        walk("100 after the ID near the end", groups - 1_000.min(groups / 2) / 8 * 8).under(1.0),
        ListCase::new(&format!("page {last} of the default list"), GROUPS, &[("page", &last)])
            .matching(groups)
            .under(20.0),
        ListCase::new(&format!("page {last} by ID"), GROUPS, &[("sortBy", "ID"), ("page", &last)]).under(20.0),
        ListCase::new(&format!("Core: page {last}"), CORE, &[("page", &last)]).matching(groups).under(20.0),
        ListCase::new("users: first page", USERS, &[]).matching(size.users()),
    ]
}

/// Searches, from one character up.
pub(crate) fn searches(size: &Size) -> Vec<ListCase> {
    let codename = generate::codename(size.groups / 3, size.groups);
    let search = |what, term| ListCase::new(what, GROUPS, &[("search", term)]);
    vec![
        search("search that finds 10", &codename).matching(generate::SHARED_BY).under(5.0),
        search("search for a town", "zürich").under(25.0),
        search("search for a town of other letters", "москва").under(25.0),
        search("search that finds nothing", "zzzzzz").matching(0).under(2.0),
        search("search of nothing that there is, in common parts", "berlin zürich").matching(0).under(2.0),
        search("search of one character", "x").under(50.0),
        search("search of one character that all have", "e").under(50.0),
        search("search of two characters", "łó").under(50.0),
        search("search of two characters that many have", "er").under(50.0),
        ListCase::new("users: search for one of few", USERS, &[("search", "singh-77")]),
        ListCase::new("users: search for a name", USERS, &[("search", "müller")]),
    ]
}

/// Memberships.
pub(crate) fn assignments(size: &Size) -> Vec<ListCase> {
    let (everybody, ten, busy) = (generate::id(EVERYBODY), generate::id(TEN), people::id(BUSY));
    let (users, of_busy) = (size.users(), size.memberships().of_busy());
    let (user, last) = (people::id(users / 2), (users / PAGE).to_string());
    let all = ("userGroupID", everybody.as_str());
    let pair = [all, ("userID", user.as_str())];
    let list = |what, parameters: &[_]| ListCase::new(what, ASSIGNMENTS, parameters);
    vec![
        list("all members: first page", &[all]).matching(users).under(2.0),
        list("all members: one pair", &pair).matching(1).under(2.0),
        list("all members: last page", &[all, ("page", &last)]).matching(users).under(50.0),
        list("ten members: first page", &[("userGroupID", &ten)]).matching(10).under(2.0),
        list("groups of a user", &[("userID", &user)]).under(2.0),
        list("groups of the user in the most", &[("userID", &busy)]).matching(of_busy).under(2.0),
        list("limited caller: all members, first page", &[all]).limited().matching(users).under(50.0),
        list("limited caller: all members, one pair", &pair).limited().matching(1).under(50.0),
        list("limited caller: all members, last page", &[all, ("page", &last)]).limited().matching(users).under(50.0),
        list("limited caller: groups of a user", &[("userID", &user)]).limited().under(50.0),
        list("limited caller: groups of the user in the most", &[("userID", &busy)]).limited().under(50.0),
        list("every assignment: first page", &[]),
        list("limited caller: every assignment, first page", &[]).limited(),
    ]
}
