//! The statements of the list of memberships, which is ordered by the group's ID, then the user's.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::id::Id;
use crate::domain::membership::MembershipQuery;

use super::conditions::filters::{linked, links};
use super::engine::Engine;
use super::expressions::{OWNER, always, constant, live, own};
use super::window::Window;
use crate::store::sql::tables::TABLE_ALIAS;

/// The alias of the table of memberships.
const MEMBERSHIP: &str = "m";

/// Counts the memberships that match. `None` if all of them match, whose number a counter has.
pub(crate) fn total(engine: &impl Engine, query: &MembershipQuery) -> Option<SelectStatement> {
    match (&query.group, &query.user, query.visibility.limit()) {
        (None, None, None) => None,
        (_, None, limit) => Some(sum_of_member_counts(query, limit)),
        (_, Some(_), _) => Some(joined(engine, query).expr(Func::count(Expr::col(Asterisk))).take()),
    }
}

/// Selects the memberships in the window: the group's ID and the user's number.
pub(crate) fn rows(engine: &impl Engine, query: &MembershipQuery, window: Window) -> SelectStatement {
    match (&query.group, &query.user) {
        (Some(group), None) => of_group(group, query.visibility.limit(), window),
        (_, user) => {
            let mut rows = joined(engine, query);
            rows.column((TABLE_ALIAS, "id"))
                .column((MEMBERSHIP, "user_uid"))
                .order_by((TABLE_ALIAS, "id_key"), window.order());
            if user.is_none() {
                rows.order_by((MEMBERSHIP, "user_key"), window.order());
            }
            window.of(&mut rows)
        }
    }
}

/// Selects the memberships of one group. They are read in the order of an index. Subqueries look up the group once, not
/// for each of its members.
fn of_group(group: &Id, limit: Option<&Communities>, window: Window) -> SelectStatement {
    let mut rows = Query::select()
        .expr(column_of_live("groups", group, "id", limit))
        .column((MEMBERSHIP, "user_uid"))
        .from_as("memberships", MEMBERSHIP)
        .and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(column_of_live("groups", group, "uid", limit)))
        .and_where(is_of_live_user())
        .order_by((MEMBERSHIP, "user_key"), window.order())
        .take();
    window.of(&mut rows)
}

/// Selects the numbers of the members of the group with this number, live or deleted, in the order of the users' IDs.
pub(crate) fn members(group: i64, window: Window) -> SelectStatement {
    let mut members = Query::select()
        .column((MEMBERSHIP, "user_uid"))
        .from_as("memberships", MEMBERSHIP)
        .and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(group))
        .and_where(is_of_live_user())
        .order_by((MEMBERSHIP, "user_key"), window.order())
        .take();
    window.of(&mut members)
}

/// Selects the groups with members that are linked to one of the communities, in the order of the list: the number, the
/// ID and the member count.
pub(crate) fn linked_groups(engine: &impl Engine, communities: &Communities) -> SelectStatement {
    let linked = Query::select().distinct().column(("s", OWNER)).from_subquery(links(communities), "s").take();
    Query::select()
        .column((TABLE_ALIAS, "uid"))
        .column((TABLE_ALIAS, "id"))
        .column((TABLE_ALIAS, "members"))
        .from_subquery(linked, "l")
        .join_as(engine.nested_loop(), "groups", TABLE_ALIAS, always())
        .and_where(own("uid").equals(("l", OWNER)))
        .and_where(live())
        .and_where(own("members").gt(constant(0)))
        .order_by((TABLE_ALIAS, "id_key"), Order::Asc)
        .take()
}

/// A statement without columns over the memberships that match. The tables are named in the order of the nested loops.
/// For one user, the outer loop reads the user's memberships. For all users, it scans the groups in the order of the
/// list.
fn joined(engine: &impl Engine, query: &MembershipQuery) -> SelectStatement {
    let mut joined = Query::select();
    match &query.user {
        Some(user) => joined
            .from_as("memberships", MEMBERSHIP)
            .join_as(engine.nested_loop(), "groups", TABLE_ALIAS, always())
            .and_where(Expr::col((MEMBERSHIP, "user_uid")).eq(column_of_live("users", user, "uid", None))),
        None => {
            joined.from_as("groups", TABLE_ALIAS).join_as(engine.nested_loop(), "memberships", MEMBERSHIP, always())
        }
    };
    if let Some(group) = &query.group {
        joined.and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(column_of_live("groups", group, "uid", None)));
    }
    joined.and_where(own("uid").equals((MEMBERSHIP, "group_uid"))).and_where(is_of_live_user()).and_where(live());
    if let Some(communities) = query.visibility.limit() {
        joined.and_where(linked(communities));
    }
    joined
}

/// The condition that the user of the membership is live.
fn is_of_live_user() -> Expr {
    Expr::col((MEMBERSHIP, "live")).eq(constant(1))
}

/// A subquery for a column of the live entity with the ID, which the database evaluates once. It is NULL if no such
/// entity exists or if it is not linked to one of the communities.
fn column_of_live(table: &'static str, id: &Id, column: &'static str, limit: Option<&Communities>) -> Expr {
    let mut entity = Query::select().expr(own(column)).from_as(table, TABLE_ALIAS).take();
    entity.and_where(own("id_key").eq(id.key())).and_where(live());
    if let Some(communities) = limit {
        entity.and_where(linked(communities));
    }
    Expr::SubQuery(None, Box::new(entity.into()))
}

/// Sums the member counts of the groups that match.
fn sum_of_member_counts(query: &MembershipQuery, limit: Option<&Communities>) -> SelectStatement {
    // PostgreSQL's sum of BIGINT is NUMERIC, and the sum over no group is NULL.
    let sum = Func::coalesce([own("members").sum().cast_as("bigint"), constant(0)]);
    let mut groups = Query::select().expr(sum).from_as("groups", TABLE_ALIAS).and_where(live()).take();
    if let Some(group) = &query.group {
        groups.and_where(own("id_key").eq(group.key()));
    }
    if let Some(communities) = limit {
        groups.and_where(linked(communities));
    }
    groups
}
