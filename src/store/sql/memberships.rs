//! The statements of the list of memberships: ordered by the group's ID, then the user's.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::id::Id;
use crate::domain::membership::MembershipQuery;

use super::lists::Plan;
use super::render::{Engine, always, constant, linked, live, own};
use super::tables::THING;

const MEMBERSHIP: &str = "m";
const USER: &str = "u";

/// The statements for the question; the rows are the group's ID and the user's number, in order.
pub fn plan(engine: &impl Engine, query: &MembershipQuery) -> Plan {
    let mut joined = joined(engine, query);
    let total = match (&query.group, &query.user, query.visibility.limit()) {
        (None, None, None) => None,
        (_, None, limit) => Some(members_of_groups(query, limit)),
        (_, Some(_), _) => Some(joined.clone().expr(Func::count(Expr::col(Asterisk))).take()),
    };
    let rows = joined
        .column((THING, "id"))
        .column((MEMBERSHIP, "user_uid"))
        .limit(query.page.size.into())
        .offset(query.page.offset())
        .take();
    Plan { rows: ordered(rows, query), total }
}

/// Of one group there is nothing to order but the users, which its memberships are indexed by.
fn ordered(mut rows: SelectStatement, query: &MembershipQuery) -> SelectStatement {
    if query.group.is_none() || query.user.is_some() {
        rows.order_by((THING, "id_key"), Order::Asc);
    }
    rows.order_by((MEMBERSHIP, "user_key"), Order::Asc).take()
}

/// The memberships that match. The joins are written in the order of the loops: a user's memberships are looked up
/// by the user, a group's by the group, and all by walking the groups in the order of the list.
fn joined(engine: &impl Engine, query: &MembershipQuery) -> SelectStatement {
    let mut joined = Query::select();
    match (&query.user, &query.group) {
        (Some(user), _) => joined
            .from_as("users", USER)
            .join_as(engine.nested(), "memberships", MEMBERSHIP, always())
            .join_as(engine.nested(), "groups", THING, always())
            .and_where(Expr::col((USER, "id_key")).eq(user.key()))
            .and_where(Expr::col((USER, "deleted")).is_null())
            .and_where(Expr::col((MEMBERSHIP, "user_uid")).equals((USER, "uid"))),
        (None, Some(group)) => joined
            .from_as("memberships", MEMBERSHIP)
            .join_as(engine.nested(), "groups", THING, always())
            .and_where(Expr::col((MEMBERSHIP, "group_uid")).eq(number_of(group))),
        (None, None) => joined.from_as("groups", THING).join_as(engine.nested(), "memberships", MEMBERSHIP, always()),
    };
    joined
        .and_where(own("uid").equals((MEMBERSHIP, "group_uid")))
        .and_where(Expr::col((MEMBERSHIP, "live")).eq(constant(1)));
    restrict_groups(&mut joined, query, query.visibility.limit());
    joined
}

/// The number of the live group, known before its memberships are looked at: an engine then reads them in order.
fn number_of(group: &Id) -> Expr {
    let number = Query::select()
        .column("uid")
        .from("groups")
        .and_where(Expr::col("id_key").eq(group.key()))
        .and_where(Expr::col("deleted").is_null())
        .take();
    Expr::SubQuery(None, Box::new(number.into()))
}

/// The sum of the members of the groups that match.
fn members_of_groups(query: &MembershipQuery, limit: Option<&Communities>) -> SelectStatement {
    // A sum has a wider type than its numbers, and of no group it is none.
    let members = Func::coalesce([own("members").sum().cast_as("bigint"), constant(0)]);
    let mut groups = Query::select().expr(members).from_as("groups", THING).take();
    restrict_groups(&mut groups, query, limit);
    groups
}

fn restrict_groups(statement: &mut SelectStatement, query: &MembershipQuery, limit: Option<&Communities>) {
    statement.and_where(live());
    if let Some(group) = &query.group {
        statement.and_where(own("id_key").eq(group.key()));
    }
    if let Some(communities) = limit {
        statement.and_where(linked(communities));
    }
}
