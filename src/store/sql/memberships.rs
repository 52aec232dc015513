//! The statements of the list of memberships: ordered by the group's ID, then the user's.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, JoinType, Order, Query, SelectStatement};

use crate::domain::community::Communities;
use crate::domain::membership::MembershipQuery;

use super::lists::Plan;
use super::render::{linked, live, own};
use super::tables::THING;

const MEMBERSHIP: &str = "m";
const USER: &str = "u";

/// The statements for the question; the rows are the group's ID and the user's number, in order.
pub fn plan(query: &MembershipQuery) -> Plan {
    let mut joined = joined(query);
    let total = match (&query.group, &query.user, query.visibility.limit()) {
        (None, None, None) => None,
        (_, None, limit) => Some(members_of_groups(query, limit)),
        (_, Some(_), _) => Some(joined.clone().expr(Func::count(Expr::col(Asterisk))).take()),
    };
    let rows = joined
        .column((THING, "id"))
        .column((MEMBERSHIP, "user_uid"))
        .order_by((THING, "id_key"), Order::Asc)
        .order_by((MEMBERSHIP, "user_key"), Order::Asc)
        .limit(query.page.size.into())
        .offset(query.page.offset())
        .take();
    Plan { rows, total }
}

/// The memberships that match. The cross joins fix the order of the loops for SQLite: a user's memberships are
/// looked up by the user, all others by walking the groups in the order of the list.
fn joined(query: &MembershipQuery) -> SelectStatement {
    let always = || Expr::val(1).eq(1);
    let mut joined = Query::select();
    match &query.user {
        Some(user) => joined
            .from_as("users", USER)
            .join_as(JoinType::CrossJoin, "memberships", MEMBERSHIP, always())
            .join_as(JoinType::CrossJoin, "groups", THING, always())
            .and_where(Expr::col((USER, "id_key")).eq(user.key()))
            .and_where(Expr::col((USER, "deleted")).is_null())
            .and_where(Expr::col((MEMBERSHIP, "user_uid")).equals((USER, "uid"))),
        None => joined.from_as("groups", THING).join_as(JoinType::CrossJoin, "memberships", MEMBERSHIP, always()),
    };
    joined.and_where(own("uid").equals((MEMBERSHIP, "group_uid"))).and_where(Expr::col((MEMBERSHIP, "live")).eq(1));
    restrict_groups(&mut joined, query, query.visibility.limit());
    joined
}

/// The sum of the members of the groups that match.
fn members_of_groups(query: &MembershipQuery, limit: Option<&Communities>) -> SelectStatement {
    let mut groups = Query::select().expr(own("members").sum()).from_as("groups", THING).take();
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
