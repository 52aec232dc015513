//! Lists: converts the parameters of a URL to a query of the domain (docs/ordercloud.md, section 6).

use crate::domain::community::Visibility;
use crate::domain::id::Id;
use crate::domain::membership::MembershipQuery;
use crate::domain::query::{Condition, Filter, GroupQuery, Page, Search, Sort, UserQuery};
use crate::domain::text::fold;
use crate::http::request::error::{ListError, Result};
use crate::http::request::page;

use super::properties::{self, Model};

/// The decoded names and values of a URL's query, in their order, including repeated names.
pub(crate) type Parameters = [(String, String)];

const SEARCH: &str = "search";
const SEARCH_ON: &str = "searchOn";
const SORT_BY: &str = "sortBy";
const PAGE: &str = "page";
const PAGE_SIZE: &str = "pageSize";
const USER_GROUP_ID: &str = "userGroupID";
const USER_ID: &str = "userID";
/// The depth of a list, which the vendor's seeding tool sends. It has no meaning here: every list ignores it
/// (docs/ordercloud.md, section 6).
const DEPTH: &str = "depth";

/// The parameters of the lists of groups and users that are not filters.
const LIST_PARAMETERS: [&str; 6] = [SEARCH, SEARCH_ON, SORT_BY, PAGE, PAGE_SIZE, DEPTH];
/// All parameters of the list of assignments.
const ASSIGNMENT_PARAMETERS: [&str; 5] = [USER_GROUP_ID, USER_ID, PAGE, PAGE_SIZE, DEPTH];

/// The maximum number of tests in one list: the alternatives of all filters and the searched fields. All alternatives
/// that test a property for equality count as one. Each test is a part of one statement, and databases limit its size.
const TESTS_MAX: usize = 200;
/// The maximum number of fields that one list is sorted by, for the same reason.
const SORTS_MAX: usize = 20;

/// The query for the list of groups. The service sets its visibility.
///
/// # Errors
/// [`RequestError::List`](crate::http::request::error::RequestError::List) for the first parameter that breaks a rule. The other
/// query functions return the same error.
pub(crate) fn group_query(parameters: &Parameters) -> Result<GroupQuery> {
    let ListParameters { filter, sort, page } = ListParameters::read(parameters)?;
    Ok(GroupQuery { visibility: Visibility::All, filter, sort, page })
}

/// The query for the list of users.
pub(crate) fn user_query(parameters: &Parameters) -> Result<UserQuery> {
    let ListParameters { filter, sort, page } = ListParameters::read(parameters)?;
    Ok(UserQuery { filter, sort, page })
}

/// The page and the query for the list of assignments; no query if a parameter is not a valid ID, because then the list
/// is empty. An unknown parameter or one without a value is an error: callers delete the assignments that this list
/// returns, and must not get more than they intend (docs/ordercloud.md, section 7). The service sets the visibility.
pub(crate) fn assignment_query(parameters: &Parameters) -> Result<(Page, Option<MembershipQuery>)> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| !is_one_of(&ASSIGNMENT_PARAMETERS, name)) {
        return Err(ListError::Unknown(name.clone()).into());
    }
    let page = page(parameters)?;
    let (group, user) = (requested_id(parameters, USER_GROUP_ID)?, requested_id(parameters, USER_ID)?);
    let query = |(group, user)| MembershipQuery { visibility: Visibility::All, group, user, page };
    Ok((page, group.zip(user).map(query)))
}

/// The ID in a parameter: `Some(None)` if the parameter is absent, `None` if its value is not a valid ID.
fn requested_id(parameters: &Parameters, name: &'static str) -> Result<Option<Option<Id>>> {
    match single(parameters, name)? {
        None => Ok(Some(None)),
        Some("") => Err(ListError::Empty(name).into()),
        Some(text) => Ok(Id::new(text).map(Some)),
    }
}

/// The parameters that the lists of groups and of users share.
struct ListParameters<F> {
    filter: Filter<F>,
    sort: Vec<Sort<F>>,
    page: Page,
}

impl<F: Model> ListParameters<F> {
    fn read(parameters: &Parameters) -> Result<Self> {
        let mut query = Self {
            page: page(parameters)?,
            sort: sort(single(parameters, SORT_BY)?.unwrap_or_default())?,
            filter: Filter { search: search(parameters)?, conditions: conditions(parameters)? },
        };
        if query.is_too_costly() {
            return Err(ListError::TooCostly.into());
        }
        query.filter.conditions = distinct(query.filter.conditions);
        Ok(query)
    }

    /// Whether the query has more tests than [`TESTS_MAX`].
    fn is_too_costly(&self) -> bool {
        let searched = self.filter.search.as_ref().map_or(0, |search| search.fields.len());
        let tests: usize = self.filter.conditions.iter().map(Condition::tests).sum();
        searched + tests > TESTS_MAX
    }
}

/// Fails with `TooCostly` if there are already `max` items. Called for each item, so that a long URL does not cause a
/// quadratic number of comparisons.
fn check_count(count: usize, max: usize) -> Result<()> {
    if count < max { Ok(()) } else { Err(ListError::TooCostly.into()) }
}

/// The value of a parameter that may occur only once.
fn single<'a>(parameters: &'a Parameters, name: &'static str) -> Result<Option<&'a str>> {
    let mut values = parameters.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    let value = values.next().map(|(_, value)| value.as_str());
    if values.next().is_some() { Err(ListError::Repeated(name).into()) } else { Ok(value) }
}

/// Whether one of the names equals `name` in any case.
fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// The requested page.
fn page(parameters: &Parameters) -> Result<Page> {
    Ok(page::read_page(single(parameters, PAGE)?, single(parameters, PAGE_SIZE)?)?)
}

/// The search. Ignores `searchOn`, valid or not, if there is no term.
fn search<F: Model>(parameters: &Parameters) -> Result<Option<Search<F>>> {
    let (term, on) = (fold(single(parameters, SEARCH)?.unwrap_or_default()), single(parameters, SEARCH_ON)?);
    if term.is_empty() {
        return Ok(None);
    }
    let mut fields = Vec::new();
    for name in names(on.unwrap_or_default()) {
        let field = properties::searched(name)?;
        if !fields.contains(&field) {
            check_count(fields.len(), TESTS_MAX)?;
            fields.push(field);
        }
    }
    if fields.is_empty() {
        fields = properties::default_search();
    }
    Ok(Some(Search { term, fields }))
}

/// The sort order. If a field occurs twice, its first occurrence counts.
fn sort<F: Model>(sort_by: &str) -> Result<Vec<Sort<F>>> {
    let mut sorts: Vec<Sort<F>> = Vec::new();
    for key in names(sort_by) {
        let name = key.trim_start_matches('!').trim_start();
        if name.is_empty() {
            continue;
        }
        let field = properties::sorted(name)?;
        if sorts.iter().all(|own| own.field != field) {
            check_count(sorts.len(), SORTS_MAX)?;
            sorts.push(Sort { field, descending: key.starts_with('!') });
        }
    }
    Ok(sorts)
}

/// The names in a comma-separated list, without empty ones.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The filters: all parameters that are not list parameters.
fn conditions<F: Model>(parameters: &Parameters) -> Result<Vec<Condition<F>>> {
    let filters = parameters.iter().filter(|(name, _)| !is_one_of(&LIST_PARAMETERS, name));
    filters.filter_map(|(name, value)| properties::condition(name, value).transpose()).collect()
}

/// The conditions without duplicates: a repeated condition changes nothing, but costs a store as much as another one.
fn distinct<F: PartialEq>(conditions: Vec<Condition<F>>) -> Vec<Condition<F>> {
    conditions.into_iter().fold(Vec::new(), |mut distinct, condition| {
        if !distinct.contains(&condition) {
            distinct.push(condition);
        }
        distinct
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::error::{Error, RequestError};

    use proptest::prelude::*;

    use crate::domain::query::{Field, GroupField, UserField};

    fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn of_groups(pairs: &[(&str, &str)]) -> Result<GroupQuery, ListError> {
        group_query(&parameters(pairs)).map_err(|error| match error {
            Error::Request(RequestError::List(error)) => error,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn no_parameters_return_the_first_page_of_all() {
        let query = of_groups(&[]).unwrap();
        assert_eq!(query.page, Page { number: 1, size: 20 });
        assert_eq!(query.filter, Filter::default());
        assert!(query.sort.is_empty());
    }

    #[test]
    fn list_parameters_match_in_any_case_and_occur_once() {
        let query = of_groups(&[("PAGE", "2"), ("pagesize", "50"), ("DEPTH", "all")]).unwrap();
        assert_eq!(query.page, Page { number: 2, size: 50 });
        assert!(query.filter.conditions.is_empty());
        for name in [SEARCH, SEARCH_ON, SORT_BY, PAGE, PAGE_SIZE] {
            let twice = of_groups(&[(name, "1"), (&name.to_uppercase(), "1")]);
            assert_eq!(twice.unwrap_err(), ListError::Repeated(name));
        }
        assert_eq!(of_groups(&[("page", "0")]).unwrap_err(), ListError::Page);
        assert_eq!(of_groups(&[("pageSize", "101")]).unwrap_err(), ListError::PageSize);
    }

    #[test]
    fn a_search_names_its_fields() {
        let search = |pairs: &[(&str, &str)]| of_groups(pairs).map(|query| query.filter.search);
        assert_eq!(search(&[("search", ""), ("searchOn", "Nonsense")]), Ok(None));
        let fields = |on: &str| search(&[("search", "Foo Bar"), ("searchOn", on)]).map(|own| own.unwrap().fields);
        assert_eq!(fields(""), Ok(properties::default_search()));
        let named = vec![Field::Own(GroupField::Id), Field::Own(GroupField::Name), Field::Xp("a.b".to_owned())];
        assert_eq!(fields("ID, name,,id,xp.a.b"), Ok(named));
        assert_eq!(fields("ID,Foo"), Err(ListError::SearchProperty("UserGroup.Foo".to_owned())));
        assert_eq!(search(&[("search", "Foo * Bar")]).unwrap().unwrap().term, "foo * bar");
    }

    #[test]
    fn an_order_names_each_field_once() {
        let sort = |by: &str| of_groups(&[("sortBy", by)]).map(|query| query.sort);
        let key = |field, descending| Sort { field, descending };
        let (name, id) = (Field::Own(GroupField::Name), Field::Own(GroupField::Id));
        assert_eq!(sort("!!Name, id,NAME,"), Ok(vec![key(name, true), key(id.clone(), false)]));
        assert_eq!(sort("!xp.Rank,! ID"), Ok(vec![key(Field::Xp("Rank".to_owned()), true), key(id, true)]));
        assert_eq!(sort(" ,!,"), Ok(vec![]));
        assert_eq!(sort("Foo"), Err(ListError::Property("UserGroup.Foo".to_owned())));
        assert_eq!(sort("!description"), Err(ListError::SortProperty("UserGroup.Description".to_owned())));
        let users = user_query(&parameters(&[("sortBy", "LastName,FirstName,PasswordLastSetDate")])).unwrap();
        assert_eq!(users.sort[2], key_of_user(UserField::PasswordSet));
    }

    fn key_of_user(field: UserField) -> Sort<UserField> {
        Sort { field: Field::Own(field), descending: false }
    }

    #[test]
    fn every_other_parameter_is_a_filter() {
        let query = of_groups(&[("Name", "!a"), ("page", "1"), ("name", "!b"), ("xp.k", "v"), ("Description", "|")]);
        let fields = query.unwrap().filter.conditions.into_iter().map(|condition| match condition {
            Condition::Any(field, tests) if tests.len() == 1 => field,
            other => panic!("{other:?}"),
        });
        let name = Field::Own(GroupField::Name);
        assert_eq!(fields.collect::<Vec<_>>(), [name.clone(), name, Field::Xp("k".to_owned())]);
        assert_eq!(of_groups(&[("pageKey", "x")]).unwrap_err(), ListError::Property("UserGroup.pageKey".to_owned()));
    }

    #[test]
    fn the_size_of_a_query_is_limited() {
        let outcome = |name: &str, value: String| of_groups(&[("ID", "a"), (name, &value)]).map(drop);
        for one in ["!a", ">a", "a*"] {
            let alternatives = |count| vec![one; count].join("|");
            assert_eq!(outcome("Name", alternatives(TESTS_MAX - 1)), Ok(()));
            assert_eq!(outcome("Name", alternatives(TESTS_MAX)), Err(ListError::TooCostly));
        }
        let equal = vec!["a"; 8_000].join("|");
        assert_eq!(outcome("Name", format!("{equal}|!b")), Ok(()));
        let conditions = |count| of_groups(&vec![("Name", "a"); count]).map(drop);
        assert_eq!((conditions(TESTS_MAX), conditions(TESTS_MAX + 1)), (Ok(()), Err(ListError::TooCostly)));
        let paths = |count| (0..count).map(|at| format!("xp.{at}")).collect::<Vec<_>>().join(",");
        assert_eq!(outcome("sortBy", paths(SORTS_MAX)), Ok(()));
        assert_eq!(outcome("sortBy", paths(SORTS_MAX + 1)), Err(ListError::TooCostly));
        let search = |count| of_groups(&[("search", "a"), ("searchOn", &paths(count))]).map(drop);
        assert_eq!(search(TESTS_MAX), Ok(()));
        assert_eq!(search(TESTS_MAX + 1), Err(ListError::TooCostly));
    }

    #[test]
    fn assignments_are_listed_by_id_only() {
        let read = |pairs: &[(&str, &str)]| assignment_query(&parameters(pairs)).map(|(_, query)| query);
        let query = read(&[("usergroupid", "g1"), ("Depth", "all")]).unwrap().unwrap();
        assert_eq!((query.group, query.user), (Id::new("g1"), None));
        assert!(
            matches!(read(&[("groupID", "g1")]), Err(Error::Request(RequestError::List(ListError::Unknown(name)))) if name == "groupID")
        );
        assert!(matches!(read(&[("USERID", "")]), Err(Error::Request(RequestError::List(ListError::Empty(USER_ID))))));
        assert!(read(&[("userID", "a b")]).unwrap().is_none());
        assert!(read(&[("userGroupID", "!g1")]).unwrap().is_none());
        assert!(matches!(
            read(&[("userID", "a"), ("userID", "a")]),
            Err(Error::Request(RequestError::List(ListError::Repeated(USER_ID))))
        ));
        assert!(matches!(
            read(&[("page", "0"), ("userID", "a b")]),
            Err(Error::Request(RequestError::List(ListError::Page)))
        ));
    }

    proptest! {
        #[test]
        fn no_parameters_panic(pairs in proptest::collection::vec((
            "search|searchOn|sortBy|page|pageSize|depth|Name|xp\\..{0,3}|Active|DateCreated|\\PC{0,6}",
            "([!<>=*|\\\\,]|ID|Name|[0-9]|\\PC){0,12}",
        ), 0..6)) {
            for outcome in [group_query(&pairs).err(), user_query(&pairs).err(), assignment_query(&pairs).err()] {
                prop_assert!(matches!(outcome, None | Some(Error::Request(RequestError::List(_)))));
            }
        }
    }
}
