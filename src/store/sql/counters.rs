//! Counters of live entities and of changes. Every change updates them in its transaction, so that nothing has to be
//! counted.

use sea_query::{ExprTrait as _, Query, SelectStatement};

use crate::domain::community::Communities;

use super::list::conditions::filters::links;
use super::list::engine::Engine;
use super::list::expressions::{OWNER, own};
use super::tables::TABLE_ALIAS;

/// The maximum number of links between groups and the communities of a caller that are read to count the caller's
/// groups. (The tests have small directories.)
pub(crate) const COUNTED_LINKS_MAX: usize = if cfg!(test) { 3 } else { 10_000 };

/// Selects the time of the first change; NULL if there is none.
pub(crate) const FIRST_CHANGE: &str = "SELECT min(at) FROM journal";

/// A stored counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Live groups.
    Groups,
    /// Live users.
    Users,
    /// Memberships of live users in live groups.
    Memberships,
    /// The changes of the journal, each of a batch by itself.
    Changes,
}

impl Counter {
    /// The name of the counter in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Memberships => "memberships",
            Self::Changes => "changes",
        }
    }
}

/// Selects the groups that are linked to one of the communities: a group for each link, one link more than may be read.
pub(crate) fn linked_groups(communities: &Communities) -> SelectStatement {
    links(communities).limit(COUNTED_LINKS_MAX as u64 + 1).take()
}

/// Selects the number of members of each of the groups.
pub(crate) fn sizes(engine: &impl Engine, groups: &[i64]) -> SelectStatement {
    let uids = Query::select().column(("s", OWNER)).from_subquery(engine.uids(groups), "s").take();
    Query::select().expr(own("members")).from_as("groups", TABLE_ALIAS).and_where(own("uid").in_subquery(uids)).take()
}
