//! What the lists are filled with and asked: little vocabularies that meet often, and now and then anything at all.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value as Json, json};

use super::oracle::{Alternative, Field, Filter, Question, Relation, Schema, Search, Sort, Test, Type};

/// Texts with something to get wrong in each.
const TEXTS: &[&str] = &[
    "Alpha",
    "alpha beta",
    "BETA",
    "beta*",
    "a|b",
    "!x",
    ">5",
    "=x",
    "<",
    "100%",
    "under_score",
    r"back\slash",
    "\"q\" it's",
    "Ärger",
    "A\u{308}rger",
    "straße",
    "STRASSE",
    "ΌΣΟΣ",
    "όσος",
    "İstanbul",
    "日本語",
    "東京タワー",
    "🎉 party",
    "a.b",
    "é",
    "e\u{301}x",
    "5",
    "05",
    "5.0",
    "1e1",
    "-3",
    "+7",
    "12",
    "9",
    "true",
    "FALSE",
    "null",
    "2015-01-01",
    "2015-01-01T05:30:00+05:30",
    "2014-12-31T23:59:59.5Z",
    "2016-02-29",
    "2015-13-01",
    "20150101",
    "00112233-4455-6677-8899-aabbccddeeff",
    "x,y",
    "a  b",
    "~",
    "\u{10ffff}z",
];

/// Keys and paths inside xp; the last ones are nobody's.
const KEYS: &[&str] = &["Dept", "dept", "N", "Mixed", "Tags", "When", "Items", "a", "a.b", "b", "ключ", "Sku", "Qty"];
const PATHS: &[&str] = &[
    "Dept",
    "dept",
    "N",
    "Mixed",
    "Tags",
    "When",
    "Items",
    "Items.Sku",
    "Items.Qty",
    "Items.a.b",
    "a",
    "a.b",
    "a.b.Sku",
    "b",
    "ключ",
    "Dept.N",
    "Mixed.Qty",
    "Tags.Sku",
    "Nowhere",
    "Items.",
];

/// A text that is not blank, of at most 100 characters.
pub fn text() -> impl Strategy<Value = String> {
    let filled = |text: String| if text.chars().all(char::is_whitespace) { format!("{text}.") } else { text };
    prop_oneof![
        12 => select(TEXTS).prop_map(str::to_owned),
        2 => "[a-cA-C ]{1,4}",
        2 => "\\PC{1,8}",
        1 => "[aß%_é]{60,100}",
    ]
    .prop_map(filled)
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        1 => Just(Json::Null),
        2 => any::<bool>().prop_map(Json::from),
        4 => (-3..13_i64).prop_map(Json::from),
        2 => select(vec![0.5, 5.0, -0.0, 1e20, 9.75]).prop_map(Json::from),
        1 => Just(json!(12_345_678_901_234_567_890_u64)),
        7 => text().prop_map(Json::from),
        // Longer than what an index holds of a text.
        1 => (select(vec!["x", "é"]), "[xyé]{0,3}").prop_map(|(run, end)| Json::from(run.repeat(200) + &end)),
    ]
}

fn object(value: impl Strategy<Value = Json>, members: std::ops::Range<usize>) -> impl Strategy<Value = Json> {
    let member = (select(KEYS), value).prop_map(|(key, value)| (key.to_owned(), value));
    vec(member, members).prop_map(|members| Json::Object(members.into_iter().collect::<Map<_, _>>()))
}

/// An xp document or null.
pub fn xp() -> impl Strategy<Value = Json> {
    let value = scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Json::Array), object(inner, 0..4)]
    });
    prop_oneof![1 => Just(Json::Null), 9 => object(value, 0..7)]
}

/// Lists are asked of one thing or other that is in them, and now and then of what is not.
#[derive(Clone, Debug)]
pub struct Asking {
    schema: &'static Schema,
    things: Arc<[Json]>,
}

impl Asking {
    pub fn of(schema: &'static Schema, things: &[Json]) -> Self {
        Self { schema, things: things.into() }
    }

    /// A question of a few filters, perhaps a search, perhaps an order.
    pub fn question(&self) -> impl Strategy<Value = Question> + use<> {
        (
            prop_oneof![1 => vec(self.filter(), 0..1), 6 => vec(self.filter(), 1..2), 3 => vec(self.filter(), 2..4)],
            option::weighted(0.3, self.search()),
            vec(self.sort(), 0..3),
        )
            .prop_map(|(filters, search, sort)| Question { filters, search, sort: different(sort) })
    }

    fn field(&self) -> impl Strategy<Value = Field> + use<> {
        let own: Vec<_> = self.schema.properties.iter().map(|(name, of)| Field::Own(name, *of)).collect();
        prop_oneof![select(own), select(PATHS).prop_map(|path| Field::Xp(path.to_owned()))]
    }

    fn filter(&self) -> impl Strategy<Value = Filter> + use<> {
        let asking = self.clone();
        self.field().prop_flat_map(move |field| {
            let alternatives =
                prop_oneof![3 => vec(asking.alternative(&field), 1..2), 2 => vec(asking.alternative(&field), 2..4)];
            (Just(field), alternatives).prop_map(|(field, alternatives)| Filter { field, alternatives })
        })
    }

    fn alternative(&self, field: &Field) -> impl Strategy<Value = Alternative> + use<> {
        let relation = select(vec![Relation::Less, Relation::LessOrEqual, Relation::Greater, Relation::GreaterOrEqual]);
        let compare = (relation, self.operand(field)).prop_map(|(relation, operand)| Test::Compare(relation, operand));
        let negatable = prop_oneof![
            1 => Just(Test::Present),
            4 => self.operand(field).prop_map(Test::Equal),
            3 => self.runs(field).prop_map(Test::Like),
        ];
        let compare =
            (compare, any::<u8>()).prop_map(|(test, spelling)| Alternative { negated: false, test, spelling });
        let negatable = (proptest::bool::weighted(0.35), negatable, any::<u8>())
            .prop_map(|(negated, test, spelling)| Alternative { negated, test, spelling });
        prop_oneof![1 => compare, 2 => negatable]
    }

    /// What the field has somewhere, perhaps in other letters; a text at all; now and then of another type.
    fn operand(&self, field: &Field) -> impl Strategy<Value = String> + use<> {
        let there = self.texts(field);
        let fitting = match field {
            Field::Own(_, Type::Boolean) => select(&["true", "False", "TRUE"][..]).prop_map(str::to_owned).boxed(),
            Field::Own(_, Type::Integer) => (-1..4_i64).prop_map(|number| number.to_string()).boxed(),
            Field::Own(_, Type::Instant) => {
                select(&["2015-01-01", "2026-01-01T00:00:00", "2015-01-01T00:00:00+05:30"][..])
                    .prop_map(str::to_owned)
                    .boxed()
            }
            _ => text().boxed(),
        };
        let known = (select(there), 0..3_u8).prop_map(|(text, letters)| match letters {
            0 => text.to_uppercase(),
            1 => text.to_lowercase(),
            _ => text,
        });
        prop_oneof![12 => known, 6 => fitting, 1 => text()]
    }

    /// A text of the field with a part cut out of it, and perhaps stars around it.
    fn runs(&self, field: &Field) -> impl Strategy<Value = Vec<String>> + use<> {
        (self.operand(field), any::<Index>(), any::<Index>(), 0..4_u8).prop_map(|(text, from, to, around)| {
            let characters: Vec<char> = text.chars().collect();
            let (from, to) = (from.index(characters.len() + 1), to.index(characters.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let run = |part: &[char]| part.iter().collect::<String>();
            let mut runs = vec![run(&characters[..from]), run(&characters[to..])];
            if around & 1 == 1 {
                runs.insert(0, String::new());
            }
            if around & 2 == 2 {
                runs.push(String::new());
            }
            if runs.iter().all(String::is_empty) {
                runs.push(text);
            }
            runs
        })
    }

    fn search(&self) -> impl Strategy<Value = Search> + use<> {
        let own = self.schema.searched.iter().map(|name| self.schema.field(name)).collect::<Vec<_>>();
        let texts: Vec<_> = own.iter().flat_map(|field| self.texts(field)).collect();
        let on = prop_oneof![
            4 => select(own),
            1 => select(PATHS).prop_map(|path| Field::Xp(path.to_owned())),
        ];
        let part = (select(texts), any::<Index>(), 1..6_usize).prop_map(|(text, from, length)| {
            let characters: Vec<char> = text.chars().collect();
            let from = from.index(characters.len().max(1));
            characters.iter().skip(from).take(length).collect::<String>()
        });
        let term = prop_oneof![8 => part, 2 => text()];
        (term, prop_oneof![vec(on.clone(), 0..1), vec(on, 1..4)]).prop_map(|(term, on)| Search { term, on })
    }

    fn sort(&self) -> impl Strategy<Value = Sort> + use<> {
        let own: Vec<_> = self.schema.sortable.iter().map(|name| self.schema.field(name)).collect();
        let field = prop_oneof![1 => select(own), 1 => select(PATHS).prop_map(|path| Field::Xp(path.to_owned()))];
        (field, any::<bool>()).prop_map(|(field, descending)| Sort { field, descending })
    }

    /// The texts and numbers that things have in the field, in no order; never none.
    fn texts(&self, field: &Field) -> Vec<String> {
        let mut texts = vec!["x".to_owned()];
        for thing in self.things.iter() {
            match field {
                Field::Own(name, _) => leaves(&thing[*name], &mut texts),
                Field::Xp(path) => leaves(&thing["xp"][path.split('.').next().unwrap_or_default()], &mut texts),
            }
        }
        texts
    }
}

/// The first of the sorts by each field.
fn different(sorts: Vec<Sort>) -> Vec<Sort> {
    let mut different: Vec<Sort> = Vec::new();
    for sort in sorts {
        if different.iter().all(|own| own.field != sort.field) {
            different.push(sort);
        }
    }
    different
}

fn leaves(json: &Json, texts: &mut Vec<String>) {
    match json {
        Json::Null => {}
        Json::String(text) if text.is_empty() => {}
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Json::Object(members) => members.values().for_each(|value| leaves(value, texts)),
        other => texts.push(other.to_string()),
    }
}
