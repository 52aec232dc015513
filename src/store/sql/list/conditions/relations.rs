//! Conditions on what an entity is related to: its communities, and the entities at the other end of its memberships.

use sea_query::{Expr, ExprTrait as _, JoinType, Query, SelectStatement};

use crate::domain::community::{Communities, Visibility};
use crate::domain::query::Test;
use crate::store::sql::codec::community_names;
use crate::store::sql::tables::{ColumnKind, Groups, Listing, TABLE_ALIAS};

use super::value_tests::value_test;
use crate::store::sql::list::engine::Engine;
use crate::store::sql::list::expressions::{OWNER, always, constant, live, own};

/// The alias of links to communities.
const LINK: &str = "l";
/// The alias of memberships.
const MEMBERSHIP: &str = "m";
/// The alias of the groups at the other end of memberships.
const GROUP: &str = "g";

/// The test that the given one is the negation of, or the test itself; and whether it is a negation.
pub(crate) fn positive(test: &Test) -> (Test, bool) {
    match test {
        Test::Absent => (Test::Present, true),
        Test::NotEqual(operand) => (Test::equal(operand.clone()), true),
        Test::NotLike(pattern) => (Test::Like(pattern.clone()), true),
        positive => (positive.clone(), false),
    }
}

/// Holds for entities whose visible communities pass the test.
pub(crate) fn links_test<L: Listing>(engine: &impl Engine, seen: &Visibility, test: &Test) -> Expr {
    let (positive, is_negated) = positive(test);
    let mut links = links::<L>(engine, seen, &positive);
    links.expr(constant(1)).and_where(Expr::col((LINK, "owner")).equals((TABLE_ALIAS, "uid")));
    if is_negated { Expr::not_exists(links) } else { Expr::exists(links) }
}

/// The entities of which a visible community passes the (positive) test; an entity may come twice.
pub(crate) fn linked_owners<L: Listing>(engine: &impl Engine, seen: &Visibility, test: &Test) -> SelectStatement {
    links::<L>(engine, seen, test).expr_as(Expr::col((LINK, "owner")), OWNER).take()
}

fn links<L: Listing>(engine: &impl Engine, seen: &Visibility, test: &Test) -> SelectStatement {
    let community = Expr::col((LINK, "community"));
    let mut links = Query::select().from_as(L::LINKS_TABLE, LINK).take();
    if *test != Test::Present {
        links.and_where(value_test(engine, &community, ColumnKind::Text, test));
    }
    if let Some(communities) = seen.limit() {
        links.and_where(community.is_in(community_names(communities.iter())));
    }
    links
}

/// Holds for entities that have a membership with the live entity with the number.
pub(crate) fn has_membership<L: Listing>(other: i64) -> Expr {
    let mut memberships = memberships::<L>(other);
    let own_end = Expr::col((MEMBERSHIP, L::MEMBERSHIPS.own)).equals((TABLE_ALIAS, "uid"));
    Expr::exists(memberships.expr(constant(1)).and_where(own_end).take())
}

/// The live entities that have a membership with the live entity with the number, each once.
pub(crate) fn memberships_of<L: Listing>(engine: &impl Engine, other: i64) -> SelectStatement {
    let end = Expr::col((MEMBERSHIP, L::MEMBERSHIPS.own));
    let mut memberships = memberships::<L>(other);
    memberships.expr_as(end.clone(), OWNER);
    if L::TABLE == Groups::TABLE {
        // A deleted group keeps its memberships; the memberships of a deleted user are not live.
        memberships.join_as(engine.nested_loop(), L::TABLE, TABLE_ALIAS, always());
        memberships.and_where(own("uid").eq(end)).and_where(live());
    }
    memberships
}

fn memberships<L: Listing>(other: i64) -> SelectStatement {
    let mut memberships = Query::select().from_as("memberships", MEMBERSHIP).take();
    memberships.and_where(Expr::col((MEMBERSHIP, L::MEMBERSHIPS.other)).eq(other)).and_where(is_live());
    if L::TABLE != Groups::TABLE {
        let mut group = Query::select().expr(constant(1)).from_as(Groups::TABLE, GROUP).take();
        group.and_where(Expr::col((GROUP, "uid")).eq(other)).and_where(Expr::col((GROUP, "deleted")).is_null());
        memberships.and_where(Expr::exists(group));
    }
    memberships
}

/// Holds for users who are in no live, visible group.
pub(crate) fn is_without_groups(seen: &Visibility) -> Expr {
    let mut groups = Query::select().expr(constant(1)).from_as("memberships", MEMBERSHIP).take();
    let group = |name: &'static str| Expr::col((GROUP, name));
    groups.join_as(JoinType::InnerJoin, Groups::TABLE, GROUP, group("uid").equals((MEMBERSHIP, "group_uid")));
    groups.and_where(Expr::col((MEMBERSHIP, "user_uid")).equals((TABLE_ALIAS, "uid"))).and_where(is_live());
    groups.and_where(group("deleted").is_null());
    if let Some(communities) = seen.limit() {
        groups.and_where(is_linked(communities));
    }
    Expr::not_exists(groups)
}

/// Holds for groups linked to one of the communities.
fn is_linked(communities: &Communities) -> Expr {
    let mut links = Query::select().expr(constant(1)).from_as(Groups::LINKS_TABLE, LINK).take();
    links.and_where(Expr::col((LINK, "owner")).equals((GROUP, "uid")));
    links.and_where(Expr::col((LINK, "community")).is_in(community_names(communities.iter())));
    Expr::exists(links)
}

fn is_live() -> Expr {
    Expr::col((MEMBERSHIP, "live")).eq(constant(1))
}
