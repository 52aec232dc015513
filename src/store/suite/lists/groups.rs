//! Lists of groups: order, paging, filters.

use crate::domain::community::Visibility;
use crate::domain::decimal::Decimal;
use crate::domain::query::{
    Comparison, Condition, Field, Filter, GroupField, GroupQuery, Operand, Page, Pattern, Search, Sort, Test,
};
use crate::domain::text::fold;
use crate::domain::xp::parse_instant;
use crate::store::sql::list::entities::LOOK_UP_THRESHOLD;
use crate::store::suite::*;

/// Returns the operand for a filter value.
pub(crate) fn operand(text: &str) -> Operand {
    Operand { text: fold(text), number: Decimal::parse(text), instant: parse_instant(text), boolean: text.parse().ok() }
}

/// Tests a field.
pub(crate) fn own(field: GroupField, test: Test) -> Condition<GroupField> {
    Condition::Any(Field::Own(field), vec![test])
}

/// Tests a path of xp.
pub(crate) fn at(path: &str, test: Test) -> Condition<GroupField> {
    Condition::Any(Field::Xp(path.to_owned()), vec![test])
}

fn like(runs: &[&str]) -> Test {
    Test::Like(Pattern(runs.iter().map(|run| (*run).to_owned()).collect()))
}

/// Returns a query of all groups.
pub(crate) fn query(conditions: Vec<Condition<GroupField>>, sort: Vec<Sort<GroupField>>) -> GroupQuery {
    let filter = Filter { search: None, conditions };
    GroupQuery { visibility: Visibility::All, filter, sort, page: Page { number: 1, size: 100 } }
}

/// Returns the IDs of all groups that match, in order, and checks the total.
pub(crate) async fn ids(store: &impl TestStore, query: GroupQuery) -> Vec<String> {
    let listed = store.list_groups(query).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    listed.items.iter().map(|group| group.fields.id.to_string()).collect()
}

async fn matching(store: &impl TestStore, condition: Condition<GroupField>) -> String {
    let mut found = ids(store, query(vec![condition], Vec::new())).await;
    found.sort();
    found.concat()
}

pub(crate) async fn order_is_by_folded_key_with_nulls_lowest(store: &impl TestStore) {
    for (id, name) in
        [("b", "Ähre"), ("a", "zebra"), ("c", "Zebra"), ("d", "apple"), ("e", "\u{10000}"), ("f", "\u{ffff}")]
    {
        make_group(store, group(id, name)).await;
    }
    assert_eq!(ids(store, query(vec![], vec![])).await.concat(), "dacbfe", "code points of the folded name, then ID");
    let descending = |field| vec![Sort { field: Field::Own(field), descending: true }];
    assert_eq!(ids(store, query(vec![], descending(GroupField::Name))).await.concat(), "efbacd", "ties stay ascending");
    assert_eq!(ids(store, query(vec![], descending(GroupField::Id))).await.concat(), "fedcba");
    assert_eq!(ids(store, query(vec![], descending(GroupField::Uid))).await.concat(), "fedcab");
}

pub(crate) async fn pages_hold_every_row_once(store: &impl TestStore) {
    for number in 0..25 {
        make_group(store, group(&format!("g{number}"), &format!("same {}", number % 3))).await;
    }
    let mut paged = Vec::new();
    for number in 1..=4 {
        let listed = store.list_groups(GroupQuery { page: Page { number, size: 10 }, ..query(vec![], vec![]) }).await;
        let listed = listed.unwrap();
        assert_eq!(listed.total, 25);
        paged.extend(listed.items.into_iter().map(|group| group.fields.id.to_string()));
    }
    assert_eq!(paged, ids(store, query(vec![], vec![])).await);
    let after = Test::Compare(Comparison::Greater, operand("G8"));
    assert_eq!(matching(store, own(GroupField::Id, after)).await, "g9");
    let far = Page { number: Page::MAX_NUMBER, size: 100 };
    let empty = store.list_groups(GroupQuery { page: far, ..query(vec![], vec![]) }).await.unwrap();
    assert_eq!((empty.items.len(), empty.total), (0, 25));
}

pub(crate) async fn xp_compares_by_type(store: &impl TestStore) {
    let documents = [
        ("a", r#"{"v":5}"#),
        ("b", r#"{"v":"5"}"#),
        ("c", r#"{"v":10}"#),
        ("d", r#"{"v":"10"}"#),
        ("e", r#"{"v":"2015-06-01T00:00:00+02:00"}"#),
        ("f", r#"{"v":["x","Y",7]}"#),
        ("g", r#"{"v":true}"#),
        ("h", r#"{"v":{"w":5}}"#),
    ];
    for (id, document) in documents {
        make_group(store, GroupFields { xp: xp(document), ..group(id, "n") }).await;
    }
    let compare = |comparison, text| at("v", Test::Compare(comparison, operand(text)));
    assert_eq!(matching(store, at("v", Test::equal(operand("5.0")))).await, "a", "numbers by value, strings as text");
    assert_eq!(matching(store, at("v", Test::equal(operand("5")))).await, "ab");
    assert_eq!(
        matching(store, compare(Comparison::Greater, "6")).await,
        "cdfg",
        "numbers as numbers, the rest as text"
    );
    assert_eq!(matching(store, compare(Comparison::Less, "6")).await, "abe");
    assert_eq!(matching(store, compare(Comparison::Less, "2015-06-01")).await, "cde", "dates as instants");
    assert_eq!(matching(store, compare(Comparison::GreaterOrEqual, "2015-05-31T22:00:00Z")).await, "abefg");
    assert_eq!(matching(store, at("v", Test::equal(operand("y")))).await, "f");
    assert_eq!(matching(store, at("v", Test::equal(operand("TRUE")))).await, "g");
    assert_eq!(matching(store, at("v", like(&["1", ""]))).await, "cd");
    assert_eq!(matching(store, at("v.w", Test::equal(operand("5")))).await, "h");
}

pub(crate) async fn absent_values_match_negatives_alone(store: &impl TestStore) {
    let documents = [
        ("a", Some(r#"{"v":"x"}"#)),
        ("b", Some(r#"{"v":["y","x"]}"#)),
        ("c", Some(r#"{"v":null}"#)),
        ("d", None),
        ("e", Some(r#"{"v":{}}"#)),
        ("f", Some(r#"{"v":[]}"#)),
    ];
    for (id, document) in documents {
        make_group(store, GroupFields { xp: document.and_then(xp), ..group(id, "n") }).await;
    }
    put_group(
        store,
        2,
        GroupKey::Id(id("a")),
        GroupFields { description: Some("Text".into()), xp: xp(r#"{"v":"x"}"#), ..group("a", "n") },
    )
    .await
    .unwrap();
    assert_eq!(matching(store, at("v", Test::Present)).await, "abef");
    assert_eq!(matching(store, at("v", Test::Absent)).await, "cd");
    assert_eq!(matching(store, at("v", Test::NotEqual(operand("X")))).await, "cdef");
    assert_eq!(matching(store, at("v", Test::NotLike(Pattern(vec!["y".into(), String::new()])))).await, "acdef");
    assert_eq!(matching(store, at("v", Test::Compare(Comparison::GreaterOrEqual, operand("x")))).await, "ab");
    let description = |test| own(GroupField::Description, test);
    assert_eq!(matching(store, description(Test::Absent)).await, "bcdef");
    assert_eq!(matching(store, description(Test::NotEqual(operand("text")))).await, "bcdef");
    assert_eq!(matching(store, description(Test::equal(operand("TEXT")))).await, "a");
    assert_eq!(matching(store, description(like(&["", "ex", ""]))).await, "a");
    let either = Condition::Any(Field::Xp("v".into()), vec![Test::equal(operand("y")), Test::Absent]);
    assert_eq!(matching(store, either).await, "bcd");
}

pub(crate) async fn long_texts_are_compared_whole(store: &impl TestStore) {
    let long = |end: &str| format!("{}{end}", "é".repeat(200));
    for (id, end) in [("a", ""), ("b", "a"), ("c", "b")] {
        let document = format!(r#"{{"v":"{}","{}":1}}"#, long(end), long(end));
        make_group(store, GroupFields { xp: xp(&document), ..group(id, "n") }).await;
    }
    assert_eq!(matching(store, at("v", Test::equal(operand(&long("A"))))).await, "b");
    assert_eq!(matching(store, at("v", Test::NotEqual(operand(&long(""))))).await, "bc");
    assert_eq!(matching(store, at("v", Test::Compare(Comparison::Greater, operand(&long("a"))))).await, "c");
    assert_eq!(matching(store, at("v", Test::Compare(Comparison::LessOrEqual, operand(&long("a"))))).await, "ab");
    assert_eq!(matching(store, at("v", like(&[&long("b"), ""]))).await, "c");
    assert_eq!(matching(store, at("v", like(&["", "éa"]))).await, "b");
    assert_eq!(matching(store, at(&long("b"), Test::Present)).await, "c");
}

pub(crate) async fn long_numbers_are_compared_whole(store: &impl TestStore) {
    let long = |end: &str| format!("0.{}{end}", "1".repeat(250));
    for (id, number) in [("a", long("")), ("b", long("1")), ("c", long("10")), ("d", long("2")), ("e", "0.2".into())] {
        let document = xp(&format!(r#"{{"v":{number},"n":-{number}}}"#));
        make_group(store, GroupFields { xp: document, ..group(id, "n") }).await;
    }
    let compare = |path, comparison, text: &str| at(path, Test::Compare(comparison, operand(text)));
    assert_eq!(matching(store, at("v", Test::equal(operand(&long("1"))))).await, "bc");
    assert_eq!(matching(store, at("v", Test::NotEqual(operand(&long("1"))))).await, "ade");
    for (path, sign, below, above) in
        [("v", "", Comparison::Less, Comparison::Greater), ("n", "-", Comparison::Greater, Comparison::Less)]
    {
        assert_eq!(matching(store, compare(path, below, &format!("{sign}{}", long("1")))).await, "a");
        assert_eq!(matching(store, compare(path, above, &format!("{sign}{}", long("1")))).await, "de");
        assert_eq!(matching(store, compare(path, above, &format!("{sign}0.1"))).await, "abcde");
        let by = |descending| vec![Sort { field: Field::Xp(path.into()), descending }];
        assert_eq!(ids(store, query(vec![], by(path == "n"))).await.concat(), "abcde");
        assert_eq!(ids(store, query(vec![], by(path == "v"))).await.concat(), "edbca");
    }
}

pub(crate) async fn many_values_match_like_one(store: &impl TestStore) {
    let awkward = ["a\"b", "back\\slash", "{x,y}", "null", "", "é, ü"];
    let long = "x".repeat(300);
    for (number, text) in awkward.iter().copied().chain([long.as_str(), "5"]).enumerate() {
        let document = Json::Object(vec![("v".to_owned(), Json::String(text.to_owned()))]);
        let description = Some(text.to_owned());
        let fields = GroupFields { xp: Xp::new(&document).ok(), description, ..group(&format!("t{number}"), "n") };
        make_group(store, fields).await;
    }
    make_group(store, GroupFields { xp: xp(r#"{"v":[5,7.50]}"#), ..group("n0", "n") }).await;
    make_group(store, GroupFields { xp: xp(r#"{"v":null}"#), ..group("n1", "n") }).await;
    let others: Vec<Operand> = (0..3_000).map(|number| operand(&format!("other {number}"))).collect();
    for (values, in_xp, in_own) in [
        (&awkward[..], "t0t1t2t3t4t5", "t0t1t2t3t4t5"),
        (&[long.as_str(), "X", "5.0"], "n0t6", "t6"),
        (&["5", "75e-1", "{x,y}"], "n0t2t7", "t2t7"),
        (&[], "", ""),
    ] {
        let chosen = values.iter().map(|text| operand(text));
        for many in [false, true] {
            let operands = chosen.clone().chain(others[..if many { 3_000 } else { 1 }].iter().cloned()).collect();
            let test = Test::OneOf(operands);
            assert_eq!(matching(store, at("v", test.clone())).await, in_xp, "{values:?}");
            assert_eq!(matching(store, own(GroupField::Description, test)).await, in_own, "{values:?}");
        }
    }
    let ids = ["T1", "n1", "nobody"].map(operand).into_iter().chain(others.iter().cloned()).collect();
    assert_eq!(matching(store, own(GroupField::Id, Test::OneOf(ids))).await, "n1t1");
    let not = Test::NotEqual(operand("t1"));
    let either =
        Condition::any(Field::Own(GroupField::Id), vec![not, Test::OneOf(others.clone()), Test::equal(operand("t1"))]);
    assert_eq!(matching(store, either).await, "n0n1t0t1t2t3t4t5t6t7");
}

/// Around the threshold at which a plan changes from look-ups to an index scan, the results must not change.
pub(crate) async fn every_plan_gives_the_same(store: &impl TestStore) {
    let most = LOOK_UP_THRESHOLD + 2;
    for number in 0..most {
        let document = xp(&format!(r#"{{"common":{number},"even":{}}}"#, number % 2 == 0));
        let fields =
            GroupFields { xp: document, description: Some("the same".into()), ..group(&format!("g{number:04}"), "n") };
        make_group(store, fields).await;
    }
    let common = || at("common", Test::Present);
    let even = || at("even", Test::equal(operand("true")));
    let search = Some(Search { term: "same".into(), fields: vec![Field::Own(GroupField::Description)] });
    let total = async |query: GroupQuery| store.list_groups(query).await.unwrap().total;
    let searched = |conditions| {
        let filter = Filter { search: search.clone(), conditions };
        GroupQuery { filter, page: Page { number: 1, size: 3 }, ..query(vec![], vec![]) }
    };
    assert_eq!(total(searched(vec![])).await, most);
    assert_eq!(total(searched(vec![even()])).await, most.div_ceil(2));
    assert_eq!(
        total(GroupQuery { page: Page { number: 1, size: 3 }, ..query(vec![common(), even()], vec![]) }).await,
        most.div_ceil(2)
    );
    let last = Sort { field: Field::Xp("common".into()), descending: true };
    for conditions in [vec![], vec![common()], vec![even()]] {
        let sorted = GroupQuery { page: Page { number: 1, size: 2 }, ..query(conditions.clone(), vec![last.clone()]) };
        let listed = store.list_groups(sorted).await.unwrap();
        let first = listed.items[0].fields.id.to_string();
        let highest = if conditions == vec![even()] { (most - 1) / 2 * 2 } else { most - 1 };
        assert_eq!(first, format!("g{highest:04}"), "{conditions:?}");
    }
}

/// A page has the same rows wherever it begins, whichever end of the order or value is nearer.
pub(crate) async fn pages_make_the_whole_list_in_every_order(store: &impl TestStore) {
    for number in 0..60 {
        let document = match number % 6 {
            0 => None,
            1 => xp(r#"{"v":{}}"#),
            2 => xp(&format!(r#"{{"v":{}}}"#, number % 4)),
            3 => xp(&format!(r#"{{"v":"{}"}}"#, number % 4)),
            4 if number % 5 == 0 => xp(&format!(r#"{{"v":{}{}}}"#, "1".repeat(250), number % 3)),
            4 => xp(&format!(r#"{{"v":["t{}",{number}]}}"#, number % 3)),
            _ => xp(&format!(r#"{{"v":"t{}"}}"#, number % 3)),
        };
        make_group(store, GroupFields { xp: document, ..group(&format!("g{number}"), &format!("n{}", number % 7)) })
            .await;
    }
    let fields = [GroupField::Uid, GroupField::Id, GroupField::Name, GroupField::Description].map(Field::Own);
    let filters = [
        vec![],
        vec![at("v", Test::Present)],
        vec![at("v", Test::Absent)],
        vec![
            at("v", Test::NotEqual(operand("t1"))),
            own(GroupField::Name, Test::NotLike(Pattern(vec!["n1".into(), String::new()]))),
        ],
        vec![at("v", Test::Compare(Comparison::Greater, operand("1")))],
        vec![
            own(GroupField::Name, like(&["n", ""])),
            own(GroupField::Id, Test::Compare(Comparison::Less, operand("g4"))),
        ],
    ];
    for field in fields.into_iter().chain([Field::Xp("v".into())]) {
        for (descending, conditions) in [false, true].into_iter().flat_map(|d| filters.iter().map(move |f| (d, f))) {
            let all_matching = || query(conditions.clone(), vec![Sort { field: field.clone(), descending }]);
            let whole = ids(store, all_matching()).await;
            let mut paged = Vec::new();
            for number in 1..=9 {
                let listed =
                    store.list_groups(GroupQuery { page: Page { number, size: 7 }, ..all_matching() }).await.unwrap();
                assert_eq!(listed.total, whole.len() as u64);
                paged.extend(listed.items.iter().map(|group| group.fields.id.to_string()));
            }
            assert_eq!(paged, whole, "{field:?} {descending} {conditions:?}");
        }
    }
}

pub(crate) async fn cached_results_do_not_outlive_a_change(store: &impl TestStore) {
    let numbered = |number: usize| GroupFields { xp: xp(r#"{"v":1}"#), ..group(&format!("g{number:02}"), "n") };
    for number in 0..20 {
        make_group(store, numbered(number)).await;
    }
    let all_matching = || query(vec![at("v", Test::equal(operand("1")))], vec![]);
    assert_eq!(ids(store, all_matching()).await.len(), 20);
    make_group(store, numbered(20)).await;
    assert_eq!(ids(store, all_matching()).await.len(), 21);
    delete_group(store, 1, GroupKey::Id(id("g00"))).await;
    assert_eq!(ids(store, all_matching()).await[0], "g01");
    // Nor if the changes since then are no longer kept.
    delete_group(store, 1, GroupKey::Id(id("g01"))).await;
    make_group(store, group("other", "n")).await;
    while store.drop_changes(time(1_000)).await.unwrap() {}
    assert_eq!(ids(store, all_matching()).await[0], "g02");
}

pub(crate) async fn xp_sorts_by_least_value(store: &impl TestStore) {
    let documents = [
        ("a", r#"{"v":"text"}"#),
        ("b", r#"{"v":10}"#),
        ("c", r#"{"v":9.5}"#),
        ("d", r#"{"v":{}}"#),
        ("e", r#"{"v":["zz",9]}"#),
        ("f", r#"{"v":false}"#),
        ("g", r#"{"v":"10"}"#),
        ("0", r#"{"v":10.0}"#),
    ];
    for (id, document) in documents {
        make_group(store, GroupFields { xp: xp(document), ..group(id, "n") }).await;
    }
    make_group(store, group("h", "n")).await;
    let by = |descending| vec![Sort { field: Field::Xp("v".into()), descending }];
    assert_eq!(ids(store, query(vec![], by(false))).await.concat(), "dhec0bgfa", "10 and 10.0 are a tie");
    assert_eq!(ids(store, query(vec![], by(true))).await.concat(), "afg0bcedh");
}
