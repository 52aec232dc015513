//! Lists, histories and moments of Rollbook's own API.

use super::data::file::Size;
use super::list_cases::ListCase;
use super::people::{self, BUSY, EVERYBODY, TEN};
use super::support::generate;

const GROUPS: &str = "/rollbook/v1/groups";

/// Lists with what the vendors' APIs do not tell.
pub(crate) fn lists(size: &Size) -> Vec<ListCase> {
    let (everybody, busy) = (generate::id(EVERYBODY), people::id(BUSY));
    let members = format!("{GROUPS}/{everybody}/members");
    let of_busy = format!("/rollbook/v1/users/{busy}/groups");
    vec![
        ListCase::new("groups with counts: first page", GROUPS, &[("limit", "100")]).matching(size.groups).under(5.0),
        ListCase::new("groups by count: first page", GROUPS, &[("sort", "-memberCount"), ("limit", "100")])
            .matching(size.groups)
            .under(5.0),
        ListCase::new("groups without a German label", GROUPS, &[("labels.de", "!*")]),
        ListCase::new("groups of a user, as a filter", GROUPS, &[("member", &busy)]),
        ListCase::new("all members: first page", &members, &[("limit", "100")]).matching(size.users()).under(5.0),
        ListCase::new("all members, the latest first", &members, &[("sort", "-since"), ("limit", "100")])
            .matching(size.users())
            .under(5.0),
        ListCase::new("groups of the user in the most", &of_busy, &[("limit", "100")]).under(5.0),
        ListCase::new("users: first page", "/rollbook/v1/users", &[("limit", "100")]).matching(size.users()).under(5.0),
        ListCase::new("users without groups", "/rollbook/v1/users", &[("withoutGroups", "true")]),
    ]
}

/// Histories, and the directory at a moment. `at` is after the fill and before the changes that are to be looked back
/// over.
pub(crate) fn past(_: &Size, at: &str) -> Vec<ListCase> {
    let (everybody, ten, busy) = (generate::id(EVERYBODY), generate::id(TEN), people::id(BUSY));
    let history = |kind: &str, id: &str| format!("/rollbook/v1/{kind}/{id}/history");
    let members = |id: &str| format!("{GROUPS}/{id}/members");
    vec![
        ListCase::new("history of the largest group", &history("groups", &everybody), &[]).under(20.0),
        ListCase::new("history of a small group", &history("groups", &ten), &[]).under(20.0),
        ListCase::new("history of the user in the most groups", &history("users", &busy), &[]).under(20.0),
        ListCase::new(
            "why a user is in the largest group",
            &history(&format!("groups/{everybody}/members"), &busy),
            &[],
        )
        .under(20.0),
        ListCase::new("members of the largest group then", &members(&everybody), &[("at", at)]).under(100.0),
        ListCase::new("the largest group then", &format!("{GROUPS}/{everybody}"), &[("at", at)]).under(100.0),
        ListCase::new("the feed: 1,000 changes", "/rollbook/v1/changes", &[("limit", "1000"), ("order", "desc")]),
    ]
}
