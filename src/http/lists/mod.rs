//! Lists (docs/rollbook.md, section 5): converts the parameters of a URL to a query that is walked by cursor, for
//! Rollbook's own API and for the console.

mod changes;
mod groups;
mod members;
mod users;
mod walk;

use crate::domain::community::Visibility;
use crate::domain::cursor::{CursorPage, CursorQuery};
use crate::domain::query::{Condition, Field, Filter, Search, Sort, Test};
use crate::domain::text::fold;
use crate::http::request::cursor::Binding;
use crate::http::request::error::{Error, ListError, Result};
use crate::http::request::filter::{self, Type, has_empty_alternative};
use crate::http::request::role_filter::roles_condition;

use crate::http::request::parameters::{bound, check_names, is_set, limit, value};

pub(crate) use changes::{feed, group_history, selected_changes, user_history};
pub(crate) use groups::page as groups_page;
pub(crate) use members::{joined_groups, joined_groups_at, members, members_at};
pub(crate) use users::page as users_page;
pub(crate) use walk::Walk;

/// The parameters of every list that are not filters.
const COMMON: [&str; 5] = ["limit", "after", "sort", "q", "deleted"];
/// Of these, the parameters of a list of deleted entities.
const COMMON_OF_DELETED: [&str; 3] = ["limit", "after", "deleted"];
/// The maximum number of tests in one list, a measure of its cost. All values that are tested for equality count as one.
const TESTS_MAX: usize = 200;
/// The maximum number of sort keys of one list.
const SORTS_MAX: usize = 20;

/// A kind of entity that has a list; its values are the properties of the entity that stores filter and sort by.
trait Listed: Copy + 'static {
    /// The name of the list in its cursors.
    const NAME: &'static str;
    /// The parameters that are neither [`COMMON`] nor properties. The list of the entity reads them.
    const RELATIONS: &'static [&'static str];
    /// The properties to filter by, except for paths.
    const FILTERS: &'static [(&'static str, Source<Self>)];
    /// The properties to filter deleted entities by.
    const FILTERS_OF_DELETED: &'static [&'static str];
    /// The properties to sort by, except for paths.
    const SORT_KEYS: &'static [(&'static str, Self)];
    /// The fields that are searched.
    const SEARCHED: &'static [Self];

    /// Returns the field of a path, such as `xp.<path>`, and the part of its name that errors quote.
    fn path(name: &str) -> Option<(&'static str, Field<Self>)>;
}

/// Where a property has its values.
#[derive(Clone, Copy)]
enum Source<F> {
    /// In a field, with values of this type.
    Stored(F, Type),
    /// In a field that has a value or none: the property is true if it has one.
    Presence(F),
    /// The communities.
    Communities,
    /// The names of the roles.
    Roles,
}

/// A list that a caller asks for.
struct List<F> {
    query: CursorQuery<F>,
    binding: Binding,
    /// Whether the deleted entities are listed.
    deleted: bool,
}

impl<F: Listed> List<F> {
    /// Reads the parameters of the list, except for its relations. Fails with the first one that breaks a rule.
    fn read(parameters: &[(String, String)]) -> Result<Self> {
        let reserved = |name: &'static str| value(parameters, name);
        let deleted = is_set(parameters, "deleted")?;
        let mut filter = Filter { search: reserved("q")?.map(search), conditions: Vec::new() };
        let is_filter = |name: &str| !COMMON.contains(&name) && !F::RELATIONS.contains(&name);
        for (name, value) in parameters.iter().filter(|(name, _)| is_filter(name)) {
            filter.conditions.push(condition(name, value)?);
        }
        check_cost(&filter.conditions)?;
        let sort = reserved("sort")?.map_or_else(|| Ok(Vec::new()), sort)?;
        if deleted {
            check_names(parameters, &[&COMMON_OF_DELETED, F::FILTERS_OF_DELETED].concat())?;
        }
        let binding = Binding::new(F::NAME, bound(parameters));
        let after = match reserved("after")? {
            None => None,
            Some(text) => Some(binding.decode(text).ok_or_else(|| ListError::Type("after".to_owned()))?),
        };
        let limit = limit(parameters)?;
        let query = CursorQuery { visibility: Visibility::All, filter, sort, after, skip: 0, limit };
        Ok(Self { query, binding, deleted })
    }

    /// Adds conditions. Fails with `TooCostly` if the list has too many then.
    fn require(&mut self, conditions: impl IntoIterator<Item = Condition<F>>) -> Result<()> {
        self.query.filter.conditions.extend(conditions);
        check_cost(&self.query.filter.conditions)
    }
}

/// One page of a list, and the cursor of the next one.
pub(crate) type Page<T> = (CursorPage<T>, Option<String>);

/// The page with the cursor of the next one.
fn with_cursor<T>(page: CursorPage<T>, binding: &Binding) -> Page<T> {
    let next = page.next.as_ref().map(|position| binding.encode(position));
    (page, next)
}

/// The error for a relation with an entity that does not exist.
fn unknown(name: &str) -> Error {
    ListError::Type(name.to_owned()).into()
}

fn check_cost<F>(conditions: &[Condition<F>]) -> Result<()> {
    let tests: usize = conditions.iter().map(Condition::tests).sum();
    if tests > TESTS_MAX { Err(ListError::TooCostly.into()) } else { Ok(()) }
}

fn search<F: Listed>(text: &str) -> Search<F> {
    Search { term: fold(text), fields: F::SEARCHED.iter().copied().map(Field::Own).collect() }
}

/// Returns the field of `xp.<path>`.
fn xp_path<F>(name: &str) -> Option<(&'static str, Field<F>)> {
    let path = name.strip_prefix("xp.").filter(|path| !path.is_empty())?;
    Some(("xp", Field::Xp(path.to_owned())))
}

/// The condition of the filter `name=value`.
fn condition<F: Listed>(name: &str, value: &str) -> Result<Condition<F>> {
    let own = F::FILTERS.iter().find(|(own, _)| *own == name);
    let path = || F::path(name).ok_or_else(|| ListError::Property(name.to_owned()));
    let (quoted, source) = match own {
        Some((quoted, source)) => (*quoted, Some(*source)),
        None => (path()?.0, None),
    };
    if has_empty_alternative(value) {
        return Err(ListError::Empty(quoted).into());
    }
    let wrong_type = || Error::from(ListError::Type(name.to_owned()));
    let tests = |of| -> Result<Vec<Test>> { filter::tests(value, of).map_err(|filter::WrongType| wrong_type()) };
    Ok(match source {
        Some(Source::Stored(field, of)) => Condition::any(Field::Own(field), tests(of)?),
        Some(Source::Presence(field)) => {
            let test = match value {
                "true" => Test::Present,
                "false" => Test::Absent,
                _ => return Err(wrong_type()),
            };
            Condition::any(Field::Own(field), vec![test])
        }
        Some(Source::Communities) => Condition::communities(tests(Type::Text)?),
        Some(Source::Roles) => roles_condition(&tests(Type::Text)?).ok_or_else(wrong_type)?,
        None => Condition::any(path()?.1, tests(Type::Text)?),
    })
}

/// The sort keys, e.g. of `name,-updated`.
fn sort<F: Listed>(text: &str) -> Result<Vec<Sort<F>>> {
    let key = |name: &str| -> Result<Sort<F>> {
        let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let field = match F::SORT_KEYS.iter().find(|(own, _)| *own == name) {
            Some((_, field)) => Field::Own(*field),
            None => F::path(name).ok_or_else(|| ListError::SortProperty(name.to_owned()))?.1,
        };
        Ok(Sort { field, descending })
    };
    let keys: Vec<_> = text.split(',').map(key).collect::<Result<_>>()?;
    if keys.len() > SORTS_MAX { Err(ListError::TooCostly.into()) } else { Ok(keys) }
}
