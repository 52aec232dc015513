//! Queries on lists: a filter, an order and a page. An API creates a query from its own parameters, and a store
//! evaluates it. The same filter selects the rows and counts them.

use std::cmp::Ordering;

use super::community::Visibility;
use super::decimal::Decimal;
use super::role::Roles;
use super::time::Timestamp;

/// A page of a list, at most [`Page::MAX_SIZE`] rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page number, from 1 to [`Page::MAX_NUMBER`].
    pub number: u32,
    /// The number of rows on a page, from 1 to [`Page::MAX_SIZE`].
    pub size: u32,
}

impl Page {
    /// The page size if the request does not state one.
    pub const DEFAULT_SIZE: u32 = 20;
    /// The maximum page size.
    pub const MAX_SIZE: u32 = 100;
    /// The maximum page number.
    pub const MAX_NUMBER: u32 = i32::MAX as u32;

    /// The number of rows before the page.
    pub fn offset(self) -> u64 {
        u64::from(self.number - 1) * u64::from(self.size)
    }

    /// The number of pages for `total` rows.
    pub fn count(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size))
    }
}

/// The rows of one page and the number of rows on all pages, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResult<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// The number of rows on all pages.
    pub total: u64,
}

/// A property to filter or sort by, where `F` enumerates the properties of one kind of entity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field<F> {
    /// A property of the entity itself.
    Own(F),
    /// A path in the extended properties, with dots between its segments.
    Xp(String),
}

/// What the path of a label begins with. No path in xp has it, because JSON texts here hold no NUL.
const LABEL: &str = "\0label.";

impl<F> Field<F> {
    /// The label in the language with the tag, in any case. Stores have labels beside the values in xp.
    pub fn label(tag: &str) -> Self {
        Self::Xp(format!("{LABEL}{}", tag.to_ascii_lowercase()))
    }
}

/// The lower-case tag of the language, if the path is that of a label.
pub(crate) fn label_tag(path: &str) -> Option<&str> {
    path.strip_prefix(LABEL)
}

/// The properties of a group that lists filter or sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupField {
    /// The group's number, for sorting only: the order of Core's lists.
    Uid,
    /// The group's ID.
    Id,
    /// The group's Name.
    Name,
    /// The description.
    Description,
    /// The time of creation.
    Created,
    /// The time of the last change.
    Updated,
    /// The number of live members.
    Members,
}

impl GroupField {
    /// The fields that are searched: the text indexes have these, and the APIs search these.
    pub const SEARCHABLE: &'static [Self] = &[Self::Id, Self::Name, Self::Description];
}

/// The properties of a user that lists filter or sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserField {
    /// The user's number, for sorting only.
    Uid,
    /// The user's ID.
    Id,
    /// The username.
    Username,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The email address.
    Email,
    /// The phone number.
    Phone,
    /// Whether the user may sign in.
    Active,
    /// The time at which the user accepted the terms.
    TermsAccepted,
    /// The time of creation.
    Created,
    /// The time of the last successful sign-in.
    LastActive,
    /// The time of the last change of the password.
    PasswordSet,
    /// The number of failed sign-ins since the last successful one.
    FailedAttempts,
    /// The end of the lockout after too many failed sign-ins.
    LockedUntil,
}

impl UserField {
    /// The fields that are searched: the text indexes have these, and the APIs search these.
    pub const SEARCHABLE: &'static [Self] = &[Self::Id, Self::Username, Self::FirstName, Self::LastName, Self::Email];
}

/// A query on the list of groups.
#[derive(Clone, Debug)]
pub struct GroupQuery {
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// The filter.
    pub filter: Filter<GroupField>,
    /// The sort keys, the most significant first. Name, then ID, break ties.
    pub sort: Vec<Sort<GroupField>>,
    /// The page to return.
    pub page: Page,
}

/// A query on the list of users.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// The filter.
    pub filter: Filter<UserField>,
    /// The sort keys, the most significant first. LastName, FirstName, then ID, break ties.
    pub sort: Vec<Sort<UserField>>,
    /// The page to return.
    pub page: Page,
}

/// A filter, which matches what the search and every condition match.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter<F> {
    /// The search, if there is one.
    pub search: Option<Search<F>>,
    /// The conditions, joined by AND.
    pub conditions: Vec<Condition<F>>,
}

impl<F> Filter<F> {
    /// The filter for a caller who may see these groups and communities alone.
    pub fn limited_to(mut self, visibility: &Visibility) -> Self {
        for condition in &mut self.conditions {
            if let Condition::Communities(_, seen) | Condition::WithoutGroups(seen) = condition {
                seen.clone_from(visibility);
            }
        }
        self
    }
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self { search: None, conditions: Vec::new() }
    }
}

/// A search, which matches what has the term as a substring of at least one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Search<F> {
    /// The term, after case folding; not empty.
    pub term: String,
    /// The fields to search.
    pub fields: Vec<Field<F>>,
}

/// A condition, which matches what passes at least one of its tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<F> {
    /// Tests of one field, joined by OR; at least one.
    Any(Field<F>, Vec<Test>),
    /// Tests of the user's roles, joined by OR: the user has at least one of the roles (`true`) or none of them
    /// (`false`).
    Roles(Vec<(Roles, bool)>),
    /// Tests of the entity's communities, joined by OR; at least one. Only the communities that the caller may see
    /// count, which the service sets. A positive test passes if one community passes, a negative one if none does.
    Communities(Vec<Test>, Visibility),
    /// The group has the live user with this number as a member, or the user is a member of the live group with it.
    Membership(i64),
    /// The user is in no live group that the caller may see. The service sets which these are.
    WithoutGroups(Visibility),
    /// A condition that matches nothing.
    Never,
}

impl<F> Condition<F> {
    /// Joins tests of one field by OR. The tests of equality become one, so that the store looks up all their values in
    /// one index.
    pub fn any(field: Field<F>, tests: Vec<Test>) -> Self {
        Self::Any(field, joined(tests))
    }

    /// The field's value is a time after the moment.
    pub fn after(field: Field<F>, moment: Timestamp) -> Self {
        let operand = Operand { text: String::new(), number: None, instant: Some(moment), boolean: None };
        Self::Any(field, vec![Test::Compare(Comparison::Greater, operand)])
    }

    /// Tests of the entity's communities, joined as those of a field are.
    pub fn communities(tests: Vec<Test>) -> Self {
        Self::Communities(joined(tests), Visibility::All)
    }

    /// The maximum number of tests that the store evaluates, a measure of the cost. The values of one test count as
    /// one.
    pub fn tests(&self) -> usize {
        match self {
            Self::Any(_, tests) | Self::Communities(tests, _) => tests.len(),
            Self::Roles(alternatives) => alternatives.len(),
            Self::Membership(_) | Self::WithoutGroups(_) | Self::Never => 1,
        }
    }
}

fn joined(tests: Vec<Test>) -> Vec<Test> {
    let (mut values, mut all) = (Vec::new(), Vec::new());
    for test in tests {
        match test {
            Test::OneOf(operands) => values.extend(operands),
            other => all.push(other),
        }
    }
    if !values.is_empty() {
        all.push(Test::OneOf(values));
    }
    all
}

/// A test of a field's value. A null counts as absent, and an absent value passes only the negative tests. An object at
/// an xp path, or an array whose elements are all null, is present but equal to nothing: it passes `Present`,
/// `NotEqual` and `NotLike` only.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The value is present.
    Present,
    /// The value is absent.
    Absent,
    /// Equal to at least one of these operands; at least one.
    OneOf(Vec<Operand>),
    /// Not equal, or absent. At an xp path: no element is equal.
    NotEqual(Operand),
    /// The text matches the pattern.
    Like(Pattern),
    /// The text does not match the pattern, or is absent. At an xp path: no element matches.
    NotLike(Pattern),
    /// The value is in this relation to the operand.
    Compare(Comparison, Operand),
}

impl Test {
    /// The test for equality with one operand.
    pub fn equal(operand: Operand) -> Self {
        Self::OneOf(vec![operand])
    }

    /// Whether a value must pass; if not, the test is the negation of another one.
    pub fn is_positive(&self) -> bool {
        !matches!(self, Self::Absent | Self::NotEqual(_) | Self::NotLike(_))
    }
}

/// An order relation between a value and an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Whether the relation holds for a value whose order relative to the operand is `ordering`.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// The operand of a test, in every type as which it can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// The text, after case folding.
    pub text: String,
    /// The text as a number.
    pub number: Option<Decimal>,
    /// The text as an instant.
    pub instant: Option<Timestamp>,
    /// The text as a boolean: `true` or `false` in any case. For boolean properties only.
    pub boolean: Option<bool>,
}

/// A pattern with wildcards: the case-folded texts between the stars, at least two. `a*b` is `["a", "b"]`, `*a*` is
/// `["", "a", ""]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<String>);

impl Pattern {
    /// Whether the whole text, which must be case-folded, matches the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else { return false };
        let inner = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(inner) = inner else { return false };
        between.iter().try_fold(inner, |rest, run| Some(rest.split_once(run.as_str())?.1)).is_some()
    }
}

/// One sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort<F> {
    /// The field to sort by.
    pub field: Field<F>,
    /// Whether the highest value comes first.
    pub descending: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        let matches =
            |pattern: &str, text: &str| Pattern(pattern.split('*').map(str::to_owned).collect()).matches(text);
        let matching =
            [("a*", "a"), ("a*", "ab"), ("*a", "ba"), ("a*a", "aa"), ("*b*", "abc"), ("a*b*c", "abbc"), ("*", "")];
        for (pattern, text) in matching {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*", "ba"), ("a*a", "a"), ("*b*", "ac"), ("a*b*b", "ab"), ("*ab*ba*", "aba")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
