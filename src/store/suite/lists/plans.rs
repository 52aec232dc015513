//! The lists whose query plans each store's tests check, and the directory that they run on. They cover every field and
//! every kind of sort order, test and search, with few and with many matches.

use std::fmt;

use crate::domain::community::Visibility;
use crate::domain::cursor::{Position, SortValue};
use crate::domain::group::GroupKey;
use crate::domain::id::Id;
use crate::domain::membership::{MemberKey, MemberQuery, MembershipQuery};
use crate::domain::query::{
    Comparison, Condition, Field, Filter, GroupField, GroupQuery, Page, Pattern, Search, Sort, Test, UserField,
    UserQuery,
};
use crate::domain::role::Roles;

use super::groups::operand;
use crate::store::suite::{community, id};

/// A list query with a name for the test's report.
pub(crate) struct Shape<Q> {
    /// The name.
    pub name: String,
    /// The query.
    pub query: Q,
}

const PAGE: Page = Page { number: 1, size: 20 };
const FAR: Page = Page { number: 2_500, size: 20 };

/// Returns the statements that fill the tables of the lists, from a table `numbers` with 1 to 100,000 in the column
/// `n`. Every engine accepts them. Each store fills its own text indexes.
pub(crate) fn filling() -> impl Iterator<Item = String> {
    let user_xp = FILL_XP.iter().map(|sql| sql.replace("group_xp", "user_xp"));
    FILL.iter().chain(FILL_XP).map(|sql| (*sql).to_owned()).chain(user_xp)
}

/// Every user is in the first group, and every user but the first in one more group.
const FILL: &[&str] = &[
    "INSERT INTO groups (uid, id, id_key, name, name_key, labels, description, description_key, xp, communities, \
     created, updated, version, members, members_version) SELECT n, 'g' || (1000000 + n), 'g' || (1000000 + n), name, name, '{}', \
     described, described, '{}', '', n, n, 1, CASE WHEN n = 1 THEN 100000 ELSE 1 END, 0 \
     FROM (SELECT n, \
     'name ' || (1000000 + n * 7919 % 100000) || CASE WHEN n % 1000 = 0 THEN ' qxz' ELSE '' END AS name, \
     CASE WHEN n % 2 = 0 THEN 'text ' || (1000 + n % 1000) END AS described FROM numbers) AS made",
    "INSERT INTO users (uid, id, id_key, username, username_key, first_name, first_name_key, last_name, last_name_key, \
     email, email_key, phone, phone_key, terms_accepted, active, xp, roles, communities, generation, password_set, \
     last_active, failed_attempts, created, updated, version) SELECT n, 'u' || (1000000 + n), 'u' || (1000000 + n), \
     username, username, first, first, last, last, email, email, phone, phone, CASE WHEN n % 2 = 0 THEN n END, n % 2, \
     '{}', n % 32, '', 0, CASE WHEN n % 2 = 0 THEN n END, CASE WHEN n % 2 = 0 THEN n END, n % 10, n, n, 1 FROM (SELECT n, \
     'user' || (1000000 + n) || CASE WHEN n % 1000 = 0 THEN 'qxz' ELSE '' END AS username, \
     'f' || (1000 + n % 1000) AS first, 'l' || (1000000 + n * 7919 % 100000) AS last, \
     'm' || (1000000 + n) || '@example.com' AS email, CASE WHEN n % 2 = 0 THEN '+' || (1000000 + n) END AS phone \
     FROM numbers) AS made",
    "INSERT INTO memberships (group_uid, user_uid, user_key, live, added) \
     SELECT 1, n, 'u' || (1000000 + n), 1, n FROM numbers",
    "INSERT INTO memberships (group_uid, user_uid, user_key, live, added) \
     SELECT n, n, 'u' || (1000000 + n), 1, n FROM numbers WHERE n > 1",
    "INSERT INTO group_communities (community, owner) \
     SELECT '00000000-0000-0000-0000-000000000001', n FROM numbers WHERE n % 1000 = 0",
    "INSERT INTO group_communities (community, owner) \
     SELECT '00000000-0000-0000-0000-000000000002', n FROM numbers WHERE n % 2 = 0",
    "INSERT INTO group_labels (owner, tag, text, rest) SELECT n, 'en', 'l' || (1000000 + n), '' FROM numbers",
    "INSERT INTO group_labels (owner, tag, text, rest) \
     SELECT n, 'de', 'f' || (1000 + n % 1000), '' FROM numbers WHERE n % 2 = 0",
    "INSERT INTO user_communities (community, owner) SELECT community, owner FROM group_communities",
];

/// The values of xp paths: a text that 100 entities share, one that a third shares, a distinct number and a distinct
/// time per entity, and a text that reads as a number. The statements are for groups; for users, `user_xp` replaces
/// `group_xp`.
const FILL_XP: &[&str] = &[
    "INSERT INTO group_xp (owner, path, kind, text, rest, number_rest, least) \
     SELECT n, 'few', 2, 'f' || (1000 + n % 1000), '', '', 1 FROM numbers",
    "INSERT INTO group_xp (owner, path, kind, text, rest, number_rest, least) \
     SELECT n, 'many', 2, 'k' || (n % 3), '', '', 1 FROM numbers",
    "INSERT INTO group_xp (owner, path, kind, text, rest, number, number_rest, least) \
     SELECT n, 'size', 1, CAST(n AS TEXT), '', \
     '1B' || (length(CAST(n AS TEXT)) - 1) || rtrim(CAST(n AS TEXT), '0'), '', 1 FROM numbers",
    "INSERT INTO group_xp (owner, path, kind, text, rest, number_rest, instant, least) \
     SELECT n, 'at', 2, 'at ' || (1000000 + n), '', '', 1000000 * n, 1 FROM numbers",
    "INSERT INTO group_xp (owner, path, kind, text, rest, number, number_rest, least) \
     SELECT n, 'code', 2, CAST(1000000 + n AS TEXT), '', '1B6' || rtrim(CAST(1000000 + n AS TEXT), '0'), '', 1 \
     FROM numbers",
];

/// Search terms that every name contains.
pub(crate) const COMMON: [&str; 4] = ["n", "na", "nam", "name"];
/// Search terms that 100 names contain.
pub(crate) const RARE: [&str; 3] = ["q", "qx", "qxz"];

/// Returns the names that start with none of the expected prefixes, and the prefixes with which no name starts.
pub(crate) fn unexpected<'a>(names: &'a [String], expected: &[&'a str]) -> Vec<&'a str> {
    let unexpected = names.iter().filter(|name| !expected.iter().any(|prefix| name.starts_with(prefix)));
    let missing = expected.iter().filter(|prefix| !names.iter().any(|name| name.starts_with(**prefix)));
    unexpected.map(|name| &**name).chain(missing.copied()).collect()
}

fn pattern(runs: &[&str]) -> Pattern {
    Pattern(runs.iter().map(|run| (*run).to_owned()).collect())
}

/// Returns every kind of test for a text that exists, and for a prefix and an infix that few values have: far fewer
/// than [`LOOK_UP_THRESHOLD`](crate::store::sql::list::entities::LOOK_UP_THRESHOLD), so that no sample of the directory
/// moves the choice of a plan.
pub(crate) fn tests(text: &str, prefix: &str, infix: &str) -> Vec<(&'static str, Test)> {
    let many = (0..500).map(|number| operand(&format!("{text}{number}"))).chain([operand(text)]);
    vec![
        ("equal", Test::equal(operand(text))),
        ("not equal", Test::NotEqual(operand(text))),
        ("one of many", Test::OneOf(many.collect())),
        ("prefix", Test::Like(pattern(&[prefix, ""]))),
        ("not prefix", Test::NotLike(pattern(&[prefix, ""]))),
        ("infix", Test::Like(pattern(&["", infix, ""]))),
        ("not infix", Test::NotLike(pattern(&["", infix, ""]))),
        ("below", Test::Compare(Comparison::Less, operand(text))),
        ("present", Test::Present),
        ("absent", Test::Absent),
    ]
}

/// Returns the tests for a field that is not text.
pub(crate) fn tests_of_values(text: &str) -> Vec<(&'static str, Test)> {
    tests(text, "", "").into_iter().filter(|(kind, _)| !kind.ends_with("fix")).collect()
}

pub(crate) fn conditions<F: Copy + fmt::Debug>(
    field: F,
    tests: Vec<(&'static str, Test)>,
) -> Vec<(String, Condition<F>)> {
    let named = |(kind, test)| (format!("{field:?} {kind}"), Condition::Any(Field::Own(field), vec![test]));
    tests.into_iter().map(named).collect()
}

fn at<F>(path: &str, kind: &str, test: Test) -> (String, Condition<F>) {
    (format!("xp.{path} {kind}"), Condition::Any(Field::Xp(path.to_owned()), vec![test]))
}

pub(crate) fn xp_conditions<F>() -> Vec<(String, Condition<F>)> {
    let paths = [
        ("few", tests("f1500", "f1500", "1500")),
        ("size", tests("100", "100", "9999")),
        ("code", tests("1000100", "10001", "99999")),
        ("at", tests("1970-01-01T00:01:40Z", "at 10001", "99999")),
    ];
    let all =
        paths.into_iter().flat_map(|(path, tests)| tests.into_iter().map(move |(kind, test)| at(path, kind, test)));
    all.chain([at("many", "equal", Test::equal(operand("k1"))), at("none", "present", Test::Present)]).collect()
}

fn search<F: Clone>(term: &str, fields: &[Field<F>]) -> (String, Filter<F>) {
    let search = Search { term: term.to_owned(), fields: fields.to_vec() };
    (format!("search {term}"), Filter { search: Some(search), conditions: Vec::new() })
}

pub(crate) fn only<F: Clone + PartialEq>((name, condition): (String, Condition<F>)) -> (String, Filter<F>) {
    (name, Filter::matching(condition))
}

/// Returns every sort order by the fields and by xp, ascending and descending, and the default order.
fn sorts<F: Copy + fmt::Debug>(fields: &[F]) -> Vec<(String, Vec<Sort<F>>)> {
    let own = fields.iter().map(|field| (format!("{field:?}"), Field::Own(*field)));
    let xp = ["few", "size", "at"].map(|path| (format!("xp.{path}"), Field::Xp(path.to_owned())));
    let both = |(name, field): (String, Field<F>)| {
        [(false, ""), (true, " descending")]
            .map(|(descending, suffix)| (format!("by {name}{suffix}"), vec![Sort { field: field.clone(), descending }]))
    };
    own.chain(xp).flat_map(both).chain([("in order".to_owned(), Vec::new())]).collect()
}

/// Returns the filters to combine with every sort order: none, few matches by a look-up and by a search, many matches
/// by either.
pub(crate) fn filters<F: Clone + PartialEq>(name: F) -> Vec<(String, Filter<F>)> {
    let named = |term: &str| search(term, &[Field::Own(name.clone())]);
    vec![
        ("all".to_owned(), Filter { search: None, conditions: Vec::new() }),
        only(at("few", "equal", Test::equal(operand("f1500")))),
        only(at("many", "equal", Test::equal(operand("k1")))),
        named("qxz"),
        named("name"),
    ]
}

/// Returns the lists of groups.
pub(crate) fn groups() -> Vec<Shape<GroupQuery>> {
    const SORTS: [GroupField; 4] = [GroupField::Uid, GroupField::Id, GroupField::Name, GroupField::Description];
    let shape = |name: String, visibility, filter, sort, page| {
        let query = GroupQuery { visibility, filter, sort, page };
        Shape { name: format!("groups: {name}"), query }
    };
    let mut shapes = Vec::new();
    for (filtered, filter) in filters(GroupField::Name) {
        for (sorted, sort) in sorts(&SORTS) {
            shapes.push(shape(format!("{filtered}, {sorted}"), Visibility::All, filter.clone(), sort, PAGE));
        }
    }
    for (limit, number) in [("few", 1), ("many", 2)] {
        for (sorted, sort) in sorts(&SORTS) {
            let visibility = Visibility::Within([community(number)].into());
            shapes.push(shape(format!("linked to {limit}, {sorted}"), visibility, Filter::default(), sort, PAGE));
        }
    }
    let own = [
        (GroupField::Id, tests("g1000100", "g10001", "99999")),
        (GroupField::Name, tests("name 1000100", "name 10001", "99999")),
        (GroupField::Description, tests("text 1500", "text 150", "1500")),
    ];
    let own = own.into_iter().flat_map(|(field, tests)| conditions(field, tests));
    let searched = [GroupField::Id, GroupField::Name, GroupField::Description].map(Field::Own);
    let searches = RARE.iter().chain(&COMMON).map(|term| search(term, &searched));
    for (filtered, filter) in own.chain(xp_conditions()).map(only).chain(searches) {
        shapes.push(shape(format!("{filtered}, in order"), Visibility::All, filter, Vec::new(), PAGE));
    }
    shapes.push(shape("all, far".to_owned(), Visibility::All, Filter::default(), Vec::new(), FAR));
    shapes
}

/// Returns the lists of users.
pub(crate) fn users() -> Vec<Shape<UserQuery>> {
    const SORTS: [UserField; 12] = [
        UserField::Id,
        UserField::Username,
        UserField::FirstName,
        UserField::LastName,
        UserField::Email,
        UserField::Phone,
        UserField::Active,
        UserField::TermsAccepted,
        UserField::Created,
        UserField::LastActive,
        UserField::PasswordSet,
        UserField::FailedAttempts,
    ];
    let shape = |name: String, filter, sort, page| Shape {
        name: format!("users: {name}"),
        query: UserQuery { filter, sort, page },
    };
    let mut shapes = Vec::new();
    for (filtered, filter) in filters(UserField::Username) {
        for (sorted, sort) in sorts(&SORTS) {
            shapes.push(shape(format!("{filtered}, {sorted}"), filter.clone(), sort, PAGE));
        }
    }
    let instant = "1970-01-01T00:00:00.000100Z";
    let own = [
        (UserField::Id, tests("u1000100", "u10001", "99999")),
        (UserField::Username, tests("user1000101", "user10001", "99999")),
        (UserField::FirstName, tests("f1500", "f1500", "1500")),
        (UserField::LastName, tests("l1000100", "l10001", "99999")),
        (UserField::Email, tests("m1000100@example.com", "m10001", "99999")),
        (UserField::Phone, tests("+1000100", "+10001", "99999")),
        (UserField::Active, tests_of_values("true")),
        (UserField::TermsAccepted, tests_of_values(instant)),
        (UserField::Created, tests_of_values(instant)),
        (UserField::LastActive, tests_of_values(instant)),
        (UserField::PasswordSet, tests_of_values(instant)),
        (UserField::FailedAttempts, tests_of_values("5")),
    ];
    let own = own.into_iter().flat_map(|(field, tests)| conditions(field, tests));
    let roles = ("Roles".to_owned(), Condition::Roles(vec![(Roles::USER_READER, true)]));
    let searched = [UserField::Username, UserField::LastName, UserField::Email].map(Field::Own);
    let searches = RARE.iter().chain(&["u", "us", "use", "user"]).map(|term| search(term, &searched));
    for (filtered, filter) in own.chain(xp_conditions()).chain([roles]).map(only).chain(searches) {
        shapes.push(shape(format!("{filtered}, in order"), filter, Vec::new(), PAGE));
    }
    shapes.push(shape("all, far".to_owned(), Filter::default(), Vec::new(), FAR));
    shapes
}

/// Returns the lists of the members of the huge group, in the orders that groups of any size have.
pub(crate) fn members() -> Vec<Shape<MemberQuery>> {
    let after = |value| Some(Position(vec![value, SortValue::Integer(50_000)]));
    let far = [SortValue::Text("u1050000".to_owned()), SortValue::Integer(50_000)];
    let mut shapes = Vec::new();
    for (key, far) in [MemberKey::Own(UserField::Id), MemberKey::Since].into_iter().zip(far) {
        for (place, after) in [("", None), (", far", after(far))] {
            for descending in [false, true] {
                let name = format!("members: by {key:?}{place}, descending: {descending}");
                let (visibility, group) = (Visibility::All, GroupKey::Uid(1));
                let query =
                    MemberQuery { visibility, group, search: None, key, descending, after: after.clone(), limit: 50 };
                shapes.push(Shape { name, query });
            }
        }
    }
    shapes
}

/// Returns the lists of memberships.
pub(crate) fn memberships() -> Vec<Shape<MembershipQuery>> {
    let (huge, small) = (Some(id("g1000001")), Some(id("g1002000")));
    let (user, none) = (Some(id("u1002000")), None::<Id>);
    let ends = [
        ("all", &none, &none),
        ("of the huge group", &huge, &none),
        ("of a small group", &small, &none),
        ("of a user", &none, &user),
        ("of a user in the huge group", &huge, &user),
    ];
    let within = |number| Visibility::Within([community(number)].into());
    let limits = [("", Visibility::All), (", linked to few", within(1)), (", linked to many", within(2))];
    let mut shapes = Vec::new();
    for (whose, group, user) in ends {
        for (limit, visibility) in &limits {
            for (place, page) in [("", PAGE), (", far", FAR)] {
                let (visibility, group, user) = (visibility.clone(), group.clone(), user.clone());
                let name = format!("memberships: {whose}{limit}{place}");
                shapes.push(Shape { name, query: MembershipQuery { visibility, group, user, page } });
            }
        }
    }
    shapes
}
