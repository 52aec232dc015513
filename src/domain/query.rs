//! Questions to the directory's lists: what to keep, in which order, which page of it. A dialect writes them from
//! its own parameters, a store answers them; one filter feeds the rows and their total.

use std::cmp::Ordering;

use super::community::Visibility;
use super::error::ListError;
use super::role::Roles;
use super::time::Timestamp;

/// Which page of a list: at most [`Page::MAX_SIZE`] rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    pub size: u32,
}

impl Page {
    /// The rows of a page where nothing else is asked.
    pub const DEFAULT_SIZE: u32 = 20;
    /// The most rows of a page.
    pub const MAX_SIZE: u32 = 100;
    /// The highest page number.
    pub const MAX_NUMBER: u32 = i32::MAX as u32;

    /// Reads the page settings as callers send them; what is absent has its default.
    pub fn read(number: Option<&str>, size: Option<&str>) -> Result<Self, ListError> {
        Ok(Self {
            number: number.map_or(Some(1), |text| from_1_to(Self::MAX_NUMBER, text)).ok_or(ListError::Page)?,
            size: size
                .map_or(Some(Self::DEFAULT_SIZE), |text| from_1_to(Self::MAX_SIZE, text))
                .ok_or(ListError::PageSize)?,
        })
    }

    /// How many rows stand before the page.
    pub fn offset(self) -> u64 {
        u64::from(self.number - 1) * u64::from(self.size)
    }

    /// How many pages `total` rows make.
    pub fn count(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size))
    }
}

/// A whole number in plain digits: no sign, no fraction.
fn from_1_to(max: u32, text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (1..=max).contains(number))
}

/// One page and the number of rows on all of them, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// A property of `F`'s kind, or a path of dotted segments inside xp.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field<F> {
    Own(F),
    Xp(String),
}

/// The properties of a group that lists know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupField {
    /// Sorting only: Core's order.
    Uid,
    Id,
    Name,
    Description,
}

/// The properties of a user that lists know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserField {
    Id,
    Username,
    FirstName,
    LastName,
    Email,
    Phone,
    Active,
    TermsAccepted,
    Created,
    LastActive,
    PasswordSet,
    FailedAttempts,
}

/// A question to the list of groups.
#[derive(Clone, Debug)]
pub struct GroupQuery {
    pub visibility: Visibility,
    pub filter: Filter<GroupField>,
    /// Most significant first. Ties fall to Name, then ID.
    pub sort: Vec<Sort<GroupField>>,
    pub page: Page,
}

/// A question to the list of users.
#[derive(Clone, Debug)]
pub struct UserQuery {
    pub filter: Filter<UserField>,
    /// Most significant first. Ties fall to LastName, FirstName, then ID.
    pub sort: Vec<Sort<UserField>>,
    pub page: Page,
}

/// What to keep: everything that every part of it lets through.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter<F> {
    pub search: Option<Search<F>>,
    pub conditions: Vec<Condition<F>>,
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self { search: None, conditions: Vec::new() }
    }
}

/// Keeps what has the term, folded and not empty, as a substring of at least one of the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Search<F> {
    pub term: String,
    pub fields: Vec<Field<F>>,
}

/// Keeps what at least one of the tests lets through.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<F> {
    /// Tests of one field. Never empty.
    Any(Field<F>, Vec<Test>),
    /// Any of the user's roles is one of these (`true`), or none of them is (`false`); one pair is enough.
    Roles(Vec<(Roles, bool)>),
    /// Nothing is kept.
    Never,
}

impl<F> Condition<F> {
    /// How many tests it takes at most: what it may cost.
    pub fn tests(&self) -> usize {
        match self {
            Self::Any(_, tests) => tests.len(),
            Self::Roles(alternatives) => alternatives.len(),
            Self::Never => 1,
        }
    }
}

/// A test of a field's value. An absent value (a null; at an xp path also an array of nothing but nulls for all
/// but presence, or an object) passes only the negative ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Present,
    Absent,
    Equal(Operand),
    /// Not equal, or absent. At an xp path: no element is equal.
    NotEqual(Operand),
    Like(Pattern),
    /// Not like the pattern, or absent. At an xp path: no element is.
    NotLike(Pattern),
    Compare(Comparison, Operand),
}

impl Test {
    /// Whether it asks that a value passes, rather than that none does.
    pub fn is_positive(&self) -> bool {
        !matches!(self, Self::Absent | Self::NotEqual(_) | Self::NotLike(_))
    }
}

/// An order relation between a value and an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a value stands in this relation to an operand, where `ordering` is the value's to the operand.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What a value is held against, in every type it can be read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Folded.
    pub text: String,
    pub number: Option<f64>,
    pub instant: Option<Timestamp>,
    /// For boolean properties: `true` or `false` in any case.
    pub boolean: Option<bool>,
}

/// Folded runs of text with anything between them: `a*b` is `["a", "b"]`, `*a*` is `["", "a", ""]`. At least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<String>);

impl Pattern {
    /// Whether the folded text is of this pattern.
    pub fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else { return false };
        let inner = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(inner) = inner else { return false };
        between.iter().try_fold(inner, |rest, run| Some(rest.split_once(run.as_str())?.1)).is_some()
    }
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort<F> {
    pub field: Field<F>,
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

    #[test]
    fn page_settings_are_whole_numbers_in_range() {
        let page = |number, size| Ok(Page { number, size });
        assert_eq!(Page::read(None, None), page(1, 20));
        assert_eq!(Page::read(Some("2147483647"), Some("100")), page(2_147_483_647, 100));
        for bad in ["0", "-1", "+1", "1.0", "1.1", "", " 1", "x", "2147483648", "99999999999"] {
            assert_eq!(Page::read(Some(bad), None), Err(ListError::Page), "{bad}");
        }
        for bad in ["0", "101", "-1", "ten"] {
            assert_eq!(Page::read(None, Some(bad)), Err(ListError::PageSize), "{bad}");
        }
    }
}
