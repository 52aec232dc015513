//! Random entities and list requests: mostly from small vocabularies that match often, sometimes any value.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value as Json, json};

use super::oracle::{Alternative, Field, Filter, ListRequest, Relation, Schema, Search, Sort, Test, Type};

/// Texts that are hard to compare, each for another reason.
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
    "738529527931269425.0",
    "73852952793126942.5e1",
    "1e400",
    "-1e-400",
    "-0",
    "true",
    "FALSE",
    "null",
    "2015-01-01",
    "2015-01-01T05:30:00+05:30",
    "2014-12-31T23:59:59.5Z",
    "2016-02-29",
    "2015-13-01",
    "0001-01-01",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59.9999999",
    "9999-12-31T23:59:59-00:01",
    "20150101",
    "00112233-4455-6677-8899-aabbccddeeff",
    "x,y",
    "a  b",
    "~",
    "\u{10ffff}z",
];

/// Keys and paths inside xp; no entity has the last ones.
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
pub(crate) fn text() -> impl Strategy<Value = String> {
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
        // Different integers that are the same double.
        2 => (738_529_527_931_269_424..738_529_527_931_269_427_i64).prop_map(Json::from),
        7 => text().prop_map(Json::from),
        // Longer than the prefix of a text that an index holds.
        1 => (select(vec!["x", "é"]), "[xyé]{0,3}").prop_map(|(run, end)| Json::from(run.repeat(200) + &end)),
    ]
}

fn object(value: impl Strategy<Value = Json>, fields: std::ops::Range<usize>) -> impl Strategy<Value = Json> {
    let member = (select(KEYS), value).prop_map(|(key, value)| (key.to_owned(), value));
    vec(member, fields).prop_map(|fields| Json::Object(fields.into_iter().collect::<Map<_, _>>()))
}

/// An xp document or null.
pub(crate) fn xp() -> impl Strategy<Value = Json> {
    let value = scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Json::Array), object(inner, 0..4)]
    });
    prop_oneof![1 => Just(Json::Null), 9 => object(value, 0..7)]
}

/// List requests take values of the entities in the list, and sometimes other values.
#[derive(Clone, Debug)]
pub(crate) struct ListRequests {
    schema: &'static Schema,
    entities: Arc<[Json]>,
}

impl ListRequests {
    /// Requests for the list of these entities.
    pub(crate) fn of(schema: &'static Schema, entities: &[Json]) -> Self {
        Self { schema, entities: entities.into() }
    }

    /// A request with some filters, and perhaps a search or an order.
    pub(crate) fn request(&self) -> impl Strategy<Value = ListRequest> + use<> {
        (
            prop_oneof![1 => vec(self.filter(), 0..1), 6 => vec(self.filter(), 1..2), 3 => vec(self.filter(), 2..4)],
            option::weighted(0.3, self.search()),
            vec(self.sort(), 0..3),
        )
            .prop_map(|(filters, search, sort)| ListRequest {
                filters,
                search,
                sort: without_duplicates(sort),
            })
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

    /// A value that the field has in some entity, perhaps in another case; any text; sometimes a value of another type.
    fn operand(&self, field: &Field) -> impl Strategy<Value = String> + use<> {
        let there = self.texts(field);
        let fitting = match field {
            Field::Own(_, Type::Boolean) => select(&["true", "False", "TRUE"][..]).prop_map(str::to_owned).boxed(),
            Field::Own(_, Type::Integer) => (-1..4_i64).prop_map(|number| number.to_string()).boxed(),
            Field::Own(_, Type::Instant) => {
                select(&["2015-01-01", "9999-12-31T23:59:59.9999999Z", "2015-01-01T00:00:00+05:30"][..])
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

    /// A text of the field with a part removed, and perhaps stars around it.
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

    /// The texts and numbers that entities have in the field, in no order; at least one.
    fn texts(&self, field: &Field) -> Vec<String> {
        let mut texts = vec!["x".to_owned()];
        for entity in self.entities.iter() {
            match field {
                Field::Own(name, _) => leaves(&entity[*name], &mut texts),
                Field::Xp(path) => leaves(&entity["xp"][path.split('.').next().unwrap_or_default()], &mut texts),
            }
        }
        texts
    }
}

/// Removes later sorts by the same field.
fn without_duplicates(sorts: Vec<Sort>) -> Vec<Sort> {
    let mut without_duplicates: Vec<Sort> = Vec::new();
    for sort in sorts {
        if without_duplicates.iter().all(|own| own.field != sort.field) {
            without_duplicates.push(sort);
        }
    }
    without_duplicates
}

fn leaves(json: &Json, texts: &mut Vec<String>) {
    match json {
        Json::Null => {}
        Json::String(text) if text.is_empty() => {}
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Json::Object(fields) => fields.values().for_each(|value| leaves(value, texts)),
        other => texts.push(other.to_string()),
    }
}
