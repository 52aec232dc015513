//! The expected response to a list request, by the rules of docs/ordercloud.md, section 6, only: slow and plain, on the
//! objects that the API returned. It shares no code with the program's own filters.

use std::cmp::Ordering;

use caseless::Caseless as _;
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization as _;

/// The type of a property's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Texts.
    Text,
    /// Booleans.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Dates.
    Instant,
    /// An array of texts.
    Texts,
    /// Always null.
    Null,
}

/// A kind of entity that has lists.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The path of the list.
    pub path: &'static str,
    /// The properties and their types.
    pub properties: &'static [(&'static str, Type)],
    /// The properties that a search covers by default.
    pub searched: &'static [&'static str],
    /// The properties by which the list can be sorted.
    pub sortable: &'static [&'static str],
    /// The property that breaks ties in the order.
    pub ties: &'static [&'static str],
}

/// Admin user groups (section 2).
pub(crate) const GROUPS: Schema = Schema {
    path: "/v1/usergroups",
    properties: &[("ID", Type::Text), ("Name", Type::Text), ("Description", Type::Text)],
    searched: &["ID", "Name", "Description"],
    sortable: &["ID", "Name"],
    ties: &["Name", "ID"],
};

/// Admin users (section 3).
pub(crate) const USERS: Schema = Schema {
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
pub(crate) enum Field {
    /// A property of the entity, with its type.
    Own(&'static str, Type),
    /// A path inside xp.
    Xp(String),
}

impl Schema {
    /// The property with this name.
    pub(crate) fn field(&self, name: &str) -> Field {
        let property = self.properties.iter().find(|(own, _)| *own == name);
        property.map(|(name, of)| Field::Own(name, *of)).expect("a property of the schema")
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Relation {
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// `*`: the field has a value.
    Present,
    /// The value is equal to the text.
    Equal(String),
    /// Runs of text with any text between them; at least two, of which one is not empty.
    Like(Vec<String>),
    /// Never negated: the negation is another comparison.
    Compare(Relation, String),
}

/// One alternative of a filter's value.
#[derive(Clone, Debug)]
pub(crate) struct Alternative {
    /// Whether the test is negated.
    pub negated: bool,
    /// The test.
    pub test: Test,
    /// Selects one of the spellings with the same meaning.
    pub spelling: u8,
}

/// `field=alternative|alternative`.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// The field.
    pub field: Field,
    /// The alternatives, of which one must match.
    pub alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// The search term.
    pub term: String,
    /// If there are none: the default search properties.
    pub on: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sort {
    /// The field.
    pub field: Field,
    /// Whether the order is descending.
    pub descending: bool,
}

/// All parameters of a list request except its page.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListRequest {
    /// The filters, all of which must match.
    pub filters: Vec<Filter>,
    /// The search.
    pub search: Option<Search>,
    /// The order.
    pub sort: Vec<Sort>,
}

impl ListRequest {
    /// Whether every operand suits its property; if not, the response is 400 `List.InvalidType`.
    pub(crate) fn suits(&self) -> bool {
        let suits = |filter: &Filter| filter.alternatives.iter().all(|alternative| suits(&filter.field, alternative));
        self.filters.iter().all(suits)
    }

    /// The entities of the list, in its order.
    pub(crate) fn expected<'a>(&self, schema: &Schema, entities: &'a [Json]) -> Vec<&'a Json> {
        let mut listed: Vec<_> = entities.iter().filter(|entity| self.keeps(schema, entity)).collect();
        listed.sort_by(|a, b| self.order(schema, a, b));
        listed
    }

    fn keeps(&self, schema: &Schema, entity: &Json) -> bool {
        let found = self.search.as_ref().is_none_or(|search| finds(schema, search, entity));
        found && self.filters.iter().all(|filter| passes(filter, entity))
    }

    fn order(&self, schema: &Schema, a: &Json, b: &Json) -> Ordering {
        let by_sorts = self.sort.iter().map(|sort| {
            let order = key(a, &sort.field).order(&key(b, &sort.field));
            if sort.descending { order.reverse() } else { order }
        });
        let ties = schema.ties.iter().map(|name| {
            let field = schema.field(name);
            key(a, &field).order(&key(b, &field))
        });
        by_sorts.chain(ties).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// A value as filters see it. A null is no value.
#[derive(Clone, Debug)]
enum Value {
    /// An array or object.
    Container,
    Number(Decimal, String),
    /// Folded; always compares as text.
    Text(String),
    /// Folded, of xp: compares as a number or date if it is one.
    Loose(String),
    Instant(i64),
}

/// The values of a field: several if there are arrays on its path.
fn values(entity: &Json, field: &Field) -> Vec<Value> {
    let mut found = Vec::new();
    match field {
        Field::Xp(path) => at_path(&entity["xp"], path, &mut found),
        Field::Own(name, of) => match (&entity[*name], of) {
            (Json::Null, _) => {}
            (Json::String(text), Type::Instant) => found.extend(instant(text).map(Value::Instant)),
            (Json::String(text), _) => found.push(Value::Text(fold(text))),
            (Json::Number(number), _) => {
                found.push(Value::Number(decimal(number), number.to_string()));
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

/// The value at the path: arrays are transparent, and a key with dots is spelled like nested keys.
fn at_path(json: &Json, path: &str, found: &mut Vec<Value>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| at_path(item, path, found)),
        Json::Object(fields) => {
            for (name, value) in fields {
                match path.strip_prefix(name.as_str()) {
                    Some("") => collect_values(value, found),
                    Some(rest) if rest.starts_with('.') => at_path(value, &rest[1..], found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn collect_values(json: &Json, found: &mut Vec<Value>) {
    match json {
        Json::Null => {}
        Json::Bool(value) => found.push(Value::Text(value.to_string())),
        Json::Number(number) => found.push(Value::Number(decimal(number), number.to_string())),
        Json::String(text) => found.push(Value::Loose(fold(text))),
        Json::Array(items) => {
            found.push(Value::Container);
            items.iter().for_each(|item| collect_values(item, found));
        }
        Json::Object(_) => found.push(Value::Container),
    }
}

fn passes(filter: &Filter, entity: &Json) -> bool {
    let values = values(entity, &filter.field);
    let matches =
        |alternative: &Alternative| values.iter().any(|value| matches(value, &alternative.test)) != alternative.negated;
    filter.alternatives.is_empty() || filter.alternatives.iter().any(matches)
}

fn matches(value: &Value, test: &Test) -> bool {
    match (test, value) {
        (Test::Present, _) => true,
        (_, Value::Container) => false,
        (Test::Equal(operand), Value::Number(own, _)) => {
            number(operand).is_some_and(|operand| own.order(&operand).is_eq())
        }
        (Test::Equal(operand), Value::Instant(own)) => instant(operand) == Some(*own),
        (Test::Equal(operand), Value::Text(own) | Value::Loose(own)) => fold(operand) == *own,
        (Test::Like(_), Value::Instant(_)) => false,
        (Test::Like(runs), Value::Number(_, own) | Value::Text(own) | Value::Loose(own)) => {
            let folded: Vec<_> = runs.iter().map(|run| fold(run)).collect();
            like(own, &folded)
        }
        (Test::Compare(relation, operand), own) => relation.matches(compared(own, operand)),
    }
}

/// How the value compares with the operand: as numbers or as instants if both are, otherwise as text.
fn compared(value: &Value, operand: &str) -> Option<Ordering> {
    let text = fold(operand);
    match value {
        Value::Container => None,
        Value::Text(own) => Some(own.cmp(&text)),
        Value::Instant(own) => instant(operand).map(|operand| own.cmp(&operand)),
        Value::Number(own, spelling) => {
            Some(number(operand).map_or(spelling.cmp(&text), |operand| own.order(&operand)))
        }
        Value::Loose(own) => match (number(own).zip(number(operand)), instant(own).zip(instant(operand))) {
            (Some((own, operand)), _) => Some(own.order(&operand)),
            (_, Some((own, operand))) => Some(own.cmp(&operand)),
            _ => Some(own.cmp(&text)),
        },
    }
}

impl Relation {
    fn matches(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// Whether the text consists of the runs, folded, with any text between them; tries every way.
fn like(text: &str, runs: &[String]) -> bool {
    let [run, rest @ ..] = runs else { return text.is_empty() };
    let Some(after) = text.strip_prefix(run.as_str()) else { return false };
    match rest {
        [] => after.is_empty(),
        _ => (0..=after.len()).filter(|at| after.is_char_boundary(*at)).any(|at| like(&after[at..], rest)),
    }
}

fn finds(schema: &Schema, search: &Search, entity: &Json) -> bool {
    let default = schema.searched.iter().map(|name| schema.field(name)).collect();
    let fields: Vec<Field> = if search.on.is_empty() { default } else { search.on.clone() };
    let term = fold(&search.term);
    let has_term = |value: &Value| match value {
        Value::Number(_, own) | Value::Text(own) | Value::Loose(own) => own.contains(&term),
        Value::Container | Value::Instant(_) => false,
    };
    term.is_empty() || fields.iter().any(|field| values(entity, field).iter().any(has_term))
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

/// The sort key of an entity: absent values, nulls and objects are lowest, then numbers and instants, then texts.
#[derive(Debug)]
enum Key {
    Lowest,
    Number(Decimal),
    Text(String),
}

impl Key {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Lowest, Self::Lowest) => Ordering::Equal,
            (Self::Number(a), Self::Number(b)) => a.order(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Lowest, _) | (Self::Number(_), Self::Text(_)) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

/// The least of the field's values that are neither null nor object.
fn key(entity: &Json, field: &Field) -> Key {
    let keys = values(entity, field).into_iter().filter_map(|value| match value {
        Value::Container => None,
        Value::Number(number, _) => Some(Key::Number(number)),
        Value::Instant(micros) => number(&micros.to_string()).map(Key::Number),
        Value::Text(text) | Value::Loose(text) => Some(Key::Text(text)),
    });
    keys.min_by(Key::order).unwrap_or(Key::Lowest)
}

/// Full case folding, composed and decomposed alike.
pub(crate) fn fold(text: &str) -> String {
    text.nfd().default_case_fold().nfc().collect()
}

/// A number by its exact value: the digits after "0.", without zeros around them, times a power of ten.
#[derive(Clone, Debug)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    power: i64,
}

impl Decimal {
    fn order(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits));
        match sign(self) {
            own if own != sign(other) => own.cmp(&sign(other)),
            0 => Ordering::Equal,
            1 => magnitude,
            _ => magnitude.reverse(),
        }
    }
}

/// Any decimal or exponent form whose exponent fits 32 bits.
fn number(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let point = mantissa.find('.').unwrap_or(mantissa.len());
    let mut digits = mantissa.replacen('.', "", 1).into_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut power = point as i64 + i64::from(exponent);
    while digits.first() == Some(&b'0') {
        digits.remove(0);
        power -= 1;
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    Some(Decimal { negative: text.starts_with('-'), digits, power })
}

fn decimal(json: &serde_json::Number) -> Decimal {
    number(&json.to_string()).expect("a number of JSON")
}

/// Microseconds since 1970, of the years 1 to 9999 in UTC. A date alone is midnight UTC, a time without an offset is UTC.
fn instant(text: &str) -> Option<i64> {
    let text = text.to_ascii_uppercase();
    let is_date = |date: &str| {
        date.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    if !is_date(text.get(..10)?) {
        return None;
    }
    let (local, minutes) = match text.rfind(['+', '-', 'Z']).filter(|at| *at > 10) {
        Some(at) => (&text[..at], offset(&text[at..])?),
        None => (text.as_str(), 0),
    };
    let local: jiff::civil::DateTime = local.parse().ok()?;
    let since = |moment: jiff::civil::DateTime| moment.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    let micros = since(local).as_nanos().div_euclid(1_000) - i128::from(minutes) * 60_000_000;
    let year = |year| since(jiff::civil::date(year, 1, 1).at(0, 0, 0, 0)).as_micros();
    let last = since(jiff::civil::date(9999, 12, 31).at(23, 59, 59, 999_999_000)).as_micros();
    (year(1)..=last).contains(&micros).then(|| micros.try_into().expect("microseconds that fit"))
}

/// The minutes of `Z` or `+05:30`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (hours, minutes) = text[1..].split_once(':')?;
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some(if text.starts_with('-') { -minutes } else { minutes })
}
