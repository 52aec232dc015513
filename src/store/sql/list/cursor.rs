//! The orders of walks by cursor, as SQL. What comes after a position is a few stretches, one after the other: each is a
//! range of an index in its order, so a page costs the same wherever it begins.

use std::iter::zip;

use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use crate::domain::cursor::{Position, SortValue};
use crate::domain::query::{Field, Sort, label_tag};
use crate::store::copy::Value;
use crate::store::sql::columns::Record;
use crate::store::sql::entity::StoredEntity;
use crate::store::sql::labels::rows as label_rows;
use crate::store::sql::tables::{ColumnKind, Listing, TABLE_ALIAS};
use crate::store::sql::xp::{KIND_NUMBER, KIND_TEXT, path_key, rows, split};

use super::engine::Engine;
use super::expressions::{always, any, constant, live, own};
use super::sorting::{columns_of, completed, direction, join_least, kinds, nulls};

/// The keys of a walk: those that were asked for, then the number, up to the first one without equals.
pub(crate) fn cursor_keys<L: Listing>(sort: &[Sort<L::Field>]) -> Vec<Sort<L::Field>> {
    let descending = sort.last().is_some_and(|key| key.descending);
    completed::<L>(sort, [Sort { field: Field::Own(L::UID), descending }])
}

/// Orders the rows, which are entities, and leaves only those after the position: one statement, for few rows that are
/// looked up and sorted.
pub(crate) fn sorted_after<L: Listing>(
    mut rows: SelectStatement,
    keys: &[Sort<L::Field>],
    after: Option<&Position>,
) -> SelectStatement {
    let parts = parts::<L>(&mut rows, keys, 0);
    order(&mut rows, &parts);
    if let Some(position) = after {
        rows.and_where(any(beyond(&parts, &scalars::<L>(keys, &position.0)).into_iter()));
    }
    rows
}

/// What entities have at the path of xp that is the first key: an index has each kind of values in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Anything: the first key is a column.
    Any,
    /// No value.
    Absent,
    /// A value of the kind.
    Kind(i64),
}

impl Class {
    /// The classes after the position, in order; each with the position if that is in the class.
    pub(crate) fn after<'p, F>(keys: &[Sort<F>], after: Option<&'p Position>) -> Vec<(Self, Option<&'p Position>)> {
        let begun = after.map(|position| Self::of_position(keys, position));
        let classes = Self::all(keys).into_iter().skip_while(|class| begun.is_some_and(|begun| begun != *class));
        classes.map(|class| (class, after.filter(|_| begun == Some(class)))).collect()
    }

    /// The stretches of the live entities of the class, of those after the position, in order: each a statement of
    /// numbers. If `is_filtered`, a condition on the entity may be added to it.
    pub(crate) fn stretches<L: Listing>(
        self,
        engine: &impl Engine,
        keys: &[Sort<L::Field>],
        after: Option<&Position>,
        is_filtered: bool,
    ) -> Vec<SelectStatement> {
        let (statement, parts) = self.ordered::<L>(engine, keys, is_filtered);
        let Some(position) = after else { return vec![statement] };
        let bounds = beyond(&parts, &self.scalars::<L>(keys, &position.0));
        bounds.into_iter().map(|bound| statement.clone().and_where(bound).take()).collect()
    }

    fn all<F>(keys: &[Sort<F>]) -> Vec<Self> {
        match keys.first() {
            Some(Sort { field: Field::Xp(_), descending }) => {
                let [first, second] = kinds(*descending).map(Self::Kind);
                if *descending { vec![first, second, Self::Absent] } else { vec![Self::Absent, first, second] }
            }
            _ => vec![Self::Any],
        }
    }

    fn of_position<F>(keys: &[Sort<F>], position: &Position) -> Self {
        match (keys.first(), position.0.first()) {
            (Some(Sort { field: Field::Xp(_), .. }), Some(SortValue::Number(_))) => Self::Kind(KIND_NUMBER),
            (Some(Sort { field: Field::Xp(_), .. }), Some(SortValue::Text(_))) => Self::Kind(KIND_TEXT),
            (Some(Sort { field: Field::Xp(_), .. }), _) => Self::Absent,
            _ => Self::Any,
        }
    }

    /// The live entities of the class in order, and the parts of the order.
    fn ordered<L: Listing>(
        self,
        engine: &impl Engine,
        keys: &[Sort<L::Field>],
        is_filtered: bool,
    ) -> (SelectStatement, Vec<Part>) {
        let mut rows = Query::select();
        let mut first = Vec::new();
        let (at, number) = match (self, keys) {
            (Self::Kind(kind), [Sort { field: Field::Xp(path), descending }, others @ ..]) => {
                let value = |name: &'static str| Expr::col((VALUES, name));
                let (columns, number) = (columns_of(kind), value("owner"));
                rows.from_as(L::entries_table(path), VALUES);
                let has_entity = is_filtered || others.iter().any(|key| key.field != Field::Own(L::UID));
                if has_entity {
                    rows.join_as(engine.nested_loop(), L::TABLE, TABLE_ALIAS, always());
                    rows.and_where(own("uid").equals((VALUES, "owner"))).and_where(live());
                }
                rows.and_where(value("path").eq(path_key(path))).and_where(value("kind").eq(constant(kind)));
                rows.and_where(value("least").eq(constant(1)));
                if kind == KIND_NUMBER {
                    // Every number has one; said so that its index serves.
                    rows.and_where(value(columns.prefix).is_not_null());
                }
                let part = |name| Part { value: value(name), nullable: false, descending: *descending };
                first.extend([part(columns.prefix), part(columns.rest)]);
                (1, number)
            }
            (Self::Absent, [Sort { field: Field::Xp(path), .. }, ..]) => {
                let mut with_value = Query::select().expr(constant(1)).from_as(L::entries_table(path), VALUES).take();
                let value = |name: &'static str| Expr::col((VALUES, name));
                with_value.and_where(value("owner").equals((TABLE_ALIAS, "uid")));
                with_value.and_where(value("path").eq(path_key(path))).and_where(value("least").eq(constant(1)));
                rows.from_as(L::TABLE, TABLE_ALIAS).and_where(live()).and_where(Expr::not_exists(with_value));
                (1, own("uid"))
            }
            (_, [Sort { field: Field::Own(field), descending }, ..])
                if let Some(table) = engine.side_table(L::column(*field)) =>
            {
                let value = |name: &'static str| Expr::col((VALUES, name));
                rows.from_as(table, VALUES).join_as(engine.nested_loop(), L::TABLE, TABLE_ALIAS, always());
                rows.and_where(own("uid").equals((VALUES, "owner"))).and_where(live());
                let value = value(L::column(*field).name);
                first.push(Part { value, nullable: false, descending: *descending });
                (1, Expr::col((VALUES, "owner")))
            }
            _ => {
                rows.from_as(L::TABLE, TABLE_ALIAS).and_where(live());
                (0, own("uid"))
            }
        };
        rows.expr_as(number.clone(), "uid");
        let mut others = parts::<L>(&mut rows, &keys[at..], at);
        for (part, key) in zip(others.iter_mut().rev(), keys[at..].iter().rev()).take(1) {
            if key.field == Field::Own(L::UID) {
                part.value = number.clone();
            }
        }
        let parts: Vec<Part> = first.into_iter().chain(others).collect();
        order(&mut rows, &parts);
        (rows, parts)
    }

    /// The values of the position, one for each part of the order.
    fn scalars<L: Listing>(self, keys: &[Sort<L::Field>], values: &[SortValue]) -> Vec<Option<Expr>> {
        match (self, keys, values) {
            (Self::Any, ..) => scalars::<L>(keys, values),
            (_, [_, keys @ ..], [value, values @ ..]) => {
                let first = split_value(value).map(|[value, rest]| [Some(value), Some(rest)]);
                first.into_iter().flatten().chain(scalars::<L>(keys, values)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The alias of the entries whose values are the first key.
const VALUES: &str = "v";

/// One expression of an order.
struct Part {
    value: Expr,
    nullable: bool,
    descending: bool,
}

/// The expressions of the keys, the first of which is the key with this place in the whole order.
fn parts<L: Listing>(rows: &mut SelectStatement, keys: &[Sort<L::Field>], place: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let descending = key.descending;
        match &key.field {
            Field::Own(field) => {
                let column = L::column(*field);
                parts.push(Part { value: own(column.name), nullable: column.nullable, descending });
            }
            Field::Xp(path) => {
                let [kind, value, rest] = join_least::<L>(rows, path, place + at);
                parts.push(Part { value: kind, nullable: true, descending });
                // Where the kind is the same, both have values or none has.
                parts.extend([value, rest].map(|value| Part { value, nullable: false, descending }));
            }
        }
    }
    parts
}

fn order(rows: &mut SelectStatement, parts: &[Part]) {
    for Part { value, nullable, descending } in parts {
        let order = direction(*descending);
        match nullable {
            true => rows.order_by_expr_with_nulls(value.clone(), order.clone(), nulls(&order)),
            false => rows.order_by_expr(value.clone(), order),
        };
    }
}

/// The values of the position, one for each part of the keys; `None` = NULL. A value that no position of these keys
/// has counts as the lowest.
fn scalars<L: Listing>(keys: &[Sort<L::Field>], values: &[SortValue]) -> Vec<Option<Expr>> {
    let values = values.iter().map(Some).chain(std::iter::repeat(None));
    let each = zip(keys, values).flat_map(|(key, value)| match &key.field {
        Field::Own(field) => {
            let column = L::column(*field);
            vec![match (column.kind, value) {
                (_, None | Some(SortValue::Absent)) if column.nullable => None,
                (ColumnKind::Text, Some(SortValue::Text(text))) => Some(Expr::val(text.clone())),
                (ColumnKind::Text, _) => Some(Expr::val("")),
                (_, Some(SortValue::Integer(integer))) => Some(Expr::val(*integer)),
                _ => Some(Expr::val(0_i64)),
            }]
        }
        Field::Xp(_) => {
            let kind = if matches!(value, Some(SortValue::Number(_))) { KIND_NUMBER } else { KIND_TEXT };
            match value.and_then(split_value) {
                Some([value, rest]) => vec![Some(constant(kind)), Some(value), Some(rest)],
                None => vec![None, None, None],
            }
        }
    });
    each.collect()
}

/// The value at a path of xp as its two columns have it; `None` for no value.
fn split_value(value: &SortValue) -> Option<[Expr; 2]> {
    match value {
        SortValue::Number(text) | SortValue::Text(text) => {
            let (beginning, rest) = split(text);
            Some([Expr::val(beginning), Expr::val(rest)])
        }
        SortValue::Absent | SortValue::Integer(_) => None,
    }
}

/// What holds for the rows after the values: of the conditions, each for one range, and the ranges come in order.
fn beyond(parts: &[Part], values: &[Option<Expr>]) -> Vec<Expr> {
    let mut ranges = Vec::new();
    for (at, (part, value)) in zip(parts, values).enumerate().rev() {
        for further in further(part, value.as_ref()) {
            let equal = zip(&parts[..at], &values[..at]).map(|(part, value)| match value {
                Some(value) => part.value.clone().eq(value.clone()),
                None => part.value.clone().is_null(),
            });
            ranges.push(equal.rev().fold(further, |range, equal| equal.and(range)));
        }
    }
    ranges
}

/// The conditions of a part that come after the value in the order, for one range each.
fn further(part: &Part, value: Option<&Expr>) -> Vec<Expr> {
    let Part { value: own, nullable, descending } = part;
    match (value, descending) {
        (Some(value), false) => vec![own.clone().gt(value.clone())],
        (Some(value), true) => {
            let below = own.clone().lt(value.clone());
            std::iter::once(below).chain(nullable.then(|| own.clone().is_null())).collect()
        }
        (None, false) if *nullable => vec![own.clone().is_not_null()],
        (None, _) => Vec::new(),
    }
}

/// The position of the entity in the order of the keys.
pub(crate) fn position<L: Listing, E: StoredEntity>(entity: &E, keys: &[Sort<L::Field>]) -> Position {
    let value = |key: &Sort<L::Field>| match &key.field {
        Field::Own(field) => of_column(entity, L::column(*field).name),
        Field::Xp(path) => of_xp(entity, path),
    };
    Position(keys.iter().map(value).collect())
}

/// The value of the entity's column.
pub(crate) fn of_column<E: Record>(entity: &E, name: &str) -> SortValue {
    let column = E::COLUMNS.iter().find(|column| column.name == name);
    match column.map(|column| column.field.value(entity)) {
        Some(Value::Integer(integer)) => SortValue::Integer(integer),
        Some(Value::Text(text)) => SortValue::Text(text),
        Some(Value::Null) | None => SortValue::Absent,
    }
}

fn of_xp<E: StoredEntity>(entity: &E, path: &str) -> SortValue {
    if label_tag(path).is_some() {
        let tag = path_key(path);
        let label = entity.sources().labels.and_then(|labels| label_rows(labels).find(|row| row.tag == tag));
        return label.map_or(SortValue::Absent, |row| SortValue::Text(row.text + &row.rest));
    }
    let path = path_key(path);
    let entries = entity.sources().xp.map(crate::domain::xp::Xp::entries).unwrap_or_default();
    match rows(entries).into_iter().find(|row| row.least && row.path == path) {
        Some(row) if row.kind == KIND_NUMBER => SortValue::Number(row.number.unwrap_or_default() + &row.number_rest),
        Some(row) => SortValue::Text(row.text + &row.rest),
        None => SortValue::Absent,
    }
}
