//! The statements of the list of memberships: ordered by the group's ID, then the user's.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::id::Id;
use crate::domain::membership::MembershipQuery;

use super::lists::OWNER;
use super::render::{Engine, always, constant, linked, links, live, own};
use super::tables::THING;
use super::window::Window;

const MEMBERSHIP: &str = "m";

/// How many memberships match; `None` = all there are, which a counter has.
pub fn total(engine: &impl Engine, query: &MembershipQuery) -> Option<SelectStatement> {
    match (&query.group, &query.user, query.visibility.limit()) {
        (None, None, None) => None,
        (_, None, limit) => Some(members_of_groups(query, limit)),
        (_, Some(_), _) => Some(joined(engine, query).expr(Func::count(Expr::col(Asterisk))).take()),
    }
}

/// The rows of the window: the group's ID and the user's number, in order.
pub fn rows(engine: &impl Engine, query: &MembershipQuery, window: Window) -> SelectStatement {
    match (&query.group, &query.user) {
        (Some(group), None) => of_group(group, query.visibility.limit(), window),
        (_, user) => {
            let mut rows = joined(engine, query);
            rows.column((THING, "id")).column((MEMBERSHIP, "user_uid")).order_by((THING, "id_key"), window.order());
            if user.is_none() {
                rows.order_by((MEMBERSHIP, "user_key"), window.order());
            }
            window.of(&mut rows)
        }
    }
}

/// The members of one group, which its memberships are indexed by: the group itself is looked up once, before them.
fn of_group(group: &Id, limit: Option<&Communities>, window: Window) -> SelectStatement {
    let mut rows = Query::select()
        .expr(of_live("groups", group, "id", limit))
        .column((MEMBERSHIP, "user_uid"))
        .from_as("memberships", MEMBERSHIP)
        .and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(of_live("groups", group, "uid", limit)))
        .and_where(is_live())
        .order_by((MEMBERSHIP, "user_key"), window.order())
        .take();
    window.of(&mut rows)
}

/// The members of the group with the number, whatever became of it: the user's numbers in the order of their IDs.
pub fn members(group: i64, window: Window) -> SelectStatement {
    let mut members = Query::select()
        .column((MEMBERSHIP, "user_uid"))
        .from_as("memberships", MEMBERSHIP)
        .and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(group))
        .and_where(is_live())
        .order_by((MEMBERSHIP, "user_key"), window.order())
        .take();
    window.of(&mut members)
}

/// The groups linked to one of the communities that have members: number, ID and how many, in the order of the list.
pub fn linked_groups(engine: &impl Engine, communities: &Communities) -> SelectStatement {
    let linked = Query::select().distinct().column(("s", OWNER)).from_subquery(links(communities), "s").take();
    Query::select()
        .column((THING, "uid"))
        .column((THING, "id"))
        .column((THING, "members"))
        .from_subquery(linked, "l")
        .join_as(engine.nested(), "groups", THING, always())
        .and_where(own("uid").equals(("l", OWNER)))
        .and_where(live())
        .and_where(own("members").gt(constant(0)))
        .order_by((THING, "id_key"), Order::Asc)
        .take()
}

/// The memberships that match, of one user or of all. The joins are written in the order of the loops: a user's
/// memberships are looked up by the user, and all by walking the groups in the order of the list.
fn joined(engine: &impl Engine, query: &MembershipQuery) -> SelectStatement {
    let mut joined = Query::select();
    match &query.user {
        Some(user) => joined
            .from_as("memberships", MEMBERSHIP)
            .join_as(engine.nested(), "groups", THING, always())
            .and_where(Expr::col((MEMBERSHIP, "user_uid")).eq(of_live("users", user, "uid", None))),
        None => joined.from_as("groups", THING).join_as(engine.nested(), "memberships", MEMBERSHIP, always()),
    };
    if let Some(group) = &query.group {
        joined.and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(of_live("groups", group, "uid", None)));
    }
    joined.and_where(own("uid").equals((MEMBERSHIP, "group_uid"))).and_where(is_live()).and_where(live());
    if let Some(communities) = query.visibility.limit() {
        joined.and_where(linked(communities));
    }
    joined
}

fn is_live() -> Expr {
    Expr::col((MEMBERSHIP, "live")).eq(constant(1))
}

/// A column of the live thing with the ID, known before its memberships are looked at; NULL where there is none, or
/// none that is linked to one of the communities.
fn of_live(table: &'static str, id: &Id, column: &'static str, limit: Option<&Communities>) -> Expr {
    let mut thing = Query::select().expr(own(column)).from_as(table, THING).take();
    thing.and_where(own("id_key").eq(id.key())).and_where(live());
    if let Some(communities) = limit {
        thing.and_where(linked(communities));
    }
    Expr::SubQuery(None, Box::new(thing.into()))
}

/// The sum of the members of the groups that match.
fn members_of_groups(query: &MembershipQuery, limit: Option<&Communities>) -> SelectStatement {
    // A sum has a wider type than its numbers, and of no group it is none.
    let members = Func::coalesce([own("members").sum().cast_as("bigint"), constant(0)]);
    let mut groups = Query::select().expr(members).from_as("groups", THING).and_where(live()).take();
    if let Some(group) = &query.group {
        groups.and_where(own("id_key").eq(group.key()));
    }
    if let Some(communities) = limit {
        groups.and_where(linked(communities));
    }
    groups
}
