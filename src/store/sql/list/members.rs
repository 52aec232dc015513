//! The statements of the lists of one group's members and of one user's groups. A page goes on behind a position, so it
//! costs the same wherever it is.

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Order, Query, SelectStatement};

use crate::domain::cursor::{Position, SortValue};
use crate::domain::error::{Error, Result};
use crate::domain::group::{Group, GroupUid};
use crate::domain::membership::{JoinedGroupKey, JoinedGroupQuery, MemberKey, MemberQuery, SORTED_MEMBERS_MAX};
use crate::domain::query::{Filter, UserField};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;
use crate::store::sql::rows::{Columns, string, time};
use crate::store::sql::tables::{ColumnKind, FieldColumn, Listing as _, TABLE_ALIAS, Users};

use super::candidate_set::CandidateSet;
use super::candidates::{Conjunct, conjuncts};
use super::conditions::filters::linked;
use super::engine::Engine;
use super::expressions::{OWNER, always, constant, live, own};

const MEMBERSHIP: &str = "m";
/// The alias of the users that a search found.
const FOUND: &str = "f";

/// A row of a page: whom or what it lists, and the sort key.
#[derive(Debug)]
pub(crate) struct MembershipRow {
    /// The number of the member or group.
    pub uid: i64,
    /// When the user was added.
    pub since: Timestamp,
    /// The number of the journal entry that gave the membership.
    pub change: Option<i64>,
    value: SortValue,
}

impl MembershipRow {
    /// Reads the row of a page.
    pub(crate) fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        let value = match row.optional_text(4)? {
            Some(_) => SortValue::Text(string(row, 4)?),
            None => SortValue::Integer(row.optional_integer(3)?.unwrap_or_default()),
        };
        Ok(Self { uid: row.integer(0)?, since: time(row, 1)?, change: row.optional_integer(2)?, value })
    }
}

/// Removes the row behind the page from its rows, and returns the position behind which the list goes on, if it does.
pub(crate) fn next(rows: &mut Vec<MembershipRow>, limit: u32) -> Option<Position> {
    let limit = limit as usize;
    let goes_on = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| goes_on).map(|last| Position(vec![last.value.clone(), SortValue::Integer(last.uid)]))
}

/// The sort key of a list: the column, and whether the numbers that break ties are needed.
struct SortKey {
    value: Expr,
    is_text: bool,
    is_unique: bool,
}

impl SortKey {
    /// The key of a nullable column has the lowest value for NULL.
    fn of(column: FieldColumn) -> Self {
        let is_text = column.kind == ColumnKind::Text;
        let lowest = if is_text { Expr::val("") } else { constant(i64::MIN) };
        let value = own(column.name);
        let value = if column.nullable { Func::coalesce([value, lowest]).into() } else { value };
        Self { value, is_text, is_unique: column.unique }
    }
}

/// The number of all that match.
pub(crate) enum Total {
    /// It is known.
    Known(u64),
    /// This statement counts it.
    Count(Box<SelectStatement>),
    /// Counting would read too many members.
    TooCostly,
}

/// The list of one group's members.
pub(crate) struct MemberList<'a, E> {
    engine: &'a E,
    group: GroupUid,
    query: &'a MemberQuery,
    conditions: Vec<Conjunct>,
    /// The number of members.
    members: u64,
    /// The users among whom those are that the search finds; `None` = all members.
    among: Option<Vec<UserUid>>,
}

impl<'a, E: Engine> MemberList<'a, E> {
    /// The list of the members of the group. Fails with `ListTooCostly` if they are too many to sort them.
    pub(crate) fn new(engine: &'a E, group: &Group, query: &'a MemberQuery) -> Result<Self> {
        let filter = Filter { search: query.search.clone(), conditions: Vec::new() };
        let members = u64::try_from(group.members).unwrap_or_default();
        let conditions = conjuncts::<Users>(engine, &filter, None);
        if members > SORTED_MEMBERS_MAX && !matches!(query.key, MemberKey::Since | MemberKey::Own(UserField::Id)) {
            return Err(Error::ListTooCostly);
        }
        Ok(Self { engine, group: group.uid, query, conditions, members, among: None })
    }

    /// The users whom the search finds, if an index finds them and there may be fewer of them than members.
    pub(crate) fn candidates(&self, threshold: u64) -> Option<CandidateSet> {
        self.conditions.iter().find_map(Conjunct::candidate_set).filter(|_| self.members > threshold)
    }

    /// The same list, given all candidates.
    pub(crate) fn among(self, users: Vec<UserUid>) -> Self {
        Self { among: Some(users), ..self }
    }

    /// The rows of the page, and one more if the list goes on.
    pub(crate) fn rows(&self) -> Result<SelectStatement> {
        let key = match self.query.key {
            MemberKey::Since => SortKey { value: membership("added"), is_text: false, is_unique: false },
            MemberKey::Own(UserField::Id) => SortKey { value: membership("user_key"), is_text: true, is_unique: true },
            MemberKey::Own(field) => SortKey::of(Users::column(field)),
        };
        let reads_users = !matches!(self.query.key, MemberKey::Since | MemberKey::Own(UserField::Id));
        let rows = self.matching(reads_users);
        let MemberQuery { after, descending, limit, .. } = self.query;
        let number = self.engine.member_number(membership("user_uid"));
        page(rows, membership("user_uid"), number, key, after.as_ref(), *descending, *limit)
    }

    /// The number of members that match.
    pub(crate) fn total(&self) -> Total {
        match (self.query.search.is_some(), &self.among) {
            (false, _) => Total::Known(self.members),
            (true, None) if self.members > SORTED_MEMBERS_MAX => Total::TooCostly,
            _ => Total::Count(Box::new(self.matching(false).expr(Func::count(Expr::col(Asterisk))).take())),
        }
    }

    /// The memberships that match, with their users as `t` if they are read.
    fn matching(&self, reads_users: bool) -> SelectStatement {
        let mut matching = Query::select();
        match &self.among {
            Some(users) => {
                let users =
                    Query::select().distinct().column(("s", OWNER)).from_subquery(self.engine.uids(users), "s").take();
                matching
                    .from_subquery(users, FOUND)
                    .join_as(self.engine.nested_loop(), "memberships", MEMBERSHIP, always())
                    .and_where(membership("user_uid").equals((FOUND, OWNER)))
            }
            None => matching.from_as("memberships", MEMBERSHIP),
        };
        matching.and_where(membership("group_uid").eq(self.group)).and_where(membership("live").eq(constant(1)));
        if reads_users || !self.conditions.is_empty() {
            matching
                .join_as(self.engine.nested_loop(), Users::TABLE, TABLE_ALIAS, always())
                .and_where(own("uid").equals((MEMBERSHIP, "user_uid")));
        }
        for conjunct in &self.conditions {
            matching.and_where(conjunct.condition.clone());
        }
        matching.take()
    }
}

/// The groups of the user: the rows of the page, and one more if the list goes on.
pub(crate) fn groups_of(engine: &impl Engine, user: UserUid, query: &JoinedGroupQuery) -> Result<SelectStatement> {
    let key = match query.key {
        JoinedGroupKey::Uid => SortKey { value: membership("group_uid"), is_text: false, is_unique: true },
        JoinedGroupKey::Name => SortKey { value: own("name_key"), is_text: true, is_unique: false },
    };
    let rows = joined(engine, user, query);
    page(
        rows,
        membership("group_uid"),
        membership("group_uid"),
        key,
        query.after.as_ref(),
        query.descending,
        query.limit,
    )
}

/// The number of groups of the user.
pub(crate) fn count_groups_of(engine: &impl Engine, user: UserUid, query: &JoinedGroupQuery) -> SelectStatement {
    joined(engine, user, query).expr(Func::count(Expr::col(Asterisk))).take()
}

fn joined(engine: &impl Engine, user: UserUid, query: &JoinedGroupQuery) -> SelectStatement {
    let mut joined = Query::select()
        .from_as("memberships", MEMBERSHIP)
        .join_as(engine.nested_loop(), "groups", TABLE_ALIAS, always())
        .and_where(membership("user_uid").eq(user))
        .and_where(membership("live").eq(constant(1)))
        .and_where(own("uid").equals((MEMBERSHIP, "group_uid")))
        .and_where(live())
        .take();
    if let Some(communities) = query.visibility.limit() {
        joined.and_where(linked(communities));
    }
    joined
}

/// Selects the page among the rows: behind the position, in the order of the key, then of the numbers. Fails with
/// `Invalid` if the position belongs to a list in another order. `tie` is the number as the index of the order has it.
fn page(
    mut rows: SelectStatement,
    uid: Expr,
    tie: Expr,
    key: SortKey,
    after: Option<&Position>,
    descending: bool,
    limit: u32,
) -> Result<SelectStatement> {
    let order = if descending { Order::Desc } else { Order::Asc };
    if let Some(Position(values)) = after {
        let (value, last) = match (&**values, key.is_text) {
            ([SortValue::Integer(integer), SortValue::Integer(last)], false) => (Expr::val(*integer), last),
            ([SortValue::Text(text), SortValue::Integer(last)], true) => (Expr::val(text.as_str()), last),
            _ => return Err(Error::invalid("after", "is no position in this order")),
        };
        let (of_row, of_last) = match key.is_unique {
            true => (key.value.clone(), value),
            false => (Expr::tuple([key.value.clone(), tie.clone()]), Expr::tuple([value, Expr::val(*last)])),
        };
        rows.and_where(if descending { of_row.lt(of_last) } else { of_row.gt(of_last) });
    }
    rows.expr(uid).expr(membership("added")).expr(membership("change"));
    let null = || Expr::cust(if key.is_text { "CAST(NULL AS BIGINT)" } else { "CAST(NULL AS TEXT)" });
    match key.is_text {
        true => rows.expr(null()).expr(key.value.clone()),
        false => rows.expr(Expr::expr(key.value.clone()).cast_as("bigint")).expr(null()),
    };
    rows.order_by_expr(key.value, order.clone());
    if !key.is_unique {
        rows.order_by_expr(tie, order);
    }
    Ok(rows.limit(u64::from(limit) + 1).take())
}

fn membership(column: &'static str) -> Expr {
    Expr::col((MEMBERSHIP, column))
}
