//! What a list should answer, told by the rules of docs/ordercloud.md, section 6, alone: slow, plain, and on the very
//! objects that the API answered with. Nothing here is taken from the program's own filter code.

use std::cmp::Ordering;

use caseless::Caseless as _;
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization as _;

/// What the values of a property are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Boolean,
    Integer,
    Instant,
    /// An array of texts.
    Texts,
    /// Always null.
    Null,
}

/// A kind of thing that has lists.
#[derive(Debug)]
pub struct Schema {
    pub path: &'static str,
    pub properties: &'static [(&'static str, Type)],
    pub searched: &'static [&'static str],
    pub sortable: &'static [&'static str],
    /// What things equal in all else are ordered by.
    pub ties: &'static [&'static str],
}

/// Admin user groups (section 2).
pub const GROUPS: Schema = Schema {
    path: "/v1/usergroups",
    properties: &[("ID", Type::Text), ("Name", Type::Text), ("Description", Type::Text)],
    searched: &["ID", "Name", "Description"],
    sortable: &["ID", "Name"],
    ties: &["Name", "ID"],
};

/// Admin users (section 3).
pub const USERS: Schema = Schema {
    path: "/v1/adminusers",
    properties: &[
        ("ID", Type::Text),
        ("CompanyID", Type::Null),
        ("Username", Type::Text),
        ("FirstName", Type::Text),
        ("LastName", Type::Text),
        ("Email", Type::Text),
        ("Phone", Type::Text),
        ("TermsAccepted", Type::Instant),
        ("Active", Type::Boolean),
        ("AvailableRoles", Type::Texts),
        ("Locale", Type::Null),
        ("DateCreated", Type::Instant),
        ("LastActive", Type::Instant),
        ("PasswordLastSetDate", Type::Instant),
        ("FailedLoginAttempts", Type::Integer),
    ],
    searched: &["ID", "Username", "LastName", "FirstName", "Email"],
    sortable: &["LastName", "FirstName", "Username", "ID", "Email", "DateCreated", "LastActive", "PasswordLastSetDate"],
    ties: &["LastName", "FirstName", "ID"],
};

/// A property, or a path inside xp.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Own(&'static str, Type),
    Xp(String),
}

impl Schema {
    /// The property of that name.
    pub fn field(&self, name: &str) -> Field {
        let property = self.properties.iter().find(|(own, _)| *own == name);
        property.map(|(name, of)| Field::Own(name, *of)).expect("a property of the schema")
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub enum Test {
    Present,
    Equal(String),
    /// Runs of text with anything between them; at least two, of which one is not empty.
    Like(Vec<String>),
    /// Never negated: its opposite is a comparison, too.
    Compare(Relation, String),
}

/// One alternative of a filter's value.
#[derive(Clone, Debug)]
pub struct Alternative {
    pub negated: bool,
    pub test: Test,
    /// Chooses among the spellings that mean the same.
    pub spelling: u8,
}

/// `field=alternative|alternative`.
#[derive(Clone, Debug)]
pub struct Filter {
    pub field: Field,
    pub alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug)]
pub struct Search {
    pub term: String,
    /// None: the searched properties.
    pub on: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Sort {
    pub field: Field,
    pub descending: bool,
}

/// Everything that a list can be asked but for its page.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub filters: Vec<Filter>,
    pub search: Option<Search>,
    pub sort: Vec<Sort>,
}

impl Question {
    /// Whether every operand suits its property; if not, the answer is 400 `List.InvalidType`.
    pub fn suits(&self) -> bool {
        let suits = |filter: &Filter| filter.alternatives.iter().all(|alternative| suits(&filter.field, alternative));
        self.filters.iter().all(suits)
    }

    /// The things of the list, in its order.
    pub fn answer<'a>(&self, schema: &Schema, things: &'a [Json]) -> Vec<&'a Json> {
        let mut listed: Vec<_> = things.iter().filter(|thing| self.keeps(schema, thing)).collect();
        listed.sort_by(|a, b| self.order(schema, a, b));
        listed
    }

    fn keeps(&self, schema: &Schema, thing: &Json) -> bool {
        let found = self.search.as_ref().is_none_or(|search| finds(schema, search, thing));
        found && self.filters.iter().all(|filter| passes(filter, thing))
    }

    fn order(&self, schema: &Schema, a: &Json, b: &Json) -> Ordering {
        let asked = self.sort.iter().map(|sort| {
            let order = key(a, &sort.field).order(&key(b, &sort.field));
            if sort.descending { order.reverse() } else { order }
        });
        let ties = schema.ties.iter().map(|name| {
            let field = schema.field(name);
            key(a, &field).order(&key(b, &field))
        });
        asked.chain(ties).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// A value as filters see it. Nulls are none.
#[derive(Clone, Debug)]
enum Value {
    /// An array or object.
    Container,
    Number(f64, String),
    /// Folded; compares as text alone.
    Text(String),
    /// Folded, of xp: in comparisons a number or date if it is one.
    Loose(String),
    Instant(i64),
}

/// The values of a field: several where arrays are in the way.
fn values(thing: &Json, field: &Field) -> Vec<Value> {
    let mut found = Vec::new();
    match field {
        Field::Xp(path) => at_path(&thing["xp"], path, &mut found),
        Field::Own(name, of) => match (&thing[*name], of) {
            (Json::Null, _) => {}
            (Json::String(text), Type::Instant) => found.extend(instant(text).map(Value::Instant)),
            (Json::String(text), _) => found.push(Value::Text(fold(text))),
            (Json::Number(number), _) => {
                found.push(Value::Number(number.as_f64().expect("a double"), number.to_string()));
            }
            (Json::Bool(value), _) => found.push(Value::Text(value.to_string())),
            (Json::Array(texts), _) => {
                found.push(Value::Container);
                found.extend(texts.iter().filter_map(Json::as_str).map(|text| Value::Text(fold(text))));
            }
            (Json::Object(_), _) => found.push(Value::Container),
        },
    }
    found
}

/// What stands at the path: arrays are transparent, and a key with dots is spelled like a nesting.
fn at_path(json: &Json, path: &str, found: &mut Vec<Value>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| at_path(item, path, found)),
        Json::Object(members) => {
            for (name, value) in members {
                match path.strip_prefix(name.as_str()) {
                    Some("") => standing(value, found),
                    Some(rest) if rest.starts_with('.') => at_path(value, &rest[1..], found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn standing(json: &Json, found: &mut Vec<Value>) {
    match json {
        Json::Null => {}
        Json::Bool(value) => found.push(Value::Text(value.to_string())),
        Json::Number(number) => found.push(Value::Number(number.as_f64().expect("a double"), number.to_string())),
        Json::String(text) => found.push(Value::Loose(fold(text))),
        Json::Array(items) => {
            found.push(Value::Container);
            items.iter().for_each(|item| standing(item, found));
        }
        Json::Object(_) => found.push(Value::Container),
    }
}

fn passes(filter: &Filter, thing: &Json) -> bool {
    let values = values(thing, &filter.field);
    let holds =
        |alternative: &Alternative| values.iter().any(|value| holds(value, &alternative.test)) != alternative.negated;
    filter.alternatives.is_empty() || filter.alternatives.iter().any(holds)
}

fn holds(value: &Value, test: &Test) -> bool {
    match (test, value) {
        (Test::Present, _) => true,
        (_, Value::Container) => false,
        (Test::Equal(operand), Value::Number(own, _)) => number(operand) == Some(*own),
        (Test::Equal(operand), Value::Instant(own)) => instant(operand) == Some(*own),
        (Test::Equal(operand), Value::Text(own) | Value::Loose(own)) => fold(operand) == *own,
        (Test::Like(_), Value::Instant(_)) => false,
        (Test::Like(runs), Value::Number(_, own) | Value::Text(own) | Value::Loose(own)) => {
            let folded: Vec<_> = runs.iter().map(|run| fold(run)).collect();
            like(own, &folded)
        }
        (Test::Compare(relation, operand), own) => relation.holds(compared(own, operand)),
    }
}

/// How the value stands to the operand: as numbers or as instants if both are, else as text.
fn compared(value: &Value, operand: &str) -> Option<Ordering> {
    let text = fold(operand);
    match value {
        Value::Container => None,
        Value::Text(own) => Some(own.cmp(&text)),
        Value::Instant(own) => instant(operand).map(|operand| own.cmp(&operand)),
        Value::Number(own, spelling) => {
            number(operand).map_or(Some(spelling.cmp(&text)), |operand| own.partial_cmp(&operand))
        }
        Value::Loose(own) => match (number(own).zip(number(operand)), instant(own).zip(instant(operand))) {
            (Some((own, operand)), _) => own.partial_cmp(&operand),
            (_, Some((own, operand))) => Some(own.cmp(&operand)),
            _ => Some(own.cmp(&text)),
        },
    }
}

impl Relation {
    fn holds(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// Whether the text is the runs, folded, with anything between them; tries every way.
fn like(text: &str, runs: &[String]) -> bool {
    let [run, rest @ ..] = runs else { return text.is_empty() };
    let Some(after) = text.strip_prefix(run.as_str()) else { return false };
    match rest {
        [] => after.is_empty(),
        _ => (0..=after.len()).filter(|at| after.is_char_boundary(*at)).any(|at| like(&after[at..], rest)),
    }
}

fn finds(schema: &Schema, search: &Search, thing: &Json) -> bool {
    let default = schema.searched.iter().map(|name| schema.field(name)).collect();
    let fields: Vec<Field> = if search.on.is_empty() { default } else { search.on.clone() };
    let term = fold(&search.term);
    let has_term = |value: &Value| match value {
        Value::Number(_, own) | Value::Text(own) | Value::Loose(own) => own.contains(&term),
        Value::Container | Value::Instant(_) => false,
    };
    term.is_empty() || fields.iter().any(|field| values(thing, field).iter().any(has_term))
}

fn suits(field: &Field, alternative: &Alternative) -> bool {
    let Field::Own(_, of) = field else { return true };
    match (of, &alternative.test) {
        (Type::Text | Type::Texts | Type::Null, _) | (_, Test::Present) => true,
        (_, Test::Like(_)) => false,
        (Type::Boolean, Test::Equal(operand)) => matches!(fold(operand).as_str(), "true" | "false"),
        (Type::Boolean, Test::Compare(..)) => false,
        (Type::Integer, Test::Equal(operand) | Test::Compare(_, operand)) => operand.parse::<i64>().is_ok(),
        (Type::Instant, Test::Equal(operand) | Test::Compare(_, operand)) => instant(operand).is_some(),
    }
}

/// What a thing is sorted by: absent, null and objects are lowest, then numbers and instants, then texts.
#[derive(Debug, PartialEq)]
enum Key {
    Lowest,
    Number(f64),
    Text(String),
}

impl Key {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Lowest, Self::Lowest) => Ordering::Equal,
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).expect("doubles are finite"),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Lowest, _) | (Self::Number(_), Self::Text(_)) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

/// The least of the field's values, of those that are neither null nor object.
fn key(thing: &Json, field: &Field) -> Key {
    let keys = values(thing, field).into_iter().filter_map(|value| match value {
        Value::Container => None,
        Value::Number(number, _) => Some(Key::Number(number)),
        Value::Instant(micros) => Some(Key::Number(micros as f64)),
        Value::Text(text) | Value::Loose(text) => Some(Key::Text(text)),
    });
    keys.min_by(Key::order).unwrap_or(Key::Lowest)
}

/// Full case folding, composed and decomposed alike.
pub fn fold(text: &str) -> String {
    text.nfd().default_case_fold().nfc().collect()
}

fn number(text: &str) -> Option<f64> {
    let decimal = !text.is_empty() && text.chars().all(|character| "0123456789+-.eE".contains(character));
    text.parse().ok().filter(|number: &f64| decimal && number.is_finite())
}

/// Microseconds since 1970. A date alone is midnight UTC, a time without an offset is UTC.
fn instant(text: &str) -> Option<i64> {
    let text = text.to_ascii_uppercase();
    if !text
        .get(..10)?
        .bytes()
        .enumerate()
        .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    {
        return None;
    }
    let spellings = [text.clone(), format!("{text}Z"), format!("{text}T00:00:00Z")];
    spellings.iter().find_map(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_microsecond)
}
