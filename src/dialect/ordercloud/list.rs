//! Lists: from the parameters of the URL to a question of the domain, and from one page of answers to the vendor's
//! envelope (docs/ordercloud.md, section 6).

use crate::domain::community::Visibility;
use crate::domain::error::{Error, ListError, Result};
use crate::domain::id::Id;
use crate::domain::membership::MembershipQuery;
use crate::domain::query::{Condition, Filter, GroupQuery, Page, Search, Sort, UserQuery};
use crate::domain::text::fold;

use super::properties::{self, Model};

/// Decoded names and values of a URL's query, in their order, repeated names included.
pub type Parameters = [(String, String)];

const SEARCH: &str = "search";
const SEARCH_ON: &str = "searchOn";
const SORT_BY: &str = "sortBy";
const PAGE: &str = "page";
const PAGE_SIZE: &str = "pageSize";
const USER_GROUP_ID: &str = "userGroupID";
const USER_ID: &str = "userID";

/// The most tests one list may ask for: alternatives of filters and searched fields together. Each is a part of one
/// statement, whose size a database bounds.
const TESTS_MAX: usize = 200;
/// The most fields one list may be sorted by, for the same reason.
const SORTS_MAX: usize = 20;

/// The question that these parameters ask of the list of groups. The service sets its visibility.
///
/// # Errors
/// [`Error::List`] with the first parameter that breaks a rule; likewise for the other questions here.
pub fn group_query(parameters: &Parameters) -> Result<GroupQuery> {
    let Question { filter, sort, page } = Question::read(parameters)?;
    Ok(GroupQuery { visibility: Visibility::All, filter, sort, page })
}

/// The question that these parameters ask of the list of users.
pub fn user_query(parameters: &Parameters) -> Result<UserQuery> {
    let Question { filter, sort, page } = Question::read(parameters)?;
    Ok(UserQuery { filter, sort, page })
}

/// The page and the question that these parameters ask of the list of assignments; no question where they name an
/// ID that nothing can have. Other parameters are ignored. The service sets the visibility.
pub fn assignment_query(parameters: &Parameters) -> Result<(Page, Option<MembershipQuery>)> {
    let page = page(parameters)?;
    let (group, user) = (asked_id(parameters, USER_GROUP_ID)?, asked_id(parameters, USER_ID)?);
    let question = |(group, user)| MembershipQuery { visibility: Visibility::All, group, user, page };
    Ok((page, group.zip(user).map(question)))
}

/// The ID that a parameter asks for, `Some(None)` where it asks for any; `None` where nothing can have it.
fn asked_id(parameters: &Parameters, name: &'static str) -> Result<Option<Option<Id>>> {
    Ok(match only(parameters, name)? {
        None | Some("") => Some(None),
        Some(text) => Id::new(text).map(Some),
    })
}

/// What groups and users are asked alike.
struct Question<F> {
    filter: Filter<F>,
    sort: Vec<Sort<F>>,
    page: Page,
}

impl<F: Model> Question<F> {
    fn read(parameters: &Parameters) -> Result<Self> {
        let question = Self {
            page: page(parameters)?,
            sort: sort(only(parameters, SORT_BY)?.unwrap_or_default())?,
            filter: Filter { search: search(parameters)?, conditions: conditions(parameters)? },
        };
        if question.is_too_costly() { Err(Error::List(ListError::TooCostly)) } else { Ok(question) }
    }

    fn is_too_costly(&self) -> bool {
        let searched = self.filter.search.as_ref().map_or(0, |search| search.fields.len());
        let tests: usize = self.filter.conditions.iter().map(Condition::tests).sum();
        searched + tests > TESTS_MAX || self.sort.len() > SORTS_MAX
    }
}

/// The value of a parameter that may stand in the URL once.
fn only<'a>(parameters: &'a Parameters, name: &'static str) -> Result<Option<&'a str>> {
    let mut values = parameters.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    let value = values.next().map(|(_, value)| value.as_str());
    if values.next().is_some() { Err(Error::List(ListError::Repeated(name))) } else { Ok(value) }
}

fn page(parameters: &Parameters) -> Result<Page> {
    Page::read(only(parameters, PAGE)?, only(parameters, PAGE_SIZE)?).map_err(Error::List)
}

/// `searchOn` says nothing where nothing is searched, and is not looked at then.
fn search<F: Model>(parameters: &Parameters) -> Result<Option<Search<F>>> {
    let (term, on) = (fold(only(parameters, SEARCH)?.unwrap_or_default()), only(parameters, SEARCH_ON)?);
    if term.is_empty() {
        return Ok(None);
    }
    let mut fields = Vec::new();
    for name in names(on.unwrap_or_default()) {
        let field = properties::searched(name)?;
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    if fields.is_empty() {
        fields = properties::default_search();
    }
    Ok(Some(Search { term, fields }))
}

/// The order asked for. Of a field named twice the first counts.
fn sort<F: Model>(sort_by: &str) -> Result<Vec<Sort<F>>> {
    let mut sorts: Vec<Sort<F>> = Vec::new();
    for key in names(sort_by) {
        let name = key.trim_start_matches('!').trim_start();
        if name.is_empty() {
            continue;
        }
        let field = properties::sorted(name)?;
        if sorts.iter().all(|own| own.field != field) {
            sorts.push(Sort { field, descending: key.starts_with('!') });
        }
    }
    Ok(sorts)
}

/// The names of a comma list; empty ones count for nothing.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Every parameter that is no list parameter is a filter.
fn conditions<F: Model>(parameters: &Parameters) -> Result<Vec<Condition<F>>> {
    let reserved = [SEARCH, SEARCH_ON, SORT_BY, PAGE, PAGE_SIZE];
    let filters = parameters.iter().filter(|(name, _)| !reserved.iter().any(|own| own.eq_ignore_ascii_case(name)));
    filters.filter_map(|(name, value)| properties::condition(name, value).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    use crate::domain::query::{Field, GroupField, UserField};

    fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn of_groups(pairs: &[(&str, &str)]) -> Result<GroupQuery, ListError> {
        group_query(&parameters(pairs)).map_err(|error| match error {
            Error::List(error) => error,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn nothing_asked_is_the_first_page_of_everything() {
        let query = of_groups(&[]).unwrap();
        assert_eq!(query.page, Page { number: 1, size: 20 });
        assert_eq!(query.filter, Filter::default());
        assert!(query.sort.is_empty());
    }

    #[test]
    fn list_parameters_match_without_case_and_stand_once() {
        let query = of_groups(&[("PAGE", "2"), ("pagesize", "50")]).unwrap();
        assert_eq!(query.page, Page { number: 2, size: 50 });
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
    fn a_question_has_a_size() {
        let outcome = |name: &str, value: String| of_groups(&[("ID", "a"), (name, &value)]).map(drop);
        let alternatives = |count| vec!["a"; count].join("|");
        assert_eq!(outcome("Name", alternatives(TESTS_MAX - 1)), Ok(()));
        assert_eq!(outcome("Name", alternatives(TESTS_MAX)), Err(ListError::TooCostly));
        let paths = |count| (0..count).map(|at| format!("xp.{at}")).collect::<Vec<_>>().join(",");
        assert_eq!(outcome("sortBy", paths(SORTS_MAX)), Ok(()));
        assert_eq!(outcome("sortBy", paths(SORTS_MAX + 1)), Err(ListError::TooCostly));
        let search = |count| of_groups(&[("search", "a"), ("searchOn", &paths(count))]).map(drop);
        assert_eq!(search(TESTS_MAX), Ok(()));
        assert_eq!(search(TESTS_MAX + 1), Err(ListError::TooCostly));
    }

    #[test]
    fn assignments_are_asked_for_by_id_alone() {
        let ask = |pairs: &[(&str, &str)]| assignment_query(&parameters(pairs)).map(|(_, question)| question);
        let question = ask(&[("usergroupid", "g1"), ("userID", ""), ("Foo", "x")]).unwrap().unwrap();
        assert_eq!((question.group, question.user), (Id::new("g1"), None));
        assert!(ask(&[("userID", "a b")]).unwrap().is_none());
        assert!(ask(&[("userGroupID", "!g1")]).unwrap().is_none());
        assert!(matches!(ask(&[("userID", "a"), ("userID", "a")]), Err(Error::List(ListError::Repeated(USER_ID)))));
        assert!(matches!(ask(&[("page", "0"), ("userID", "a b")]), Err(Error::List(ListError::Page))));
    }

    proptest! {
        #[test]
        fn no_parameters_panic(pairs in proptest::collection::vec((
            "search|searchOn|sortBy|page|pageSize|Name|xp\\..{0,3}|Active|DateCreated|\\PC{0,6}",
            "([!<>=*|\\\\,]|ID|Name|[0-9]|\\PC){0,12}",
        ), 0..6)) {
            for outcome in [group_query(&pairs).err(), user_query(&pairs).err(), assignment_query(&pairs).err()] {
                prop_assert!(matches!(outcome, None | Some(Error::List(_))));
            }
        }
    }
}
