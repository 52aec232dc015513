//! The walks whose query plans each store's tests check, in the directory of [`super::plans`]: every order from a
//! position in the middle, and the filters that only walks have.

use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorQuery, Position, SortValue};
use crate::domain::decimal::Decimal;
use crate::domain::query::{Comparison, Condition, Field, Filter, GroupField, Pattern, Sort, Test, UserField};
use crate::domain::role::Roles;

use super::groups::operand;
use super::plans::{Shape, conditions, filters, only, tests, tests_of_values};
use crate::store::suite::community;

/// An order with the values of the entity in the middle of it.
type Order<F> = (&'static str, Vec<Field<F>>, Vec<SortValue>);

/// The number of the entity after which the pages begin.
const MIDDLE: i64 = 50_000;

fn integer(integer: i64) -> SortValue {
    SortValue::Integer(integer)
}

fn text(text: &str) -> SortValue {
    SortValue::Text(text.to_owned())
}

fn xp_orders<F>() -> [Order<F>; 3] {
    let middle = SortValue::Number(Decimal::parse(&MIDDLE.to_string()).unwrap().as_str().to_owned());
    let at = |path: &str| vec![Field::Xp(path.to_owned())];
    [
        ("xp.few", at("few"), vec![text("f1000")]),
        ("xp.size", at("size"), vec![middle]),
        ("xp.at", at("at"), vec![text("at 1050000")]),
    ]
}

/// Returns every order with every filter, from the middle, ascending and descending.
fn walks<F: Clone>(
    whose: &str,
    orders: impl IntoIterator<Item = Order<F>>,
    filters: &[(String, Filter<F>)],
) -> Vec<Shape<CursorQuery<F>>> {
    let mut shapes = Vec::new();
    for (order, fields, values) in orders {
        for (descending, direction) in [(false, ""), (true, " descending")] {
            for (filtered, filter) in filters {
                let sort = fields.iter().map(|field| Sort { field: field.clone(), descending }).collect();
                let after = Some(Position(values.iter().cloned().chain([integer(MIDDLE)]).collect()));
                let (visibility, filter) = (Visibility::All, filter.clone());
                let query = CursorQuery { visibility, filter, sort, after, skip: 0, limit: 20 };
                shapes.push(Shape { name: format!("{whose}: {filtered}, by {order}{direction}"), query });
            }
        }
    }
    shapes
}

fn communities<F>() -> Vec<(String, Condition<F>)> {
    let one = |number| operand(&community(number).to_string());
    let tests = [
        ("equal", Test::equal(one(1))),
        ("not equal", Test::NotEqual(one(2))),
        ("present", Test::Present),
        ("absent", Test::Absent),
    ];
    tests.into_iter().map(|(kind, test)| (format!("communities {kind}"), Condition::communities(vec![test]))).collect()
}

fn memberships<F>() -> [(String, Condition<F>); 2] {
    [("memberships of many", 1), ("memberships of few", 2_000)]
        .map(|(name, end)| (name.to_owned(), Condition::Membership(end)))
}

fn like(runs: &[&str]) -> Test {
    Test::Like(Pattern(runs.iter().map(|run| (*run).to_owned()).collect()))
}

fn above(text: &str) -> Test {
    Test::Compare(Comparison::Greater, operand(text))
}

/// The combined conditions that both kinds have, with two conditions of the kind that few entities meet.
fn combined<F: Clone + PartialEq>(id: &Condition<F>, time: &Condition<F>) -> Vec<(String, Condition<F>)> {
    let xp = |path: &str, test| Condition::Any(Field::Xp(path.to_owned()), vec![test]);
    let (few, many) = (xp("few", Test::equal(operand("f1500"))), xp("many", Test::equal(operand("k1"))));
    let member = || Condition::Membership(2_000);
    let linked = |number| Condition::communities(vec![Test::equal(operand(&community(number).to_string()))]);
    let some_sizes = xp("size", Test::OneOf(["100", "200"].map(operand).to_vec()));
    let combined = [
        ("id or xp", Condition::any_of([id.clone(), few.clone()])),
        ("id or memberships", Condition::any_of([id.clone(), member()])),
        ("communities or memberships", Condition::any_of([linked(1), member()])),
        ("id and many or xp and time", {
            let [one, other] = [[id.clone(), many.clone()], [few.clone(), time.clone()]].map(Condition::all);
            Condition::any_of([one, other])
        }),
        ("many and either", Condition::all([many.clone(), Condition::any_of([id.clone(), time.clone()])])),
        ("many or id", Condition::any_of([many, id.clone()])),
        ("not id", id.clone().negated()),
        ("neither id nor xp", Condition::any_of([id.clone(), few.clone()]).negated()),
        ("not both", Condition::all([id.clone(), few]).negated()),
        ("not above", Condition::all([id.clone(), time.clone().negated()])),
        ("not memberships", member().negated()),
        ("id and not memberships", Condition::all([id.clone(), member().negated()])),
        ("not communities", linked(2).negated()),
        ("not xp above", Condition::all([id.clone(), xp("size", above("100")).negated()])),
        ("not one of xp", some_sizes.negated()),
        ("not absent xp", xp("few", Test::Absent).negated()),
    ];
    combined.map(|(name, condition)| (format!("combined {name}"), condition)).into()
}

/// Returns the walks through groups.
pub(crate) fn groups() -> Vec<Shape<CursorQuery<GroupField>>> {
    let own = |field| vec![Field::Own(field)];
    let orders = [
        ("Uid", own(GroupField::Uid), vec![]),
        ("Id", own(GroupField::Id), vec![text("g1050000")]),
        ("Name", own(GroupField::Name), vec![text("name 1050000")]),
        ("Created", own(GroupField::Created), vec![integer(MIDDLE)]),
        ("Updated", own(GroupField::Updated), vec![integer(MIDDLE)]),
        ("Members", own(GroupField::Members), vec![integer(1)]),
        (
            "Name, xp.few",
            vec![Field::Own(GroupField::Name), Field::Xp("few".into())],
            vec![text("name 1050000"), text("f1000")],
        ),
    ];
    let labels = [
        ("labels.en", vec![Field::label("en")], vec![text("l1050000")]),
        ("labels.de", vec![Field::label("de")], vec![text("f1000")]),
        ("absent labels.de", vec![Field::label("de")], vec![SortValue::Absent]),
    ];
    let orders = orders.into_iter().chain(labels);
    let mut shapes = walks("groups", orders.chain(xp_orders()), &filters(GroupField::Name));
    let instant = "1970-01-01T00:00:00.000100Z";
    let times = [GroupField::Created, GroupField::Updated].map(|field| conditions(field, tests_of_values(instant)));
    let counts = conditions(GroupField::Members, tests_of_values("1000"));
    let labelled = |(kind, test)| (format!("labels.de {kind}"), Condition::Any(Field::label("de"), vec![test]));
    let labels = tests("f1500", "f1500", "1500").into_iter().map(labelled);
    let own = |field, test| Condition::Any(Field::Own(field), vec![test]);
    let id = own(GroupField::Id, Test::equal(operand("g1000100")));
    let name = own(GroupField::Name, Test::equal(operand("name 1000100")));
    let time = own(GroupField::Updated, above("1970-01-01T00:00:00.099900Z"));
    let of_groups = [
        ("name or id", Condition::any_of([id.clone(), name.clone()])),
        ("name or description", Condition::any_of([name, own(GroupField::Description, like(&["", "qxz", ""]))])),
        ("not above members", own(GroupField::Members, above("0")).negated()),
    ];
    let of_groups = of_groups.map(|(name, condition)| (format!("combined {name}"), condition));
    let combined = combined(&id, &time).into_iter().chain(of_groups);
    let others = communities().into_iter().chain(memberships()).chain(labels).chain(combined);
    let filters = times.into_iter().flatten().chain(counts).chain(others);
    shapes.extend(walks("groups", [("Uid", vec![], vec![])], &filters.map(only).collect::<Vec<_>>()));
    shapes
}

/// Returns the walks through users.
pub(crate) fn users() -> Vec<Shape<CursorQuery<UserField>>> {
    let own = |field| vec![Field::Own(field)];
    let orders = [
        ("Uid", own(UserField::Uid), vec![]),
        ("Id", own(UserField::Id), vec![text("u1050000")]),
        ("LastName", own(UserField::LastName), vec![text("l1050000")]),
        ("FirstName", own(UserField::FirstName), vec![text("f1000")]),
        ("Username", own(UserField::Username), vec![text("user1050000")]),
        ("Email", own(UserField::Email), vec![text("m1050000@example.com")]),
        ("Created", own(UserField::Created), vec![integer(MIDDLE)]),
        ("LastActive", own(UserField::LastActive), vec![integer(MIDDLE)]),
        ("absent LastActive", own(UserField::LastActive), vec![SortValue::Absent]),
    ];
    let mut shapes = walks("users", orders.into_iter().chain(xp_orders()), &filters(UserField::Username));
    let locked = Condition::Any(
        Field::Own(UserField::LockedUntil),
        vec![Test::Compare(Comparison::Greater, operand("2025-01-01"))],
    );
    let without = Condition::WithoutGroups(Visibility::All);
    let others = [("locked".to_owned(), locked), ("without groups".to_owned(), without)];
    let own = |field, test| Condition::Any(Field::Own(field), vec![test]);
    let name = own(UserField::Username, Test::equal(operand("user1000101")));
    let email = own(UserField::Email, Test::equal(operand("m1000100@example.com")));
    let time = own(UserField::Created, above("1970-01-01T00:00:00.099900Z"));
    let active = own(UserField::Active, Test::equal(operand("true")));
    let last_active = own(UserField::LastActive, above("1970-01-01T00:00:00.000100Z"));
    let of_users = [
        ("name or email", Condition::any_of([name.clone(), email.clone()])),
        ("active name or email", Condition::any_of([Condition::all([active, name.clone()]), email])),
        ("not above sign-in", last_active.negated()),
        ("not roles", Condition::all([name.clone(), Condition::Roles(vec![(Roles::USER_READER, true)]).negated()])),
    ];
    let of_users = of_users.map(|(name, condition)| (format!("combined {name}"), condition));
    let combined = combined(&name, &time).into_iter().chain(of_users);
    let filters = communities().into_iter().chain(memberships()).chain(others).chain(combined);
    shapes.extend(walks("users", [("Uid", vec![], vec![])], &filters.map(only).collect::<Vec<_>>()));
    shapes
}

/// Returns a walk through tombstones, from the middle.
pub(crate) fn tombstones<F>(whose: &str) -> Shape<CursorQuery<F>> {
    let (visibility, filter) = (Visibility::All, Filter::default());
    let after = Some(Position(vec![integer(MIDDLE), integer(MIDDLE)]));
    let query = CursorQuery { visibility, filter, sort: vec![], after, skip: 0, limit: 20 };
    Shape { name: format!("deleted {whose}"), query }
}
